"""One WebSocket of the reference: what is sent over it, and the ASGI endpoint that opens it or refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope, Send

from rampcheck.sandbox.wire import Answer, Call, call_from, raw_headers, send_answer

NORMAL_CLOSURE = 1000  # RFC 6455 §7.4.1


class Channel:
    """What is to be sent over one WebSocket, in order; whoever sends does not wait for the receiver."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()

    def send(self, message: str | bytes) -> None:
        """Sends a text message, or a binary one for bytes."""
        kind = "text" if isinstance(message, str) else "bytes"
        self._waiting.put_nowait({"type": "websocket.send", kind: message})

    def close(self, code: int = NORMAL_CLOSURE, reason: str = "") -> None:
        """Closes the connection once all that was sent before is out; what is sent later is dropped."""
        self._waiting.put_nowait({"type": "websocket.close", "code": code, "reason": reason})

    async def forward(self, send: Send) -> None:
        """Passes on what is sent until the channel is closed. Raises OSError once the receiver is gone (ASGI 3)."""
        kind = ""
        while kind != "websocket.close":
            message = await self._waiting.get()
            kind = message["type"]
            await send(message)


@dataclass(frozen=True, slots=True)
class Upgraded(Answer):
    """The answer, 101, that opens a WebSocket."""

    channel: Channel = field(kw_only=True)


class SocketEndpoint:
    """An ASGI application for one route: it opens a WebSocket if the answer is `Upgraded`, else it refuses with it.

    As over HTTP, the answer is sent `latency` seconds after the call was read.
    """

    def __init__(self, respond: Callable[[Call], Answer], latency: float = 0.0) -> None:
        self._respond = respond
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one WebSocket to its end (ASGI 3, WebSocket)."""
        await receive()
        answer = self._respond(call_from(scope, b""))
        if self._latency:
            await asyncio.sleep(self._latency)
        if not isinstance(answer, Upgraded):
            await send_answer(answer, send, "websocket.http")
            return
        await send({"type": "websocket.accept", "headers": raw_headers(answer.headers)})
        await _serve(answer.channel, receive, send)


async def _serve(channel: Channel, receive: Receive, send: Send) -> None:
    """Forwards the channel until it is closed or the other side leaves."""
    tasks = [asyncio.ensure_future(channel.forward(send)), asyncio.ensure_future(_disconnected(receive))]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in ended:
        task.result()


async def _disconnected(receive: Receive) -> None:
    """Returns when the other side is gone; what it says before is ignored."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
