"""Going around an ASGI application: changing its answers on their way out, or answering in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reply:
    """A whole response; `headers` keep their order, their letter case, and what is repeated among them."""

    status: int
    headers: Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; empty where there is none."""
        return header(self.headers, "content-type").partition(";")[0].strip().lower()

    def adding(self, *headers: tuple[str, str]) -> Reply:
        """The same with these headers besides."""
        return replace(self, headers=(*self.headers, *headers))

    def with_header(self, name: str, value: str) -> Reply:
        """The same with one header set, in place of any of that name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))


def header(headers: Headers, name: str) -> str:
    """The first value of the header `name`, whose case does not matter, or nothing."""
    return next((value for key, value in headers if key.lower() == name.lower()), "")


def headers_of(message: Scope | Message) -> Headers:
    """The headers of a request's scope, or of the message that starts a response."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"])


async def whole_body(receive: Receive) -> bytes:
    """Gives the body of a request."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


# Takes the request's scope and the application's reply; gives the reply to send.
Change = Callable[[Scope, Reply], Reply]


def changing(change: Change, pieces: Callable[[bytes], Sequence[bytes]] | None = None) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that sends, for every reply, what `change` makes of it.

    The body goes out at once under its Content-Length; with `pieces`, one after the other in chunks without it.
    """

    def wrap(app: ASGIApp) -> ASGIApp:
        async def changed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            reply = change(scope, await collected(app, scope, receive))
            await send_reply(send, reply, None if pieces is None else pieces(reply.body))

        return changed

    return wrap


async def collected(app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
    """Gives an application's reply to a request over HTTP."""
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Reply(messages[0]["status"], headers_of(messages[0]), body)


async def send_reply(send: Send, reply: Reply, pieces: Sequence[bytes] | None = None) -> None:
    """Sends a reply, in these pieces or as a whole; the Content-Length is corrected, or left out."""
    named = [(name, value) for name, value in reply.headers if name.lower() != "content-length"]
    if pieces is None:
        # Under the name that the reply has for it, whose letter case may be the point.
        written = [name for name, _ in reply.headers if name.lower() == "content-length"]
        named.append((written[0] if written else "content-length", str(len(reply.body))))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    for piece in pieces or ():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if pieces is not None else reply.body})


def interrupting(is_meant: Callable[[Scope], bool], reply: Callable[[], Reply]) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that answers those requests itself that are meant; the application does not hear of them."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def interrupted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not is_meant(scope):
                await app(scope, receive, send)
                return
            while (await receive()).get("more_body", False):
                pass
            await send_reply(send, reply())

        return interrupted

    return wrap


def every(number: int) -> Callable[[Scope], bool]:
    """Makes the condition that means each request of which a multiple of `number` have come."""
    requests = count(1)
    return lambda _: next(requests) % number == 0


def delaying(is_meant: Callable[[Scope], bool], seconds: float) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that lets those requests wait that are meant, and says so in a `Server-Timing` header."""

    def wrap(app: ASGIApp) -> ASGIApp:
        slow = changing(lambda _, reply: reply.adding(("server-timing", f"queue;dur={seconds * 1000:g}")))(app)

        async def delayed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not is_meant(scope):
                await app(scope, receive, send)
                return
            await asyncio.sleep(seconds)
            await slow(scope, receive, send)

        return delayed

    return wrap
