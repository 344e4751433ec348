"""How reports word numbers, times and lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


def plural(number: int, noun: str) -> str:
    """Gives `1 clause`, `12 clauses`, `1,200 requests`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def moment(time: str) -> str:
    """Gives an RFC 3339 time in UTC as `21 November 2026, 07:00:41 UTC`."""
    parsed = datetime.fromisoformat(time)
    return f"{parsed.day} {parsed:%B %Y, %H:%M:%S} UTC"


def epoch_milliseconds(time: str) -> int:
    """Gives an RFC 3339 time as milliseconds since the epoch, as formats of others have it."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def duration(started: str, finished: str) -> str:
    """Gives the time between two RFC 3339 times as `41 s` or `3 min 5 s`."""
    seconds = round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def enumerated(parts: Sequence[str]) -> str:
    """Gives `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
