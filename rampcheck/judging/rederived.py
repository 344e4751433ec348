"""A run's journal, judged again: by the same document, invariants and demands, from what it tells of the exchanges.

What the journal says of each exchange is held against what the exchange shows. Where the two differ, it is told; where
a value that decides is hidden behind a mark, or only who was there could judge, the journal is believed, and that is
told too: a mark is never called a breach. What is wrong with a refusal counts by the same rules as in the run: it was
seen again, or it is a doubt.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Contract
from rampcheck.judging.demands import Demand, recalled
from rampcheck.judging.doubts import ENOUGH
from rampcheck.judging.examination import Examiner
from rampcheck.judging.suite import BODY, STATUS, Suite
from rampcheck.wire.exchanges import Exchange, Headers
from rampcheck.wire.journal import exchange_records, from_record
from rampcheck.wire.journal_records import DemandRecord, DoubtRecord, ExchangeRecord, FindingRecord, Record
from rampcheck.wire.redaction import as_letters, as_word, has_mark, without_marks

HELD, BROKEN, NEITHER = "held", "broken", "not put to the test"
HIDDEN = "a value that decides it is hidden in the journal"
BY_SCENARIO = "a scenario saw it, and left nothing to judge it by"
SEEN_ONCE = "a refusal that the run counted, without asking again"


@dataclass(frozen=True)
class Difference:
    """What the journal says of a clause in one exchange, and what that exchange shows when it is judged again."""

    clause: str
    exchange: int | None
    said: str
    shown: str

    def __str__(self) -> str:
        where = "" if self.exchange is None else f" in exchange {self.exchange}"
        return f"{self.clause}{where}: {self.said} by the journal, {self.shown} when it is judged again"


@dataclass
class Rederived:
    """What a journal comes to when it is judged again.

    `records` are the journal's, with what was judged again in place of what they said; `differences` say where the two
    differ, `attested` for a clause why, and in which exchanges, only the live run could judge it.
    """

    records: list[Record]
    differences: list[Difference] = field(default_factory=list)
    attested: dict[str, dict[str, set[int | None]]] = field(default_factory=dict)


def rederived(records: Sequence[Record], contract: Contract, suite: Suite, profile: Profile) -> Rederived:
    """Judges the records of a journal again. Raises `ValueError` where one of them is none that could be judged."""
    return _Again(records, contract, suite, profile).judged()


def _parts(exchange: Exchange) -> Iterator[tuple[Headers, bytes, Any]]:
    """Gives headers, body and JSON value of all that the target sent."""
    if exchange.direction == "incoming":
        yield exchange.request.headers, exchange.request.body, exchange.request.json
    elif exchange.response is not None:
        yield exchange.response.headers, exchange.response.body, exchange.response.json
    for message in exchange.events:
        yield (), message.body, message.json


def is_hidden(exchange: Exchange, about: Sequence[str]) -> bool:
    """Whether a mark stands in what a finding is about, or in the member of the request that it may have to repeat.

    Of one about nothing in particular: in a header, a message.
    """
    asked = exchange.request.json if exchange.direction == "outgoing" else None
    if any(part != BODY and has_mark(json.dumps(_member(asked, part), ensure_ascii=False)) for part in about):
        return True
    for headers, body, value in _parts(exchange):
        if not about and (has_mark(" ".join(text for _, text in headers)) or (not headers and has_mark(_text(body)))):
            return True
        for part in about:
            if part == BODY:
                seen: Any = _text(body)
            else:
                seen = _member(value, part)
            if part != STATUS and has_mark(seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False)):
                return True
    return False


def _member(value: Any, part: str) -> Any:
    """Gives the member that a finding is about, None where it is not there."""
    return value.get(part.removeprefix(f"{BODY}.")) if isinstance(value, dict) else None


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


@dataclass(frozen=True)
class _Shown:
    """What is wrong with one exchange by a clause: what it is about, and whether that counts as it is seen."""

    about: tuple[str, ...]
    at_once: bool


class _Again:
    """The judging again of one journal."""

    def __init__(
        self,
        records: Sequence[Record],
        contract: Contract,
        suite: Suite,
        profile: Profile,
    ) -> None:
        self._contract = contract
        self._suite = suite
        self._examiner = Examiner(contract, suite, profile)
        self._records = records
        self._exchanges = {number: from_record(record) for number, record in exchange_records(records).items()}
        self._found: dict[tuple[str, int], FindingRecord] = {}
        self._found_in: set[tuple[str, str]] = set()
        self._doubted: set[tuple[str, int]] = set()
        self._aside: set[int] = set()
        self._demanded: set[tuple[str, int | None]] = set()
        self._again: dict[int, int] = {}
        self._first: dict[int, int] = {}
        self._confirmed: Counter[str] | None = None
        self._unjudged: set[str] = set()
        self._is_whole = False
        self._broken: dict[tuple[str, int], _Shown] = {}
        self._result = Rederived([])
        for record in records:
            self._note(record)

    def _note(self, record: Record) -> None:
        match record["kind"]:
            case "finding":
                self._found_in.add((record["clause"], record["scenario"]))
                if record["exchange"] is not None:
                    self._found[record["clause"], record["exchange"]] = record
            case "doubt" if record["exchange"] is not None:
                self._doubted.add((record["clause"], record["exchange"]))
            case "demand":
                self._demanded.add((record["clause"], record["exchange"]))
            case "aside":
                self._aside.add(record["exchange"])
            case "again":
                self._again[record["of"]] = record["exchange"]
                self._first[record["exchange"]] = record["of"]
            case "unjudged":
                self._unjudged.add(record["scenario"])
            case "end":
                self._is_whole = not (record["interrupted"] or record["reason"])

    def judged(self) -> Rederived:
        """Gives what the journal comes to."""
        kept = [self._judged(record) for record in self._records]
        added = [self._finding(clause, number) for clause, number in self._unsaid()]
        self._result.records = [record for record in kept if not self._is_refuted(record)]
        # The end, if there is one, stays the last.
        at = len(self._result.records) - (self._result.records[-1]["kind"] == "end")
        self._result.records[at:at] = added
        return self._result

    def _judged(self, record: Record) -> Record:
        match record["kind"]:
            case "exchange" if self._is_judged(record):
                return {**record, "held": sorted(self._examined(record))}
            case "demand":
                return {**record, "held": self._is_met(record)}
            case "held":
                self._attest(record["clause"], BY_SCENARIO, record["exchange"])
            case "observation" if self._contract.clauses[record["clause"]].level == "open":
                self._attest(record["clause"], "what the target did was observed", record["exchange"])
            case "unjudged":
                self._attest(record["clause"], "the run could not judge it", None)
        return record

    def _is_judged(self, record: ExchangeRecord) -> bool:
        """Whether the run judged an exchange: of one that ended before its time, a WebSocket may only have begun."""
        return self._is_whole or bool(record["held"]) or record["protocol"] == "http"

    def _counts_at_once(self, exchange: Exchange) -> bool:
        """Whether what is wrong with an exchange need not be seen again."""
        return exchange.direction == "incoming" or self._suite.is_acceptance(exchange)

    # One exchange by schema and invariants

    def _examined(self, record: ExchangeRecord) -> set[str]:
        """Judges an exchange again, and gives the clauses that hold in it."""
        number = record["number"]
        exchange = self._exchanges[number]
        examined = self._examiner.examined(_read_as(record, as_word))
        at_once = self._counts_at_once(exchange)
        said, held = set(record["held"]), set(examined.held)
        for breach in examined.broken:
            is_said = (breach.clause, number) in self._found or (breach.clause, number) in self._doubted
            if is_hidden(exchange, breach.problem.about) and not is_said:
                self._attest(breach.clause, HIDDEN, number)
                held |= said & {breach.clause}
            else:
                self._broken[breach.clause, number] = _Shown(breach.problem.about, at_once)
                if breach.clause in said:
                    self._differ(breach.clause, number, HELD, BROKEN)
        unsure = {clause for clause in held ^ said if (clause, number) not in self._broken | self._found}
        if unsure:
            otherwise = self._examiner.examined(_read_as(record, as_letters)).held
            for clause in unsure:
                if (clause in held) is (clause in otherwise):
                    self._differ(clause, number, *((HELD, NEITHER) if clause in said else (NEITHER, HELD)))
                    continue
                self._attest(clause, HIDDEN, number)
                held ^= {clause}
        return held

    # What scenarios demanded

    def _is_met(self, record: DemandRecord) -> bool:
        clause, number = record["clause"], record["exchange"]
        exchange = self._exchanges.get(number)
        if exchange is None:
            self._differ(clause, number, HELD if record["held"] else BROKEN, "no such exchange")
            return False
        control = self._exchanges.get(record["control"]) if record["control"] is not None else exchange
        if control is None or not (control is exchange or control.accepted):
            self._differ(clause, number, "judged after a control", "no control was accepted")
        problem = Demand(clause, recalled(record["due"])).broken(exchange, self._suite)
        said_met: bool = record["held"]
        if said_met is (problem is None):
            if problem is not None:
                self._broken.setdefault((clause, number), _Shown(problem.about, self._counts_at_once(exchange)))
            return said_met
        found = self._found.get((clause, number))
        about = problem.about if problem is not None else found["about"] if found else ()
        if is_hidden(exchange, about or (BODY,)):
            self._attest(clause, HIDDEN, number)
            return said_met
        self._differ(clause, number, HELD if said_met else BROKEN, BROKEN if said_met else HELD)
        if problem is not None:
            self._broken[clause, number] = _Shown(problem.about, self._counts_at_once(exchange))
        return not said_met

    # What the journal says is broken

    def _is_refuted(self, record: Record) -> bool:
        """Whether a finding, or a doubt, is none when it is judged again."""
        if record["kind"] != "finding" and record["kind"] != "doubt":
            return False
        clause, number = record["clause"], record["exchange"]
        shown = self._broken.get((clause, number)) if number is not None else None
        if number is None or shown is None:
            return not self._is_believed(record)
        if record["kind"] == "finding" and not (shown.at_once or self._stands(clause, number)):
            self._attest(clause, SEEN_ONCE, number)
        return False

    def _stands(self, clause: str, number: int) -> bool:
        """Whether a wrong refusal was seen again, or the clause often enough to be believed at once."""
        if self._confirmed is None:
            self._confirmed = Counter(broken for broken, again in self._found if self._is_confirmed(broken, again))
        return self._is_confirmed(clause, number) or self._confirmed[clause] >= ENOUGH

    def _is_confirmed(self, clause: str, number: int) -> bool:
        """Whether the same was wrong with the exchange that this one asks again, and with this one."""
        return (clause, number) in self._broken and (clause, self._first.get(number)) in self._broken

    def _is_believed(self, record: FindingRecord | DoubtRecord) -> bool:
        """Whether only who was there could judge what is broken; else it is told that it is not."""
        clause, number = record["clause"], record["exchange"]
        exchange = self._exchanges.get(number) if number is not None else None
        if number is not None and exchange is None:
            self._differ(clause, number, BROKEN, "no such exchange")
            return False
        if record["judge"] == "scenario" and (clause, number) not in self._demanded:
            self._attest(clause, BY_SCENARIO, number)
            return True
        if exchange is not None and (
            is_hidden(exchange, record["about"])
            or (STATUS in record["about"] and exchange.accepted and has_mark(_text(exchange.request.body)))
        ):
            self._attest(clause, HIDDEN, number)
            return True
        if record["kind"] == "finding":
            self._differ(clause, number, BROKEN, NEITHER)
        return False

    # What is broken, and the journal does not say so

    def _unsaid(self) -> Iterator[tuple[str, int]]:
        """Gives what is broken, counts, and stands nowhere in the journal."""
        for (clause, number), shown in self._broken.items():
            exchange = self._exchanges[number]
            if self._contract.clauses[clause].level == "open" or (clause, number) in self._found:
                continue
            # Of generated requests, the smallest failing one is the finding of all.
            if (clause, exchange.scenario) in self._found_in:
                continue
            if shown.at_once or not self._is_accounted(clause, number):
                self._differ(clause, number, "nothing", BROKEN)
                yield clause, number

    def _is_accounted(self, clause: str, number: int) -> bool:
        """Whether the journal says what became of a wrong refusal: it did not come again, or nobody could ask."""
        if number in self._aside or self._exchanges[number].scenario in self._unjudged:
            return True
        again = list(self._repeats(number))
        if (clause, number) in self._doubted:
            return not again or (clause, again[0]) not in self._broken
        # Something in front of the API refuses it, whatever the API would answer.
        return any((self._suite.contract.gateway, one) in self._found for one in (number, *again))

    def _repeats(self, number: int) -> Iterator[int]:
        """Gives the exchanges that ask again what an exchange asked, in their order."""
        seen = {number}
        while (number := self._again.get(number, number)) not in seen:
            seen.add(number)
            yield number

    def _finding(self, clause: str, number: int) -> FindingRecord:
        shown = self._broken[clause, number]
        return {
            "kind": "finding",
            "clause": clause,
            "expected": "what the contract promises",
            "actual": "what is broken when it is judged again",
            "exchange": number,
            "scenario": self._exchanges[number].scenario,
            "judge": "invariant",
            "about": list(shown.about),
            "change": "",
            "times": 1,
        }

    def _differ(self, clause: str, number: int | None, said: str, shown: str) -> None:
        self._result.differences.append(Difference(clause, number, said, shown))

    def _attest(self, clause: str, why: str, number: int | None) -> None:
        self._result.attested.setdefault(clause, defaultdict(set))[why].add(number)


def _read_as(record: ExchangeRecord, stand_in: Callable[[str, str], str]) -> Exchange:
    """Gives the exchange of a record with something else in place of its marks, the same for the same mark."""
    read: ExchangeRecord = json.loads(without_marks(json.dumps(record), stand_in))
    return from_record(read)
