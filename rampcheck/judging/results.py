"""What stands in results.json: its members, as `results.schema.json` has them, which says what each means.

What a member is left out of by older results may be missing (`NotRequired`).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict, final

from rampcheck.contract.register import Level
from rampcheck.wire.journal_records import JudgeName, Selection, Side

SCHEMA: Literal[1] = 1

ClauseVerdict = Literal["passed", "failed", "advisory", "observed", "not_verified", "waived", "attested"]
RunVerdict = Literal["conformant", "conformant_with_gaps", "partial", "incomplete", "nonconformant", "inconclusive"]
GapKind = Literal["declared", "unexpected", "unselected"]
WaiverState = Literal["used", "stale", "expired", "untried"]


class TargetResult(TypedDict):
    """The server that was judged."""

    base_url: str
    environment: str


class SubjectResult(TypedDict):
    """Of whom the run speaks."""

    partner: str
    build: str
    requested_by: str


class SignOffResult(TypedDict):
    """For how long the run holds if it is signed."""

    valid_days: int
    valid_until: str


class Digests(TypedDict):
    """What the results were made from, as SHA-256."""

    profile: str
    register: str
    document: str
    journal: str


class SectionResult(TypedDict):
    """A section of the contract."""

    id: str
    title: str


class Counts(TypedDict):
    """How many clauses have each verdict."""

    passed: int
    failed: int
    advisory: int
    observed: int
    not_verified: int
    waived: int
    attested: NotRequired[int]


class WaiverResult(TypedDict):
    """A waiver of the profile, and what became of it."""

    clause: str
    reason: str
    until: str | None
    owner: NotRequired[str]
    approver: NotRequired[str]
    state: WaiverState


class OutageResult(TypedDict):
    """A time in which the target answered nothing, or `refuses` what it accepts otherwise."""

    began: str
    ended: str | None
    exchange: int | None
    detail: str
    before: list[int]
    probes: NotRequired[int]
    cause: NotRequired[str]
    refuses: NotRequired[bool]


class Lack(TypedDict):
    """A place of the profile to fill in, and what may stand there."""

    key: str
    example: object


class SourceResult(TypedDict):
    """Where the vendor's documentation makes a promise."""

    document: str
    section: str
    url: NotRequired[str]


@final
class Example(TypedDict):
    """A finding that says the same as another, of other values."""

    expected: str
    actual: str
    exchange: int | None
    scenario: str


@final
class FindingResult(TypedDict):
    """A way in which a clause was seen broken."""

    expected: str
    actual: str
    exchange: int | None
    scenario: str
    judge: NotRequired[JudgeName]
    about: NotRequired[list[str]]
    times: int
    answers: NotRequired[dict[str, int]]
    examples: NotRequired[list[Example]]
    trace: NotRequired[str]
    span: NotRequired[str]


@final
class ObservationResult(TypedDict):
    """What the target did where nothing is promised."""

    actual: str
    exchange: int | None
    scenario: str
    times: int


class ClauseResult(TypedDict):
    """A promise of the contract, and what became of it."""

    id: str
    section: str
    level: Level
    since: NotRequired[str]
    text: str
    source: SourceResult
    verdict: ClauseVerdict
    reason: str
    gap: NotRequired[GapKind]
    lacks: NotRequired[list[Lack]]
    follows: NotRequired[str]
    exercised: int
    elapsed_ms: NotRequired[float]
    findings: list[FindingResult]
    observations: list[ObservationResult]
    ambiguities: list[str]


class Results(TypedDict):
    """What one run concluded: the content of results.json."""

    schema: Literal[1]
    rampcheck: str
    contract: str
    title: str
    contract_version: str
    side: NotRequired[Side]
    verdict: RunVerdict
    reason: str
    cure: NotRequired[str]
    target: TargetResult
    subject: NotRequired[SubjectResult]
    sign_off: NotRequired[SignOffResult]
    digests: NotRequired[Digests]
    variables: NotRequired[dict[str, str]]
    named_with: NotRequired[list[str]]
    run: str
    started: str
    finished: str
    interrupted: bool
    unfinished: NotRequired[bool]
    seed: int
    strict: NotRequired[bool]
    require_complete: NotRequired[bool]
    selection: NotRequired[Selection]
    time_scale: NotRequired[float]
    requests: int
    workers: int
    counts: Counts
    sections: list[SectionResult]
    waivers: NotRequired[list[WaiverResult]]
    outages: NotRequired[list[OutageResult]]
    faults: list[str]
    notes: list[str]
    clauses: list[ClauseResult]
