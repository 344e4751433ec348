"""Exchanges of which very many are kept in memory: what is alike in them is there once, other bodies are compressed."""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from dataclasses import fields
from functools import lru_cache
from typing import Any, TypeVar, cast

from rampcheck.recorded.shapes import Shape, Shapes
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.partial import made

SHORTEST = 64  # bytes of a body that is worth compressing
DICTIONARY = 8 * 1024  # bytes of the first bodies, with which those that follow are compressed
ATTRIBUTES = fields(Exchange)
MOST_ALIKE = 10_000  # headers, URLs and the like that are looked for

Message = TypeVar("Message", Sent, Response)
Alike = TypeVar("Alike", bound=Hashable)
# A body: a shape and its own texts, or bytes, compressed with a dictionary where one stands there.
Packed = tuple[Shape | bytes, Any]


class _PackedSent(Sent):
    @property
    def body(self) -> bytes:
        return _unpacked(self.__dict__["packed"])

    @property
    def json(self) -> Any:
        shape, texts = self.__dict__["packed"]
        return shape.value(texts) if type(shape) is Shape else super().json


class _PackedResponse(Response):
    @property
    def body(self) -> bytes:
        return _unpacked(self.__dict__["packed"])

    @property
    def json(self) -> Any:
        shape, texts = self.__dict__["packed"]
        return shape.value(texts) if type(shape) is Shape else super().json

    def member(self, name: str) -> Any:
        shape, texts = self.__dict__["packed"]
        return shape.member(texts, name) if type(shape) is Shape else super().member(name)


@lru_cache(maxsize=32)
def _unpacked(packed: Packed) -> bytes:
    content, how = packed
    if isinstance(content, Shape):
        return content.body(how)
    return content if how is None else zlib.decompressobj(zdict=how).decompress(content)


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
    return _unpacked(known["packed"]) if "packed" in known else bytes(known["body"])


class Packer:
    """Makes small copies of exchanges, which are read like any other.

    `dictionary` is what bodies are compressed with; None until the first bodies have made one.
    """

    def __init__(self, dictionary: bytes | None = None) -> None:
        self.dictionary = dictionary
        self._alike: dict[Hashable, Hashable] = {}
        self._beginning = b""
        self._shapes = Shapes()

    def packed(self, exchange: Exchange) -> Exchange:
        """Gives a small copy of an exchange."""
        known = exchange.__dict__
        # What is the default is not kept.
        own = {one.name: known[one.name] for one in ATTRIBUTES if known.get(one.name, one.default) is not one.default}
        own["path"] = self._once(exchange.path)
        own["request"] = self._message(exchange.request, _PackedSent)
        if exchange.response is not None:
            own["response"] = self._message(exchange.response, _PackedResponse)
        return made(type(exchange), own)

    def _message(self, message: Message, kind: type[Message]) -> Message:
        own = {name: self._once(value) for name, value in vars(message).items() if name not in {"body", "headers"}}
        own["headers"] = self._once(tuple(self._once(pair) for pair in message.headers))
        return made(kind, own | {"packed": self.body(message.body)})

    def with_bodies(self, exchange: Exchange, of_request: Packed, of_response: Packed | None) -> Exchange:
        """Gives a small copy of an exchange that is one already, with other bodies, which are packed."""
        own = {**vars(exchange), "request": self._with_body(exchange.request, of_request)}
        if exchange.response is not None and of_response is not None:
            own["response"] = self._with_body(exchange.response, of_response)
        return made(type(exchange), own)

    def _with_body(self, message: Message, packed: Packed) -> Message:
        return made(type(message), {**vars(message), "packed": self._ours(packed)})

    def _ours(self, packed: Packed) -> Packed:
        """Gives what came from another process with the dictionary, or the shape, of this one, which is the same."""
        content, how = packed
        if isinstance(content, Shape):
            return self._shapes.same(content), how
        return content, self.dictionary if how == self.dictionary else how

    def _once(self, value: Alike) -> Alike:
        """Gives the first value that was equal to this one, among not too many."""
        if len(self._alike) < MOST_ALIKE:
            return cast("Alike", self._alike.setdefault(value, value))
        return cast("Alike", self._alike.get(value, value))

    def body(self, body: bytes) -> Packed:
        """Gives a body small."""
        if len(body) < SHORTEST:
            return body, None
        if (shaped := self._shapes.of(body)) is not None:
            return shaped
        if self.dictionary is None:
            self._beginning += body
            if len(self._beginning) < DICTIONARY:
                return body, None
            self.dictionary = self._beginning[-DICTIONARY:]
        compressor = zlib.compressobj(level=1, zdict=self.dictionary)
        return compressor.compress(body) + compressor.flush(), self.dictionary
