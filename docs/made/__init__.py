"""The parts of the handbook that are made from the code: a Sphinx extension.

A page says `<!-- made: NAME -->` on a line of its own; as it is read, the line is replaced by the Markdown that the
function of this name gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from docs.made import commands, mistakes, register, schemas

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands.reference,
    "exit codes": commands.exit_codes,
    "profile": schemas.profile,
    "results": schemas.results,
    "journal": schemas.journal,
    "questions": register.questions,
    "figures": register.figures,
    "mistakes": mistakes.mistakes,
}
_PLACE = re.compile(r"^<!-- made: (.+) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """Gives the text of a page with all parts in their places. Raises `KeyError` for a part that is none."""
    return _PLACE.sub(lambda place: PARTS[place[1]](), text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Has Sphinx fill in the parts as it reads the pages."""

    def read(_app: Sphinx, _page: str, source: list[str]) -> None:
        source[0] = filled(source[0])

    app.connect("source-read", read)
    return {"version": "1", "parallel_read_safe": True}
