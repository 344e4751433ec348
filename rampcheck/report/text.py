"""Text that a target sent, made safe and short enough to show.

A target can send anything: terminal escape sequences, marks that turn the reading direction around,
characters that XML forbids. `visible` makes each an escape that a reader sees; foreign text reaches a
report only so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

# Control characters except tab and line feed, format characters (general category Cf: direction marks, zero
# width, tags), line and paragraph separators, lone surrogates, and what XML 1.0 section 2.2 excludes.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)


def escape(character: str) -> str:
    """Gives the escape of one character: `\\u202e`, or `\\U000e0041` beyond the basic plane."""
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    """Gives `text` with an escape for every character that does not show or disturbs those around it."""
    return HIDDEN.sub(lambda match: escape(match[0]), text)


def shorten(text: str, limit: int) -> str:
    """Gives `text` if it has at most `limit` characters, else its beginning and a note of its full length."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… (shortened; {len(text):,} characters in all)"


def one_line(text: str, limit: int) -> str:
    """Gives `text` for a cell or a list: visible, shortened, its white space folded to single spaces."""
    return " ".join(visible(shorten(text, limit)).split())


def plural(number: int, noun: str) -> str:
    """Gives `1 clause`, `12 clauses`, `1,200 requests`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def moment(time: str) -> str:
    """Gives an RFC 3339 time in UTC as `21 November 2026, 07:00:41 UTC`."""
    parsed = datetime.fromisoformat(time)
    return f"{parsed.day} {parsed:%B %Y, %H:%M:%S} UTC"


def duration(started: str, finished: str) -> str:
    """Gives the time between two RFC 3339 times as `41 s` or `3 min 5 s`."""
    seconds = round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def enumerated(parts: Sequence[str]) -> str:
    """Gives `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
