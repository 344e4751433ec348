"""JSON laid out for reading, with every token exactly as it came."""

from __future__ import annotations

import json
import re

TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]|[^\s{}\[\],:"]+')

# An array of nothing but strings, numbers and literals, each on its line. No JSON string holds a line feed.
FLAT_ARRAY = re.compile(r'\[\n((?: *(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+),?\n)+) *\]')
LONGEST_ROW = 72  # characters up to which such an array stays on one line

DEEPEST = 32  # deeper nesting is an attack, not a document, and its indentation would be longer than itself


def indent_json(text: str) -> str | None:
    """Gives `text` with line breaks and two spaces a level, or None where it is no JSON object or array.

    An array of few plain values stays on one line. Only white space between tokens changes: `99.50` stays
    `99.50`, a repeated member stays repeated, a `\\u` escape stays an escape. Text that is nested deeper than
    32 levels comes back as it is.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict | list):
        return None
    pieces: list[str] = []
    depth, previous = 0, ""
    for part in TOKEN.findall(text):
        opens_before, closes = previous in ("{", "["), part in ("}", "]")
        depth -= closes
        if closes != opens_before or previous == ",":  # an empty pair stays together
            pieces.append("\n" + "  " * depth)
        pieces.append(part)
        if part == ":":
            pieces.append(" ")
        depth += part in ("{", "[")
        if depth > DEEPEST:
            return text
        previous = part
    return FLAT_ARRAY.sub(_row, "".join(pieces))


def _row(array: re.Match[str]) -> str:
    row = " ".join(line.strip() for line in array[1].splitlines())
    return f"[{row}]" if len(row) <= LONGEST_ROW else array[0]
