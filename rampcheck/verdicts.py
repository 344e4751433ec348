"""Folds findings by clause into verdicts, and the verdicts into the run's. A verdict only ever gets worse."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rampcheck.causes import follows
from rampcheck.contract import Clause, Contract
from rampcheck.findings import Finding
from rampcheck.profile import Profile, Waiver

VERDICTS = ("passed", "failed", "advisory", "observed", "not_verified", "waived")
BROKEN = ("failed", "advisory")


@dataclass
class Evidence:
    """What a run's journal says of one clause."""

    exercised: int = 0
    findings: list[Finding] = field(default_factory=list)
    observations: list[Mapping[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def collect(records: Iterable[Mapping[str, Any]]) -> dict[str, Evidence]:
    """Sorts the records of a journal by the clause they speak of."""
    evidence: dict[str, Evidence] = defaultdict(Evidence)
    for record in records:
        match record["kind"]:
            case "exchange":
                for clause in record["held"]:
                    evidence[clause].exercised += 1
            case "held":
                evidence[record["clause"]].exercised += 1
            case "finding":
                content = {key: value for key, value in record.items() if key != "kind"}
                finding = Finding(**content | {"about": tuple(content.get("about", ()))})
                evidence[finding.clause].findings.append(finding)
            case "observation":
                evidence[record["clause"]].observations.append(record)
            case "unjudged":
                evidence[record["clause"]].reasons.append(record["reason"])
    return evidence


@dataclass(frozen=True)
class Scope:
    """What of the contract a run set out to try on `today`: the clauses `selected` by name, until it was `interrupted`.

    Where scenarios were selected by a keyword, no clause was selected by name.
    """

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
    failed = {result["id"] for result in results if result["verdict"] == "failed"}
    for result in results:
        # Under a cause that is waived, or only advisory, nobody would look for what failed.
        if result["verdict"] in BROKEN and roots.get(result["id"]) in failed:
            result["follows"] = roots[result["id"]]
    return results


def is_valid(waiver: Waiver, today: date) -> bool:
    """Whether a waiver still holds: its `until` is the last day on which it does."""
    return waiver.until is None or today <= waiver.until


def _clause_result(
    clause: Clause, evidence: Evidence, waiver: Waiver | None, profile: Profile, scope: Scope,
) -> dict[str, Any]:
    verdict, reason = _verdict(clause, evidence, waiver)
    if verdict == "not_verified":
        reason = _gap(clause, evidence, profile, scope)
    return {
        "id": clause.id, "section": clause.section, "level": clause.level, "text": clause.text,
        "source": {"document": clause.source.document, "section": clause.source.section,
                   **({"url": clause.source.url} if clause.source.url else {})},
        "verdict": verdict, "reason": reason, "exercised": evidence.exercised + len(evidence.findings),
        "findings": _folded(map(_written, evidence.findings), ("expected", "actual")),
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
    return ("passed" if evidence.exercised else "not_verified"), ""


def _gap(clause: Clause, evidence: Evidence, profile: Profile, scope: Scope) -> str:
    if clause.untestable:
        return f"cannot be tested from outside: {clause.untestable}"
    if unmet := clause.unmet(profile):
        return f"the profile lacks {unmet}" + (f" ({clause.advice})" if clause.advice else "")
    if evidence.reasons:
        return evidence.reasons[0]
    if scope.interrupted:
        return "the run was interrupted before it was tried"
    if clause.id not in scope.selected:
        return "not selected for this run"
    return "nothing in this run exercised it"


def _folded(entries: Iterable[dict[str, Any]], same: tuple[str, ...]) -> list[dict[str, Any]]:
    """Gives the entries with equal texts as one, with how many `times` it was seen, first seen first."""
    folded: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in entries:
        kept = folded.setdefault(tuple(entry[key] for key in same), {**entry, "times": 0})
        kept["times"] += 1
    return list(folded.values())


def counts(clauses: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Gives the number of clauses of each verdict."""
    found = Counter(clause["verdict"] for clause in clauses)
    return {verdict: found[verdict] for verdict in VERDICTS}


def run_verdict(clauses: list[dict[str, Any]], *, strict: bool = False, ended_early: bool = False) -> str:
    """Folds the clauses' verdicts into the run's.

    `strict` makes an advisory count as a failure; a run that `ended_early`, before any scenario, judged nothing.
    """
    verdicts = {clause["verdict"] for clause in clauses}
    if "failed" in verdicts or (strict and "advisory" in verdicts):
        return "nonconformant"
    if ended_early or not any(clause["exercised"] for clause in clauses):
        return "inconclusive"
    if any(clause["verdict"] == "not_verified" and clause["level"] == "must" for clause in clauses):
        return "conformant_with_gaps"
    return "conformant"
