"""How the clauses of a run stand in the eyes of a pipeline, and what is wrong with the run besides them.

A pipeline knows little more than green and red, and believes its own page more than an exit code. So every format
says the same: something in it is red exactly where the run's exit code is not 0; what was not verified never passes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from rampcheck.judging.results import ClauseResult, Results
from rampcheck.judging.verdicts import DECLARED, UNEXPECTED, has_gap
from rampcheck.report.outline import outage_text, outline

# `lost`: it was to be verified and was not, and the run cannot be trusted without it.
Standing = Literal["passed", "broken", "lost", "skipped"]


class Trouble(NamedTuple):
    """What keeps a run from being trusted, or fails it besides its clauses.

    `kind` is a word of its own for each kind, `title` says it for a reader, `text` (foreign words may be in it) says
    what happened. It `spoils` the run where what was to be tried was not; else it is all there, and is not enough.
    """

    kind: str
    title: str
    text: str
    spoils: bool = True


def of(clause: ClauseResult) -> Standing:
    """Gives how a clause stands."""
    match clause["verdict"]:
        case "failed":
            return "broken"
        case "not_verified" if clause.get("gap") == UNEXPECTED and clause["level"] == "must":
            return "lost"
        case "not_verified" | "waived" | "attested":
            return "skipped"
    return "passed"


def troubles(results: Results) -> list[Trouble]:
    """Gives what is wrong with the run of valid `results` besides its broken clauses; nothing where nothing is."""
    summary = outline(results)
    verdict = results["verdict"]
    told = [Trouble("fault", "a fault of rampcheck", fault) for fault in results["faults"]]
    told += [
        Trouble("outage", "the target stopped answering", outage_text(outage))
        for outage in summary.outages
        if outage["ended"] is None
    ]
    if verdict == "inconclusive":
        told.append(Trouble("inconclusive", "inconclusive", " ".join(filter(None, [summary.sentence, summary.cure]))))
    if summary.early_end:
        told.append(Trouble("interrupted", "the end of the run", summary.early_end))
    if verdict == "incomplete" and not told:
        told.append(Trouble("incomplete", "incomplete", summary.sentence))
    if verdict == "nonconformant" and not summary.by_verdict["failed"]:
        told.append(Trouble("strict", "a strict run", summary.sentence, spoils=False))
    if results.get("require_complete") and has_gap(results["clauses"], DECLARED):
        gaps = "--require-complete was asked for, and the profile lacks what some required promise needs"
        told.append(
            Trouble("gaps", "required promises that were not verified", f"{gaps}. {summary.sentence}", spoils=False)
        )
    return told


def is_red(results: Results) -> bool:
    """Whether something of the run of valid `results` is red to a pipeline."""
    return bool(troubles(results)) or any(of(clause) in ("broken", "lost") for clause in results["clauses"])
