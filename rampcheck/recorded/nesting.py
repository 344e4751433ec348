"""How deeply the arrays and objects of a JSON file are nested, while it is read."""

from __future__ import annotations

import re

from rampcheck.wire.json_text import DEEPEST

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_OPEN, _CLOSE = b"[{", b"]}"
_OTHERS = bytes(set(range(256)) - set(_OPEN + _CLOSE))


class Nesting:
    """Watches the depth of a JSON text that comes in pieces: a reader's work grows with its square."""

    def __init__(self) -> None:
        self._depth = 0
        self._string = b""  # the beginning of a string that the next piece goes on with, as much as matters

    def is_too_deep(self, piece: bytes) -> bool:
        """Takes the next piece; gives whether it goes deeper than `DEEPEST` levels."""
        rest, quote, string = _STRING.sub(b"", self._string + piece).partition(b'"')
        backslashes = len(string) - len(string.rstrip(b"\\"))
        self._string = quote + b"\\" * (backslashes % 2)
        for bracket in rest.translate(None, _OTHERS):
            self._depth += 1 if bracket in _OPEN else -1
            if self._depth > DEEPEST:
                return True
        return False
