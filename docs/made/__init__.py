"""The parts of the handbook that are made from the code: a Sphinx extension.

A page says `<!-- made: NAME -->` and `<!-- end -->`, each on a line of its own; between them stands the Markdown that
the function of this name gives, for who reads the page as it is. `python -m docs.made` writes it anew, and Sphinx does
so as it reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.made import blocks, commands, mistakes, register, schemas

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands.reference,
    "blocks": blocks.blocks,
    "exit codes": commands.exit_codes,
    "profile": schemas.profile,
    "results": schemas.results,
    "journal": schemas.journal,
    "questions": register.questions,
    "figures": register.figures,
    "mistakes": mistakes.mistakes,
}
_PLACE = re.compile(r"^(<!-- made: (.+?) -->)$.*?^(<!-- end -->)$", re.MULTILINE | re.DOTALL)


def filled(text: str) -> str:
    """Gives the text of a page with all parts in their places. Raises `KeyError` for a part that is none."""
    return _PLACE.sub(lambda place: f"{place[1]}\n\n{PARTS[place[2]]().strip()}\n\n{place[3]}", text)


def pages() -> Iterator[Path]:
    """Gives the pages of the handbook that have such a part."""
    folder = Path(__file__).parents[1]
    return (page for page in sorted(folder.rglob("*.md")) if _PLACE.search(page.read_text(encoding="utf-8")))


def setup(app: Sphinx) -> dict[str, Any]:
    """Has Sphinx fill in the parts as it reads the pages."""

    def read(_app: Sphinx, _page: str, source: list[str]) -> None:
        source[0] = filled(source[0])

    app.connect("source-read", read)
    return {"version": "1", "parallel_read_safe": True}
