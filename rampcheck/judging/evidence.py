"""What a run's journal says: of each clause, and of the run as a whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rampcheck.judging.findings import Finding
from rampcheck.judging.results import OutageResult
from rampcheck.wire.journal_records import (
    DemandRecord,
    DoubtRecord,
    ExchangeRecord,
    FindingContent,
    HeldRecord,
    ObservationRecord,
    OutageRecord,
    Record,
)
from rampcheck.wire.tracing import Span, of_headers

# What is asked again and again, and what is not: two of one kind are no chance.
CONFIRMED_BY = 2
EXCHANGES_NAMED = 3
# Where so many answers, and one in so many, were another's than the API's, what it does itself was not seen enough.
# Of a few, more may be chance.
FOREIGN = ((4, 5), (20, 8))


@dataclass
class Evidence:
    """What a run's journal says of one clause.

    `held` are the numbers of the exchanges in which it was seen to hold, `times` is how often the whole history put
    it to the test, `tallied` how often it held in recorded exchanges that the journal does not have. `reasons` say why
    something that set out to try it could not, `untried` why something did not, `attested` why nobody outside can see
    it.
    """

    held: set[int] = field(default_factory=set)
    times: int = 0
    tallied: int = 0
    findings: list[Finding] = field(default_factory=list)
    observations: list[ObservationRecord] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    attested: list[str] = field(default_factory=list)

    @property
    def exercised(self) -> int:
        """How often it was put to the test: an exchange counts once, whatever judged it and however often."""
        of_history = sum(finding.times for finding in self.findings if finding.judge == "history")
        seen = [finding.exchange for finding in self.findings if finding.judge != "history"]
        once = len(self.held.union(seen) - {None}) + seen.count(None)
        return once + max(self.times, of_history) + self.tallied


@dataclass
class Account:
    """What a run's journal says.

    `clauses` holds the evidence of each clause, `outcomes` for the number of an exchange how it ended: `accepted`, a
    status, or a failure; `elapsed` how many milliseconds it took, `spans` what its request named to the target's
    tracing. `notes` are what the reader should know, `outages` and `faults` what went wrong; `cut` is why the run ended
    before everything was tried, where it did.
    """

    clauses: defaultdict[str, Evidence] = field(default_factory=lambda: defaultdict(Evidence))
    outcomes: dict[int, str] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)
    elapsed: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    outages: list[OutageResult] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    cut: str = ""


def collect(records: Iterable[Record]) -> Account:  # noqa: PLR0912 - a table of the kinds of records
    """Sorts the records of a journal by what they speak of."""
    account = Account()
    doubts: list[DoubtRecord] = []
    again: dict[int | None, int] = {}
    notes: Counter[str] = Counter()
    survival = _Survival()
    for record in records:
        match record["kind"]:
            case "exchange":
                survival.asked(record)
                account.outcomes[record["number"]] = _outcome(record)
                account.spans |= _span(record)
                account.elapsed[record["number"]] = record["elapsed_ms"]
                for clause in record["held"]:
                    account.clauses[clause].held.add(record["number"])
            case "held" | "demand":
                survival.demanded(record)
                account.clauses[record["clause"]].held |= _held(record)
            case "finding":
                account.clauses[record["clause"]].findings.append(_finding(record))
            case "observation":
                account.clauses[record["clause"]].observations.append(record)
            case "unjudged" | "untried" as kind:
                evidence = account.clauses[record["clause"]]
                (evidence.reasons if kind == "unjudged" else evidence.untried).append(record["reason"])
            case "attested":
                account.clauses[record["clause"]].attested.append(record["reason"])
            case "sum":
                account.clauses[record["clause"]].tallied += record["times"]
            case "doubt":
                doubts.append(record)
            case "again":
                again[record["of"]] = record["exchange"]
            case "note":
                notes[record["text"]] += 1
            case "outage":
                outage = _outage(record)
                account.outages += [outage] if outage not in account.outages else []
            case "fault":
                account.faults.append(record["text"])
            case "cut":
                account.cut = record["reason"]
    account.notes = [text if times == 1 else f"{text} ({times:,} times)" for text, times in notes.items()]
    account.outages.sort(key=lambda outage: outage["began"])
    _weigh(doubts, again, account)
    survival.weigh(account)
    return account


class _Survival:
    """How many requests met a failure and were sent again, and the clauses that say what a target survives.

    Neither 429 nor a connection that was closed as the request came (RFC 9112 section 9.3.1) is a failure.
    """

    def __init__(self) -> None:
        self._asked = self._failed = 0
        self._clauses: set[str] = set()

    def asked(self, record: ExchangeRecord) -> None:
        """Takes an exchange."""
        response = record["response"]
        self._asked += record["final"] and record["direction"] == "outgoing"
        self._failed += not record["final"] and response is not None and response["status"] != 429

    def demanded(self, record: HeldRecord | DemandRecord) -> None:
        """Takes what was demanded of one."""
        if record["kind"] == "demand" and record["due"].get("is") == "below_500":
            self._clauses.add(record["clause"])

    def weigh(self, account: Account) -> None:
        """Notes failures that are no chance; where they are many, nobody knows what broke the target."""
        if self._failed < FOREIGN[0][0]:
            return
        often = f"{self._failed:,} of {self._asked:,} requests met an error of a server, and were sent again"
        account.notes.append(often)
        if any(self._failed >= least and self._failed * share >= self._asked for least, share in FOREIGN):
            for clause in self._clauses:
                account.clauses[clause].reasons.append(often)


def _outage(record: OutageRecord) -> OutageResult:
    outage: OutageResult = {
        "began": record["began"],
        "ended": record["ended"],
        "exchange": record["exchange"],
        "detail": record["detail"],
        "before": record["before"],
        "probes": record["probes"],
        "cause": record["cause"],
    }
    if "refuses" in record:
        outage["refuses"] = record["refuses"]
    return outage


def _held(record: HeldRecord | DemandRecord) -> set[int]:
    return {record["exchange"]} if record["kind"] == "held" or record["held"] else set()


def _finding(record: FindingContent) -> Finding:
    return Finding(
        record["clause"],
        record["expected"],
        record["actual"],
        record["exchange"],
        record["scenario"],
        record["judge"],
        tuple(record["about"]),
        record["change"],
        record["times"],
    )


def _outcome(record: ExchangeRecord) -> str:
    response = record["response"]
    if response is None:
        return record["failure"]["kind"] if record["failure"] else ""
    status = response["status"]
    upgraded = status == 101 and record["protocol"] == "websocket"
    return "accepted" if (upgraded or 200 <= status < 300) and not record["failure"] else str(status)


def _span(record: ExchangeRecord) -> dict[int, Span]:
    span = of_headers(tuple((name, value) for name, value in record["request"]["headers"]))
    return {record["number"]: span} if span is not None else {}


def _last(again: Mapping[int | None, int], number: int | None) -> int | None:
    """Gives the last of the exchanges in which the same was asked again, or the first where it was not."""
    while number is not None and (later := again.get(number, 0)) > number:  # as in any journal that a run wrote
        number = later
    return number


def _weigh(doubts: Iterable[DoubtRecord], again: Mapping[int | None, int], account: Account) -> None:
    """Makes findings of the wrong refusals that came at least twice in one kind, and notes of the others.

    `again` gives for the number of an exchange that of the one in which the same was asked again. A clause speaks of
    what did not come again if it speaks of what came in its place.

    Which of several clauses such a refusal met is chance: the one is blamed that met it most often.
    """
    kinds: dict[str, list[DoubtRecord]] = defaultdict(list)
    passing: dict[str, list[DoubtRecord]] = defaultdict(list)
    for doubt in doubts:
        if doubt["gateway"]:
            passing[doubt["actual"]].append(doubt)
        else:
            kinds[doubt["signature"]].append(doubt)
    for alike in kinds.values():
        if len({doubt["exchange"] for doubt in alike}) >= CONFIRMED_BY:
            met = _exchanges_by_clause(alike)
            most = max(map(len, met.values()))
            blamed = {clause for clause, exchanges in met.items() if len(exchanges) == most}
            for doubt in alike:
                if doubt["clause"] in blamed:
                    account.clauses[doubt["clause"]].findings.append(_finding(doubt))
        else:
            account.notes.append(f"a wrong refusal that did not come again is not counted: {_where(alike)}")
    for clause, doubted in _exchanges_by_clause(doubt for alike in passing.values() for doubt in alike).items():
        evidence = account.clauses[clause]
        foreign = {number for number in doubted if number not in again or _last(again, number) in evidence.held}
        asked = len(foreign | evidence.held)
        if any(len(foreign) >= least and len(foreign) * share >= asked for least, share in FOREIGN):
            evidence.reasons.append(
                f"{len(foreign):,} of {asked:,} answers that it speaks of did not come again: they "
                "were those of something in front of the target, or of a target that often fails"
            )
    account.notes += [
        f"what did not come again, from the target or something in front of it, is not counted: {_where(alike)}"
        for alike in passing.values()
    ]


def _exchanges_by_clause(doubts: Iterable[DoubtRecord]) -> dict[str, set[int | None]]:
    exchanges: defaultdict[str, set[int | None]] = defaultdict(set)
    for doubt in doubts:
        exchanges[doubt["clause"]].add(doubt["exchange"])
    return exchanges


def _where(doubts: list[DoubtRecord]) -> str:
    numbers = sorted({doubt["exchange"] for doubt in doubts if doubt["exchange"] is not None})
    named = ", ".join(map(str, numbers[:EXCHANGES_NAMED]))
    more = f" and {len(numbers) - EXCHANGES_NAMED:,} more" if len(numbers) > EXCHANGES_NAMED else ""
    which = f" (exchange{'s' if len(numbers) > 1 else ''} {named}{more})" if numbers else ""
    return f"{doubts[0]['actual']}{which}"
