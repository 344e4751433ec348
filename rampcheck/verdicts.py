"""Folds findings by clause into verdicts, and the verdicts into the run's. A verdict only ever gets worse."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from rampcheck.causes import follows
from rampcheck.contract import Clause, Contract
from rampcheck.findings import Finding
from rampcheck.profile import Profile, Waiver

VERDICTS = ("passed", "failed", "advisory", "observed", "not_verified", "waived")
BROKEN = ("failed", "advisory")
EXAMPLES = 3  # of findings that differ in their values only
KIND = 2  # wrong refusals of one kind, none of which came again, that count all the same
_FINDING = frozenset(member.name for member in fields(Finding))
_VALUE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\[redacted [^\]]*\]|\d+(?:\.\d+)?")


@dataclass
class Evidence:
    """What a run's journal says of one clause.

    `exchanges` are the numbers of those that put it to the test, `more` is how often the whole run did. `reasons` say
    why a scenario that set out to try it could not; `declared` why it was not meant to be tried.
    """

    exchanges: set[int | None] = field(default_factory=set)
    more: int = 0
    findings: list[Finding] = field(default_factory=list)
    observations: list[Mapping[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)

    @property
    def exercised(self) -> int:
        """How often the clause was put to the test: an exchange counts once."""
        return len(self.exchanges | {finding.exchange for finding in self.findings}) + self.more


def collect(records: Iterable[Mapping[str, Any]]) -> dict[str, Evidence]:
    """Sorts the records of a journal by the clause they speak of."""
    evidence: dict[str, Evidence] = defaultdict(Evidence)
    doubts: dict[str, list[Finding]] = defaultdict(list)
    for record in records:
        match record["kind"]:
            case "exchange":
                for clause in record["held"]:
                    evidence[clause].exchanges.add(record["number"])
            case "held":
                evidence[record["clause"]].exchanges.add(record["exchange"])
            case "finding":
                evidence[record["clause"]].findings.append(_finding(record))
            case "doubt" if not record["gateway"]:
                doubts[record["signature"]].append(_finding(record))
            case "observation":
                evidence[record["clause"]].observations.append(record)
            case "unjudged":
                known = evidence[record["clause"]]
                (known.declared if record.get("declared") else known.reasons).append(record["reason"])
    for alike in doubts.values():
        # One may be chance. A target that refuses every fiftieth good request, by its own envelope, does it again.
        if len({finding.exchange for finding in alike}) >= KIND:
            for finding in alike:
                evidence[finding.clause].findings.append(finding)
    return evidence


def _finding(record: Mapping[str, Any]) -> Finding:
    content = {key: value for key, value in record.items() if key in _FINDING}
    return Finding(**content | {"about": tuple(content.get("about", ()))})


@dataclass(frozen=True)
class Scope:
    """What of the contract a run set out to try on `today`: the clauses `selected`, until it was `interrupted`."""

    selected: frozenset[str]
    interrupted: bool
    today: date


def clause_results(
    contract: Contract, profile: Profile, evidence: Mapping[str, Evidence], scope: Scope,
) -> list[dict[str, Any]]:
    """Gives the `clauses` of results.json, in the register's order."""
    waivers = {waiver.clause: waiver for waiver in profile.waivers if is_valid(waiver, scope.today)}
    roots = follows(contract.causes, (finding for known in evidence.values() for finding in known.findings))
    results = [
        _clause_result(clause, evidence.get(clause.id, Evidence()), waivers.get(clause.id), profile, scope)
        for clause in contract.clauses.values()
    ]
    leads = {result["id"]: result for result in results if result["verdict"] in {"failed", "waived"}}
    for result in results:
        # Under a cause that is only advisory nobody would look for what failed.
        root = leads.get(roots.get(result["id"], ""))
        if result["verdict"] not in BROKEN or root is None:
            continue
        result["follows"] = root["id"]
        if root["verdict"] == "waived":
            result["verdict"] = "waived"
            result["reason"] = f"in consequence of {root['id']}, which is waived: {root['reason']}"
    return results


def waiver_results(profile: Profile, clauses: Sequence[Mapping[str, Any]], today: date) -> list[dict[str, Any]]:
    """Gives the `waivers` of results.json: each with its state, `used`, `stale` (its clause passed) or `expired`."""
    verdicts = {clause["id"]: clause["verdict"] for clause in clauses}
    return [
        {"clause": waiver.clause, "reason": waiver.reason, "until": waiver.until.isoformat() if waiver.until else None,
         "state": "expired" if not is_valid(waiver, today) else
                  "stale" if verdicts[waiver.clause] == "passed" else
                  "used" if verdicts[waiver.clause] == "waived" else "unused"}
        for waiver in profile.waivers
    ]


def is_valid(waiver: Waiver, today: date) -> bool:
    """Whether a waiver still holds: its `until` is the last day on which it does."""
    return waiver.until is None or today <= waiver.until


def _clause_result(
    clause: Clause, evidence: Evidence, waiver: Waiver | None, profile: Profile, scope: Scope,
) -> dict[str, Any]:
    verdict, reason = _verdict(clause, evidence, waiver)
    gap = {}
    if verdict == "not_verified":
        gap["gap"], reason = _gap(clause, evidence, profile, scope)
    return {
        "id": clause.id, "section": clause.section, "level": clause.level, "text": clause.text,
        "source": {"document": clause.source.document, "section": clause.source.section,
                   **({"url": clause.source.url} if clause.source.url else {})},
        "verdict": verdict, "reason": reason, **gap, "exercised": evidence.exercised,
        "findings": _alike(map(_written, evidence.findings)),
        "observations": _folded(
            ({key: observation[key] for key in ("actual", "exchange", "scenario")}
             for observation in evidence.observations), ("actual",)),
        "ambiguities": list(clause.ambiguities),
    }


def _written(finding: Finding) -> dict[str, Any]:
    return {"expected": finding.expected, "actual": finding.actual, "exchange": finding.exchange,
            "scenario": finding.scenario, "judge": finding.judge, "about": list(finding.about)}


def _verdict(clause: Clause, evidence: Evidence, waiver: Waiver | None) -> tuple[str, str]:
    if evidence.findings:
        if waiver is not None:
            return "waived", waiver.reason
        return ("failed" if clause.level == "must" else "advisory"), ""
    if clause.level == "open":
        return ("observed" if evidence.observations or evidence.exercised else "not_verified"), ""
    # What something set out to try and could not is not passed because something else saw it hold.
    return ("passed" if evidence.exercised and not evidence.reasons else "not_verified"), ""


def _gap(clause: Clause, evidence: Evidence, profile: Profile, scope: Scope) -> tuple[str, str]:
    """Gives the kind of a gap (`declared`, `unexpected`, `unselected`) and the reason for it."""
    unmet, advice = clause.unmet(profile), f" ({clause.advice})" if clause.advice else ""
    times = f"; elsewhere it held ({evidence.exercised} times seen)" if evidence.exercised else ""
    reasons = [
        (clause.id not in scope.selected, "unselected", "not selected for this run"),
        (bool(clause.untestable), "declared", f"cannot be tested from outside: {clause.untestable}"),
        (bool(unmet), "declared", f"the profile lacks {unmet}{advice}"),
        (bool(evidence.reasons), "unexpected", f"{evidence.reasons[0]}{times}" if evidence.reasons else ""),
        (bool(evidence.declared), "declared", evidence.declared[0] if evidence.declared else ""),
        (scope.interrupted, "unexpected", "the run was interrupted before it was tried"),
    ]
    return next(((kind, reason) for applies, kind, reason in reasons if applies),
                ("unexpected", "nothing in this run exercised it"))


def _folded(entries: Iterable[dict[str, Any]], same: tuple[str, ...]) -> list[dict[str, Any]]:
    """Gives the entries with equal texts as one, with how many `times` it was seen, first seen first."""
    folded: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in entries:
        kept = folded.setdefault(tuple(entry[key] for key in same), {**entry, "times": 0})
        kept["times"] += 1
    return list(folded.values())


def _alike(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives findings that differ in their values only as one, with how many `times`, and up to three `examples`."""
    folded: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for entry in _folded(entries, ("expected", "actual")):
        key = (_VALUE.sub("…", entry["expected"]), _VALUE.sub("…", entry["actual"]), entry["judge"])
        folded.setdefault(key, []).append(entry)
    return [
        {**alike[0], "times": sum(entry["times"] for entry in alike), **({"examples": [
            {key: entry[key] for key in ("expected", "actual", "exchange", "scenario")} for entry in alike[:EXAMPLES]
        ]} if len(alike) > 1 else {})}
        for alike in folded.values()
    ]


def counts(clauses: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Gives the number of clauses of each verdict."""
    found = Counter(clause["verdict"] for clause in clauses)
    return {verdict: found[verdict] for verdict in VERDICTS}


def run_verdict(
    clauses: Sequence[Mapping[str, Any]], *, strict: bool = False, is_part: bool = False, unfinished: bool = False,
    stale: bool = False,
) -> str:
    """Folds the clauses' verdicts into the run's.

    `strict` makes an advisory, and a waiver that is `stale`, count as a failure; `is_part` says that a part of the
    contract was selected, `unfinished` that the run was interrupted, ended early or met a fault.
    """
    verdicts = {clause["verdict"] for clause in clauses}
    if "failed" in verdicts or (strict and ("advisory" in verdicts or stale)):
        return "nonconformant"
    if not any(clause["exercised"] for clause in clauses):
        return "inconclusive"
    gaps = {clause["gap"] for clause in clauses if clause["verdict"] == "not_verified" and clause["level"] == "must"}
    if unfinished or "unexpected" in gaps:
        return "incomplete"
    if is_part:
        return "partial"
    return "conformant_with_gaps" if gaps else "conformant"
