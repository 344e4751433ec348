"""What the records of a journal are, a line of journal.jsonl each: `kind` says which.

The schema in `rampcheck/schemas/journal.schema.json` says the same to others, and what each member means. The record of
the beginning tells its number (`SCHEMA`), which changes with whatever is written otherwise.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from rampcheck.wire.exchanges import Direction, MessageKind
from rampcheck.wire.recipes import Recipe

SCHEMA: Literal[1] = 1

JudgeName = Literal["schema", "invariant", "history", "scenario"]
Side = Literal["partner"]  # whose promises are judged, where they are not the target's


class BodyContent(TypedDict):
    """A body as text: itself (`utf-8`), or `base64` of what is not UTF-8."""

    body: str
    encoding: Literal["utf-8", "base64"]


class MessageContent(BodyContent):
    """A message of a WebSocket, as `Message` has it."""

    direction: Direction
    at: str
    kind: MessageKind


class Content(BodyContent):
    """The headers, each a name and a value, and the body of a request or a response."""

    headers: list[list[str]]


class RequestContent(Content):
    """A request as it went over the wire."""

    method: str
    url: str


class ResponseContent(Content):
    """A response as it came over the wire."""

    status: int


class FailureContent(TypedDict):
    """Why there is no response."""

    kind: str
    detail: str


class ExchangeContent(TypedDict):
    """An exchange, as `Exchange` has it."""

    number: int
    protocol: Literal["http", "websocket", "webhook"]
    direction: Direction
    scenario: str
    started: str
    elapsed_ms: float
    attempt: int
    final: bool
    credential: str | None
    authenticated: bool
    path: str
    request: RequestContent
    response: ResponseContent | None
    failure: FailureContent | None
    messages: list[MessageContent]
    cut: str
    recipes: NotRequired[list[Recipe | None]]
    outside: NotRequired[str]


class FindingContent(TypedDict):
    """A clause seen broken, as `Finding` has it."""

    clause: str
    expected: str
    actual: str
    exchange: int | None
    scenario: str
    judge: JudgeName
    about: list[str]
    change: str
    times: int


class ClauseContent(TypedDict):
    """What a scenario says of a clause."""

    clause: str
    scenario: str


class Selection(TypedDict):
    """What of the contract a run was asked to try; all of it where the members are empty, and the others not there.

    Of recorded traffic, `traffic` names the files: it shows what somebody else happened to ask for. Of a partner's
    integration, `steps` are those that were tried. `budget` is how many requests it was given, if that bounds it.
    """

    clauses: list[str]
    keyword: str
    shard: NotRequired[str]
    traffic: NotRequired[list[str]]
    steps: NotRequired[list[str]]
    budget: NotRequired[int]


class RunRecord(TypedDict):
    """The beginning: all that a run has to be judged by. The `profile` is what its user wrote, redacted.

    `named_with` are the options that named the target, none where a profile's file did. Of a run that was put together
    of shards, `shards` says of how many, `lacking` what is missing, with the reason. Of recorded traffic, `recorded` is
    how many of its exchanges were judged; those that follow are examples. Where it is the partner's `side` that was
    judged, exchanges that come in are the integration's calls to the sandbox, those that go out its webhooks, and the
    scenario of each is the step in which it came; times were multiplied by `time_scale`.
    """

    kind: Literal["run"]
    schema: Literal[1]
    rampcheck: str
    run: str
    contract: str
    contract_version: str
    profile: dict[str, Any]
    seed: int
    workers: int
    selection: Selection
    selected: list[str]
    strict: bool
    require_complete: bool
    allure: bool
    started: str
    named_with: NotRequired[list[str]]
    shards: NotRequired[int]
    lacking: NotRequired[list[str]]
    recorded: NotRequired[int]
    side: NotRequired[Side]
    time_scale: NotRequired[float]


class ExchangeRecord(ExchangeContent):
    """An exchange that is over, the clauses that were seen to hold in it, and what was changed in its request."""

    kind: Literal["exchange"]
    held: list[str]
    change: NotRequired[str]


class BegunRecord(ExchangeContent):
    """What there is of an exchange that is not over."""

    kind: Literal["begun"]


class MessageRecord(TypedDict):
    """A message of the WebSocket that was begun with the number `exchange`."""

    kind: Literal["message"]
    exchange: int
    message: MessageContent


class FindingRecord(FindingContent):
    """A clause was seen broken."""

    kind: Literal["finding"]


class GeneratedRecord(FindingContent):
    """A clause was seen broken by a generated request; it counts until its scenario is `shrunk`."""

    kind: Literal["generated"]


class ShrunkRecord(TypedDict):
    """The findings that stay of a scenario's `generated` ones were written."""

    kind: Literal["shrunk"]
    scenario: str


class DoubtRecord(FindingContent):
    """A wrong refusal that did not come again; `signature` is what it was, of a `gateway` it never counts."""

    kind: Literal["doubt"]
    signature: str
    gateway: bool


class HeldRecord(ClauseContent):
    """A scenario saw a clause hold."""

    kind: Literal["held"]
    exchange: int


class DemandRecord(TypedDict):
    """What a scenario demanded of an answer; `due` is the data of `demands.Due`, `held` says whether it was met.

    `control` is the exchange that was accepted before. The scenario is that of the exchange.
    """

    kind: Literal["demand"]
    clause: str
    exchange: int
    control: int | None
    due: dict[str, Any]
    change: str
    held: bool


class AgainRecord(TypedDict):
    """An exchange asks again what the exchange `of` asked, to see whether the same is wrong with it."""

    kind: Literal["again"]
    exchange: int
    of: int


class AsideRecord(TypedDict):
    """What is wrong with the refusal of a control, or of a look whether the target is there, counts neither way."""

    kind: Literal["aside"]
    exchange: int


class TallyRecord(TypedDict):
    """How many records of each kind speak of a scenario since the last one: one that is taken out later is missed."""

    kind: Literal["tally"]
    scenario: str
    records: dict[str, int]


class ObservationRecord(ClauseContent):
    """What the target did where nothing, or nothing exact, is promised."""

    kind: Literal["observation"]
    actual: str
    exchange: int | None


class UnjudgedRecord(ClauseContent):
    """A scenario set out to judge a clause, and could not."""

    kind: Literal["unjudged"]
    reason: str


class UntriedRecord(ClauseContent):
    """Nothing set out to judge a clause here."""

    kind: Literal["untried"]
    reason: str


class AttestedRecord(ClauseContent):
    """A clause that cannot be seen from outside was not seen broken: somebody has to stand for it."""

    kind: Literal["attested"]
    reason: str


class ProcessedContent(TypedDict):
    """How many `times` a status of a transaction was processed, by what the observer said."""

    transaction: str
    status: str
    times: int


class PurchaseContent(TypedDict):
    """What an integration did in one step, besides its exchanges, as `Purchase` has it."""

    step: str
    told: dict[str, str]
    cut: bool
    left: str | None
    processed: list[ProcessedContent]
    sources: dict[str, str]


class ConductRecord(TypedDict):
    """What an integration did, for the rules that judge it; by the clauses `hidden` only the live run could judge.

    Of the `credentials` it has the marks; `exchanges` is how many stand in the journal.
    """

    kind: Literal["conduct"]
    observed: bool
    credentials: dict[str, str]
    purchases: list[PurchaseContent]
    exchanges: int
    hidden: list[str]


class SumRecord(TypedDict):
    """A clause was seen to hold so many `times` in recorded exchanges that are not in the journal."""

    kind: Literal["sum"]
    clause: str
    times: int


class OutageContent(TypedDict):
    """A time in which the target was away, as `Outage` has it."""

    began: str
    ended: str | None
    exchange: int
    detail: str
    before: list[int]
    probes: int
    cause: str
    refuses: NotRequired[bool]


class OutageRecord(OutageContent):
    """The target was away."""

    kind: Literal["outage"]


class NoteRecord(TypedDict):
    """What the reader of the reports should know."""

    kind: Literal["note"]
    text: str


class FaultRecord(TypedDict):
    """Something went wrong inside rampcheck, or on this machine."""

    kind: Literal["fault"]
    text: str


class CutRecord(TypedDict):
    """No more was asked for from a moment on."""

    kind: Literal["cut"]
    reason: str


class EndRecord(TypedDict):
    """The end; `reason` says why it came early, where it did, and `cure` what to do about it, where that is known."""

    kind: Literal["end"]
    finished: str
    interrupted: bool
    reason: str
    cure: NotRequired[str]


Record = (
    RunRecord
    | ExchangeRecord
    | BegunRecord
    | MessageRecord
    | FindingRecord
    | GeneratedRecord
    | ShrunkRecord
    | DoubtRecord
    | HeldRecord
    | DemandRecord
    | AgainRecord
    | AsideRecord
    | TallyRecord
    | ObservationRecord
    | UnjudgedRecord
    | UntriedRecord
    | AttestedRecord
    | ConductRecord
    | SumRecord
    | OutageRecord
    | NoteRecord
    | FaultRecord
    | CutRecord
    | EndRecord
)
