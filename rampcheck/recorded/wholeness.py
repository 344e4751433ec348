"""Whether all of a body was recorded: by the sizes that are told of it, by its own end.

Recorders cut bodies off, and leave them out, without saying so. A target is not accused of that.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable
from typing import Any

import ijson

from rampcheck.recorded.entries import BODILESS, BODY, Entry, Side
from rampcheck.wire.exchanges import header
from rampcheck.wire.json_text import NOT_JSON, parse_json

LONGEST_SIZE = 18  # digits
BY_WHOM = "is cut off, or was changed by who recorded it"
# It tells a text that ends too early from one that is wrong, wherever it is cut.
_parser = ijson.get_backend("python")


def size(told: Any) -> float | None:
    """Gives how many bytes something is said to have; None where that is no number, or below zero, as for unknown."""
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) <= LONGEST_SIZE:
        return int(told)
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    return told if is_number and told >= 0 else None


def says_truncated(*comments: Any) -> bool:
    """Whether one of the comments of whoever recorded something says that it is not whole."""
    return any(isinstance(comment, str) and "truncated" in comment.lower() for comment in comments)


def note_cut(entry: Entry, of_request: Iterable[Any] = (), of_response: Iterable[Any] = ()) -> None:
    """Notes for either body of an entry that it is not known, where more of it was there than is recorded.

    `of_request` and `of_response` are sizes that are told besides the headers. Where there is none, a JSON text that
    ends too early is taken for one that the recorder has cut off.
    """
    _note(entry.request, "request", of_request)
    if entry.status != 101 and entry.status not in BODILESS and entry.method != "HEAD":
        _note(entry.response, "response", of_response)


def _note(side: Side, whose: str, others: Iterable[Any]) -> None:
    if BODY in side.lacking:
        return
    told = [size(other) for other in others]
    if not header(side.headers, "content-encoding"):
        told.append(size((header(side.headers, "content-length") or "").strip()))
    known = [one for one in told if one is not None]
    is_json = "json" in (header(side.headers, "content-type") or "").lower()
    if any(one > len(side.body) for one in known) or (not known and is_json and ends_early(side.body)):
        side.lacking[BODY] = f"the {whose}'s body {BY_WHOM}"


def ends_early(body: bytes) -> bool:
    """Whether a body is the beginning of a JSON text, and no whole one."""
    if parse_json(body) is not NOT_JSON:
        return False
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body)  # half a character at the end is no mistake
        for _ in _parser.basic_parse(io.BytesIO(text.encode()), use_float=True):
            pass
    except ijson.IncompleteJSONError:
        return True
    except (ijson.JSONError, ValueError, RecursionError):
        return False
    return False
