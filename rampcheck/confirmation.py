"""Believing a wrong refusal, or silence: the request is sent again, with an accepted one between.

What is wrong with an accepted answer counts as it is seen. A refusal may be anybody's: a gateway's, a passing
failure's, an outage's. It counts against a clause only if the same request breaks the same clause again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from rampcheck.client import Client
from rampcheck.doubts import in_passing, is_doubtful, is_gateways, times_seen
from rampcheck.errors import Unjudged
from rampcheck.exchanges import Exchange, Request
from rampcheck.findings import Finding, Judge
from rampcheck.recovery import Outage, Recovery
from rampcheck.suite import BODY, STATUS, Broken, Suite

MOST_ROUNDS = 3  # for a request that is answered otherwise each time


@dataclass(frozen=True)
class Demand:
    """What a scenario demands of one answer.

    `judge(exchange)` gives what is wrong with it by `clause`, None where it is right; `expects(status)` says whether
    the demand foresees a refusal with this status.
    """

    clause: str
    judge: Callable[[Exchange], Broken | None]
    expects: Callable[[int], bool] = field(default=lambda _: False)


class Confirmation:
    """Sends requests for scenarios, and again what was refused wrongly.

    `plain` gives a new request that the target accepts as long as it is there.
    """

    def __init__(
        self, client: Client, judge: Judge, suite: Suite, recovery: Recovery, plain: Callable[[], Request],
    ) -> None:
        self._client = client
        self._judge = judge
        self._suite = suite
        self._recovery = recovery
        self._plain = plain

    def ask(self, request: Request, control: Request | None = None, demand: Demand | None = None) -> Exchange:
        """Sends a request and gives its answer, the last one where it was doubted; findings are recorded.

        `control` is a request that was just accepted (None: a plain one). Raises `Unjudged` where the control is
        refused, `TargetGone` where the target is away for good.
        """
        self._recovery.inquire_for_others()
        first = self._send(request)
        self._recovery.remember(request, first)
        return self.settle(first, request, control, demand)

    def settle(
        self, first: Exchange, request: Request, control: Request | None = None, demand: Demand | None = None,
    ) -> Exchange:
        """Judges an answer that has come, and asks again where it has to be seen again; as `ask`."""
        found = self._wrong(first, request, demand)
        for _ in range(MOST_ROUNDS):
            if self._is_settled(first, found):
                self._judge.record(found)
                return first
            again, once_more, is_over = self._again(first, found, request, control, demand)
            if is_over:
                return again
            first, found = again, once_more
        raise Unjudged(f"exchange {first.number}: {first.summary()}, and something else whenever it was asked again")

    def _is_settled(self, exchange: Exchange, found: Sequence[Finding]) -> bool:
        """Whether an answer can be judged as it is: nothing is wrong with a refusal, or it is known well enough."""
        if exchange.accepted and not exchange.is_page:
            return True
        if is_gateways(exchange) and self._judge.is_enough({self._suite.gateway}):
            return True
        return self._judge.is_enough({finding.clause for finding in found}) if found else not is_doubtful(exchange)

    def _again(
        self, first: Exchange, found: Sequence[Finding], request: Request, control: Request | None,
        demand: Demand | None,
    ) -> tuple[Exchange, list[Finding], bool]:
        """Sends the control and the request again; gives the new answer, what is wrong with it, whether that is all."""
        others = {finding.clause for finding in found} - ({demand.clause} if demand else set())
        with ExitStack() as stack:
            outage = None if self._judge.confirmed.is_common(others) else self._control(first, control, stack)
            again = self._send(request)
            once_more = self._wrong(again, request, demand)
            is_over = self._compare(first, again, found, once_more, demand)
            if again.response is None and not self._recovery.is_there():
                # It took the target away with it once more.
                with self._recovery.waiting(again) as another:
                    for known in (outage, another):
                        if known is not None:
                            known.cause = f"exchange {first.number}, and again when it was repeated ({again.number})"
            elif outage is not None:
                self._recovery.inquire(outage)
        return again, once_more, is_over

    def confirm(self, request: Request) -> Exchange:
        """Sends a request that should be accepted and gives its answer.

        Raises `Unjudged` where it is refused, also when it is sent again, and `TargetGone` as `ask`.
        """
        exchange = self.ask(request)
        if exchange.accepted and not exchange.is_page:
            return exchange
        if not is_doubtful(exchange):
            again = self._send(request)
            self._judge.doubted(again)
            if again.accepted and not again.is_page:
                self._refused_in_passing(request, exchange)
                return again
            exchange = again
        raise Unjudged(
            f"the target refused the request that it accepts otherwise (exchange {exchange.number}: "
            f"{self._judge.redacted(exchange.summary())})"
        )

    def _refused_in_passing(self, request: Request, exchange: Exchange) -> None:
        if clause := self._suite.promise_of_acceptance(request.path):
            finding = self._judge.suspected(clause, Broken(
                "an acceptance of a request that is accepted otherwise", exchange.summary(), about=(STATUS,)), exchange)
            self._judge.doubt([finding], exchange, gateway=False)

    def _control(self, first: Exchange, control: Request | None, stack: ExitStack) -> Outage | None:
        """Sends the control until it is accepted; gives the outage that it met, if any."""
        outage = None
        request = control or self._plain()
        exchange = self._send(request)
        self._judge.doubted(exchange)
        if is_doubtful(exchange):
            outage = stack.enter_context(self._recovery.waiting(first))
            exchange = self._send(request)
            self._judge.doubted(exchange)
        if not exchange.accepted:
            refused, exchange = exchange, self._send(request)
            self._judge.doubted(exchange)
            if not exchange.accepted:
                raise Unjudged(
                    f"the target refused the request that it accepts otherwise (exchange {exchange.number}: "
                    f"{self._judge.redacted(exchange.summary())})"
                )
            if not is_doubtful(refused):
                self._refused_in_passing(request, refused)
        return outage

    def _send(self, request: Request) -> Exchange:
        return self._client.send(request, self._judge.scenario, self._patience(request))

    def _patience(self, request: Request) -> Callable[[Exchange], bool]:
        """Says when the retry policy is followed: not where failures are known to come again."""
        clause = self._suite.promise_of_answer(request.path)
        known = {clause} if clause else set()
        return lambda _: not (self._judge.is_enough(known) or self._judge.confirmed.is_common(known))

    def _wrong(self, exchange: Exchange, request: Request, demand: Demand | None) -> list[Finding]:
        """Gives what is wrong with an answer: by schema and invariants, by the demand, and that there is none."""
        found = self._judge.doubted(exchange)
        clause = self._suite.promise_of_answer(request.path)
        fails = exchange.is_silent or exchange.status >= 500
        if fails and not clause and demand is None:
            clause = self._suite.promise_of_acceptance(request.path)
        if fails and clause and not (demand and demand.clause == clause):
            found.append(self._judge.suspected(clause, Broken(
                "an answer below 500", exchange.summary(), about=(STATUS, BODY)), exchange))
        problem = demand.judge(exchange) if demand else None
        if demand is not None and problem is not None:
            found.append(self._judge.suspected(demand.clause, problem, exchange))
        return found

    def _compare(
        self, first: Exchange, again: Exchange, found: Sequence[Finding], once_more: Sequence[Finding],
        demand: Demand | None,
    ) -> bool:
        """Records what was seen twice, and as doubts what was not; says whether nothing is left to be seen again."""
        if is_gateways(first) and is_gateways(again) and not (demand and demand.expects(again.status)):
            self._gateways(first, again, demand)
            return True
        at_once = again.accepted and not again.is_page
        clauses = {finding.clause for finding in found}
        confirmed = [finding for finding in once_more if at_once or finding.clause in clauses]
        seen = {finding.clause for finding in confirmed}
        told = times_seen(first, again)
        self._judge.record(
            replace(finding, actual=f"{finding.actual}, {told}") if again.response is None else finding
            for finding in confirmed
        )
        self._judge.confirmed.add(self._judge.scenario, seen)
        passed = [finding for finding in found if finding.clause not in seen]
        self._judge.doubt(passed, first, gateway=is_doubtful(first))
        if is_doubtful(first) and not seen:
            self._judge.note(in_passing(first))
        return at_once or bool(seen) or not (once_more or is_doubtful(again))

    def _gateways(self, first: Exchange, again: Exchange, demand: Demand | None) -> None:
        """Records that something in front of the API refuses this payload, whatever the API would answer."""
        clause = self._suite.gateway
        self._judge.record([self._judge.suspected(clause, Broken(
            "the API's envelope also where something in front of it refuses a request",
            f"{again.summary()}, {times_seen(first, again)}", about=(BODY,)), again)])
        self._judge.confirmed.add(self._judge.scenario, {clause})
        if demand is not None and demand.judge(again) is not None:
            self._judge.unjudged(demand.clause, "something in front of the target refuses the request (exchange "
                                                f"{again.number}: {again.summary()})")
