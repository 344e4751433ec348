"""What stands between: proxies, certificates, the wrong scheme, a redirect. Each message names what is at fault."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rampcheck.contract import profile
from rampcheck.errors import UsageError
from rampcheck.wire import transport
from rampcheck.wire.receiver import free_port
from tests.hostile import target as hostile_target
from tests.hostile.ended import Ended, environment, program

KEYS = {"KRYPTONIM_API_KEY": "key-of-the-tests", "KRYPTONIM_SIGNATURE_SECRET": "secret-of-the-tests"}
FAR = "https://sandbox.invalid"
LOGIN = "ci:Sup3rS3cret"


def judged(base_url: str, folder: Path, **env: str) -> Ended:
    """Judges a target of Kryptonim; what it says is one line, however it was folded."""
    return program(
        "run",
        "--contract",
        "kryptonim",
        "--base-url",
        base_url,
        "--output",
        "run",
        current=folder,
        env=environment(**KEYS, **env),
    )


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_that_is_not_there_is_named(name: str, scheme: str, tmp_path: Path) -> None:
    """The proxy's host and the variable that names it, never its login, and not the sandbox."""
    port = free_port()
    ended = judged(FAR, tmp_path, **{name: f"{scheme}{LOGIN}@127.0.0.1:{port}"})
    assert ended.code == 5, ended.said
    assert f"the proxy 127.0.0.1:{port} ({name}) refused the connection" in ended.err
    assert "Sup3r" not in ended.said
    assert "NO_PROXY" in ended.err
    assert "Sup3r" not in (tmp_path / "run" / "index.html").read_text(encoding="utf-8")


def test_a_proxy_whose_name_is_unknown_is_named(tmp_path: Path) -> None:
    """Its name could not be resolved; the target's was not even looked for."""
    ended = judged(FAR, tmp_path, HTTPS_PROXY="http://proxy.invalid:9")
    assert ended.code == 5, ended.said
    assert "the name of the proxy proxy.invalid:9 (HTTPS_PROXY) could not be resolved" in ended.err


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("403 Forbidden", "refused to connect to sandbox.invalid"),
        ("407 Proxy Authentication Required", "asks for a login to connect to sandbox.invalid"),
    ],
)
def test_a_proxy_that_refuses_is_named(status: str, told: str, tmp_path: Path) -> None:
    """An answer of the proxy is none of the target."""

    def refuse(peer: hostile_target.Peer) -> None:
        peer.read_request()
        peer.send(hostile_target.whole(b"", status=status))

    with hostile_target.serve(refuse) as url:
        ended = judged(FAR, tmp_path, HTTPS_PROXY=url)
    assert ended.code == 5, ended.said
    assert f"the proxy {url.removeprefix('http://')} (HTTPS_PROXY) {told}" in ended.err


@pytest.mark.parametrize(
    "proxy",
    [
        *(f"http://{LOGIN}{sign}1@127.0.0.1:9" for sign in "#/?"),
        "http://ci:123#45Sup3rS3cret@127.0.0.1:9",
        "http://127.0.0.1:99999",
        "socks5://Sup3rS3cret:x@127.0.0.1:9",
        "http://Sup3rS3cret@127.0.0.1:9",
        "http://",
        "http://a..b:Sup3rS3cret",
    ],
)
def test_a_proxy_that_is_no_url_is_a_mistake(proxy: str, tmp_path: Path) -> None:
    """Exit code 4, the variable's name, and nothing of its text."""
    ended = judged(FAR, tmp_path, HTTPS_PROXY=proxy)
    assert ended.code == 4, ended.said
    assert "HTTPS_PROXY is no URL of an HTTP proxy" in ended.err
    assert "Sup3r" not in ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("no_proxy", "host", "passed"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("192.0.2.7,10.1.0.0/16", "10.1.9.9", True),
        ("fd00::/8", "[fd12::1]", True),
        ("*", "api.example", True),
        (".example", "api.example", True),
        ("example", "api.example", True),
        ("other.example", "api.example", False),
        ("not/a/network", "10.1.2.3", False),
    ],
)
def test_no_proxy_names_hosts_and_networks(
    monkeypatch: pytest.MonkeyPatch,
    no_proxy: str,
    host: str,
    passed: bool,
) -> None:
    """HTTP and WebSocket take the way that one function decides."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    target = profile.from_environment("kryptonim", f"https://{host}", KEYS)
    assert (transport.way_of(target).proxy is None) is passed


@pytest.mark.parametrize("content", [None, "", "no certificate"], ids=["no file", "a folder", "no certificate"])
def test_certificates_that_are_none_are_a_mistake(content: str | None, tmp_path: Path) -> None:
    """Where TLS needs them it is told, by the variable's name; where it does not, they do not matter."""
    path = tmp_path / "certificates"
    if content:
        path.write_text(content, encoding="utf-8")
    elif content is not None:
        path.mkdir()
    ended = judged(FAR, tmp_path, SSL_CERT_FILE=str(path))
    assert ended.code == 4, ended.said
    assert f"SSL_CERT_FILE names {path}, which cannot be used" in ended.err
    ended = judged(f"http://127.0.0.1:{free_port()}", tmp_path, SSL_CERT_FILE=str(path))
    assert ended.code == 5, ended.said
    assert "refused the connection" in ended.err


def test_http_where_https_speaks_is_named(tmp_path: Path) -> None:
    """Http where https speaks."""

    def alert(peer: hostile_target.Peer) -> None:
        peer.read_request()
        peer.send(b"\x15\x03\x03\x00\x02\x02\x46")  # RFC 8446 section 6: a fatal alert, protocol_version

    with hostile_target.serve(alert) as url:
        ended = judged(url, tmp_path)
    assert ended.code == 5, ended.said
    said = " ".join(ended.err.split())
    assert f"`--base-url` says http, and what answers at {url.removeprefix('http://')} speaks https" in said
    assert "Write https:// in `--base-url`." in said


def test_https_where_http_speaks_is_named(tmp_path: Path) -> None:
    """The other way round."""
    with hostile_target.serve(lambda peer: peer.send(hostile_target.whole(b"{}", status="400 Bad Request"))) as url:
        ended = judged(url.replace("http://", "https://"), tmp_path)
    assert ended.code == 5, ended.said
    said = " ".join(ended.err.split())
    assert f"`--base-url` says https, and what answers at {url.removeprefix('http://')} does not speak TLS" in said
    assert "Name the port of https in `--base-url`, or write http:// where the target is on this machine" in said


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://api.example/v2", "https://api.example/v2"),
        ("/login", "{url}/login"),
        ("//other.example", "http://other.example"),
    ],
)
def test_a_redirects_target_is_named(location: str, target: str, tmp_path: Path) -> None:
    """Whole, as it could be written into the profile."""

    def redirect(peer: hostile_target.Peer) -> None:
        peer.read_request()
        peer.send(hostile_target.whole(b"", f"Location: {location}", status="308 Permanent Redirect"))

    with hostile_target.serve(redirect) as url:
        ended = judged(url, tmp_path)
    assert ended.code == 5, ended.said
    named = target.format(url=url)
    cure = "the API's own address" if location == "/login" else f"if the API is there, write {named} in `--base-url`"
    assert named in ended.err
    assert cure in ended.err


def test_the_body_of_a_refusal_is_shown(tmp_path: Path) -> None:
    """What a validator says stands in no member that the API documents: its body is shown, without its secrets."""
    key = KEYS["KRYPTONIM_API_KEY"]
    body = json.dumps({"detail": [{"loc": ["body", "amount"], "msg": "field required"}], "input": key})
    answer = hostile_target.answering(lambda: hostile_target.whole(body.encode(), status="422 Unprocessable Content"))
    with hostile_target.serve(answer) as url:
        ended = judged(url, tmp_path)
    assert ended.code == 5, ended.said
    assert '"msg": "field required"' in ended.err
    assert key not in ended.said


def test_the_profiles_proxy_is_checked_the_same_way() -> None:
    """A login with # in it is told, and not shown."""
    given = {
        "contract": "kryptonim",
        "base_url": "https://api.example",
        "egress": {"outside_proxy": "http://ci:12#Sup3rS3cret@127.0.0.1:9"},
        "credentials": {"api_key": "${KRYPTONIM_API_KEY}", "signature_secret": "${KRYPTONIM_SIGNATURE_SECRET}"},
    }
    with pytest.raises(UsageError, match=r"egress\.outside_proxy") as told:
        profile.from_mapping(given, KEYS)
    assert "Sup3r" not in str(told.value)
