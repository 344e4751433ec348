"""One HTTP call and its answer, and the ASGI endpoint that turns the first into the second.

The services know nothing of sockets or frameworks: they take a `Call` and give an `Answer`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived.

    `headers` has lower-case names; repeated ones are joined by a comma (RFC 9110 §5.3). `source` is the
    caller's IP address. `body` holds at most `MAX_BODY_BYTES` and one more, to show that it is too long.
    `parameter` is the decoded value of the path's variable segment, empty where it has none; `query` is the
    query string as it was sent.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    source: str
    body: bytes
    parameter: str = ""
    query: str = ""

    def header(self, name: str) -> str | None:
        """The value of a header (`name` in lower case), or None where it was not sent."""
        return self.headers.get(name)

    def argument(self, name: str) -> str | None:
        """The value of a query parameter, the first if repeated, or None where it was not sent."""
        return parse_qs(self.query, keep_blank_values=True).get(name, [None])[0]

    @property
    def media_type(self) -> str:
        """The body's media type without parameters; in lower case, as it has none (RFC 9110 §8.3.1)."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def oversized(self) -> bool:
        """Whether the body was longer than a service reads."""
        return len(self.body) > MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to be sent: status, body bytes, and headers (Content-Length is added on sending)."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> Answer:
        """The same answer with more headers: `x_request_id="…"` sets `x-request-id`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})


def json_answer(status: int, document: Any) -> Answer:
    """An answer that carries `document` as JSON.

    Everything outside ASCII is escaped: so a lone surrogate, which UTF-8 cannot carry, comes back as sent.
    """
    return Answer(status, json.dumps(document).encode("ascii"), {"content-type": "application/json"})


class Endpoint:
    """An ASGI application for one route: it reads a call and sends, `latency` seconds later, its answer."""

    def __init__(self, respond: Callable[[Call], Answer], latency: float = 0.0) -> None:
        self._respond = respond
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request (ASGI 3, HTTP)."""
        answer = self._respond(call_from(scope, await _read_body(receive)))
        if self._latency:
            await asyncio.sleep(self._latency)
        await send_answer(answer, send, "http")


def call_from(scope: Scope, body: bytes) -> Call:
    """The call that an ASGI scope of HTTP, or of a WebSocket, which is asked for with GET, describes."""
    return Call(
        method=scope.get("method", "GET"),
        path=scope["path"],
        headers=_joined_headers(scope["headers"]),
        source=scope["client"][0],
        body=body,
        parameter=scope.get("path_params", {}).get("parameter", ""),
        query=scope.get("query_string", b"").decode("latin-1"),
    )


async def send_answer(answer: Answer, send: Send, protocol: str) -> None:
    """Sends an answer: `http`, or `websocket.http` where it refuses a WebSocket (ASGI's denial response)."""
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    await send({"type": f"{protocol}.response.start", "status": answer.status, "headers": raw_headers(headers)})
    await send({"type": f"{protocol}.response.body", "body": answer.body})


def _joined_headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers as ASGI takes them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _read_body(receive: Receive) -> bytes:
    """The body, cut one byte past the limit; the rest is read all the same, so that the caller can finish."""
    body = b""
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk[: MAX_BODY_BYTES + 1 - len(body)]
        if not message.get("more_body", False):
            return body
