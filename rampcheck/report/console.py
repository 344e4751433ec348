"""Paragraphs on a terminal: folded at its width between words, with a label before the first line."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text


def say(console: Console, text: Text | str, label: Text | str = "") -> None:
    """Prints a folded paragraph without trailing spaces, all of its lines as far in as `label` is wide.

    A word that is longer than a line stays whole, so that an id, a path or a URL can be copied.
    """
    margin = Text.assemble(label)
    for line in Text.assemble(text).wrap(console, max(20, console.width - len(margin)), overflow="ignore"):
        line.rstrip()
        console.print(margin, line, sep="", soft_wrap=True, highlight=False)
        margin = Text(" " * len(margin))


def heading(console: Console, text: str, style: str = "bold") -> None:
    """Prints a heading, an empty line above it."""
    say(console, "")
    say(console, Text(text, style))
