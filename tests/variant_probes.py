"""Requests whose raw answers show what a variant does otherwise."""

from __future__ import annotations

import hmac
import json
import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from rampcheck.sandbox.server import RunningReference

# Gives, in Latin-1, what came back for some requests, after a line with the server's base URL.
Probe = Callable[[RunningReference], str]


class Connection:
    """A connection of its own to a server; `ask` sends a request and gives the raw answer, interim ones before it."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self._socket = socket.create_connection((url.hostname, url.port), timeout=30)
        self.stream = self._socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Sends what is no request."""
        self._socket.sendall(data)

    def patience(self, seconds: float) -> None:
        """Sets how long is waited for whatever comes."""
        self._socket.settimeout(seconds)

    def ask(self, request: bytes) -> bytes:
        """Gives the bytes of the answer, none where the server has closed the connection."""
        try:
            self._socket.sendall(request)
            return read_message(self.stream)
        except ConnectionError:
            return b""


def read_message(stream: BinaryIO) -> bytes:
    """Gives the next message of HTTP, interim responses before it; nothing at the end."""
    head = _head(stream)
    # An upgrade is no interim response: what follows is no HTTP (RFC 9110 section 15.2.2).
    while re.match(rb"HTTP/1\.1 1(?!01)", head[head.rfind(b"HTTP/1.") :]):
        head += _head(stream)
    return head + (_chunks(stream) if b"chunked" in head else stream.read(length(head)))


def _head(stream: BinaryIO) -> bytes:
    lines = [stream.readline()]
    while lines[-1] not in {b"\r\n", b""}:
        lines.append(stream.readline())
    return b"".join(lines)


def _chunks(stream: BinaryIO) -> bytes:
    body = b""
    while True:
        size = stream.readline()
        body += size + stream.read(int(size, 16) + 2)
        if size == b"0\r\n":
            return body


def length(head: bytes) -> int:
    """Gives the Content-Length of a message's head."""
    found = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return int(found[1]) if found else 0


def raw(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Gives a request as it goes over the wire."""
    named = {"Host": "reference", "Accept-Encoding": "gzip, deflate", **headers, "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _body(minimum: Mapping[str, Any], fields: Mapping[str, Any], body: bytes | None) -> bytes:
    return json.dumps({**minimum, **fields}).encode() if body is None else body


PROOF = {
    "partner_user_id": "user-1",
    "user_email": "user@example.com",
    "network": "TRC20",
    "currency": "USDT",
    "amount": "100",
}
SECOND = {"network": "ERC20", "currency": "USDC"}
KRYPTONIM = {
    "fiatAmount": 15,
    "fiatCurrency": "EUR",
    "cryptoCurrency": "USDC",
    "network": "polygon",
    "destinationAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
}


def proof(
    credentials: Mapping[str, str],
    *,
    method: str = "POST",
    path: str = "/widget/session",
    body: bytes | None = None,
    headers: Mapping[str, str | None] | None = None,
    token: str = "client_token",
    **fields: Any,
) -> bytes:
    """Gives a session request of Proof: the minimum, with these fields, or with this body."""
    given = {"Authorization": f"Bearer {credentials[token]}", "Content-Type": "application/json", **(headers or {})}
    return raw(method, path, given, _body(PROOF, fields, body))


def kryptonim(
    credentials: Mapping[str, str],
    *,
    method: str = "POST",
    path: str = "/v1/widget-sessions",
    body: bytes | None = None,
    headers: Mapping[str, str | None] | None = None,
    spelled: Callable[[str], str] = str,
    **fields: Any,
) -> bytes:
    """Gives a session request of Kryptonim, the signature `spelled`."""
    content = _body(KRYPTONIM, fields, body)
    signature = hmac.digest(credentials["signature_secret"].encode(), content, "sha256").hex()
    given = {
        "X-API-Key": credentials["api_key"],
        "X-Request-Signature": spelled(signature),
        "Content-Type": "application/json",
        **(headers or {}),
    }
    return raw(method, path, given, content)


REQUESTS = {"proof": proof, "kryptonim": kryptonim}


def once(reference: RunningReference, **request: Any) -> str:
    """Gives the answer to one request."""
    return times(1, reference, **request)


def times(number: int, reference: RunningReference, **request: Any) -> str:
    """Gives the answers to a request sent again and again over one connection, while it lasts, and their number."""
    sent = REQUESTS[reference.contract](reference.profile()["credentials"], **request)
    answers = []
    with Connection(reference.base_url) as connection:
        while len(answers) < number and (answer := connection.ask(sent)):
            answers.append(answer.decode("latin-1"))
    return "\n".join([reference.base_url, *answers, f"{len(answers)} answers"])


def shares_email(reference: RunningReference) -> str:
    """Gives the answer to a user who has the e-mail address of another."""
    once(reference)
    return once(reference, partner_user_id="user-2")


def clocks(reference: RunningReference) -> str:
    """Gives how far the answer's times are ahead of this machine's clock, to ten seconds."""

    def ahead(time: datetime) -> int:
        return round((time - datetime.now(UTC)).total_seconds() / 10) * 10

    text = once(reference)
    date = re.search(r"\ndate: ([^\r]*)", text)
    end = re.search(r'"expiresAt": "([^"]*)"', text)
    return (f"Date {ahead(parsedate_to_datetime(date[1])):+d} s, " if date else "no Date, ") + (
        f"expiresAt {ahead(datetime.fromisoformat(end[1])):+d} s" if end else "no expiresAt"
    )


def left_idle(reference: RunningReference) -> str:
    """Gives what becomes of a connection that is left alone for a second after an answer."""
    with Connection(reference.base_url) as connection:
        connection.ask(REQUESTS[reference.contract](reference.profile()["credentials"]))
        connection.patience(1.0)
        try:
            return "closed" if connection.stream.read(1) == b"" else "not idle"
        except TimeoutError:
            return "open"


def does(number: int = 1, **request: Any) -> Probe:
    """Makes the probe that sends a request so many times."""
    return partial(times, number, **request)
