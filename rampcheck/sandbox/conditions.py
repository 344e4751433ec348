"""Going around an application for the sake of some requests: silence, absence, a page of something in front."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rampcheck.sandbox.absence import switch
from rampcheck.sandbox.asgi import Reply, collected, send_reply, whole_body


@dataclass(frozen=True)
class Asked:
    """One request: its scope, its whole body, and which of the server's requests it is, from 1."""

    scope: Scope
    body: bytes
    number: int


@dataclass(frozen=True)
class Handling:
    """What can be done about a request.

    `answer(*headers)` lets the application answer it, with these headers besides, `reply(reply)` answers in its place,
    `left()` waits until the caller's connection is closed, from whichever side.
    """

    asked: Asked
    answer: Callable[..., Awaitable[None]]
    reply: Callable[[Reply], Awaitable[None]]
    left: Callable[[], Awaitable[None]]


Meant = Callable[[Asked], bool]
Action = Callable[[Handling], Awaitable[None]]


def when(is_meant: Meant, action: Action) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that does `action` for the requests that are meant, upgrades included."""

    def wrap(app: ASGIApp) -> ASGIApp:
        numbers = count(1)

        async def handled(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                return
            body = await whole_body(receive) if scope["type"] == "http" else b""
            asked = Asked(scope, body, next(numbers))
            waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

            async def again() -> Message:
                return waiting.pop() if waiting and scope["type"] == "http" else await receive()

            async def answer(*headers: tuple[bytes, bytes]) -> None:
                await app(scope, again, _adding(send, headers) if headers else send)

            async def reply(content: Reply) -> None:
                if scope["type"] == "http":
                    await send_reply(send, content)
                else:
                    await receive()
                    await send_reply(_denying(send), content)

            if is_meant(asked):
                await action(Handling(asked, answer, reply, partial(_left, receive)))
            else:
                await answer()

        return handled

    return wrap


def dropping(is_meant: Callable[[Scope, Reply], bool]) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that closes the connection in place of the replies that are meant."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def dropped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            reply = await collected(app, scope, receive)
            if is_meant(scope, reply):
                switch.drop(scope)
                await _left(receive)
            else:
                await send_reply(send, reply)

        return dropped

    return wrap


def losing(is_meant: Callable[[str], bool]) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that drops a WebSocket, without a close, in place of the text messages that are meant."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def lost(scope: Scope, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                if message["type"] == "websocket.send" and is_meant(message.get("text") or ""):
                    switch.drop(scope)
                else:
                    await send(message)

            await app(scope, receive, sent)

        return lost

    return wrap


async def _left(receive: Receive) -> None:
    """Waits until the connection is closed, from whichever side."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


def _adding(send: Send, headers: Sequence[tuple[bytes, bytes]]) -> Send:
    """Adds headers to a response on its way out."""

    async def added(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return added


def _denying(send: Send) -> Send:
    """Makes a response of a refused upgrade (ASGI's extension "Websocket Denial Response")."""

    async def denied(message: Message) -> None:
        await send({**message, "type": message["type"].replace("http.", "websocket.http.")})

    return denied


# Which requests are meant.


def always(_: Asked) -> bool:
    """Every one."""
    return True


def holding(*parts: bytes) -> Meant:
    """Those whose body holds any of these bytes."""
    return lambda asked: any(part in asked.body for part in parts)


def saying(test: Callable[[Mapping[str, Any]], bool]) -> Meant:
    """Those whose body is a JSON object of which `test` is true."""

    def meant(asked: Asked) -> bool:
        try:
            members = json.loads(asked.body)
        except (ValueError, RecursionError):
            return False
        return isinstance(members, dict) and test(members)

    return meant


def texts(value: Any) -> list[str]:
    """Gives every string in a JSON value, the names of members among them."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for part in pair for text in texts(part)]
        case list():
            return [text for part in value for text in texts(part)]
    return []


def at(number: int) -> Meant:
    """The one with this number."""
    return lambda asked: asked.number == number


def since(number: int) -> Meant:
    """Those from this number on."""
    return lambda asked: asked.number >= number


def every(number: int) -> Meant:
    """Each whose number is a multiple of this one."""
    return lambda asked: asked.number % number == 0


def spread(number: int) -> Meant:
    """One of each `number`, without a pattern, but never two near each other."""
    chance = random.Random(number)  # noqa: S311 - the same ones each time
    places: dict[int, int] = {}

    def meant(asked: Asked) -> bool:
        block, place = divmod(asked.number - 1, number)
        # In the middle half of its block, so that half a block is between it and the next one.
        return place == places.setdefault(block, number // 4 + chance.randrange(max(1, number // 2)))

    return meant


def for_a_while(is_begun: Meant, seconds: float) -> Meant:
    """All that come within `seconds` of one that `is_begun` means."""
    until = [0.0]

    def meant(asked: Asked) -> bool:
        if time.monotonic() >= until[0] and is_begun(asked):
            until[0] = time.monotonic() + seconds
        return time.monotonic() < until[0]

    return meant


# What is done about them.


def page(status: int, title: str, *headers: tuple[str, str]) -> Action:
    """Answers with a page of HTML."""
    body = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()

    async def act(handling: Handling) -> None:
        await handling.reply(Reply(status, (("content-type", "text/html; charset=utf-8"), *headers), body))

    return act


def replying(reply: Callable[[], Reply]) -> Action:
    """Answers in the application's place."""

    async def act(handling: Handling) -> None:
        await handling.reply(reply())

    return act


async def silence(handling: Handling) -> None:
    """Never answers this request."""
    await handling.left()


async def silence_for_all(handling: Handling) -> None:
    """Never answers anything again."""
    switch.hang()
    await handling.left()


async def drop(handling: Handling) -> None:
    """Closes the connection without an answer."""
    switch.drop(handling.asked.scope)
    await handling.left()


async def reset(handling: Handling) -> None:
    """Resets the connection."""
    switch.reset(handling.asked.scope)
    await handling.left()


def last_words(words: bytes) -> Action:
    """Sends these bytes and closes the connection."""

    async def act(handling: Handling) -> None:
        switch.drop(handling.asked.scope, words)
        await handling.left()

    return act


def stall(words: bytes) -> Action:
    """Sends these bytes and nothing after them; the connection stays open."""

    async def act(handling: Handling) -> None:
        switch.say(handling.asked.scope, words)
        await handling.left()

    return act


def leave(seconds: float | None) -> Action:
    """Goes away without an answer, and is back after these seconds (None: never)."""

    async def act(handling: Handling) -> None:
        switch.leave(seconds)
        await handling.left()

    return act


def answer_and_leave(seconds: float | None) -> Action:
    """Answers, goes away right after it, and is back after these seconds (None: never)."""

    async def act(handling: Handling) -> None:
        await handling.answer()
        switch.leave(seconds, after=0.02)

    return act


def delay(*seconds: float) -> Action:
    """Answers after so many seconds, by turns, and says so in a `Server-Timing` header.

    A WebSocket is opened at once, or nobody could see a change in time.
    """
    turns = cycle(seconds)

    async def act(handling: Handling) -> None:
        if handling.asked.scope["type"] != "http":
            await handling.answer()
            return
        waited = next(turns)
        await asyncio.sleep(waited)
        await handling.answer((b"server-timing", f"queue;dur={waited * 1000:g}".encode()))

    return act
