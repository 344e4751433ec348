"""JSON texts, as anybody may write them: read within bounds, or known to be none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any


class NotJson:
    """What stands for the value of a body that is no JSON text."""

    def __repr__(self) -> str:
        return "no JSON"


NOT_JSON = NotJson()

DEEPEST = 200  # levels of arrays and objects; how many Python takes depends on its version and on who asks
_NESTING = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _integer(digits: str) -> int | float:
    # Python refuses integers of more than 4,300 digits, which are JSON all the same.
    return int(digits) if len(digits) <= 4000 else float(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer)


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for match in _NESTING.finditer(text):
        depth += (match[0] in "[{") - (match[0] in "]}")
        if depth > DEEPEST:
            return True
    return False


def parse_json(body: bytes) -> Any:
    """Gives the value of a JSON text in UTF-8, or `NOT_JSON`.

    That is also what `NaN` is, which RFC 8259 section 6 excludes, and what is nested more deeply than `DEEPEST`, a
    limit that section 9 leaves to the parser.
    """
    try:
        text = body.decode("utf-8")
        if _is_too_deep(text):
            return NOT_JSON
        return _DECODER.decode(text)
    except ValueError:
        return NOT_JSON


def strings(value: Any) -> Iterator[str]:
    """Gives every string in a JSON value, however deep, without recursion; names of members are none."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting += items
            case dict() as members:
                waiting += members.values()


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Gives the name and value of every member of every object in a JSON value, however deep, without recursion."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case list() as items:
                waiting += items
            case dict() as own:
                yield from own.items()
                waiting += own.values()
