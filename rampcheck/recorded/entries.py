"""One recorded request and its response, whatever file it stands in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rampcheck.wire.exchanges import Headers, Message

# The parts that a recording may lack, and what stands for them meanwhile.
BODY, HEADERS, STARTED, ELAPSED, QUERY, MESSAGES = "body", "headers", "started", "elapsed", "query", "messages"
BODILESS = frozenset({204, 205, 304})  # statuses whose answer has no body (RFC 9110 section 6.4.1)

Lacking = Mapping[str, str]


@dataclass
class Side:
    """What was recorded of a request, or of a response: `lacking` says why an attribute is not known."""

    headers: Headers = ()
    body: bytes = b""
    lacking: dict[str, str] = field(default_factory=dict)


@dataclass
class Entry:
    """What was recorded of one exchange.

    `where` says where it stands: file and place. `lacking` says why an attribute of the exchange is not known. `own`
    is what a run of rampcheck says of an exchange of its own: `protocol`, `credential` and so on; such a recording
    leaves nothing out.
    """

    where: str
    method: str
    url: str
    request: Side
    status: int
    response: Side
    started: float = 0.0
    elapsed: float = 0.0
    messages: tuple[Message, ...] = ()
    lacking: dict[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    is_cached: bool = False


def moment(text: Any) -> float | None:
    """Gives a time of ISO 8601 as seconds since the epoch, None where it is none, or names no time zone."""
    try:
        told = datetime.fromisoformat(text)
        return None if told.tzinfo is None else told.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def seconds(milliseconds: Any) -> float | None:
    """Gives milliseconds as seconds; None where they are no number, or below zero, which means unknown."""
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return milliseconds / 1000 if is_number and milliseconds >= 0 else None


def content(text: Any, encoding: Any) -> bytes:
    """Gives the bytes of a body that stands as text, or as `base64`. Raises `ValueError`, which says what is wrong."""
    if not isinstance(text, str):
        raise ValueError("not recorded")  # noqa: TRY004 - it is the file that is wrong, whatever the type
    if encoding in {None, "", "utf-8"}:
        return text.encode("utf-8", "surrogatepass")
    if encoding != "base64":
        raise ValueError(f"in the encoding {str(encoding)[:20]!r}, which is not known")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("no base64, though it is said to be") from None
