"""What a running server can do besides answering: go away, come back, hang, and treat one connection badly."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

if TYPE_CHECKING:
    import uvicorn


class Switch:
    """The server of this process, as what goes around its application sees it.

    `attach` hands it the uvicorn server and what opens its listening socket anew.
    """

    def __init__(self) -> None:
        self.hangs = False
        self._server: uvicorn.Server | None = None
        self._listen: Callable[[], socket.socket] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, server: uvicorn.Server, listen: Callable[[], socket.socket]) -> None:
        """Names the server; called before it runs."""
        self._server = server
        self._listen = listen

    def hang(self) -> None:
        """From now on nothing is answered; connections are still taken."""
        self.hangs = True

    def leave(self, seconds: float | None, after: float = 0.0) -> None:
        """Goes away `after` seconds, with every open connection, and is back after `seconds` (None: never)."""
        task = asyncio.get_running_loop().create_task(self._leave(seconds, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _leave(self, seconds: float | None, after: float) -> None:
        assert self._server is not None  # noqa: S101 - it runs
        assert self._listen is not None  # noqa: S101 - it runs
        await asyncio.sleep(after)
        for listening in self._server.servers:
            listening.close()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        if seconds is None:
            return
        await asyncio.sleep(seconds)
        import uvicorn  # noqa: PLC0415 - only the serving process has a use for it

        await uvicorn.Server.startup(self._server, sockets=[self._listen()])

    def transport(self, scope: Scope) -> Any:
        """Gives the transport of the connection over which a request came."""
        assert self._server is not None  # noqa: S101 - it runs
        return next(connection.transport for connection in self._server.server_state.connections
                    if getattr(connection, "client", None) == tuple(scope["client"]))

    def drop(self, scope: Scope, last_words: bytes = b"") -> None:
        """Closes a request's connection in good order, after these bytes."""
        transport = self.transport(scope)
        transport.write(last_words)
        transport.close()

    def reset(self, scope: Scope) -> None:
        """Resets a request's connection (RFC 9293 section 3.5.2)."""
        transport = self.transport(scope)
        # Nothing is to linger: the close is a reset.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


switch = Switch()
