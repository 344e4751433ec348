"""What stands in matrix.json: its members."""

from __future__ import annotations

from typing import Literal, TypedDict

from rampcheck.contract.register import Level
from rampcheck.judging.results import ClauseVerdict, RunVerdict, SectionResult
from rampcheck.selftest.trial import Kind
from rampcheck.wire.journal_records import JudgeName

Result = Literal["convicted", "ended", "missed", "conforming", "accused", "fault"]


class ConvictionMembers(TypedDict):
    """A clause that was found broken, with the first finding of it, as `Conviction` has it."""

    clause: str
    verdict: ClauseVerdict
    judge: JudgeName
    scenario: str
    expected: str
    actual: str
    exchange: int | None


class TrialMembers(TypedDict):
    """A trial and what came of it.

    `parts` are the names of the variants tried at once, if they were, `clauses` what a defect breaks; `ends` is the
    verdict with which its run has to end where no clause can be blamed, else "". `convictions` are the findings against
    its own clauses, `unrelated` and `advisories` those against others, `related` the clauses that fell as foreseen.
    `gaps` are the `must` clauses that were not verified and are with the plain reference. `found_by` are the scenarios
    with a finding against its own clauses, by `worth.key`. `folder` is where its run is kept, or None.
    """

    contract: str
    kind: Kind
    name: str
    summary: str
    seed: int
    parts: list[str]
    clauses: list[str]
    may_break: list[str]
    ends: str
    result: Result
    verdict: RunVerdict | Literal[""]
    convictions: list[ConvictionMembers]
    related: list[str]
    unrelated: list[ConvictionMembers]
    advisories: list[ConvictionMembers]
    gaps: list[str]
    requests: int
    to_first_finding: int | None
    found_by: list[str]
    seconds: float
    exit_code: int | None
    faults: list[str]
    reason: str
    folder: str | None


class ClauseMembers(TypedDict):
    """A clause, and the names of the defects tried that break it; `untestable` says why nothing can test it, or ""."""

    id: str
    section: str
    level: Level
    text: str
    untestable: str
    defects: list[str]


class ContractMembers(TypedDict):
    """A contract, with its sections and clauses in the order of the documentation.

    `apfd` is how early its defects are found, 0 to 1, see `running.worth.apfd`; None where that was not tried with
    whole runs.
    """

    name: str
    title: str
    apfd: float | None
    sections: list[SectionResult]
    clauses: list[ClauseMembers]


class Summary(TypedDict):
    """The sums over all trials.

    `defects` and `variants` (the plain reference counts as one) are what was tried, alone or at once; of these,
    `convicted`, `ended` and `missed`, `conforming` and `accused`, and those `with_gaps`; `unrelated` is the number of
    defects that failed a `must` clause which is neither theirs nor foreseen; `faults` the number of trials that did
    not come to a judgement; `requests` all that were sent, and `median_to_first_finding` the middle of the defects'
    requests up to the first finding, None where none was made.
    """

    defects: int
    convicted: int
    ended: int
    missed: int
    variants: int
    conforming: int
    accused: int
    with_gaps: int
    unrelated: int
    faults: int
    requests: int
    median_to_first_finding: float | None


class Matrix(TypedDict):
    """The content of matrix.json.

    `started` and `finished` are as RFC 3339 has them, `planned` is the number of trials that were set out to be made,
    the `trials` stand in the order of the registries.
    """

    schema: Literal[1]
    rampcheck: str
    started: str
    finished: str
    seconds: float
    seeds: list[int]
    workers: int
    examples: int
    quick: bool
    jobs: int
    planned: int
    interrupted: bool
    as_required: bool
    exit_code: int
    summary: Summary
    contracts: list[ContractMembers]
    trials: list[TrialMembers]
