"""Going around an application for the sake of some requests: silence, absence, a page of something in front."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rampcheck.reference.absence import switch
from rampcheck.reference.asgi import Reply, send_reply


@dataclass(frozen=True)
class Asked:
    """One request: its scope, its whole body, and which of the server's requests it is, from 1."""

    scope: Scope
    body: bytes
    number: int


@dataclass(frozen=True)
class Handling:
    """What can be done about a request: `answer()` lets the application do it, `reply(reply)` does it in its place."""

    asked: Asked
    answer: Callable[[], Awaitable[None]]
    reply: Callable[[Reply], Awaitable[None]]


Meant = Callable[[Asked], bool]
Action = Callable[[Handling], Awaitable[None]]


def when(is_meant: Meant, action: Action) -> Callable[[ASGIApp], ASGIApp]:
    """Makes the wrap that does `action` for the requests that are meant, upgrades included."""

    def wrap(app: ASGIApp) -> ASGIApp:
        numbers = count(1)

        async def handled(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                return
            body = await _body(receive) if scope["type"] == "http" else b""
            asked = Asked(scope, body, next(numbers))
            waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

            async def again() -> Message:
                return waiting.pop() if waiting and scope["type"] == "http" else await receive()

            async def answer() -> None:
                await app(scope, again, send)

            async def reply(content: Reply) -> None:
                if scope["type"] == "http":
                    await send_reply(send, content)
                else:
                    await receive()
                    await send_reply(_denying(send), content)

            if switch.hangs:
                await _for_ever()
            elif is_meant(asked):
                await action(Handling(asked, answer, reply))
            else:
                await answer()

        return handled

    return wrap


def _denying(send: Send) -> Send:
    """Makes a response of a refused upgrade (ASGI's extension "Websocket Denial Response")."""

    async def denied(message: Message) -> None:
        await send({**message, "type": message["type"].replace("http.", "websocket.http.")})

    return denied


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _for_ever() -> None:
    await asyncio.Event().wait()


# Which requests are meant.


def always(_: Asked) -> bool:
    """Every one."""
    return True


def holding(*parts: bytes) -> Meant:
    """Those whose body holds any of these bytes."""
    return lambda asked: any(part in asked.body for part in parts)


def at(number: int) -> Meant:
    """The one with this number."""
    return lambda asked: asked.number == number


def since(number: int) -> Meant:
    """Those from this number on."""
    return lambda asked: asked.number >= number


def every(number: int) -> Meant:
    """Each whose number is a multiple of this one."""
    return lambda asked: asked.number % number == 0


def sometimes(share: float) -> Meant:
    """About this share of them, without a pattern."""
    chance = random.Random(share)  # noqa: S311 - the same ones in each run, as far as their order is
    return lambda _: chance.random() < share


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


async def silence(_: Handling) -> None:
    """Never answers this request."""
    await _for_ever()


async def silence_for_all(_: Handling) -> None:
    """Never answers anything again."""
    switch.hang()
    await _for_ever()


async def drop(handling: Handling) -> None:
    """Closes the connection without an answer."""
    switch.drop(handling.asked.scope)
    await _for_ever()


async def reset(handling: Handling) -> None:
    """Resets the connection."""
    switch.reset(handling.asked.scope)
    await _for_ever()


def last_words(words: bytes) -> Action:
    """Sends these bytes and closes the connection."""

    async def act(handling: Handling) -> None:
        switch.drop(handling.asked.scope, words)
        await _for_ever()

    return act


def leave(seconds: float | None) -> Action:
    """Goes away without an answer, and is back after these seconds (None: never)."""

    async def act(_: Handling) -> None:
        switch.leave(seconds)
        await _for_ever()

    return act


def answer_and_leave(seconds: float | None) -> Action:
    """Answers, goes away right after it, and is back after these seconds (None: never)."""

    async def act(handling: Handling) -> None:
        await handling.answer()
        switch.leave(seconds, after=0.02)

    return act


def delay(seconds: float) -> Action:
    """Answers after these seconds."""

    async def act(handling: Handling) -> None:
        await asyncio.sleep(seconds)
        await handling.answer()

    return act
