"""A target that stopped answering: waiting until it is back, and asking which request made it go."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, NoReturn

from rampcheck.contract.wording import worded
from rampcheck.errors import BudgetSpent, RunOver, TargetGone, Unjudged
from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import STATUS, Broken, Suite
from rampcheck.judging.trail import Trail
from rampcheck.mistakes import turned
from rampcheck.wire.client import Client
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.journal import timestamp
from rampcheck.wire.journal_records import OutageContent
from rampcheck.wire.presence import Presence

SCENARIO = "recovery"
EVERY = 1.0  # seconds from one look at an absent target to the next
# What may have brought an absence about: so many answered requests, so many seconds before it.
SUSPECTS, WINDOW = 16, 2.0
# A process that ends after its answer may still take the next requests: a second look is taken after so many seconds.
SECOND_LOOK = 0.5
CONTROLS = 3  # plain requests that are accepted in a row, before one is blamed for it that they are not after it
SERVER_ERROR = 500  # from here on an answer is a failure, and no refusal
MOST_INQUIRIES = 5  # in one process; a target that goes away more often is waited for, and not asked why


@dataclass
class Outage:
    """The target was away from `began` to `ended` (RFC 3339; None: it did not come back).

    `exchange` is the first that was not answered, `detail` says how, `before` are the numbers of the last exchanges
    before it, `probes` is how often it was looked for, and `cause` what made it go, where that is known. With `refuses`
    something answered all the while, and accepted nothing.
    """

    began: str
    ended: str | None
    exchange: int
    detail: str
    before: list[int]
    probes: int
    cause: str = ""
    refuses: bool = False

    @property
    def words(self) -> tuple[str, str, str]:
        """What the target does while it is away, what it began with, and what it did to the end."""
        if self.refuses:
            return "refuses everything", "began to refuse everything", "accepted nothing any more"
        if self.detail.startswith("429"):
            return "lets nothing through", "began to let nothing through", "let nothing through any more"
        return "does not answer", "stopped answering", "was not back"

    def content(self) -> OutageContent:
        """Gives what a journal's record holds of it."""
        content: OutageContent = {
            "began": self.began,
            "ended": self.ended,
            "exchange": self.exchange,
            "detail": self.detail,
            "before": self.before,
            "probes": self.probes,
            "cause": self.cause,
        }
        if self.refuses:
            content["refuses"] = True
        return content


class Fuller(NamedTuple):
    """A request with a header more than a plain one; `added`: by which clause that is optional, and its name."""

    request: Request
    added: Iterable[tuple[str, str]]


class Recovery:
    """Waits for the target of a run; `plain` gives a new request that it accepts as long as it is there.

    `fuller` gives others, each with an optional header more, and by which clause that is optional. `tell` is told, for
    the user, that it is waited for, and how that ended.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what all that is sent shares
        self,
        client: Client,
        judge: Judge,
        suite: Suite,
        presence: Presence,
        plain: Callable[[], Request],
        fuller: Callable[[], Iterable[Fuller]],
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        self._judge = judge
        self._suite = suite
        self._presence = presence
        self._plain = plain
        self._fuller = fuller
        self._tell = tell
        self._recent: deque[tuple[Request, Exchange]] = deque(maxlen=SUSPECTS)
        self._inquiries = 0

    def remember(self, request: Request, exchange: Exchange) -> None:
        """Keeps an answered request as one of the last ones."""
        if exchange.response is not None:
            self._recent.append((request, exchange))

    def is_there(self) -> bool:
        """Whether the target accepts a plain request now."""
        seen = self._look()
        return seen is not None and self._suite.is_acceptance(seen)

    def _look(self, request: Request | None = None) -> Exchange | None:
        """Sends a request, a plain one if none is named, once; gives what came of it, None where that says nothing."""
        try:
            exchange = self._client.send(request or self._plain(), SCENARIO, lambda _: False)
        except (BudgetSpent, RunOver):
            raise
        except Unjudged:
            return None
        self._judge.set_aside(exchange)
        return exchange

    @contextmanager
    def waiting(self, suspect: Exchange) -> Iterator[Outage | None]:
        """Waits until the target accepts plain requests again; gives the outage, None where it was there at once.

        While the context lasts no other process sends; on leaving it, the outage is journalled. Raises `TargetGone`,
        then and in all processes from then on, where the target does not come back.
        """
        with self._presence.search():
            suspect = suspect.attempts[0]
            trail = self._judge.trail.until(suspect.number)
            outage = Outage(timestamp(suspect.started), None, suspect.number, suspect.summary(), trail.last, probes=1)
            start = time.monotonic()
            while not self._is_back(outage, trail):
                if outage.probes == 1:
                    does, *_ = outage.words
                    self._tell(
                        f"The target {does} since {outage.began}; it is asked once a second, for "
                        f"{self._presence.patience:g} s at the most."
                    )
                if time.monotonic() - start >= self._presence.patience:
                    self._give_up(outage)
                time.sleep(EVERY)
                outage.probes += 1
            if outage.probes == 1:
                yield None
                return
            self._tell(f"The target is back, after {time.monotonic() - start:.0f} s and {outage.probes} requests.")
            outage.ended, outage.cause = timestamp(time.time()), ""
            try:
                yield outage
            finally:
                self._judge.outage(outage.content())
                self._presence.tell(explained=bool(outage.cause))

    def _is_back(self, outage: Outage, trail: Trail) -> bool:
        """Whether the target accepts a plain request; if not, the outage tells what is met in the place of that.

        `trail` is what was sent before it.
        """
        seen = self._look()
        if seen is None or self._suite.is_acceptance(seen):
            return seen is not None
        outage.refuses = seen.response is not None and seen.status < SERVER_ERROR
        outage.cause = ""
        if outage.refuses:
            told = turned.explained(self._suite, seen, self._judge.redacted, trail)
            outage.cause = worded(f"{told.found[:1].upper()}{told.found[1:]}. {told.cure}", self._client.profile)
        return False

    def _blame_what_is_needed(self, outage: Outage) -> None:
        """Records what a request has to have now that did without: accepted with it, and refused without once more."""
        for request, added in self._fuller():
            accepted = self._look(request)
            if accepted is None or not self._suite.is_acceptance(accepted):
                continue
            refused = self._look()
            if refused is not None and refused.response is not None and not self._suite.is_acceptance(refused):
                for clause, what in added:
                    outage.cause = f"With {what} it accepts what it refuses without (exchange {accepted.number})."
                    self._judge.broken(
                        clause,
                        f"a session without {what}, as there was one until exchange {outage.exchange}",
                        f"refused ever since ({refused.summary()}); accepted with {what} (exchange {accepted.number})",
                        refused,
                        about=(STATUS,),
                    )
                return

    def _give_up(self, outage: Outage) -> NoReturn:
        if outage.refuses:
            with suppress(Unjudged):  # A budget that is spent by it keeps nothing from being told.
                self._blame_what_is_needed(outage)
        _, did, back = outage.words
        reason = (
            f"the target {did} at {outage.began} (exchange {outage.exchange}: "
            f"{self._judge.redacted(outage.detail)}) and {back} within {self._presence.patience:g} s"
        )
        if outage.refuses:
            reason = f"{reason}. {self._judge.reason(outage.cause)}"
        self._judge.outage(outage.content())
        self._presence.end(reason)
        raise TargetGone(reason)

    def demand_present(self, refused: Exchange) -> None:
        """Waits where a plain request is refused, too, by the target or whatever answers in its place.

        Raises `TargetGone`, as `waiting`, where it stays so: what it refuses is not the one request that it `refused`.
        Where it does not, what came before is sent again, for that may have locked it.
        """
        if self._is_away():
            with self.waiting(refused) as outage:
                if outage is not None:
                    self.inquire(outage)

    def explain(self, first: Exchange, again: Exchange, outage: Outage | None) -> None:
        """Waits for a target that one request took away for the second time, and names that request as the cause."""
        with self.waiting(again) as another:
            for known in (outage, another):
                if known is not None:
                    known.cause = f"exchange {first.number}, and again when it was repeated ({again.number})"

    def inquire(self, outage: Outage) -> None:
        """Sends the last answered requests again: the one after which the target is away once more did it.

        First all of them; only if the target then is away, one by one.
        """
        began = datetime.fromisoformat(outage.began).timestamp()
        suspects = [
            (request, exchange)
            for request, exchange in self._recent
            if exchange.number != outage.exchange
            and exchange.started > began - WINDOW
            # Who sends no valid credentials may be locked out for it.
            and (exchange.authenticated or not outage.refuses)
        ]
        self._recent.clear()
        self._inquiries += 1
        if self._inquiries > MOST_INQUIRIES or not suspects:
            return
        for request, first in suspects:
            again = self._once_more(request, first)
            if again.response is None:
                break
        if self._goes_away():
            with self.waiting(again) as between:
                self._find(reversed(suspects), outage)
                if between is not None:
                    between.cause = outage.cause

    def _once_more(self, request: Request, first: Exchange) -> Exchange:
        again = self._client.send(request, first.scenario, lambda _: False)
        self._judge.set_aside(again)
        return again

    def _find(self, suspects: Iterable[tuple[Request, Exchange]], outage: Outage) -> None:
        """Sends suspects one by one until the target is away after one of them."""
        for request, first in suspects:
            again = self._once_more(request, first)
            if self._goes_away():
                if not outage.refuses or self._locks(request, first, again):
                    self._convict(request, first, again, outage)
                return

    def _locks(self, request: Request, first: Exchange, again: Exchange) -> bool:
        """Whether it is this request after which everything is refused, and not so many requests in a row."""
        with self.waiting(again):
            if not all(self.is_there() for _ in range(CONTROLS)):
                return False
            self._once_more(request, first)
            return self._goes_away()

    def _goes_away(self) -> bool:
        if self._is_away():
            return True
        time.sleep(SECOND_LOOK)
        return self._is_away()

    def _is_away(self) -> bool:
        # Twice: a connection that is lost now and then makes nobody guilty.
        return not (self.is_there() or self.is_there())

    def _convict(self, request: Request, first: Exchange, again: Exchange, outage: Outage) -> None:
        clause = self._suite.promise_of_answer(request.path) or self._suite.promise_of_acceptance(request.path)
        expected, did = "a target that answers what comes next, too", "was away right after"
        if outage.refuses:
            clause = self._suite.promise_of_acceptance(self._plain().path) or clause
            expected = "a target that accepts what comes next as it did before"
            did = "refused everything right after, with the same credentials, for a while"
        finding = self._judge.suspected(
            clause,
            Broken(
                expected,
                f"{again.summary()}; each time it was asked this (exchanges {first.number} and {again.number}), it "
                f"{did}",
                about=(STATUS,),
            ),
            again,
        )
        self._judge.record([finding])
        self._judge.confirmed.add(self._judge.scenario, [clause])
        self.explain(first, again, outage)

    def inquire_for_others(self) -> None:
        """Answers for one's own last requests, where another process has told of an absence that it cannot explain."""
        if self._recent and self._presence.has_news():
            with self._presence.search():
                outage = Outage(timestamp(time.time()), None, 0, "", [], 0)
                self.inquire(outage)
                if outage.cause:
                    self._presence.tell(explained=True)
