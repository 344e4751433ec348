"""What came of a trial: what caught whom, who was falsely failed, and what it cost."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from rampcheck.errors import ExitCode
from rampcheck.judging.results import ClauseResult, ClauseVerdict, Results, RunVerdict
from rampcheck.report.results import FILE_NAME
from rampcheck.running import worth
from rampcheck.selftest.members import Result
from rampcheck.selftest.trial import Trial
from rampcheck.wire.journal import JOURNAL, read_records
from rampcheck.wire.journal_records import JudgeName, Record

AS_REQUIRED = ("convicted", "ended", "conforming")
BROKEN = ("failed", "advisory")
# How a run ends that found no fault of its own; the last, where it could judge nothing.
ENDED = (ExitCode.CONFORMANT, ExitCode.NONCONFORMANT, ExitCode.INCONCLUSIVE)


@dataclass(frozen=True)
class Conviction:
    """A clause that was found broken, with the first finding of it.

    `judge` is what saw it, as `Finding` has it; `scenario` is what provoked it.
    """

    clause: str
    verdict: ClauseVerdict
    judge: JudgeName
    scenario: str
    expected: str
    actual: str
    exchange: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    `convictions` are of the defect's own clauses, `related` of those that fell with them as it was foreseen.
    `unrelated` are failed `must` clauses that neither explains, `advisories` the same of `should` clauses; of a variant
    or the plain reference, they are false. `unverified` are the `must` clauses that were not verified; what the
    plain reference verifies of these is a gap, which `matrix` works out. `to_first_finding` is the number of requests
    up to the first finding against one of the defect's own clauses. `verdict` is the run's, `reason` says why it ended
    early. `found_by` are the scenarios with a finding against one of the defect's own clauses, `costs` says how many
    requests each scenario sent, `tried` which clauses it put to the test.
    """

    trial: Trial
    result: Result
    convictions: tuple[Conviction, ...] = ()
    related: tuple[str, ...] = ()
    unrelated: tuple[Conviction, ...] = ()
    advisories: tuple[Conviction, ...] = ()
    unverified: tuple[str, ...] = ()
    requests: int = 0
    to_first_finding: int | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    verdict: RunVerdict | Literal[""] = ""
    faults: tuple[str, ...] = ()
    reason: str = ""
    folder: Path | None = None
    found_by: tuple[str, ...] = ()
    costs: Mapping[str, int] = field(default_factory=dict)
    tried: Mapping[str, set[str]] = field(default_factory=dict)

    @property
    def false_failures(self) -> tuple[Conviction, ...]:
        """What a conforming server was falsely failed for, or a defect besides what it does."""
        return self.unrelated if self.trial.kind == "defect" else (*self.unrelated, *self.advisories)

    @property
    def needs_a_look(self) -> bool:
        """Whether its evidence is worth keeping."""
        return self.result not in AS_REQUIRED or bool(self.false_failures)


def read(trial: Trial, folder: Path, exit_code: int | None, fault: str, seconds: float) -> Outcome:
    """Gives what came of a trial from what its run wrote into `folder`; `fault` says why it did not end."""
    try:
        results = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        records = list(read_records(folder / JOURNAL, own=True))
    except (OSError, ValueError) as error:
        return Outcome(
            trial,
            "fault",
            seconds=seconds,
            exit_code=exit_code,
            faults=(fault or f"the run wrote no results: {error}",),
        )
    return of_run(trial, results, records, exit_code=exit_code, fault=fault, seconds=seconds)


def of_run(  # noqa: PLR0913 - a run's end has as many sides
    trial: Trial,
    results: Results,
    records: Sequence[Record],
    *,
    exit_code: int | None,
    fault: str = "",
    seconds: float = 0.0,
) -> Outcome:
    """Gives what came of a trial from the content of results.json, and the records of the journal."""
    broken = {clause["id"]: _conviction(clause) for clause in results["clauses"] if clause["verdict"] in BROKEN}
    causes = {clause["id"]: clause.get("follows", clause["id"]) for clause in results["clauses"]}
    own = tuple(broken[clause] for clause in trial.clauses if clause in broken)
    besides = [conviction for clause, conviction in broken.items() if clause not in trial.clauses]
    strange = [
        conviction
        for conviction in besides
        if not {conviction.clause, causes[conviction.clause]} & set(trial.clauses)
        and not _is_foreseen(conviction.clause, trial)
        and not _is_foreseen(causes[conviction.clause], trial)
    ]
    faults = [*([fault] if fault else []), *results["faults"]]
    if exit_code not in ENDED and not faults:
        faults.append(f"the run ended with exit code {exit_code}: {results['reason']}")
    return Outcome(
        trial,
        _result(trial, own, results["verdict"], exit_code, faults),
        own,
        related=tuple(conviction.clause for conviction in besides if conviction not in strange),
        unrelated=tuple(conviction for conviction in strange if conviction.verdict == "failed"),
        advisories=tuple(conviction for conviction in strange if conviction.verdict == "advisory"),
        unverified=tuple(
            clause["id"]
            for clause in results["clauses"]
            if clause["level"] == "must" and clause["verdict"] == "not_verified"
        ),
        requests=results["requests"],
        to_first_finding=_to_first_finding(own, records, results["requests"]),
        seconds=seconds,
        exit_code=exit_code,
        verdict=results["verdict"],
        faults=tuple(faults),
        reason=results["reason"],
        found_by=_found_by(own, records),
        costs=Counter(
            worth.key(record["scenario"])
            for record in records
            if record["kind"] == "exchange" and record["direction"] == "outgoing"
        ),
        tried=_tried(records, {clause["id"] for clause in results["clauses"] if clause["level"] == "open"}),
    )


def _result(
    trial: Trial,
    own: Sequence[Conviction],
    verdict: str,
    exit_code: int | None,
    faults: Sequence[str],
) -> Result:
    if faults:
        return "fault"
    if trial.ends:
        return "ended" if verdict == trial.ends else "missed"
    if trial.kind == "defect":
        return "convicted" if own else "missed"
    # A run that could judge nothing accuses too: the reference answers.
    return "conforming" if exit_code == ExitCode.CONFORMANT else "accused"


def _conviction(clause: ClauseResult) -> Conviction:
    first = clause["findings"][0]
    return Conviction(
        clause["id"],
        clause["verdict"],
        first["judge"],
        first["scenario"],
        first["expected"],
        first["actual"],
        first["exchange"],
    )


def _is_foreseen(clause: str, trial: Trial) -> bool:
    return any(clause.startswith(beginning) for beginning in trial.may_break)


def _tried(records: Iterable[Record], open_clauses: AbstractSet[str]) -> dict[str, set[str]]:
    """Gives the clauses that each scenario put to the test; of the open ones only it is enough to observe."""
    tried: dict[str, set[str]] = defaultdict(set)
    scenarios: dict[int | None, str] = {}
    for record in records:
        match record["kind"]:
            case "exchange":
                scenarios[record["number"]] = record["scenario"]
                tried[worth.key(record["scenario"])].update(record["held"])
            case "demand":
                tried[worth.key(scenarios[record["exchange"]])].add(record["clause"])
            case "held":
                tried[worth.key(record["scenario"])].add(record["clause"])
            case "observation" if record["clause"] in open_clauses:
                tried[worth.key(record["scenario"])].add(record["clause"])
    return dict(tried)


def _found_by(own: Iterable[Conviction], records: Iterable[Record]) -> tuple[str, ...]:
    """Gives the scenarios that a finding against one of these clauses was made in; those of the whole run, too."""
    clauses = {conviction.clause for conviction in own}
    scenarios = {conviction.scenario for conviction in own} | {
        record["scenario"] for record in records if record["kind"] == "finding" and record["clause"] in clauses
    }
    return tuple(sorted({worth.key(scenario) for scenario in scenarios if scenario}))


def _to_first_finding(own: Iterable[Conviction], records: Iterable[Record], requests: int) -> int | None:
    """Gives how many requests had begun when the first of these clauses was found broken, all where it was at the end.

    The journals of several workers stand one after the other in the merged one, so time tells the order.
    """
    clauses = {conviction.clause for conviction in own}
    if not clauses:
        return None
    begun: list[datetime] = []
    found: list[datetime] = []
    latest: datetime | None = None
    for record in records:
        if record["kind"] == "exchange":
            latest = datetime.fromisoformat(record["started"])
            if record["direction"] == "outgoing":
                begun.append(latest)
        elif record["kind"] == "finding" and record["clause"] in clauses and latest is not None:
            found.append(latest)
    return sum(started <= min(found) for started in begun) if found else requests
