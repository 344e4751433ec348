"""The matrix: what came of all trials, clause by clause, defect by defect, and whether it is as required."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rampcheck import __version__
from rampcheck.contract import register
from rampcheck.errors import ExitCode
from rampcheck.running import worth
from rampcheck.selftest.attempt import Conditions
from rampcheck.selftest.members import ContractMembers, ConvictionMembers, Matrix, Summary, TrialMembers
from rampcheck.selftest.outcome import AS_REQUIRED, Conviction, Outcome
from rampcheck.selftest.trial import Selection, Trial
from rampcheck.wire.journal import timestamp

FILE_NAME = "matrix.json"


@dataclass(frozen=True)
class Made:
    """What was set out to be done, and how: `started` and `finished` in seconds since the epoch."""

    selection: Selection
    conditions: Conditions
    jobs: int
    planned: int
    started: float
    finished: float
    interrupted: bool


def matrix(outcomes: Sequence[Outcome], made: Made, folder: Path) -> Matrix:
    """Gives the content of matrix.json, whose folder is `folder`."""
    ordered = sorted(outcomes, key=_order)
    plain = {
        (outcome.trial.contract, outcome.trial.seed): outcome
        for outcome in ordered
        if outcome.trial.kind == "reference"
    }
    trials = [_entry(outcome, _gaps(outcome, plain), folder) for outcome in ordered]
    code = _exit_code(trials, interrupted=made.interrupted)
    return {
        "schema": 1,
        "rampcheck": __version__,
        "started": timestamp(made.started),
        "finished": timestamp(made.finished),
        "seconds": round(made.finished - made.started, 1),
        "seeds": list(made.selection.seeds),
        "workers": made.conditions.workers,
        "examples": made.conditions.examples,
        "quick": made.conditions.quick,
        "jobs": made.jobs,
        "planned": made.planned,
        "interrupted": made.interrupted,
        "as_required": code == ExitCode.CONFORMANT,
        "exit_code": int(code),
        "summary": summary(trials),
        "contracts": [
            _contract(name, trials, whole=not made.conditions.quick)
            for name in made.selection.contracts
            if any(entry["contract"] == name for entry in trials)
        ],
        "trials": trials,
    }


def summary(trials: Iterable[TrialMembers]) -> Summary:
    """Gives the sums over the trials of a matrix."""
    trials = list(trials)
    defects = [entry for entry in trials if entry["kind"] == "defect"]
    others = [entry for entry in trials if entry["kind"] != "defect"]
    first = [entry["to_first_finding"] for entry in defects if entry["to_first_finding"] is not None]
    return {
        "defects": len(defects),
        "convicted": sum(entry["result"] == "convicted" for entry in defects),
        "ended": sum(entry["result"] == "ended" for entry in defects),
        "missed": sum(entry["result"] == "missed" for entry in defects),
        "variants": _number(others),
        "conforming": _number(entry for entry in others if entry["result"] == "conforming"),
        "accused": sum(entry["result"] == "accused" for entry in others),
        "with_gaps": sum(bool(entry["gaps"]) for entry in others),
        "unrelated": sum(bool(entry["unrelated"]) for entry in defects),
        "faults": sum(entry["result"] == "fault" for entry in trials),
        "requests": sum(entry["requests"] for entry in trials),
        "median_to_first_finding": statistics.median(first) if first else None,
    }


def _number(variants: Iterable[TrialMembers]) -> int:
    return sum(len(entry["parts"]) or 1 for entry in variants)


def is_as_required(entry: TrialMembers) -> bool:
    """Whether a trial of a matrix ended as it must: caught and nothing else, or conforming without a gap."""
    strange = entry["unrelated"] if entry["kind"] == "defect" else entry["gaps"]
    return entry["result"] in AS_REQUIRED and not strange


def write(content: Matrix, folder: Path) -> Path:
    """Writes matrix.json into `folder`, and gives its path."""
    path = folder / FILE_NAME
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    path.write_bytes(text.encode("utf-8", "backslashreplace"))
    return path


def _exit_code(trials: Sequence[TrialMembers], *, interrupted: bool) -> ExitCode:
    if any(entry["result"] == "fault" for entry in trials):
        return ExitCode.FAULT
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.CONFORMANT if all(map(is_as_required, trials)) else ExitCode.NONCONFORMANT


def _order(outcome: Outcome) -> tuple[str, int, str, int]:
    kinds = ("reference", "defect", "variant")
    return outcome.trial.contract, kinds.index(outcome.trial.kind), outcome.trial.name, outcome.trial.seed


def _gaps(outcome: Outcome, plain: Mapping[tuple[str, int], Outcome]) -> list[str]:
    """Gives what this trial left unverified and the plain reference does not; without that one, nothing is known."""
    reference = plain.get((outcome.trial.contract, outcome.trial.seed))
    if reference is None or "fault" in {outcome.result, reference.result}:
        return []
    allowed = {*reference.unverified, *outcome.trial.unverified}
    return [clause for clause in outcome.unverified if clause not in allowed]


def _entry(outcome: Outcome, gaps: list[str], folder: Path) -> TrialMembers:
    trial: Trial = outcome.trial
    return {
        "contract": trial.contract,
        "kind": trial.kind,
        "name": trial.name,
        "summary": trial.summary,
        "seed": trial.seed,
        "parts": [part.name for part in trial.parts],
        "clauses": list(trial.clauses),
        "may_break": list(trial.may_break),
        "ends": trial.ends,
        "result": outcome.result,
        "verdict": outcome.verdict,
        "convictions": _written(outcome.convictions),
        "related": list(outcome.related),
        "unrelated": _written(outcome.unrelated),
        "advisories": _written(outcome.advisories),
        "gaps": gaps,
        "requests": outcome.requests,
        "to_first_finding": outcome.to_first_finding,
        "found_by": list(outcome.found_by),
        "seconds": outcome.seconds,
        "exit_code": outcome.exit_code,
        "faults": list(outcome.faults),
        "reason": outcome.reason,
        "folder": str(outcome.folder.relative_to(folder)) if outcome.folder else None,
    }


def _written(convictions: Iterable[Conviction]) -> list[ConvictionMembers]:
    return [
        {
            "clause": conviction.clause,
            "verdict": conviction.verdict,
            "judge": conviction.judge,
            "scenario": conviction.scenario,
            "expected": conviction.expected,
            "actual": conviction.actual,
            "exchange": conviction.exchange,
        }
        for conviction in convictions
    ]


def _apfd(name: str, trials: Iterable[TrialMembers]) -> float | None:
    """Gives how early the defects of a contract are found, of those that a finding tells of; see `worth.apfd`."""
    own = [entry for entry in trials if entry["contract"] == name]
    plain = max((entry["requests"] for entry in own if entry["kind"] == "reference"), default=0)
    return worth.apfd(
        (entry["to_first_finding"] for entry in own if entry["kind"] == "defect" and not entry["ends"]), plain
    )


def _contract(name: str, trials: Sequence[TrialMembers], *, whole: bool) -> ContractMembers:
    loaded = register.load(name)
    breaking: dict[str, dict[str, None]] = {}
    for entry in trials:
        for clause in entry["clauses"]:
            breaking.setdefault(clause, {})[entry["name"]] = None
    return {
        "name": name,
        "title": loaded.title,
        "apfd": _apfd(name, trials) if whole else None,
        "sections": [{"id": key, "title": title} for key, title in loaded.sections],
        "clauses": [
            {
                "id": clause.id,
                "section": clause.section,
                "level": clause.level,
                "text": clause.text,
                "untestable": clause.untestable,
                "defects": list(breaking.get(clause.id, ())),
            }
            for clause in loaded.clauses.values()
        ],
    }
