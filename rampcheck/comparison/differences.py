"""What two runs of one contract differ in: the one document from which every rendering of a comparison is made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from rampcheck import __version__, resources
from rampcheck.comparison import answers, pairs, saved, settings, times, uncompared
from rampcheck.comparison.answers import Key
from rampcheck.comparison.saved import Saved

FINDINGS_TOLD = 3  # of one clause; the run's own report holds all

NO_JOURNALS = (
    "the answers themselves, their times and most of the profiles are not compared: {} named by its results.json, or "
    "has no journal; name the folders of both runs"
)


def compare(before: Saved, after: Saved) -> dict[str, Any]:
    """Gives the comparison of two runs, the content of compare.json.

    Raises `UsageError` where they are not of one contract, or a journal cannot be read.
    """
    saved.demand_one_contract(before, after)
    clauses = [_clause(before, after, clause) for clause in {**after.clauses, **before.clauses}]
    sides = [(clause["kind"], before.clauses.get(clause["id"]), after.clauses.get(clause["id"])) for clause in clauses]
    tallied = Counter(clause["kind"] for clause in clauses)
    told = [clause for clause in clauses if clause["kind"] != "unchanged" or clause["changed"]]
    lacking = [name for name, run in (("the earlier run is", before), ("the later run is", after)) if not run.journal]
    samples: list[dict[str, Any]] = []
    if not lacking:
        samples = _with_answers(before, after, told)
    return {
        "schema": 1,
        "rampcheck": __version__,
        "contract": after.results["contract"],
        "title": after.results["title"],
        "regression": any(clause["regression"] for clause in clauses),
        "before": _run(before),
        "after": _run(after),
        "counts": {kind: tallied[kind] for kind in pairs.KINDS},
        "uncompared": uncompared.told(before, after, sides),
        "settings": settings.changes(before, after),
        "clauses": sorted(told, key=lambda clause: list(pairs.KINDS).index(clause["kind"])),
        "times": samples,
        "notes": [
            *_order(before, after),
            *_unlike(before, after),
            *([NO_JOURNALS.format(" and ".join(lacking))] if lacking else []),
        ],
    }


@cache
def schema() -> dict[str, Any]:
    """Gives the JSON Schema (2020-12) of compare.json."""
    loaded: dict[str, Any] = json.loads(resources.schema("compare").read_text(encoding="utf-8"))
    return loaded


def validate(comparison: Mapping[str, Any]) -> None:
    """Raises `jsonschema.ValidationError` where a comparison breaks its schema."""
    Draft202012Validator(schema()).validate(comparison)


def _order(before: Saved, after: Saved) -> list[str]:
    is_turned = before.results["started"] > after.results["started"]
    return ["the run that is named first is the later one: what is told as fixed may have regressed"] * is_turned


def _unlike(before: Saved, after: Saved) -> list[str]:
    """Says which run's files are not of one piece: what is compared may not be what was judged."""
    return [
        f"{name}: {told}; `rampcheck verify {run.folder}` tells more"
        for name, run in (("before", before), ("after", after))
        for told in run.unlike()
    ]


def _run(run: Saved) -> dict[str, Any]:
    results = run.results
    return {
        "run": results["run"],
        "build": run.build,
        "verdict": results["verdict"],
        "started": results["started"],
        "target": dict(results["target"]),
        "contract_version": results["contract_version"],
        "rampcheck": results["rampcheck"],
        "requests": results["requests"],
        "journal": run.journal is not None,
    }


def _clause(before: Saved, after: Saved, clause: str) -> dict[str, Any]:
    earlier, later = before.clauses.get(clause), after.clauses.get(clause)
    strict = bool(after.results.get("strict"))
    kind = pairs.kind(earlier, later)
    if kind in {"regressed", "fixed"}:
        broken, other = (later, before) if kind == "regressed" else (earlier, after)
        kind = pairs.kind(earlier, later, is_asked=_is_asked(before, after, broken, other))
    changed = [name for name in ("level", "text") if earlier and later and earlier[name] != later[name]]
    told = {
        "id": clause,
        "section": (later or earlier or {})["section"],
        "kind": kind,
        "regression": pairs.is_regression(kind, later, strict=strict),
        "changed": changed,
        "before": _side(earlier),
        "after": _side(later),
        "findings": [],
        "answers": [],
    }
    if later and "follows" in later:
        told["follows"] = later["follows"]
    shown = kind in {"regressed", "unasked_before", "newly_broken"} or (kind == "new" and later and later["findings"])
    if later and shown:
        told["findings"] = [_finding(finding) for finding in later["findings"][:FINDINGS_TOLD]]
    return told


def _is_asked(before: Saved, after: Saved, broken: Mapping[str, Any] | None, other: Saved) -> bool:
    """Whether the `other` run sent what a clause was seen broken by; known only of runs of different selections."""
    selections = [run.results.get("selection", {}) for run in (before, after)]
    if selections[0] == selections[1] or other.scenarios is None:
        return True
    return pairs.is_asked(broken, other.scenarios)


def _side(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {name: result[name] for name in ("level", "text", "verdict", "reason")}


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: finding[name] for name in ("expected", "actual", "exchange", "scenario", "times")}


def _with_answers(before: Saved, after: Saved, clauses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Puts the two answers to the same request under each regression; gives the comparison of answer times."""
    wanted = dict(_first_exchanges(clauses))
    later = answers.trace(after, numbers=wanted.values())
    kinds: dict[int, Key] = {number: answers.key(after, record) for number, record in later.numbered.items()}
    earlier = answers.trace(before, kinds=kinds.values())
    # Clauses that were seen broken in the same exchange show the same answers.
    both = {
        number: answers.pair(after, record, earlier.alike[kinds[number]]) for number, record in later.numbered.items()
    }
    for clause in clauses:
        if (number := wanted.get(clause["id"])) in both:
            clause["answers"].append(both[number])
    return times.compared(earlier.times, later.times)


def _first_exchanges(clauses: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """Gives for each regression the exchange of its first finding that has one."""
    for clause in clauses:
        seen = [finding["exchange"] for finding in clause["findings"] if finding["exchange"] is not None]
        if clause["kind"] == "regressed" and seen:
            yield clause["id"], seen[0]
