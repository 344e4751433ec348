"""One recorded request and its response, whatever file it stands in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from rampcheck.wire.exchanges import Headers, Message

# The parts that a recording may lack, and what stands for them meanwhile.
BODY, HEADERS, STARTED, ELAPSED, QUERY, MESSAGES = "body", "headers", "started", "elapsed", "query", "messages"
BODILESS = frozenset({204, 205, 304})  # statuses whose answer has no body (RFC 9110 section 6.4.1)

# What is before or after is no time of an exchange, but a recorder's word for unknown; nor does one last for years.
EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp(), datetime(2200, 1, 1, tzinfo=UTC).timestamp()
LONGEST = 365 * 24 * 3600.0

Lacking = Mapping[str, str]


# What a run of rampcheck says of an exchange of its own, and whether it is of the kind that it should be.
OWN_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "protocol": lambda told: isinstance(told, str) and told in {"http", "websocket", "webhook"},
    "direction": lambda told: isinstance(told, str) and told in {"incoming", "outgoing"},
    "path": lambda told: isinstance(told, str),
    "credential": lambda told: told is None or isinstance(told, str),
    "authenticated": lambda told: isinstance(told, bool),
    "held": lambda told: isinstance(told, list) and all(isinstance(clause, str) for clause in told),
}


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

    def __post_init__(self) -> None:
        """Raises `ValueError` where something stands there that no message of HTTP can hold."""
        pairs = (*self.request.headers, *self.response.headers)
        texts = (self.method, self.url, *(text for pair in pairs for text in pair))
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("its method, URL or headers are of another type")
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            raise ValueError("a lone surrogate stands in its method, URL or headers, which no text can hold") from None
        if not isinstance(self.status, int) or isinstance(self.status, bool) or not 0 <= self.status <= 999:
            raise ValueError("`response.status` is no status")
        for name, kinds in OWN_KINDS.items():
            if name in self.own and not kinds(self.own[name]):
                raise ValueError(f"what a run says of it is not understood: `{name}`")
        if self.own.get("direction") == "incoming":
            urlsplit(self.url)


def moment(text: Any) -> float | None:
    """Gives a time of ISO 8601 as seconds since the epoch.

    None where it is none, names no time zone, or is not of this age.
    """
    try:
        told = datetime.fromisoformat(text)
        return None if told.tzinfo is None else in_age(told.timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def in_age(told: float) -> float | None:
    """Gives seconds since the epoch where something may have been recorded then, otherwise None."""
    return told if EARLIEST <= told <= LATEST else None


def seconds(milliseconds: Any) -> float | None:
    """Gives milliseconds as seconds; None where they are no number, below zero, which means unknown, or years."""
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return milliseconds / 1000 if is_number and 0 <= milliseconds <= LONGEST * 1000 else None


def content(text: Any, encoding: Any) -> bytes:
    """Gives the bytes of a body that stands as text, or as `base64`. Raises `ValueError`, which says what is wrong."""
    if not isinstance(text, str):
        raise ValueError("not recorded")  # noqa: TRY004 - it is the file that is wrong, whatever the type
    if encoding in (None, "", "utf-8"):
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("changed by who recorded it: a lone surrogate stands in it") from None
    if encoding != "base64":
        raise ValueError(f"in the encoding {str(encoding)[:20]!r}, which is not known")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("no base64, though it is said to be") from None
