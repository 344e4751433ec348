"""HTTP connections that anybody may open to this run, each bounded in time and memory, and all in number.

uvicorn bounds neither how long a request may take to come nor how large a head may be that comes in one piece; its
protocol class, made to be replaced (`Config(http=…)`), is where that can be done from outside.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 32  # one more, and the one that has kept its request back for longest is closed
MOST_HEAD_BYTES = 16 * 1024  # of a request line and its headers
REQUEST_SECONDS = 10.0  # for one request, from its connection or the answer before it to its own answer
MOST_REQUEST_BYTES = 256 * 1024  # of all of it as it comes, what is passed over with it
PIECE = 4 * 1024  # that are read at once: nobody keeps the others waiting, and the bound of a head is seen in time


class BoundedConnection(H11Protocol):
    """A connection that ends where its request is not there in time, or where others need its place."""

    began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Makes room for the connection among the others, and begins its time."""
        others = cast(set[BoundedConnection], self.connections)
        if len(others) >= MOST_CONNECTIONS:
            min(others, key=lambda other: other.began).end()
        super().connection_made(cast(asyncio.Transport, transport))
        # asyncio takes 256 KiB at once, and h11 parses all that it is given before it looks at its bound.
        cast(Any, transport).max_size = PIECE
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends its time."""
        self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what came, unless it is too much for one request."""
        self._size += len(data)
        if self._size > MOST_REQUEST_BYTES:
            self.end()
        else:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Begins the time of the next request, unless this one is still coming."""
        super().on_response_complete()
        if self.conn.their_state is not h11.SEND_BODY:
            self._deadline.cancel()
            self._begin()

    def end(self) -> None:
        """Closes the connection at once, whatever has come of its request."""
        self.connections.discard(self)
        self.transport.abort()

    def _begin(self) -> None:
        self.began = time.monotonic()
        self._size = 0
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.end)


def server(application: Callable[..., Any]) -> Server:
    """Gives a server of bounded connections for an ASGI application, to be run over a socket that listens."""
    return Server(
        Config(
            application,
            interface="asgi3",
            loop="asyncio",
            http=BoundedConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            backlog=MOST_CONNECTIONS,
        )
    )
