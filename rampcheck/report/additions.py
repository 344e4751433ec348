"""What to add to a profile so that more is verified, as a piece of YAML to paste."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rampcheck.judging.results import ClauseResult
from rampcheck.report.text import plural

Tree = dict[str, Any]
CAVEAT = (
    "The values are examples: write only what is so of this partner, for it is held against the target, and leave out "
    "the rest."
)
PLACEHOLDER = "ask-the-vendor"  # in an example of what differs from sandbox to sandbox


@dataclass(frozen=True)
class Addition:
    """An example of what is to stand at one place of the profile, and the number of clauses that need it."""

    example: object
    clauses: int

    @property
    def purpose(self) -> str:
        """What it is good for, in three words; of a placeholder, that it is one."""
        asked = "; a placeholder, the vendor knows the value" if PLACEHOLDER in _value(self.example) else ""
        return f"for {plural(self.clauses, 'clause')}{asked}"


def additions(clauses: Iterable[ClauseResult]) -> dict[str, Addition]:
    """Gives all that these clauses of the results lack in the profile, by its place.

    Which environment the target is, is so or not: nobody adds it to have more clauses tried.
    """
    needed: dict[str, Addition] = {}
    for clause in clauses:
        for lacking in clause.get("lacks", ()):
            if lacking["key"] == "environment":
                continue
            known = needed.get(lacking["key"], Addition(lacking["example"], 0))
            needed[lacking["key"]] = Addition(known.example, known.clauses + 1)
    return needed


def addition(clauses: Iterable[ClauseResult]) -> str:
    """Gives the YAML of all that these clauses of the results lack in the profile; empty where they name nothing.

    Each line has an example in place of a value that only the reader knows, and says for how many clauses it is needed.
    """
    tree: Tree = {}
    for key, needed in additions(clauses).items():
        *parents, name = key.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = f"{_value(needed.example)}  # {needed.purpose}"
    return "\n".join(_lines(tree))


def _value(example: object) -> str:
    """A value of JSON is one of YAML (YAML 1.2, section 1.3)."""
    return json.dumps(example, ensure_ascii=False)


def _lines(tree: Tree, indent: str = "") -> Iterable[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value}"
