"""Folds findings by clause into verdicts, and the verdicts into the run's. A verdict only ever gets worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NotRequired, TypedDict

from rampcheck.contract.profile import Profile, Waiver
from rampcheck.contract.register import Clause, Contract
from rampcheck.contract.wording import lacks
from rampcheck.judging import durations
from rampcheck.judging.causes import follows
from rampcheck.judging.evidence import Account, Evidence
from rampcheck.judging.findings import Finding
from rampcheck.judging.folding import folded, folded_findings
from rampcheck.judging.lacking import lacking
from rampcheck.judging.results import (
    ClauseResult,
    ClauseVerdict,
    Counts,
    FindingResult,
    GapKind,
    Lack,
    ObservationResult,
    RunVerdict,
    SourceResult,
    WaiverResult,
)
from rampcheck.judging.waivers import by_clause
from rampcheck.wire.journal_records import ObservationRecord

BROKEN: tuple[ClauseVerdict, ...] = ("failed", "advisory")

DECLARED: Literal["declared"] = "declared"
UNEXPECTED: Literal["unexpected"] = "unexpected"
UNSELECTED: Literal["unselected"] = "unselected"
LEFT_OUT = "not tried within "  # how the reason begins of what a budget leaves out
TO_SEND = "requests were to be sent"  # what stands in the note of a run whose scenarios a budget chose

# How a run ended: by itself, all that was to be tried having been tried or told of; stopped by somebody; before any
# scenario, because nothing could be judged. Of one that is unfinished the journal has no end: it was killed, or still
# goes on.
Ending = Literal["complete", "interrupted", "early", "unfinished"]


class _Why(TypedDict):
    """Why a clause has the verdict that it has, and what else not every clause has."""

    reason: str
    gap: NotRequired[GapKind]
    lacks: NotRequired[list[Lack]]
    follows: NotRequired[str]
    elapsed_ms: NotRequired[float]
    since: NotRequired[str]


@dataclass(frozen=True)
class Scope:
    """What of the contract a run set out to try on `today`: the clauses `selected`, all of them where it `is_whole`.

    `ending` says how it ended, `lacking` what is missing of it, "" where nothing is. Of a `shard` the others may have
    exercised what it did not. Of traffic that was recorded elsewhere, `shown` are the clauses that traffic can show;
    None: scenarios provoked it.
    `budget` is how many requests it was given, 0 where that did not bound it.
    """

    selected: frozenset[str]
    today: date
    is_whole: bool = True
    ending: Ending = "complete"
    lacking: str = ""
    shard: str = ""
    shown: frozenset[str] | None = None
    budget: int = 0


def clause_results(contract: Contract, profile: Profile, account: Account, scope: Scope) -> list[ClauseResult]:
    """Gives the `clauses` of results.json, in the register's order."""
    waivers = by_clause(profile.waivers, scope.today)
    evidence = {
        clause.id: _only_seen(clause, known) if clause.level == "open" else known
        for clause in contract.clauses.values()
        if (known := account.clauses.get(clause.id)) is not None
    }
    roots = follows(
        contract.causes, (finding for known in evidence.values() for finding in known.findings), account.outcomes
    )
    results = [
        _clause_result(
            clause, evidence.get(clause.id, Evidence()), waivers.get(clause.id), profile, scope, account.outcomes
        )
        for clause in contract.clauses.values()
    ]
    elapsed = durations.by_clause(account)
    verdicts = {result["id"]: result["verdict"] for result in results}
    for result in results:
        for finding in result["findings"]:
            if (span := account.spans.get(finding["exchange"] or -1)) is not None:
                finding["trace"], finding["span"] = span.trace, span.span
        result["elapsed_ms"] = elapsed.get(result["id"], 0.0)
        if result["verdict"] in BROKEN and result["id"] in roots:
            _fold(result, roots[result["id"]], verdicts, waivers)
    return results


def _only_seen(clause: Clause, evidence: Evidence) -> Evidence:
    """Gives the evidence of a clause that promises nothing here: what would break it is what the target did."""
    seen: list[ObservationRecord] = [
        {
            "kind": "observation",
            "clause": clause.id,
            "scenario": finding.scenario,
            "actual": finding.actual,
            "exchange": finding.exchange,
        }
        for finding in evidence.findings
    ]
    return replace(
        evidence,
        times=evidence.exercised,
        tallied=0,
        findings=[],
        held=set(),
        observations=[*evidence.observations, *seen],
    )


def _fold(
    result: ClauseResult,
    roots: Sequence[str],
    verdicts: Mapping[str, ClauseVerdict],
    waivers: Mapping[str, Waiver],
) -> None:
    """Says in the result of a clause that all its findings follow from those of `roots`, where that means something."""
    failed = [root for root in roots if verdicts[root] == "failed"]
    if failed:
        result["follows"] = failed[0]
    elif all(verdicts[root] == "waived" for root in roots):
        result["verdict"] = "waived"
        result["reason"] = f"in consequence of {roots[0]}, which is waived: {waivers[roots[0]].reason}"
        result["follows"] = roots[0]
    # Under a cause that is only advisory, nobody would look for what failed.


def _clause_result(  # noqa: PLR0913, PLR0917 - a clause, and all that is known of it
    clause: Clause,
    evidence: Evidence,
    waiver: Waiver | None,
    profile: Profile,
    scope: Scope,
    outcomes: Mapping[int, str],
) -> ClauseResult:
    verdict = _verdict(clause, evidence, waiver)
    why: _Why = {"reason": waiver.reason if waiver and verdict == "waived" else ""}
    if verdict == "not_verified":
        kind, reason = _gap(clause, evidence, profile, scope)
        why = {"reason": reason, "gap": kind}
        if kind == DECLARED and (lacks := lacking(clause, profile)):
            why["lacks"] = lacks
    elif verdict == "attested":
        why = {"reason": evidence.attested[0]}
    source: SourceResult = {"document": clause.source.document, "section": clause.source.section}
    if clause.source.url:
        source["url"] = clause.source.url
    if clause.since:
        why["since"] = clause.since
    return {
        "id": clause.id,
        "section": clause.section,
        "level": clause.level,
        "text": clause.text,
        "source": source,
        "verdict": verdict,
        **why,
        "exercised": evidence.exercised,
        "findings": folded_findings(_written(finding, outcomes) for finding in evidence.findings),
        "observations": folded(map(_observed, evidence.observations), lambda observation: observation["actual"]),
        "ambiguities": list(clause.ambiguities),
    }


def _observed(record: ObservationRecord) -> ObservationResult:
    return {"actual": record["actual"], "exchange": record["exchange"], "scenario": record["scenario"], "times": 1}


def _written(finding: Finding, outcomes: Mapping[int, str]) -> FindingResult:
    outcome = outcomes.get(finding.exchange, "") if finding.exchange is not None else ""
    return {
        "expected": finding.expected,
        "actual": finding.actual,
        "exchange": finding.exchange,
        "scenario": finding.scenario,
        "judge": finding.judge,
        "about": list(finding.about),
        "times": finding.times,
        "answers": {outcome: finding.times} if outcome else {},
    }


def _verdict(clause: Clause, evidence: Evidence, waiver: Waiver | None) -> ClauseVerdict:
    if evidence.findings:
        if waiver is not None:
            return "waived"
        return "failed" if clause.level == "must" else "advisory"
    if clause.level == "open":
        return "observed" if evidence.observations or evidence.exercised else "not_verified"
    if evidence.attested:
        return "attested"
    # What something set out to try and could not is not verified, though something else may have seen it hold.
    return "passed" if evidence.exercised and not evidence.reasons else "not_verified"


def _gap(clause: Clause, evidence: Evidence, profile: Profile, scope: Scope) -> tuple[GapKind, str]:
    """Gives the kind of gap that a clause not verified is, and the reason: the first of these that holds."""
    is_selected = clause.id in scope.selected
    unjudged, untried = [*evidence.reasons, ""][0], [*evidence.untried, ""][0]
    unmet = clause.unmet(profile)
    advice = f" ({clause.advice})" if clause.advice else ""
    known: tuple[tuple[bool, GapKind, str], ...] = (
        (
            bool(evidence.exercised),
            UNEXPECTED if is_selected else UNSELECTED,
            unjudged + held_elsewhere(evidence.exercised),
        ),
        (not is_selected, UNSELECTED, "not selected for this run"),
        (
            scope.shown is not None and clause.id not in scope.shown and not clause.untestable,
            UNSELECTED,
            "it has to be provoked, and this traffic was recorded: `rampcheck run` tries it",
        ),
        (bool(clause.untestable), DECLARED, f"cannot be tested from outside: {clause.untestable}"),
        (bool(unmet), DECLARED, lacks(unmet, profile) + advice),
        (bool(unjudged), UNEXPECTED, unjudged),
        (bool(untried), DECLARED if scope.shown is None else UNSELECTED, untried),
        (scope.shown is not None, UNSELECTED, "nothing in the recorded traffic put it to the test"),
        (scope.ending == "interrupted", UNEXPECTED, "the run was interrupted before it was tried"),
        (scope.ending != "complete", UNEXPECTED, "the run ended before it was tried"),
        (bool(scope.lacking), UNEXPECTED, f"the run lacks what would have tried it: {scope.lacking}"),
        (bool(scope.shard), UNSELECTED, f"nothing in shard {scope.shard} exercised it; the others may have"),
        (bool(scope.budget), UNEXPECTED, f"{LEFT_OUT}{scope.budget:,} requests; --thorough tries all"),
        (True, UNEXPECTED, "nothing in this run exercised it"),
    )
    return next((kind, reason) for holds, kind, reason in known if holds)


def held_elsewhere(times: int) -> str:
    """Gives what the reason of a gap ends with, where the clause was seen to hold so many times all the same."""
    return f"; it held {times:,} {'time' if times == 1 else 'times'} elsewhere" if times else ""


def counts(clauses: Iterable[ClauseResult]) -> Counts:
    """Gives the number of clauses of each verdict."""
    found = Counter(clause["verdict"] for clause in clauses)
    counted: Counts = {
        "passed": found["passed"],
        "failed": found["failed"],
        "advisory": found["advisory"],
        "observed": found["observed"],
        "not_verified": found["not_verified"],
        "waived": found["waived"],
    }
    if found["attested"]:
        counted["attested"] = found["attested"]
    return counted


def has_gap(clauses: Iterable[ClauseResult], kind: GapKind) -> bool:
    """Whether there is a gap of this kind in a `must`."""
    return any(clause.get("gap") == kind and clause["level"] == "must" for clause in clauses)


def run_verdict(
    clauses: Sequence[ClauseResult],
    scope: Scope,
    *,
    troubled: bool = False,
    strict: bool = False,
    waivers: Iterable[WaiverResult] = (),
) -> RunVerdict:
    """Folds the clauses' verdicts into the run's.

    `troubled` tells of a fault, or of an outage that did not end. `strict` makes an advisory count as a failure, and
    a stale one of the `waivers`. A run that ended early of itself, before any scenario, judged nothing.
    """
    verdicts = {clause["verdict"] for clause in clauses}
    tried = [clause for clause in clauses if clause["id"] in scope.selected and clause["exercised"]]
    lax = "advisory" in verdicts or any(waiver["state"] == "stale" for waiver in waivers)
    if "failed" in verdicts or (strict and lax):
        return "nonconformant"
    if scope.ending == "early" or not tried:
        return "inconclusive"
    if troubled or scope.lacking or scope.ending != "complete" or has_gap(clauses, UNEXPECTED):
        return "incomplete"
    if not scope.is_whole:
        return "partial"
    return "conformant_with_gaps" if has_gap(clauses, DECLARED) else "conformant"
