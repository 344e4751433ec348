"""Believing a wrong refusal, or silence: the request is sent again, with an accepted one between.

What is wrong with an accepted answer counts as it is seen. A refusal may be anybody's: a gateway's, a passing
failure's, an outage's. It counts against a clause only if the same request breaks the same clause again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count

from rampcheck.errors import Unjudged
from rampcheck.judging.demands import Acceptance, Demand, Survival
from rampcheck.judging.doubts import ENOUGH, in_passing, is_gateways
from rampcheck.judging.findings import Finding, Judge
from rampcheck.judging.suite import BODY, Broken, Suite
from rampcheck.running.recovery import SERVER_ERROR, Outage, Recovery
from rampcheck.running.repeats import Repeats
from rampcheck.wire.client import Client, LongAnswerError
from rampcheck.wire.exchanges import Exchange, Request

MOST_LOOKS = 20  # at what may be refused, where one like it did not come again
MOST_REFUSED_CONTROLS = 3  # by something in front of the target; then it is not what was asked that it refuses
MOST_ROUNDS = 3  # of control and request, for a request that is answered otherwise each time, or by a page
# So many more for a page, two for each sign that pages come by chance.
MORE_ROUNDS = 6


@dataclass(frozen=True)
class _Question:
    """A request, the control that was accepted before it (None: a plain one), and what is demanded of the answer.

    `accepted` is the number of the exchange that accepted the control.
    """

    request: Request
    control: Request | None
    demand: Demand | None
    accepted: int | None = None

    def foresees(self, status: int) -> bool:
        return self.demand is not None and self.demand.due.foresees(status)


@dataclass(frozen=True)
class _Answer:
    """What came of a question, what is wrong with it, and whether that counts as it is seen."""

    exchange: Exchange
    found: list[Finding]
    counts_at_once: bool

    @property
    def clauses(self) -> set[str]:
        return {finding.clause for finding in self.found}

    @property
    def is_own(self) -> bool:
        """Whether the way to the target failed, a proxy or a name: that says nothing of the target."""
        return self.exchange.response is None and not self.exchange.is_silent


class Confirmation:
    """Sends requests for scenarios, and again what was refused wrongly.

    `plain` gives a new request that the target accepts as long as it is there.
    """

    def __init__(
        self,
        client: Client,
        judge: Judge,
        suite: Suite,
        recovery: Recovery,
        plain: Callable[[], Request],
    ) -> None:
        self._client = client
        self._judge = judge
        self._suite = suite
        self._recovery = recovery
        self._plain = plain
        self._repeats = Repeats(client, judge, suite, plain)
        self._refused_controls = 0
        self._looks = 0  # at refusals like one that did not come again
        self._silences = 0  # that were seen again
        self._slow = 0  # requests that were answered in time only when they were asked again
        self._pages_in_passing = 0
        self._refuses_with: set[int] = set()  # statuses, in the API's own words

    def once(self, request: Request) -> Exchange:
        """Sends a request once, retries apart, and leaves all judgement of a refusal to the caller."""
        exchange = self._client.send(request, self._judge.scenario)
        self._recovery.remember(request, exchange)
        return exchange

    def ask(
        self,
        request: Request,
        control: Request | None = None,
        demand: Demand | None = None,
        accepted: int | None = None,
    ) -> Exchange:
        """Sends a request and gives its answer, the last one where it was doubted; findings are recorded.

        `control` is a request that was just accepted (None: a plain one), in the exchange with the number `accepted`.
        Raises `Unjudged` where the control is refused, `TargetGone` where the target is away for good.
        """
        self._recovery.inquire_for_others()
        first = self._send(request, demand)
        self._recovery.remember(request, first)
        answer = self.settle(first, request, control, demand, accepted)
        # A target that has refused good requests in passing may have done so with what it may refuse as well.
        if demand is not None and demand.due.is_told_by_status and self._judge.is_known_in_passing(answer):
            self._looks += 1
            return answer if self._looks > MOST_LOOKS else self.look_again(request, answer)
        return answer

    def settle(
        self,
        first: Exchange,
        request: Request,
        control: Request | None = None,
        demand: Demand | None = None,
        accepted: int | None = None,
    ) -> Exchange:
        """Judges an answer that has come, and asks again where it has to be seen again; as `ask`."""
        question = _Question(request, control, demand, accepted)
        answer = self._judged(first, question)
        for number in count(1):
            if self._is_known_gateways(answer.exchange, question):
                self._blame_gateway(answer.exchange, question, "as others before it were")
                return answer.exchange
            if self._is_settled(answer):
                self._judge.record(answer.found)
                return answer.exchange
            again, is_over = self._again(answer, question, number)
            if is_over:
                return again.exchange
            answer = again
            if number >= self._rounds(answer.exchange):
                break
        raise Unjudged(
            f"exchange {answer.exchange.number}: {answer.exchange.summary()}, and something else whenever "
            "it was asked again"
        )

    def _rounds(self, exchange: Exchange) -> int:
        """Gives how often at the most a request is sent again that was answered so.

        A page counts if it comes each time. It has to come more often where such did not come again, or the API refuses
        with this status in its own words, too: with several workers, every third refusal may be one request's four
        times in a row.
        """
        if not self._suite.is_foreign(exchange):
            return MOST_ROUNDS
        signs = self._pages_in_passing + (exchange.status in self._refuses_with)
        return MOST_ROUNDS + min(MORE_ROUNDS, 2 * signs)

    def confirm(self, request: Request) -> Exchange:
        """Sends a request that should be accepted and gives its answer.

        Raises `Unjudged` where it is refused, also when it is sent again, and `TargetGone` as `ask`.
        """
        exchange = self.ask(request)
        if self._suite.is_acceptance(exchange):
            return exchange
        if self._suite.is_doubtful(exchange):
            if exchange.response is None:  # What is known of others says nothing of a good request.
                self._recovery.demand_present(exchange)
            raise self._refused(exchange)
        return self._accepted_now(request, exchange)

    def _accepted_now(self, request: Request, refused: Exchange) -> Exchange:
        """Sends once more what was refused but should be accepted; a refusal in passing is a doubt of its own."""
        again = self._send(request)
        self._judge.set_aside(again)
        if not self._suite.is_acceptance(again):
            self._recovery.demand_present(again)
            raise self._refused(again)
        self.doubt_acceptance(request, refused, again)
        return again

    def look_again(self, request: Request, exchange: Exchange, clause: str = "") -> Exchange:
        """Sends once more what was refused, and gives the answer; that it is accepted then is a doubt.

        `clause` says that it is accepted, if not the one of its path does.
        """
        if exchange.accepted or self._suite.is_doubtful(exchange):
            return exchange
        again = self._send(request)
        self._judge.repeated(exchange, again)
        self._judge.set_aside(again)
        if self._suite.is_acceptance(again):
            self.doubt_acceptance(request, exchange, again, clause)
        return again

    def doubt_acceptance(self, request: Request, refused: Exchange, again: Exchange, clause: str = "") -> None:
        """Writes that the API itself refused in passing what it accepts, whatever else was to be seen by it.

        A refusal of credentials that are not the profile's own speaks of these, not of the request.
        """
        is_of_others = refused.status == self._suite.contract.credentials_refused[0] and not refused.authenticated
        clause = clause or ("" if is_of_others else self._suite.promise_of_acceptance(request.path))
        if clause and not (self._suite.is_doubtful(refused) or self._suite.is_foreign(refused)):
            demand = Demand(clause, Acceptance("an acceptance"), "of a request that is accepted otherwise")
            finding = self._judge.demanded(demand, refused, again.number)
            self._judge.doubt([finding] if finding else [], refused, gateway=False)

    def _refused(self, exchange: Exchange) -> Unjudged:
        return Unjudged(
            "the target refused the request that it accepts otherwise (exchange "
            f"{exchange.number}: {self._judge.redacted(exchange.summary())})"
        )

    def _is_settled(self, answer: _Answer) -> bool:
        """Whether an answer can be judged as it is: nothing is wrong with a refusal, or it is known well enough."""
        if answer.counts_at_once:
            return True
        if answer.exchange.is_late and self._judge.confirmed.is_common(answer.clauses):
            return True  # Each look at silence takes as long as the profile waits.
        if answer.exchange.is_silent and self._silences < ENOUGH:
            return False  # Servers that answer with a 500 may drop the connection after it, and whatever comes next.
        return self._judge.is_enough(answer.clauses) if answer.found else not self._suite.is_doubtful(answer.exchange)

    def _again(self, first: _Answer, question: _Question, number: int) -> tuple[_Answer, bool]:
        """Sends the control and the request again, for the `number`th time.

        Gives the new answer, and whether nothing is left to be seen again.
        """
        others = first.clauses - ({question.demand.clause} if question.demand else set())
        is_common = self._judge.confirmed.is_common(others)
        # It is likely to be answered now, and says nothing then: only if it is not, the next time has a control. Who
        # refuses every second request may refuse this one each time that it comes after a control.
        is_chance = self._pages_in_passing >= ENOUGH and self._suite.is_foreign(first.exchange)
        is_look = number == 1 and (is_chance or self._judge.is_known_in_passing(first.exchange))
        with ExitStack() as stack:
            outage, accepted = (None, question.accepted)
            if not (is_common or is_look):
                outage, accepted = self._control(first.exchange, question, stack)
            exchange = self._send(question.request, question.demand)
            self._judge.repeated(first.exchange, exchange)
            again = self._judged(exchange, replace(question, accepted=accepted))
            is_over = (
                not (first.is_own or again.is_own)
                and not (is_look and again.found)
                and self._compare(first, again, question, is_common=is_common, number=number)
            )
            if again.exchange.response is None and not is_common and not self._recovery.is_there():
                self._recovery.explain(first.exchange, again.exchange, outage)
            elif outage is not None:
                self._recovery.inquire(outage)
        if again.is_own:
            raise Unjudged(f"exchange {again.exchange.number}: {again.exchange.summary()}")
        return again, is_over

    def _control(self, suspect: Exchange, question: _Question, stack: ExitStack) -> tuple[Outage | None, int]:
        """Sends the control until it is accepted; gives the outage that it met, if any, and who accepted it."""
        outage = None
        control = question.control or self._plain()
        exchange = self._send(control)
        self._judge.set_aside(exchange)
        if self._suite.is_doubtful(exchange):
            outage = stack.enter_context(self._recovery.waiting(suspect))
            exchange = self._send(control)
            self._judge.set_aside(exchange)
        if not self._suite.is_acceptance(exchange):
            self._refused_controls += self._suite.is_foreign(exchange)
            exchange = self._accepted_now(control, exchange)
        return outage, exchange.number

    def _is_gateways(self, exchange: Exchange) -> bool:
        return self._suite.is_foreign(exchange) and is_gateways(exchange)

    def _is_known_gateways(self, exchange: Exchange, question: _Question) -> bool:
        """Whether this is one more refusal of something in front of the API, of which enough were asked for again."""
        is_known = self._judge.is_enough({self._suite.contract.gateway})
        return is_known and self._is_gateways(exchange) and not question.foresees(exchange.status)

    def _send(self, request: Request, demand: Demand | None = None) -> Exchange:
        """Sends a request; the retry policy is followed unless failures are known to come again.

        Of an answer that is too long to be read, its status is judged where that is enough.
        """
        clause = self._suite.promise_of_answer(request.path)
        is_known = bool(clause) and (self._judge.is_enough({clause}) or self._judge.confirmed.is_common({clause}))
        try:
            exchange = self._client.send(request, self._judge.scenario, lambda _: not is_known)
        except LongAnswerError as long:
            if long.exchange.status < SERVER_ERROR and not (demand and demand.due.is_told_by_status):
                raise
            return long.exchange
        return self._repeats.settled(request, exchange)

    def _judged(self, exchange: Exchange, question: _Question) -> _Answer:
        """Gives what is wrong with an answer: by schema and invariants, by the demand, and that there is none."""
        found, demand = self._judge.doubted(exchange), question.demand
        if 400 <= exchange.status < 500 and not self._suite.is_foreign(exchange):
            self._refuses_with.add(exchange.status)
        if exchange.is_silent or exchange.status >= 500:
            clause = self._suite.promise_of_answer(question.request.path)
            if clause and (demand is None or demand.clause != clause):
                found += self._demanded(Demand(clause, Survival()), exchange, question)
        if demand is not None:
            found += self._demanded(demand, exchange, question)
        return _Answer(exchange, found, self._suite.is_acceptance(exchange))

    def _demanded(self, demand: Demand, exchange: Exchange, question: _Question) -> list[Finding]:
        finding = self._judge.demanded(demand, exchange, question.accepted)
        return [] if finding is None else [finding]

    def _compare(self, first: _Answer, again: _Answer, question: _Question, *, is_common: bool, number: int) -> bool:
        """Records what was seen twice, and as doubts what was not; says whether nothing is left to be seen again."""
        is_last = is_common or number >= self._rounds(again.exchange)
        if self._is_slow(first, again, number) and not is_common:
            return False
        if self._suite.is_foreign(first.exchange) and self._suite.is_foreign(again.exchange):
            if not is_last:
                return False  # It may come from anywhere, and often: it has to come whenever it is asked for.
            if self._refused_controls >= MOST_REFUSED_CONTROLS:
                raise Unjudged(
                    f"exchange {again.exchange.number}: {again.exchange.summary()}, from something in "
                    "front of the target that refuses ordinary requests, too"
                )
            if self._is_gateways(again.exchange) and not question.foresees(again.exchange.status):
                self._blame_gateway(
                    again.exchange, question, "whenever it was asked; the controls between were accepted"
                )
                return True
        confirmed = [finding for finding in again.found if again.counts_at_once or finding.clause in first.clauses]
        seen = {finding.clause for finding in confirmed}
        times = len(first.exchange.attempts) + len(again.exchange.attempts)
        told = f", {times} of {times}; the control between them was answered" if again.exchange.response is None else ""
        self._judge.record(replace(finding, actual=f"{finding.actual}{told}") for finding in confirmed)
        self._judge.confirmed.add(self._judge.scenario, seen)
        self._silences += bool(seen) and again.exchange.is_silent
        in_front = self._suite.is_doubtful(first.exchange) or self._suite.is_foreign(first.exchange)
        self._judge.doubt(
            [finding for finding in first.found if finding.clause not in seen], first.exchange, gateway=in_front
        )
        due = question.demand.due if question.demand else None
        is_refused_in_passing = again.counts_at_once and not first.counts_at_once
        is_doubted = self._suite.promise_of_acceptance(question.request.path) in first.clauses
        if isinstance(due, Acceptance) and is_refused_in_passing and not is_doubted:
            self.doubt_acceptance(question.request, first.exchange, again.exchange)
        if in_front and not seen:
            self._judge.note(in_passing(first.exchange))
            self._pages_in_passing += self._suite.is_foreign(first.exchange)
        unpromised = not first.found and not again.found and first.exchange.status == again.exchange.status
        return (
            again.counts_at_once
            or bool(seen)
            or unpromised
            or not (again.found or self._suite.is_doubtful(again.exchange))
        )

    def _is_slow(self, first: _Answer, again: _Answer, number: int) -> bool:
        """Whether silence may still be a slow tail of the target's: it has to come three times, or once more.

        Once more where another request that was not answered in time was answered when it was asked again.
        """
        if not first.exchange.is_late:
            return False
        if not again.exchange.is_late:
            self._slow += 1
            return False
        return number < (MOST_ROUNDS if self._slow else MOST_ROUNDS - 1)

    def _blame_gateway(self, exchange: Exchange, question: _Question, known: str) -> None:
        """Records that something in front of the API refuses this payload, and by what that is `known`."""
        clause, demand = self._suite.contract.gateway, question.demand
        self._judge.record(
            [
                self._judge.suspected(
                    clause,
                    Broken(
                        "the API's envelope, also where something in front of it refuses a request",
                        f"{exchange.summary()}, {known}",
                        about=(BODY,),
                    ),
                    exchange,
                )
            ]
        )
        self._judge.confirmed.add(self._judge.scenario, {clause})
        if demand is not None and demand.broken(exchange, self._suite) is not None:
            self._judge.unjudged(
                demand.clause,
                "something in front of the target refuses the request (exchange "
                f"{exchange.number}: {exchange.summary()})",
            )
