"""What was seen many times is told once: with a count, and with examples where only the values differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

EXAMPLES = 3

# A quoted text or a number is a value; names in backticks and the status that a text begins with are not.
_VALUE = re.compile(
    r"""^\d{3}\b                        # the status
    | `[^`]*`                           # a name
    | \[redacted\ (?P<mark>\w+)\ [0-9a-f]+\]
    | (?<!\w)(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<number>(?<![A-Za-z_])-?\d+(?:\.\d+)?)""",
    re.VERBOSE,
)


def pattern(text: str) -> str:
    """Gives a text with its values masked: equal patterns say the same of different values."""
    return _VALUE.sub(_masked, text)


def _masked(value: re.Match[str]) -> str:
    if value["mark"]:
        return f"[redacted {value['mark']}]"
    if value["text"]:
        return "'…'"
    return "#" if value["number"] else value[0]


def folded(entries: Iterable[dict[str, Any]], same: tuple[str, ...]) -> list[dict[str, Any]]:
    """Gives the entries whose members `same` are equal as one, with how many `times` it was seen, first seen first."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in entries:
        first = kept.setdefault(tuple(entry[key] for key in same), {**entry, "times": 0})
        first["times"] += 1
    return list(kept.values())


def folded_findings(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives the findings of a clause that differ only in values as one, the first seen, with the `times` of all.

    Where they do differ, `examples` has the first few of them, each with other values.
    """
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for finding in folded(findings, ("expected", "actual")):
        alike.setdefault((pattern(finding["expected"]), pattern(finding["actual"])), []).append(finding)
    return [_one(those) for those in alike.values()]


def _one(alike: list[dict[str, Any]]) -> dict[str, Any]:
    one = {**alike[0], "times": sum(finding["times"] for finding in alike)}
    if len(alike) > 1:
        one["examples"] = [{key: finding[key] for key in ("expected", "actual", "exchange", "scenario")}
                           for finding in alike[:EXAMPLES]]
    return one
