"""Exchanges of which very many are kept in memory: their bodies are compressed, what is alike is there once."""

from __future__ import annotations

import zlib
from dataclasses import fields
from functools import lru_cache
from typing import TypeVar

from rampcheck.wire.exchanges import Exchange, Response, Sent

SHORTEST = 64  # bytes of a body that is worth compressing
DICTIONARY = 8 * 1024  # bytes of the first bodies, with which those that follow are compressed
MOST_ALIKE = 5_000  # headers that are looked for

Message = TypeVar("Message", Sent, Response)


class _PackedSent(Sent):
    @property
    def body(self) -> bytes:
        return _unpacked(*self.__dict__["packed"])


class _PackedResponse(Response):
    @property
    def body(self) -> bytes:
        return _unpacked(*self.__dict__["packed"])


@lru_cache(maxsize=32)
def _unpacked(packed: bytes, dictionary: bytes | None) -> bytes:
    if dictionary is None:
        return packed
    return zlib.decompressobj(zdict=dictionary).decompress(packed)


def unpacked(exchange: Exchange) -> Exchange:
    """Gives an exchange as an ordinary one, its bodies in memory; what it lacks is empty."""
    sent, answer = exchange.__dict__["request"], exchange.__dict__["response"]
    return Exchange(
        **{
            **exchange.__dict__,
            "request": Sent(sent.method, sent.url, sent.__dict__["headers"], _body(sent)),
            "response": answer and Response(answer.status, answer.__dict__["headers"], _body(answer)),
        }
    )


def _body(message: Sent | Response) -> bytes:
    known = message.__dict__
    return _unpacked(*known["packed"]) if "packed" in known else bytes(known["body"])


class Packer:
    """Makes small copies of exchanges, which are read like any other."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, str], tuple[str, str]] = {}
        self._beginning = b""
        self._dictionary: bytes | None = None

    def packed(self, exchange: Exchange) -> Exchange:
        """Gives a small copy of an exchange."""
        copy: Exchange = object.__new__(type(exchange))
        known = exchange.__dict__
        copy.__dict__.update(
            {
                name.name: known[name.name]
                for name in fields(Exchange)
                if name.name in known and (name.default is not known[name.name])
            }
        )  # fmt: skip - what is the default is not kept
        copy.__dict__["request"] = self._message(exchange.request, _PackedSent)
        if exchange.response is not None:
            copy.__dict__["response"] = self._message(exchange.response, _PackedResponse)
        return copy

    def _message(self, message: Message, kind: type[Message]) -> Message:
        copy: Message = object.__new__(kind)
        copy.__dict__.update({name: value for name, value in message.__dict__.items() if name != "body"})
        copy.__dict__["headers"] = tuple(self._once(pair) for pair in message.headers)
        copy.__dict__["packed"] = self._body(message.body)
        return copy

    def _once(self, pair: tuple[str, str]) -> tuple[str, str]:
        """Gives the first header that was equal to this one, among not too many."""
        known = self._alike.get(pair)
        if known is None and len(self._alike) < MOST_ALIKE:
            self._alike[pair] = pair
        return pair if known is None else known

    def _body(self, body: bytes) -> tuple[bytes, bytes | None]:
        if len(body) < SHORTEST:
            return body, None
        if self._dictionary is None:
            self._beginning += body
            if len(self._beginning) < DICTIONARY:
                return body, None
            self._dictionary = self._beginning[-DICTIONARY:]
        compressor = zlib.compressobj(level=1, zdict=self._dictionary)
        return compressor.compress(body) + compressor.flush(), self._dictionary
