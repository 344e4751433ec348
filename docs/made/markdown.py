"""Pieces of Markdown, as MyST reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Gives a table; nothing where there is no row."""
    lines = [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, ""]) if lines else ""


def cell(text: str) -> str:
    """Gives a text as it stands in a cell of a table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", r"\|")


def plain(text: str) -> str:
    """Gives a text without anything that Markdown would take for its own, but for `code`."""
    pieces = re.split(r"(`[^`]+`)", text)
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([\\*_\[\]<>$#{}])", r"\\\1", piece) for piece in pieces
    )


def code(text: str) -> str:
    """Gives a text as code."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
