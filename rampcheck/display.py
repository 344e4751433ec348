"""Foreign text made safe to show: what a target sends is neither a control character nor a command to who reads it.

A target can send anything: terminal escape sequences, marks that turn the reading direction around, characters that XML
forbids, and lines that a pipeline obeys where they stand in its log. `visible` makes each an escape that a reader sees;
foreign text reaches a terminal or a report only so.
"""

from __future__ import annotations

import re

# Control characters except tab and line feed, format characters (general category Cf: direction marks, zero
# width, tags), line and paragraph separators, lone surrogates, and what XML 1.0 section 2.2 excludes.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)

# What begins a command to a pipeline: `##vso[` and `##[` (Azure Pipelines, "Logging commands"; GitHub's older form),
# `##teamcity[` (TeamCity, "Service messages"), `::name …::` (GitHub Actions, "Workflow commands"). Anywhere, because
# where a line is folded its rest begins one. A test's id, as pytest writes it, has no second `::`.
COMMAND = re.compile(r"#(?=#[a-z]*\[)|:(?=:[a-z][^\n]*?::)", re.IGNORECASE)


def escape(character: str) -> str:
    """Gives the escape of one character: `\\u202e`, or `\\U000e0041` beyond the basic plane."""
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    """Gives `text` with an escape for each character that does not show, disturbs others, or begins a command."""
    shown = HIDDEN.sub(lambda match: escape(match[0]), text)
    return COMMAND.sub(lambda match: escape(match[0]), shown)


def shorten(text: str, limit: int) -> str:
    """Gives `text` if it has at most `limit` characters, else its beginning and a note of its full length."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… (shortened; {len(text):,} characters in all)"


def one_line(text: str, limit: int) -> str:
    """Gives `text` for a cell or a list: visible, shortened, its white space folded to single spaces."""
    # Twice: two lines may become a command by being one.
    return visible(" ".join(visible(shorten(text, limit)).split()))
