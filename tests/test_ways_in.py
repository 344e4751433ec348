"""The ways in: certificates, a gateway's headers, http in a private network, what of the environment counts."""

from __future__ import annotations

import json
import shutil
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from websockets.http11 import Request as Upgrade
from websockets.http11 import Response
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_websocket

from rampcheck.cli import main
from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Profile
from rampcheck.errors import ProfileError, UsageError
from rampcheck.judging import suite
from rampcheck.running.folder import claimed
from rampcheck.running.replay import replay
from rampcheck.running.run import Run, Settings
from rampcheck.wire import transport
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.limits import Budget
from tests.journals import BEGINNING
from tests.misconfigured import alone
from tests.samples import exchange as sample

ENVIRON = {"PROOF_CLIENT_TOKEN": "token-of-the-tests-4f7c1e9a", "GATEWAY": "cookie-of-the-gateway-81b2"}
MINIMAL = {
    "contract": "proof",
    "base_url": "https://sandbox.example",
    "credentials": {"client_token": "${PROOF_CLIENT_TOKEN}"},
}
REQUESTS = {
    "http": Request("GET", "/widget/session", credential="client_token"),
    "websocket": Request("GET", "/ws?tx_id=a", credential="client_token", protocol="websocket"),
}
each_protocol = pytest.mark.parametrize("protocol", REQUESTS)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    alone(monkeypatch)
    yield
    transport.certificates.cache_clear()


class Files:
    """A company's authority, a client certificate of it, and the wrong ones, each in a file of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority, self.other = trustme.CA(key_type=trustme.KeyType.ECDSA), trustme.CA()
        self.server = self.authority.issue_cert("127.0.0.1")
        client, foreign = self.authority.issue_cert("partner.example"), self.authority.issue_cert("else.example")
        self.key = client.private_key_pem.bytes()
        password = BestAvailableEncryption(b"open-sesame")
        protected = load_pem_private_key(self.key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, password)
        for name, content in {
            "ca.pem": self.authority.cert_pem.bytes(),
            "other-ca.pem": self.other.cert_pem.bytes(),
            "client.pem": client.cert_chain_pems[0].bytes(),
            "client.key": self.key,
            "both.pem": client.private_key_and_cert_chain_pem.bytes(),
            "foreign.key": foreign.private_key_pem.bytes(),
            "protected.key": protected,
            "broken.pem": self.authority.cert_pem.bytes()[:200] + b"\n-----END CERTIFICATE-----\n",
            "broken.key": self.key[:90] + b"\n-----END PRIVATE KEY-----\n",
            "text.pem": b"Please ask your administrator.\n",
            "der.pem": ssl.PEM_cert_to_DER_cert(self.authority.cert_pem.bytes().decode()),
            "large.pem": b" " * (5 << 20),
        }.items():
            (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files, made once."""
    return Files(tmp_path_factory.mktemp("tls"))


def loaded(folder: Path, **sections: Any) -> Profile:
    """Reads a profile in a folder."""
    path = folder / "sandbox.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, **sections}), encoding="utf-8")
    return profiles.load(path, ENVIRON)


def refused(folder: Path, **sections: Any) -> str:
    """Gives what is told of a profile that is refused."""
    with pytest.raises(ProfileError) as told:
        loaded(folder, **sections)
    return str(told.value)


@contextmanager
def target(files: Files | None = None, *, asks: bool = False) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serves HTTP, which it answers with 404, and WebSockets; gives the base URL, and the headers that come in."""
    heard: list[dict[str, str]] = []
    tls = None
    if files is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files.server.configure_cert(tls)
        if asks:
            files.authority.configure_trust(tls)
            tls.verify_mode = ssl.CERT_REQUIRED

    def answer(connection: ServerConnection, request: Upgrade) -> Response | None:
        heard.append({name.lower(): value for name, value in request.headers.raw_items()})
        return None if "upgrade" in request.headers else connection.respond(404, "{}")

    with serve_websocket(lambda _: None, "127.0.0.1", 0, ssl=tls, process_request=answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.socket.getsockname()[1]}", heard
        server.shutdown()


def asked(profile: Profile, protocol: str) -> Exchange:
    """Gives the exchange of one request."""
    client = Client(profile, suite.load("proof").authenticate, Lane("run"), Budget(0, 10), lambda _: None)
    try:
        return client.send(REQUESTS[protocol], "a test")
    finally:
        client.close()


# Certificates.


@each_protocol
@pytest.mark.parametrize(
    ("tls", "asks", "answers"),
    [
        ({"ca": "ca.pem"}, False, True),
        ({"ca": "other-ca.pem"}, False, False),
        ({}, False, False),
        ({"ca": "ca.pem", "client_certificate": "client.pem", "client_key": "client.key"}, True, True),
        ({"ca": "ca.pem", "client_certificate": "both.pem"}, True, True),
        ({"ca": "ca.pem"}, True, False),
    ],
    ids=["authority", "another authority", "none", "client certificate", "key in its file", "no client certificate"],
)
def test_the_files_of_a_profile_open_the_way(
    files: Files, protocol: str, tls: dict[str, str], asks: bool, answers: bool
) -> None:
    """HTTP and WebSockets alike; relative paths begin where the profile is."""
    with target(files, asks=asks) as (base_url, heard):
        exchange = asked(loaded(files.folder, base_url=base_url, **({"tls": tls} if tls else {})), protocol)
    assert (exchange.response is not None, bool(heard)) == (answers, answers), exchange.failure
    if not answers:
        assert exchange.failure is not None
        # Since TLS 1.3 a server refuses a client without a certificate after the handshake (RFC 8446 section 4.4.2.4);
        # its alert is lost where its end of the connection is closed before it was read.
        assert exchange.failure.kind in ({"tls", "reset", "truncated"} if asks else {"tls"})


@pytest.mark.parametrize(
    ("tls", "place", "told"),
    [
        ({"ca": "none.pem"}, "ca", "cannot be read: No such file"),
        ({"ca": "."}, "ca", "no regular file"),
        ({"ca": "text.pem"}, "ca", "no certificate in PEM"),
        ({"ca": "der.pem"}, "ca", "openssl x509 -inform DER -in der.pem"),
        ({"ca": "client.key"}, "ca", "a private key stands there"),
        ({"ca": "broken.pem"}, "ca", "copy them again"),
        ({"ca": "large.pem"}, "ca", "larger than 4 MiB"),
        ({"client_key": "client.key"}, "client_key", "of no use without tls.client_certificate"),
        ({"client_certificate": "client.pem"}, "client_certificate", "name its file with tls.client_key"),
        ({"client_certificate": "client.pem", "client_key": "client.pem"}, "client_key", "no private key in PEM"),
        ({"client_certificate": "client.pem", "client_key": "none.key"}, "client_key", "No such file"),
        ({"client_certificate": "client.pem", "client_key": "foreign.key"}, "client_key", "does not fit"),
        ({"client_certificate": "client.pem", "client_key": "broken.key"}, "client_key", "cannot be read"),
        (
            {"client_certificate": "client.pem", "client_key": "protected.key"},
            "client_key",
            "openssl pkey -in protected",
        ),
        ({"client_certificate": "client.key", "client_key": "client.pem"}, "client_certificate", "private key stands"),
        ({"ca": 5}, "ca", "expected the path of a file"),
        ({"cert": "client.pem"}, "cert", "unknown key"),
    ],
)
def test_a_file_that_is_of_no_use_is_told(files: Files, tls: dict[str, Any], place: str, told: str) -> None:
    """With the line, what is wrong and the cure; nothing of what stands in a key, and without asking for a password."""
    error = refused(files.folder, tls=tls)
    assert f"tls.{place}: " in error
    assert "sandbox.yaml:" in error
    assert told in error
    assert files.key.splitlines()[1].decode()[:12] not in error


@each_protocol
@pytest.mark.parametrize("variable", transport.AUTHORITIES)
def test_the_environment_may_name_authorities(
    files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, protocol: str
) -> None:
    """Each of the variables counts, for HTTP and WebSockets; a profile goes before them."""
    named = files.folder / "ca.pem"
    if variable == "SSL_CERT_DIR":
        shutil.copy(named, tmp_path / f"{_subject_hash(named)}.0")
        named = tmp_path
    with target(files) as (base_url, _):
        profile = loaded(tmp_path, base_url=base_url)
        other = loaded(files.folder, base_url=base_url, tls={"ca": "other-ca.pem"})
        monkeypatch.setenv(variable, str(named))
        transport.certificates.cache_clear()
        assert asked(profile, protocol).response is not None
        assert asked(other, protocol).response is None


def _subject_hash(path: Path) -> str:
    """The name by which OpenSSL finds a certificate in a folder, as `openssl rehash` gives it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("this machine has no openssl command")
    import subprocess  # noqa: PLC0415 - for this alone

    command = [openssl, "x509", "-hash", "-noout", "-in", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_one_variable_goes_before_the_other(files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL_CERT_FILE goes before REQUESTS_CA_BUNDLE; what names no certificates is told by its name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files.folder / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.folder / "other-ca.pem"))
    with target(files) as (base_url, _):
        profile = loaded(tmp_path, base_url=base_url)
        assert asked(profile, "http").response is not None
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "none.pem")
    transport.certificates.cache_clear()
    with pytest.raises(UsageError, match=r"REQUESTS_CA_BUNDLE names none\.pem, which cannot be used"):
        transport.way_of(profile)


def test_a_bundle_of_the_command_line_goes_before_the_profile(files: Files) -> None:
    """It stands in the record of the run, too; one that is none is refused."""
    with target(files) as (base_url, _):
        profile = loaded(files.folder, base_url=base_url, tls={"ca": "other-ca.pem"})
        profile = profile.with_authorities(str(files.folder / "ca.pem"))
        assert asked(profile, "http").response is not None
    assert profile.as_public()["tls"] == {"ca": str(files.folder / "ca.pem")}
    with pytest.raises(UsageError, match=r"--ca-bundle names .*text.pem.*no certificate in PEM"):
        profile.with_authorities(str(files.folder / "text.pem"))
    with pytest.raises(UsageError, match=r"^--ca-bundle names none.pem, which cannot be read: No such file"):
        profile.with_authorities("none.pem")
    with pytest.raises(ProfileError, match=r"none.pem, which cannot be read: .*; a relative path begins where"):
        loaded(files.folder, tls={"ca": "none.pem"})


@each_protocol
def test_netrc_never_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, protocol: str) -> None:
    """No login of a file that other programs read is ever sent."""
    (tmp_path / ".netrc").write_text("default login someone password open-sesame\n", encoding="ascii")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setitem(REQUESTS, protocol, REQUESTS[protocol].with_header("Authorization", None))
    with target() as (base_url, heard):
        asked(loaded(tmp_path, base_url=base_url), protocol)
    assert heard
    assert "authorization" not in heard[0]


# Headers.


@each_protocol
def test_a_gateways_headers_are_sent(tmp_path: Path, protocol: str) -> None:
    """With every request; what the environment gave is a secret, by its value."""
    headers = {"X-Env": "staging", "Cookie": "gateway=${GATEWAY}; theme=${PROOF_CLIENT_TOKEN}"}
    with target() as (base_url, heard):
        profile = loaded(tmp_path, base_url=base_url, headers=headers)
        exchange = asked(profile, protocol)
    assert heard[0]["x-env"] == exchange.request.header("x-env") == "staging"
    assert heard[0]["cookie"] == f"gateway={ENVIRON['GATEWAY']}; theme={ENVIRON['PROOF_CLIENT_TOKEN']}"
    assert heard[0]["authorization"] == f"Bearer {ENVIRON['PROOF_CLIENT_TOKEN']}"
    assert set(ENVIRON.values()) <= set(profile.secrets.values())
    assert "staging" not in profile.secrets.values()


@each_protocol
def test_a_gateways_short_word_is_in_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """What the environment gave to a header may be short, as a PIN is, and could not be told by its value."""
    monkeypatch.setitem(ENVIRON, "PIN", "48217")
    headers = {"X-Env": "staging", "X-Door": "p-${PIN}", "Cookie": "sid=${PIN}"}
    with target() as (base_url, heard):
        profile = loaded(tmp_path, base_url=base_url, headers=headers)
        run = Run(profile, Settings("run", bytes(32), claimed(str(tmp_path / "run"), "proof")))
        run.client.send(REQUESTS[protocol], "a test")
        run.close()
    assert heard[0]["x-door"] == "p-48217"
    written = (tmp_path / "run" / "journal.jsonl").read_text(encoding="utf-8")
    assert "staging" in written
    assert "48217" not in written


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Authorization", "Bearer ${GATEWAY}", "a documented header"),
        ("Origin", "https://app.example.com", "a documented header"),
        ("content-type", "text/plain", "HTTP's own"),
        ("Host", "api.example", "HTTP's own"),
        ("Sec-WebSocket-Key", "a", "HTTP's own"),
        ("User-Agent", "mine", "rampcheck's own"),
        ("traceparent", "00-1-2-01", "`traceparent: false`"),
        ("X-Forwarded-For", "10.0.0.1", "where a call comes from"),
        ("X Env", "a", "no name of a header"),
        ("X-Env", " a", "begins or ends with a space"),
        ("X-Env", "größe", "in ASCII"),
        ("X-Env", 5, "put it in quotes"),
        ("X-Env", "a\nb", "control character"),
        ("Cookie", "gateway=open-sesame", "is written out; write ${NAME}"),
        ("X-Gateway-Token", "open-sesame", "is written out; write ${NAME}"),
    ],
)
def test_a_header_that_is_none_of_a_gateway_is_refused(tmp_path: Path, name: str, value: Any, told: str) -> None:
    """With the reason, and without its value."""
    error = refused(tmp_path, headers={name: value})
    assert told in error
    assert "sandbox.yaml:" in error
    assert "open-sesame" not in error


def test_a_contracts_own_headers_are_refused(tmp_path: Path) -> None:
    """Those by which it authenticates, and those of its document, in any letter case."""
    of_kryptonim = {"contract": "kryptonim", "credentials": {"api_key": "a" * 9, "signature_secret": "b" * 9}}
    error = refused(
        tmp_path,
        **of_kryptonim,
        base_url="http://127.0.0.1:1",
        headers={"x-api-key": "c", "X-REQUEST-SIGNATURE": "d", "X-Env": "e", "x-env": "f"},
    )
    assert error.count("a documented header") == 2
    assert "given twice" in error


def test_a_header_that_was_a_secret_needs_its_profile_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run that sent one, nothing is sent again without it."""
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", ENVIRON["PROOF_CLIENT_TOKEN"])
    public = {**BEGINNING["profile"], "headers": {"Cookie": "gateway=[redacted headers_Cookie 0123456789ab]"}}
    records = [{**BEGINNING, "profile": public}, sample(1)]
    (tmp_path / "journal.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    with pytest.raises(UsageError, match=r"a header Cookie with a secret.*\n.*--profile"):
        replay(tmp_path, 1)


# http, and the command line.


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("http://api:8080", ""),
        ("http://10.1.2.3/v1", ""),
        ("http://[fd00::1]:8080", ""),
        ("http://sandbox.corp.example", ""),
        ("http://1.1.1.1", "is a public address"),
        ("http://[2606:4700::1]", "is a public address"),
    ],
)
def test_http_may_be_allowed_in_a_private_network(tmp_path: Path, base_url: str, told: str) -> None:
    """By a line in the profile, and never to an address of the open internet."""
    assert "`allow_http: true`" in refused(tmp_path, base_url=base_url)
    if told:
        assert told in refused(tmp_path, base_url=base_url, allow_http=True)
    else:
        assert loaded(tmp_path, base_url=base_url, allow_http=True).base_url == base_url


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--environment", "sandbox"], "--environment is for a target without a profile"),
        (["run", "--ca-bundle", "ca.pem"], "--ca-bundle is for a target"),
        (["run", "--base-url", "https://sandbox.example", "--ca-bundle", "none.pem"], "--ca-bundle names none.pem"),
        (
            ["run", "--base-url", "https://sandbox.example", "--environment", "sandpit"],
            "expected sandbox or production",
        ),
        (["doctor", "--base-url", "https://sandbox.example", "--environment", "production"], "--allow-production"),
        (["doctor", "--base-url", "https://sandbox.example", "--ca-bundle", "none.pem"], "--ca-bundle names none.pem"),
    ],
    ids=" ".join,
)
def test_what_the_command_line_cannot_mean(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything is sent, with exit code 4."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", ENVIRON["PROOF_CLIENT_TOKEN"])
    if arguments[0] == "run":
        from tests.runs import rampcheck  # noqa: PLC0415 - a process of its own, for these alone

        done = rampcheck(*arguments[1:], folder=tmp_path / "run")
        assert (done.code, told in done.printed) == (4, True), done.printed
    else:
        done_here = CliRunner().invoke(main, arguments)
        assert (done_here.exit_code, told in done_here.output) == (4, True), done_here.output


def test_the_environment_of_a_target_is_stated() -> None:
    """Without a profile, too."""
    environ: Mapping[str, str] = ENVIRON
    stated = profiles.from_environment("proof", "https://sandbox.example", environ, "sandbox")
    assert stated.environment == "sandbox"
    assert profiles.from_environment("proof", "https://sandbox.example", environ).environment is None
