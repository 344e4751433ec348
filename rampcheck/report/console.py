"""Paragraphs on a terminal: folded at its width between words, with a label before the first line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

NARROWEST = 20  # columns of text


def say(console: Console, text: Text | str, label: Text | str = "") -> None:
    """Prints a folded paragraph without trailing spaces, all of its lines as far in as `label` is wide.

    A word that is longer than a line stays whole, so that an id, a path or a URL can be copied.
    """
    margin = Text.assemble(label)
    for paragraph in Text.assemble(text).split(allow_blank=True):
        for line in paragraph.divide(_breaks(paragraph.plain, max(NARROWEST, console.width - len(margin)))):
            line.rstrip()
            console.print(margin, line, sep="", soft_wrap=True, highlight=False)
            margin = Text(" " * len(margin))


def _breaks(text: str, width: int) -> Iterator[int]:
    """Gives where lines begin after the first one: before each word that does not fit any more."""
    column = 0
    for word in re.finditer(r"\S+\s*", text):
        if column and column + cell_len(word[0].rstrip()) > width:
            yield word.start()
            column = 0
        column += cell_len(word[0])


def heading(console: Console, text: str, style: str = "bold") -> None:
    """Prints a heading, an empty line above it."""
    say(console, "")
    say(console, Text(text, style))
