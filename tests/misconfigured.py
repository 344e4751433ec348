"""What a profile may be wrong about: small servers, proxies and certificates, and a diagnosis of them."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Profile
from rampcheck.doctor.asking import Asking
from rampcheck.doctor.diagnosis import diagnose
from rampcheck.doctor.telling import document
from rampcheck.sandbox.server import RunningReference
from rampcheck.wire import receiver, transport

Answer = tuple[int, Mapping[str, str], str]
Respond = Callable[[str], Answer]  # takes a path

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
TOKENS = {
    "proof": {"client_token": "token-of-the-tests-4f7c1e9a"},
    "kryptonim": {"api_key": "key-of-the-tests-2f8c41d0", "signature_secret": "secret-of-the-tests-b07d95e2"},
}


@contextmanager
def serving(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serves HTTP, with `tls` HTTPS, on a free port; gives `127.0.0.1:PORT`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Reads the body and answers."""
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, body = respond(self.path)
            self.send_response_only(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_CONNECT = do_POST

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A handshake that fails is what is wanted."""

        def get_request(self) -> tuple[socket.socket, Any]:
            connection, address = super().get_request()
            return (tls.wrap_socket(connection, server_side=True) if tls else connection), address

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def saying(words: bytes | None) -> Iterator[str]:
    """Accepts connections, writes `words` on each and closes it; None keeps it open and silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as kept:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if words is None:
                    kept.enter_context(connection)
                    continue
                with connection:
                    connection.recv(65536)
                    connection.sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


class World:
    """What the cases of a table are made of: the references, servers that last as long as the test, its environment."""

    def __init__(
        self, references: Mapping[str, RunningReference], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.references = references
        self.folder = tmp_path
        self.stack = ExitStack()
        self._set = monkeypatch.setenv
        self.authority = trustme.CA()

    def profile(self, contract: str = "proof", **sections: Any) -> dict[str, Any]:
        """Gives the profile of a conforming reference with some sections replaced; None leaves one out."""
        given = {**self.references[contract].profile(), **sections}
        return {name: value for name, value in given.items() if value is not None}

    def scarce(self, base_url: str, contract: str = "proof", **sections: Any) -> dict[str, Any]:
        """Gives the profile of a base URL and made-up credentials."""
        return {"contract": contract, "base_url": base_url, "credentials": TOKENS[contract], **sections}

    def wrongly(self, contract: str, **credentials: str) -> dict[str, Any]:
        """Gives a reference's profile in which some credentials are others."""
        profile = self.profile(contract)
        return {**profile, "credentials": {**profile["credentials"], **credentials}}

    def environment(self, name: str, value: str) -> None:
        """Sets a variable of the environment."""
        self._set(name, value)

    def served(self, status: int, body: str, path: str = "", contract: str = "proof", **headers: str) -> dict[str, Any]:
        """Gives the profile of a server that answers everything in one way."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        host = self.stack.enter_context(serving(lambda _: (status, told, body)))
        return self.scarce(f"http://{host}{path}", contract)

    def with_tls(self, leaf: trustme.LeafCert | trustme.CA, *, trusted: bool = True, **options: Any) -> dict[str, Any]:
        """Gives the profile of a server with this certificate; `trusted` lets this machine know the authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if isinstance(leaf, trustme.CA):
            file = self.folder / "own.pem"
            file.write_bytes(leaf.private_key_pem.bytes() + leaf.cert_pem.bytes())
            context.load_cert_chain(file)
        elif options.get("chain"):
            file = self.folder / "chain.pem"
            file.write_bytes(leaf.private_key_and_cert_chain_pem.bytes() + self.authority.cert_pem.bytes())
            context.load_cert_chain(file)
        else:
            leaf.configure_cert(context)
        if options.get("asks"):
            self.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        if trusted:
            file = self.folder / "authority.pem"
            self.authority.cert_pem.write_to_path(str(file))
            self.environment("SSL_CERT_FILE", str(file))
        host = self.stack.enter_context(serving(lambda _: (404, {}, "{}"), context))
        return self.scarce(f"https://{host}")

    def issued(self, name: str = "127.0.0.1", *, begins: int = -10, ends: int = 10) -> trustme.LeafCert:
        """Gives a certificate for a name, valid between these days from today."""
        now = datetime.now(UTC)
        return self.authority.issue_cert(
            name, not_before=now + timedelta(days=begins), not_after=now + timedelta(days=ends)
        )

    def shown(self, authority: trustme.CA) -> dict[str, str]:
        """Gives the `tls` of a profile with a client certificate of an authority."""
        leaf, file = authority.issue_cert("partner.example"), self.folder / "client.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(file))
        return {"client_certificate": str(file)}

    def behind_proxy(self, status: int) -> dict[str, Any]:
        """Gives the profile of a target that is reached over a proxy which refuses."""
        host = self.stack.enter_context(serving(lambda _: (status, {}, "")))
        self.environment("HTTPS_PROXY", f"http://someone:open-sesame-1234@{host}")
        return self.scarce("https://sandbox.example")

    def port(self) -> int:
        """Gives a port at which nobody listens."""
        return receiver.free_port()

    def closed(self) -> None:
        """Ends the servers."""
        self.stack.close()


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the proxies and certificates of this machine out of the environment."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in transport.AUTHORITIES:
        monkeypatch.delenv(name, raising=False)
    transport.certificates.cache_clear()


def loaded(profile: Mapping[str, Any]) -> Profile:
    """Gives a profile as it is read, its credentials referring to the environment."""
    environment = {name.upper(): value for name, value in profile["credentials"].items()}
    referring = {**profile, "credentials": {name: f"${{{name.upper()}}}" for name in profile["credentials"]}}
    return profiles.from_mapping(referring, environment)


def diagnosed(profile: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Gives what the doctor tells of a profile, as `--json` prints it."""
    folder.mkdir()
    with Asking(loaded(profile), folder) as asking:
        return document(diagnose(asking), asking)


def exchanges(folder: Path) -> list[dict[str, Any]]:
    """Gives the exchanges in the journal of a diagnosis."""
    lines = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == "exchange"]
