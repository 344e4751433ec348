"""Exchanges of which very many are kept in memory: what is alike in them is there once, other bodies are compressed."""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from dataclasses import fields
from functools import lru_cache
from typing import Any, TypeVar, cast

from rampcheck.recorded.shapes import Shape, Shapes
from rampcheck.wire.exchanges import Exchange, Response, Sent

SHORTEST = 64  # bytes of a body that is worth compressing
DICTIONARY = 8 * 1024  # bytes of the first bodies, with which those that follow are compressed
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
        copy: Exchange = object.__new__(type(exchange))
        known = exchange.__dict__
        copy.__dict__.update(
            {
                name.name: known[name.name]
                for name in fields(Exchange)
                if name.name in known and (name.default is not known[name.name])
            }
        )  # fmt: skip - what is the default is not kept
        copy.__dict__["path"] = self._once(exchange.path)
        copy.__dict__["request"] = self._message(exchange.request, _PackedSent)
        if exchange.response is not None:
            copy.__dict__["response"] = self._message(exchange.response, _PackedResponse)
        return copy

    def _message(self, message: Message, kind: type[Message]) -> Message:
        copy: Message = object.__new__(kind)
        copy.__dict__.update(
            {name: self._once(value) for name, value in message.__dict__.items() if name not in {"body", "headers"}}
        )
        copy.__dict__["headers"] = self._once(tuple(self._once(pair) for pair in message.headers))
        copy.__dict__["packed"] = self.body(message.body)
        return copy

    def with_bodies(self, exchange: Exchange, of_request: Packed, of_response: Packed | None) -> Exchange:
        """Gives a small copy of an exchange that is one already, with other bodies, which are packed."""
        copy: Exchange = object.__new__(type(exchange))
        copy.__dict__.update(exchange.__dict__)
        copy.__dict__["request"] = self._with_body(exchange.request, of_request)
        if exchange.response is not None and of_response is not None:
            copy.__dict__["response"] = self._with_body(exchange.response, of_response)
        return copy

    def _with_body(self, message: Message, packed: Packed) -> Message:
        copy: Message = object.__new__(type(message))
        copy.__dict__.update(message.__dict__)
        copy.__dict__["packed"] = self._ours(packed)
        return copy

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
