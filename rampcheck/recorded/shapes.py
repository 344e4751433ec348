"""Bodies of JSON that differ in a few texts only: kept as what they have in common, once, and these texts.

What is kept so is read without parsing it again, which the judgement of a whole day's traffic does many times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rampcheck.wire.json_text import parse_json

LONGEST = 4096  # bytes of such a body
MOST_SHAPES = 2_000
MOST_TEXTS = 5_000  # that are watched for whether they come again
_BETWEEN = "\0"

# How libraries spell JSON: with a space after a colon or not, with letters as they are or escaped.
_SPELLINGS: Mapping[tuple[bool, bool], Callable[[Any], str]] = {
    (spaced, escaped): json.JSONEncoder(
        ensure_ascii=escaped, separators=(", ", ": ") if spaced else (",", ":"), check_circular=False
    ).encode
    for spaced in (True, False)
    for escaped in (True, False)
}


class Shape:
    """What the members of some JSON objects have in common.

    `key` tells it from others: the spelling, and of each member the name, with its value where that is the same.
    """

    def __init__(self, key: tuple[Any, ...], common: Mapping[str, Any], names: tuple[str, ...]) -> None:
        self.key = key
        self._common = dict(common) | dict.fromkeys(names, "")
        self._names = names
        self._places = {name: place for place, name in enumerate(names)}

    def member(self, texts: str, name: str) -> Any:
        """Gives one member of an object with its own texts, None where it has none of that name."""
        place = self._places.get(name)
        return self._common.get(name) if place is None else texts.split(_BETWEEN)[place]

    def value(self, texts: str) -> Any:
        """Gives an object with its own texts."""
        value = self._common.copy()
        value.update(zip(self._names, texts.split(_BETWEEN), strict=False))
        return value

    def body(self, texts: str) -> bytes:
        """Gives the body of an object with its own texts, as it came."""
        return _SPELLINGS[self.key[0]](self.value(texts)).encode("utf-8", "surrogatepass")


class Shapes:
    """The shapes of bodies that were met."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Shape] = {}
        self._texts: set[tuple[str, str]] = set()

    def of(self, body: bytes) -> tuple[Shape, str] | None:
        """Gives the shape of a body and its own texts, None where it would not come out of them as it is."""
        value = parse_json(body) if len(body) <= LONGEST else None
        if not isinstance(value, dict) or not value:
            return None
        members: list[Any] = []
        own: dict[str, str] = {}
        for name, item in value.items():
            if type(item) is not str:
                members.append((name, None, repr(item)))
            elif (name, item) in self._texts:
                members.append((name, item))
            else:
                if len(self._texts) < MOST_TEXTS:
                    self._texts.add((name, item))
                own[name] = item
                members.append(name)
        texts = _BETWEEN.join(own.values())
        if own and texts.count(_BETWEEN) != len(own) - 1:
            return None
        key = ((b'": ' in body, body.isascii()), tuple(members))
        shape = self._known.get(key) or Shape(key, value, tuple(own))
        if shape.body(texts) != body or (key not in self._known and len(self._known) >= MOST_SHAPES):
            return None
        return self.same(shape), texts

    def same(self, shape: Shape) -> Shape:
        """Gives the first shape that was equal to this one, among not too many."""
        if len(self._known) < MOST_SHAPES:
            return self._known.setdefault(shape.key, shape)
        return self._known.get(shape.key, shape)
