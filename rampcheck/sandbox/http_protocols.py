"""HTTP/1 as other servers speak it: uvicorn's protocol, with another start or another end of each response to HTTP."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Of a final response.
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) [^\r\n]*")


class RespellingTransport:
    """A transport that replaces the status line where what is written begins with one; the rest is passed on."""

    def __init__(self, transport: asyncio.Transport, line: bytes) -> None:
        self._transport = transport
        self._line = line

    def write(self, data: bytes) -> None:
        """Sends data, a response's head in the other spelling."""
        self._transport.write(STATUS_LINE.sub(self._line, data, count=1) if STATUS_LINE.match(data) else data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Respelling(H11Protocol):
    """Writes `line`, an expansion of `STATUS_LINE`, in place of each status line."""

    line = rb"\g<0>"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins a connection."""
        self._plain = transport
        super().connection_made(cast(asyncio.Transport, RespellingTransport(transport, self.line)))


class Http10(Respelling):
    """Says HTTP/1.0."""

    line = rb"HTTP/1.0 \1 Answer"


class NoReason(Respelling):
    """Gives no reason phrase (RFC 9112 §4: it may be empty)."""

    line = rb"HTTP/1.1 \1 "


class OtherReason(Respelling):
    """Gives a reason phrase that is not the usual one."""

    line = b"HTTP/1.1 \\1 F\xfcr Sie"


HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n"


class EarlyHints(Respelling):
    """Sends an interim response first (RFC 8297)."""

    line = HINTS.replace(b"\r\n", rb"\r\n") + rb"\g<0>"

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hands the connection on as it is."""
        self.transport = self._plain
        super().handle_websocket_upgrade(event)


class EarlyHintsEverywhere(EarlyHints):
    """Sends an interim response before the answer to an upgrade, too."""

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hands the connection on after an interim response."""
        self._plain.write(HINTS)
        super().handle_websocket_upgrade(event)


class Unannounced(H11Protocol):
    """Closes the connection after each response, which does not say so (RFC 9112 §9.6: it only should)."""

    def on_response_complete(self) -> None:
        """Ends the connection with the response."""
        self.transport.close()
        super().on_response_complete()
