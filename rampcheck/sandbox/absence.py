"""What a running server can do besides answering: go away, come back, hang, and treat one connection badly.

A server that ends and is started anew is played in one process: it stops listening, aborts every connection, and
listens again on the same port. What it knows it keeps, as it would in a database.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

if TYPE_CHECKING:
    import uvicorn

LOOK_SECONDS = 0.05  # how soon a server that hangs notices that it is to end


class Switch:
    """The server of this process, as what goes around its application sees it.

    `attach` hands it the uvicorn server, and what binds a socket to its address once more.
    """

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._bind: Callable[[], socket.socket] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._bound: socket.socket | None = None

    def attach(self, server: uvicorn.Server, bind: Callable[[], socket.socket]) -> None:
        """Names the server; called before it runs."""
        self._server = server
        self._bind = bind

    @property
    def server(self) -> uvicorn.Server:
        """The server, which runs."""
        assert self._server is not None  # noqa: S101 - `serve` attaches it before it runs
        return self._server

    def hang(self) -> None:
        """Does nothing any more, for anybody, until the process is told to end: connections wait in the backlog."""
        while not self.server.should_exit:
            time.sleep(LOOK_SECONDS)

    def leave(self, seconds: float | None, after: float = 0.0) -> None:
        """Goes away `after` seconds, and is back after `seconds` (None: never); one at a time."""
        if self._leaving is None or self._leaving.done():
            self._leaving = asyncio.get_running_loop().create_task(self._leave(seconds, after))

    async def _leave(self, seconds: float | None, after: float) -> None:
        assert self._bind is not None  # noqa: S101 - as for `server`
        await asyncio.sleep(after)
        for listening in self.server.servers:
            listening.close()
        # Whoever connects is refused, and nobody else gets the port meanwhile.
        self._bound = self._bind()
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()
        if seconds is None:
            return
        await asyncio.sleep(seconds)
        import uvicorn  # noqa: PLC0415 - only the serving process has a use for it

        await uvicorn.Server.startup(self.server, sockets=[self._bound])

    def drop(self, scope: Scope, last_words: bytes = b"") -> None:
        """Closes a request's connection in good order, after these bytes."""
        for transport in self._transports(scope):
            transport.write(last_words)
            transport.close()

    def say(self, scope: Scope, words: bytes) -> None:
        """Sends these bytes over a request's connection, and leaves it open."""
        for transport in self._transports(scope):
            transport.write(words)

    def reset(self, scope: Scope) -> None:
        """Resets a request's connection (RFC 9293 section 3.5.2)."""
        for transport in self._transports(scope):
            # Nothing is to linger: the close is a reset.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    def _transports(self, scope: Scope) -> list[Any]:
        """Gives the transport of the connection over which a request came, none where the caller has closed it."""
        return [
            connection.transport
            for connection in self.server.server_state.connections
            if getattr(connection, "client", None) == tuple(scope["client"])
        ]


switch = Switch()
