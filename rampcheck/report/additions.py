"""What to add to a profile so that more is verified, as a piece of YAML to paste."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rampcheck.judging.results import ClauseResult
from rampcheck.report.text import plural

Tree = dict[str, Any]


def addition(clauses: Iterable[ClauseResult]) -> str:
    """Gives the YAML of all that these clauses of the results lack in the profile; empty where they name nothing.

    Each line has an example in place of a value that only the reader knows, and says for how many clauses it is needed.
    """
    needed: dict[str, object] = {}
    times: dict[str, int] = {}
    for clause in clauses:
        for lacking in clause.get("lacks", ()):
            needed.setdefault(lacking["key"], lacking["example"])
            times[lacking["key"]] = times.get(lacking["key"], 0) + 1
    tree: Tree = {}
    for key, example in needed.items():
        *parents, name = key.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = f"{_value(example)}  # for {plural(times[key], 'clause')}"
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
