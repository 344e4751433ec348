"""What was broken, what was seen to hold, and what could not be judged: written to the journal as it is seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Contract, clause_ids
from rampcheck.errors import ContractError
from rampcheck.judging.demands import Demand
from rampcheck.judging.doubts import ENOUGH_IN_RUN, Confirmed, signature
from rampcheck.judging.examination import Examiner
from rampcheck.judging.suite import Broken, Suite
from rampcheck.judging.trail import Trail
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import Journal
from rampcheck.wire.journal_records import (
    ClauseContent,
    ExchangeRecord,
    FindingContent,
    JudgeName,
    OutageContent,
    Record,
)

LONGEST_TEXT = 600
LONGEST_REASON = 2_400  # characters: of why something was not judged, which may quote several such texts, and its cure
_CUT = re.compile(r"… \(\d{1,9} characters\)")  # how a text ends that was cut
UNREAD = "unread"  # in a tally: what is no record
MOST_TOLD = 500  # findings of a clause in one process that are written with their texts; the others are only counted
MOST_SHOWN = 20  # findings with which a scenario fails


@dataclass(frozen=True)
class Finding:
    """One clause seen broken in one exchange; all texts are redacted.

    `judge` says what saw it: `schema`, `invariant`, `history` (an invariant of the whole run) or `scenario`. `about`
    is that of `Broken`. `change` says what was changed in the request that was accepted before, "" where nothing was.
    It stands for so many `times` of it in the exchange; of very many in a run, `expected` and `actual` are empty.
    """

    clause: str
    expected: str
    actual: str
    exchange: int | None
    scenario: str
    judge: JudgeName = "scenario"
    about: tuple[str, ...] = ()
    change: str = ""
    times: int = 1

    def __str__(self) -> str:
        seen = f" (exchange {self.exchange})" if self.exchange is not None else ""
        return f"{self.clause}: expected {self.expected}; actual {self.actual}{seen}"

    def content(self) -> FindingContent:
        """Gives what a journal's record holds of it."""
        return {
            "clause": self.clause,
            "expected": self.expected,
            "actual": self.actual,
            "exchange": self.exchange,
            "scenario": self.scenario,
            "judge": self.judge,
            "about": list(self.about),
            "change": self.change,
            "times": self.times,
        }


class Judge:
    """Judges every exchange, takes the judgements of scenarios, and writes both to the journal.

    `findings` holds what was found broken since `begin` named the scenario, without the `open` clauses: there, what
    the target did is an observation. `change` says what was changed in the request that is being judged, `confirmed`
    what was seen again, `trail` what was sent last, `failures` counts what may say that the target
    does not do as it did before: wrong refusals, silence, what could not be judged, demands that are not met. To judge
    what is no clause raises `ContractError`, for all that the suite and the document name as soon as the judge is made.
    """

    def __init__(self, contract: Contract, suite: Suite, profile: Profile, journal: Journal) -> None:
        self.contract = contract
        self.findings: list[Finding] = []
        self.exchanges: list[ExchangeRecord] = []
        self.scenario = ""
        self.change = ""
        self.confirmed = Confirmed()
        self.trail = Trail()
        self.failures = 0
        self._doubted: dict[int, tuple[Exchange, list[Finding]]] = {}
        self._in_passing: set[str] = set()
        self._clauses: Sequence[str] = ()
        self._suite = suite
        self._journal = journal
        self._examiner = Examiner(contract, suite, profile)
        self._generated: list[Finding] | None = None
        self._tally: dict[str, Counter[str]] = {}
        self._told: Counter[str] = Counter()
        for clause in (*suite.judged, *clause_ids(contract.document)):
            self._demand_known(clause)

    def begin(self, scenario: str, clauses: Sequence[str] = ()) -> None:
        """Names the scenario to which the next findings belong, and what it sets out to judge."""
        self.settle()
        self.scenario = scenario
        self._clauses = clauses
        self.change = ""
        self.findings = []
        self.exchanges = []

    @contextmanager
    def on_behalf(self, scenario: str) -> Iterator[None]:
        """Names the scenario, one that is over, to which what is seen and found inside belongs."""
        before = self.scenario, self._clauses, self.change, self.findings, self.exchanges
        self.scenario, self._clauses, self.change, self.findings, self.exchanges = scenario, (), "", [], []
        try:
            yield
        finally:
            self.scenario, self._clauses, self.change, self.findings, self.exchanges = before

    @property
    def clause(self) -> str:
        """The one clause that the scenario sets out to judge. Raises `ContractError` where it is not one."""
        clauses = set(self._clauses)
        if len(clauses) != 1:
            raise ContractError(
                f"{self.scenario or 'the suite'} verifies {len(clauses)} clauses, and a judgement of it names none",
                "Say which one is judged: `clause=…`.",
            )
        return clauses.pop()

    def see(self, exchange: Exchange) -> None:
        """Judges an exchange by the schema and every invariant, and writes it to the journal.

        What is wrong with an accepted answer is a finding. What is wrong with a refusal is kept for `doubted`: it has
        to be seen again.
        """
        examined = self._examiner.examined(exchange)
        self.exchanges.append(self._journal.exchange(exchange, sorted(examined.held), self.redacted(self.change)))
        self._count("exchange", exchange.scenario)
        if exchange.status == 500 and not exchange.final:
            self.note("a request met status 500 and was sent again, as the documentation asks")
        if exchange.cut:
            self.note(exchange.cut)
            for clause in self._clauses:
                self.unjudged(clause, f"exchange {exchange.number}: {exchange.cut}")
        is_acceptance = self._suite.is_acceptance(exchange)
        if exchange.direction == "outgoing":
            self.trail.add(exchange, accepted=is_acceptance, change=self.redacted(self.change))
        findings = [
            replace(self._finding(breach.clause, breach.problem, exchange, breach.judge), times=breach.times)
            for breach in examined.broken
        ]
        if exchange.direction == "incoming" or is_acceptance:
            self.record(findings)
        elif findings:
            self._doubted[exchange.number] = exchange, findings
            self.failures += not self.confirmed.is_common({finding.clause for finding in findings})
        self.failures += exchange.direction == "outgoing" and self._is_new_doubt(exchange, findings)
        for clause, observation in examined.observed:
            self.observed(clause, observation.actual, exchange)

    def _is_known(self, clause: str) -> bool:
        """Whether a clause was seen broken so often that once more says nothing new of the target."""
        return self._told[clause] >= ENOUGH_IN_RUN or self.is_enough({clause})

    def _is_new_doubt(self, exchange: Exchange, found: Sequence[Finding]) -> bool:
        """Whether an answer is not the API's, a 5xx or silence, and that is not known of this target already.

        Silence is new each time: whatever it broke before, the target may be away by now.
        """
        if exchange.response is None:
            return True
        promise = self._suite.promise_of_answer(exchange.path)
        is_known = bool(promise) and self.confirmed.is_common({promise})
        if is_known or not self._suite.is_doubtful(exchange):
            return False
        return not (exchange.accepted and found and all(self._is_known(finding.clause) for finding in found))

    def held(self, clause: str, exchange: Exchange) -> None:
        """Records that a scenario saw `clause` hold in `exchange`."""
        self._write({"kind": "held", **self._of(clause), "exchange": exchange.number}, self.scenario)

    def broken(  # noqa: PLR0913 - a finding has as many sides
        self,
        clause: str,
        expected: str,
        actual: str,
        exchange: Exchange | None,
        *,
        about: tuple[str, ...] = (),
        judge: JudgeName = "scenario",
    ) -> None:
        """Records that `clause` is broken in `exchange`; on an `open` clause, what the target did."""
        self.record([self._finding(clause, Broken(expected, actual, about=about), exchange, judge)])

    def record(self, findings: Iterable[Finding]) -> None:
        """Writes findings; on an `open` clause, what the target did."""
        for finding in findings:
            self._demand_known(finding.clause)
            if self.contract.clauses[finding.clause].level == "open":
                self._observe(finding.clause, finding.actual, finding.exchange)
                continue
            self.failures += finding.judge == "scenario" and not self._is_known(finding.clause)
            if self._generated is None:
                self._keep(finding)
            else:
                self.findings.append(finding)
                self._journal.write({"kind": "generated", **finding.content()})
                self._generated.append(finding)

    def _keep(self, finding: Finding) -> None:
        """Writes a finding; without its texts where as many of the clause were written with them."""
        self._told[finding.clause] += 1
        finding = told_within(finding, self._told)
        self.findings.append(finding)
        self._write({"kind": "finding", **finding.content()}, finding.scenario)

    def demanded(self, demand: Demand, exchange: Exchange, control: int | None = None) -> Finding | None:
        """Gives the finding that a demand makes of an answer, to be recorded when it was seen again; None: it is met.

        `control` is the number of the exchange that was accepted before.
        """
        problem = demand.broken(exchange, self._suite)
        if problem is None:
            return None
        self._write_demand(demand, exchange, control, held=False)
        return self.suspected(demand.clause, problem, exchange)

    def met(self, demand: Demand, exchange: Exchange, control: int | None = None) -> None:
        """Records that an answer is what a scenario demands; `control` is as in `demanded`."""
        self._write_demand(demand, exchange, control, held=True)

    def _write_demand(self, demand: Demand, exchange: Exchange, control: int | None, *, held: bool) -> None:
        self._demand_known(demand.clause)
        self._write(
            {
                "kind": "demand",
                "clause": demand.clause,
                "exchange": exchange.number,
                "control": control,
                "due": self._journal.redactor.data(demand.due.data()),
                "change": self.redacted(self.change),
                "held": held,
            },
            exchange.scenario,
        )

    def suspected(self, clause: str, problem: Broken, exchange: Exchange) -> Finding:
        """Gives the finding that a scenario makes of an exchange, to be recorded when it was seen again."""
        return self._finding(clause, problem, exchange, "scenario")

    def _finding(self, clause: str, problem: Broken, exchange: Exchange | None, judge: JudgeName) -> Finding:
        return Finding(
            clause,
            self.redacted(problem.expected),
            self.redacted(problem.actual),
            exchange.number if exchange else None,
            self.scenario,
            judge,
            tuple(map(self.redacted, problem.about)),
            self.redacted(self.change),
        )

    def doubted(self, exchange: Exchange) -> list[Finding]:
        """Gives what the schema and the invariants found wrong with a refusal, and forgets it."""
        return self._doubted.pop(exchange.number, (exchange, []))[1]

    def set_aside(self, exchange: Exchange) -> None:
        """Forgets what was found wrong with the refusal of a control, or of a look whether the target is there."""
        self.trail.plain(exchange.number)
        if self.doubted(exchange):
            self._write({"kind": "aside", "exchange": exchange.number}, exchange.scenario)

    def repeated(self, first: Exchange, again: Exchange) -> None:
        """Writes that an exchange asks again what another one asked, to see whether the same is wrong with it."""
        self._write({"kind": "again", "exchange": again.number, "of": first.number}, again.scenario)

    def has_doubted(self, exchange: Exchange) -> bool:
        """Whether `doubted` would give anything."""
        return exchange.number in self._doubted

    @contextmanager
    def changing(self, change: str) -> Iterator[None]:
        """Names what is changed in the requests inside, for their findings."""
        self.change = change
        try:
            yield
        finally:
            self.change = ""

    def doubt(self, findings: Iterable[Finding], exchange: Exchange, *, gateway: bool) -> None:
        """Writes findings that were not seen again; those of a `gateway`, without the API's envelope, never count."""
        kind = self.redacted(signature(exchange, self._suite.contract.envelope))
        answer = exchange.response
        gateway = (
            gateway
            or answer is None
            or not all(isinstance(answer.member(name), str) for name in self._suite.contract.envelope)
        )
        for finding in findings:
            self.failures += 1
            if self.contract.clauses[finding.clause].level != "open":
                doubt: Record = {"kind": "doubt", **finding.content(), "signature": kind, "gateway": gateway}
                self._write(doubt, finding.scenario)
                if not gateway:
                    self._in_passing.add(kind)

    def is_known_in_passing(self, exchange: Exchange) -> bool:
        """Whether a wrong refusal like this one was seen, that did not come again."""
        return self.redacted(signature(exchange, self._suite.contract.envelope)) in self._in_passing

    def _write(self, record: Record, scenario: str) -> None:
        """Writes a record that speaks of a scenario, and counts it there."""
        self._journal.write(record)
        self._count(record["kind"], scenario)

    def unread(self, number: int) -> None:
        """Counts what came to the webhook's address, has a number, and is no exchange of the run."""
        self._tally.setdefault("", Counter())[UNREAD] += number

    def _count(self, kind: str, scenario: str) -> None:
        self._tally.setdefault(scenario, Counter())[kind] += 1

    def settle(self) -> None:
        """Writes as doubts what nobody has asked for again, and how many records there are of each scenario."""
        for exchange, findings in self._doubted.values():
            self.doubt(findings, exchange, gateway=exchange.is_page or exchange.status >= 500)
        self._doubted.clear()
        for scenario, counted in self._tally.items():
            self._journal.write({"kind": "tally", "scenario": scenario, "records": dict(counted)})
        self._tally.clear()

    def note(self, text: str) -> None:
        """Writes what the reader of the reports should know; equal texts are counted."""
        self._journal.write({"kind": "note", "text": self.redacted(text)})

    def outage(self, outage: OutageContent) -> None:
        """Writes that the target was away."""
        self._journal.write(
            {
                "kind": "outage",
                **outage,
                "detail": self.reason(outage["detail"]),
                "cause": self.reason(outage["cause"]),
            }
        )

    def observed(self, clause: str, actual: str, exchange: Exchange | None) -> None:
        """Records what the target did where nothing, or nothing exact, is promised."""
        self._observe(clause, self.redacted(actual), exchange.number if exchange else None)

    def _observe(self, clause: str, actual: str, exchange: int | None) -> None:
        seen: Record = {"kind": "observation", **self._of(clause), "actual": actual, "exchange": exchange}
        self._write(seen, self.scenario)

    def unjudged(self, clause: str, reason: str) -> None:
        """Records that the scenario set out to judge `clause` and could not, and why."""
        self.failures += 1
        self._write({"kind": "unjudged", **self._of(clause), "reason": self.reason(reason)}, self.scenario)

    def untried(self, clause: str, reason: str) -> None:
        """Records that nothing set out to judge `clause` here, and why: what else sees it hold counts."""
        self._write({"kind": "untried", **self._of(clause), "reason": self.reason(reason)}, self.scenario)

    def must_findings(self) -> list[Finding]:
        """Gives the scenario's findings that break a `must`."""
        return [finding for finding in self.findings if self.contract.clauses[finding.clause].level == "must"]

    @contextmanager
    def shrinking(self) -> Iterator[None]:
        """Keeps, of all the findings made inside, the last of each clause: the smallest failing example.

        With it stays what else was broken in the same exchange, for the one may follow from the other.
        """
        generated: list[Finding] = []
        self._generated = generated
        try:
            yield
        finally:
            self._generated = None
            last = {finding.clause: finding for finding in generated}.values()
            shown = {finding.exchange for finding in last} - {None}
            self.findings = []
            for finding in generated:
                if finding in last or finding.exchange in shown:
                    self._keep(finding)
            self._journal.write({"kind": "shrunk", "scenario": self.scenario})

    def is_enough(self, clauses: Iterable[str]) -> bool:
        """Whether these clauses were confirmed often enough in this scenario to be believed at once.

        Where a smaller example of a generated request is looked for, once is enough.
        """
        return self.confirmed.is_enough(self.scenario, tuple(clauses), *([] if self._generated is None else [1]))

    def _demand_known(self, clause: str) -> None:
        if clause not in self.contract.clauses:
            raise ContractError(
                f"{self.scenario or 'the suite'} judges {clause!r}, which is no clause of {self.contract.name}",
                f"`rampcheck lint {self.contract.name}` finds all such.",
            )

    def _of(self, clause: str) -> ClauseContent:
        self._demand_known(clause)
        return {"clause": clause, "scenario": self.scenario}

    def keep_secret(self, name: str, value: str) -> None:
        """Makes `value` a secret like the profile's own from now on, marked with `name`; so are parts of it."""
        self._journal.redactor.add(name, value)

    def hide(self, name: str, value: str) -> None:
        """Makes `value`, made up for a request, a secret from now on, marked with `name`; a part of it is none."""
        if value:
            self._journal.redactor.make_up(name, value)

    def redacted(self, text: str) -> str:
        """Gives a text of a finding as it may be shown: without secrets, and not too long."""
        return self._safe(text, LONGEST_TEXT)

    def reason(self, text: str) -> str:
        """Gives why something could not be judged as it may be shown, with its cure at its end."""
        return self._safe(text, LONGEST_REASON)

    def _safe(self, text: str, limit: int) -> str:
        # Redacted before it is cut: half a secret would no longer be recognised.
        text = self._journal.redactor.text(text)
        # A lone surrogate is a legal JSON string, but no file or terminal takes it.
        text = text.encode("utf-8", "backslashreplace").decode()
        return shortened(text, limit)


def shortened(text: str, limit: int = LONGEST_TEXT) -> str:
    """Gives a text, of a finding or another one, cut where it is too long; one that is cut already as it is."""
    if len(text) <= limit or _CUT.fullmatch(text, limit):
        return text
    return f"{text[:limit]}… ({len(text)} characters)"


def told_within(finding: Finding, told: Counter[str]) -> Finding:
    """Gives a finding with its texts, or without them where `told` counts too many of its clause already."""
    return finding if told[finding.clause] <= MOST_TOLD else replace(finding, expected="", actual="")


def listed(findings: Sequence[Finding]) -> str:
    """Gives findings a line each, the first of very many."""
    more = [f"and {len(findings) - MOST_SHOWN:,} more"] if len(findings) > MOST_SHOWN else []
    return "\n".join([*map(str, findings[:MOST_SHOWN]), *more])
