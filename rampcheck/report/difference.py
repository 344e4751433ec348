"""Where two texts differ, so that a reader's eye goes there first."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from rampcheck.display import HIDDEN
from rampcheck.report.commands import MARK

# A mark of what was redacted and a hidden character are shown as a whole, so they differ as a whole.
TOKEN = re.compile(rf"{MARK.pattern}|{HIDDEN.pattern}|\w+|\s+|.", re.DOTALL)

# What stands around an expected value, and is no part of it: its name, and the request that it was expected of.
AROUND = re.compile(r"(?P<before>`[^`]*`: )?(?P<value>.*?)(?P<after> for an? .*)?", re.DOTALL)

# What of a text is a value: what is quoted, hidden, a number or a name with a digit, a literal of JSON, a media type or
# an address. The rest is prose, in which two sentences differ for no reason that a reader should look at: also how long
# a text is, which is told beside it.
VALUE = re.compile(
    rf"""(?P<prose>\bexchange\ \d+|\b\d[\d,]*\ characters\b)
    | {MARK.pattern.replace(" ", chr(92) + " ")}
    | {HIDDEN.pattern}
    | `[^`]*`
    | (?<!\w)'(?:[^'\\]|\\.)*'
    | "(?:[^"\\]|\\.)*"
    | [\w.:+-]*\d[\w.:+-]*
    | \b(?:true|false|null)\b
    | \w+:?/[\w/.:;=+-]+""",
    re.VERBOSE,
)

MOST_TOKENS = 120  # of a text, up to which every difference is looked for; its cost grows with their square
LEAST_ALIKE = 0.3  # of their tokens, white space apart; where less is common, marking all that differs helps nobody
SHORTEST_ALIKE = 3  # characters; fewer, between what differs, differ for the eye

Piece = tuple[str, bool]


def differing(expected: str, actual: str) -> tuple[list[Piece], list[Piece]]:
    """Gives both texts in pieces, each with whether it is of a value and differs from the other text.

    Of texts that have little in common nothing is marked. Of long ones what is alike is their beginning and their end.
    """
    around = AROUND.fullmatch(expected)
    before, value, after = around.group("before", "value", "after") if around else ("", expected, "")
    left, right = _tokens(value), _tokens(actual)
    if max(len(left), len(right)) > MOST_TOKENS:
        same = _ends(left, right)
    else:
        matcher = SequenceMatcher(None, left, right, autojunk=False)
        same = [(block.a, block.b, block.size) for block in matcher.get_matching_blocks() if block.size]
    alike = sum(_words(left[start : start + size]) for start, _, size in same)
    if 2 * alike < LEAST_ALIKE * (_words(left) + _words(right)):
        return [(expected, False)], [(actual, False)]
    pieces = _pieces(left, [(start, size) for start, _, size in same])
    pieces, others = _of_values(pieces), _of_values(_pieces(right, [(start, size) for _, start, size in same]))
    return ([*([(before, False)] if before else []), *pieces, *([(after, False)] if after else [])], others)


def _tokens(text: str) -> list[str]:
    return [match[0] for match in TOKEN.finditer(text)]


def _words(tokens: list[str]) -> int:
    return sum(not token.isspace() for token in tokens)


def _ends(left: list[str], right: list[str]) -> list[tuple[int, int, int]]:
    """Gives what is alike at the beginning and at the end, as the blocks of a `SequenceMatcher`."""
    shorter = min(len(left), len(right))
    first = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    last = next((n for n in range(shorter - first) if left[-1 - n] != right[-1 - n]), shorter - first)
    return [(0, 0, first), (len(left) - last, len(right) - last, last)]


def _pieces(tokens: list[str], same: list[tuple[int, int]]) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    for start, size in [*same, (len(tokens), 0)]:
        pieces += [("".join(tokens[position:start]), True), ("".join(tokens[start : start + size]), False)]
        position = start + size
    return _joined([piece for piece in pieces if piece[0]])


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Gives the pieces with what is alike, and too short to be seen between two that differ, as a part of them."""
    joined: list[Piece] = []
    for number, (text, differs) in enumerate(pieces):
        is_between = 0 < number < len(pieces) - 1 and len(text) < SHORTEST_ALIKE and not text.isalnum()
        if joined and joined[-1][1] and (differs or is_between):
            joined[-1] = (joined[-1][0] + text, True)
        else:
            joined.append((text, differs))
    return joined


def _of_values(pieces: list[Piece]) -> list[Piece]:
    """Gives the pieces in which only what is of a value differs; a text without a space is a value as a whole."""
    text = "".join(piece for piece, _ in pieces)
    found = [match for match in VALUE.finditer(text) if not match["prose"]]
    spans = [match.span() for match in found] if any(map(str.isspace, text)) else [(0, len(text))]
    kept: list[Piece] = []
    position = 0
    for piece, differs in pieces:
        end = position + len(piece)
        inside = [(max(begin, position), min(stop, end)) for begin, stop in spans if begin < end and stop > position]
        for begin, stop in inside if differs else ():
            kept += [(text[position:begin], False), (text[begin:stop], True)]
            position = stop
        kept.append((text[position:end], False))
        position = end
    return [piece for piece in kept if piece[0]]
