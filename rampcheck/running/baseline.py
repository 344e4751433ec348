"""A run begins by finding a request that this target accepts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from urllib.parse import urlsplit

from rampcheck.contract.profile import Profile
from rampcheck.contract.wording import worded
from rampcheck.display import one_line
from rampcheck.errors import Inconclusive, NothingFollows, RunOver, Throttled, Unjudged
from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import STATUS, Candidate, Suite, by_themselves
from rampcheck.mistakes import base_url, clock, connection, credentials, rate, shape
from rampcheck.mistakes.observation import Observation
from rampcheck.running.asking import Asking
from rampcheck.wire.client import Client
from rampcheck.wire.exchanges import Exchange, Request

SCENARIO = "baseline"
# What stands in front of an API may answer in its place once or twice; after so many seconds it is asked again.
TRIES, PAUSE = 3, 1.0
# Kinds of failure by which it is plain that nobody is there to be asked again.
NOBODY = frozenset({"refused", "dns", "tls", "proxy"})
LONGEST_BODY = 300  # characters of an answer that says nothing of itself in the API's words
WORDLESS = re.compile(r", a (JSON object|body that is)\b")
# What stands between the base URL and what was found there, by what that is about, and how what was found begins that
# says so already.
MEANT = {
    connection.ABOUT: (" gives no answer that could be judged: ", ""),
    base_url.ABOUT: (": ", ""),
    credentials.ABOUT: (" refuses the credentials", "the target refuses them"),
    rate.ABOUT: (" lets nothing through: ", ""),
}


def everything(profile: Profile, suite: Suite) -> list[Candidate]:
    """Gives all that may be tried: the suite's candidates, then the same in other spellings."""
    return [*suite.candidates(profile), *suite.respelled(profile)]


def find(profile: Profile, suite: Suite, client: Client, judge: Judge, run: str) -> int:
    """Gives the index, among `everything`, of the first request that the target accepts.

    What had to be added or written otherwise, although the documentation does not ask for it, becomes a finding; before
    it does, the candidates that met a 5xx are sent again. Raises `Inconclusive` where nothing is accepted, what is
    accepted is no session, the credentials are refused, or the target does not answer; where a few more requests, or
    the profile itself, show the mistake of configuration behind it, with that and its cure. Raises `NothingFollows`
    where what is accepted is no session, and it is plainly this API that says so: then that is a finding.
    """
    judge.begin(SCENARIO)
    texts = (f"{run}-baseline-{number}" for number in count(1))
    with closing(Asking(profile, suite, client, judge, texts, judge.see, SCENARIO)) as asking:
        return _Search(profile, suite, client, judge, run, asking).found()


class _Search:
    def __init__(  # noqa: PLR0913, PLR0917 - what a search shares with the run
        self, profile: Profile, suite: Suite, client: Client, judge: Judge, run: str, asking: Asking
    ) -> None:
        self._asking = asking
        self._profile = profile
        self._suite = suite
        self._client = client
        self._judge = judge
        self._run = run
        self._refused: Exchange | None = None
        self._tried: set[int] = set()
        self._all = everything(profile, suite)

    def found(self) -> int:
        failed: list[int] = []
        for index in self._order():
            if index in self._tried:
                continue
            exchange, added = self._sent(index), self._all[index].added
            if exchange.accepted:
                self._demand_session(index, exchange)
                # Before something that was added is blamed, what failed in passing is asked for once more.
                for earlier in failed if added else ():
                    if self._sent(earlier).accepted:
                        return earlier
                least, accepted = self._least(index, exchange)
                self._blame(self._all[least].added, accepted)
                self._compare_clocks(accepted)
                return least
            if self._refused is None:
                self._refused = exchange
                self._demand_no_mistake(self._request(index), exchange)
            if exchange.status >= 500:
                failed.append(index)
        raise self._nothing_accepted()

    def _order(self) -> Iterator[int]:
        """Gives what to try next: the minimum, it with each optional part, with several, with all.

        Once the credentials are refused, or what refuses does not speak as the API does, all parts together come first:
        if they are accepted, less is tried. Then each by itself, as one may be needed and another one refused; not
        where it is known that no part is missing. Of credentials that are refused, each other spelling as well.
        """
        plain = len(list(self._suite.candidates(self._profile)))
        yield 0
        if not (self._refuses_credentials() or self._refuses_in_other_words()):
            yield from range(1, plain)
            return
        if not self._refuses_credentials():
            yield from (index for index in range(1, plain) if not self._all[index].added)
        yield plain - 1
        if not (self._refuses_credentials() and credentials.are_refused_elsewhere(self._asking, self._refused)):
            yield from by_themselves(self._all[:plain])
        if self._refuses_credentials():
            yield from range(plain, len(self._all))

    def _least(self, index: int, accepted: Exchange) -> tuple[int, Exchange]:
        """Gives the first candidate that is accepted with less than this one, and was passed over; or else this one."""
        added = set(self._all[index].added)
        for less in range(index):
            if less not in self._tried and set(self._all[less].added) < added:
                exchange = self._sent(less)
                if exchange.accepted:
                    return less, exchange
        return index, accepted

    def _refuses_in_other_words(self) -> bool:
        return self._refused is not None and self._suite.is_foreign(self._refused)

    def _refuses_credentials(self) -> bool:
        return self._refused is not None and self._refused.status == self._suite.contract.credentials_refused[0]

    def _request(self, index: int) -> Request:
        return self._all[index].build(self._profile, self._suite.credential, f"{self._run}-baseline")

    def _sent(self, index: int) -> Exchange:
        """Sends a candidate, again where not the API seems to have answered."""
        self._tried.add(index)
        for tries in range(TRIES, 0, -1):
            try:
                exchange = self._client.send(self._request(index), SCENARIO)
            except Throttled as error:
                raise self._meaning(rate.too_many(self._profile), self._judge.redacted(str(error))) from None
            except RunOver as error:
                raise Inconclusive(f"{self._profile.base_url}: {self._judge.redacted(str(error))}") from None
            except Unjudged as error:
                raise self._no_answer(str(error)) from None
            if tries == 1 or not self._suite.is_doubtful(exchange) or (exchange.status >= 500 and not exchange.is_page):
                break
            if exchange.failure is not None and exchange.failure.kind in NOBODY:
                break
            time.sleep(PAUSE)
        if exchange.failure is not None:
            host, seen = urlsplit(self._profile.base_url).netloc, None
            with suppress(Unjudged):  # The budget is spent, say: then the first answer has to tell it all.
                seen = connection.spoken(self._asking, self._request(index), exchange.failure)
            raise self._meaning(seen or connection.explained(exchange, exchange.failure, host, profile=self._profile))
        if exchange.is_page and not exchange.accepted:
            # Whatever is asked, it is not the API that answers.
            self._refused = exchange
            self._demand_no_mistake(self._request(index), exchange)
            raise self._nothing_accepted()
        return exchange

    def _demand_session(self, index: int, exchange: Exchange) -> None:
        if not self._suite.is_session(exchange):
            self._demand_no_mistake(self._request(index), exchange)
            self._blame_shape(self._request(index), exchange)
            if seen := base_url.named(self._suite, exchange, self._judge.redacted):
                raise self._meaning(seen, "" if exchange.summary() in seen.found else _described(exchange, self._judge))

    def _blame_shape(self, request: Request, exchange: Exchange) -> None:
        """Records what is wrong with what is no session, and comes again; raises `NothingFollows` then."""
        seen, again = None, exchange
        with suppress(Unjudged):  # as above
            seen = shape.of_its_own(self._asking, request, exchange)
            again = self._client.send(request, SCENARIO) if seen else exchange
        if seen is None or again is exchange:
            return
        self._judge.repeated(exchange, again)
        broken = {finding.clause for finding in self._judge.doubted(exchange)}
        self._judge.record(finding for finding in self._judge.doubted(again) if finding.clause in broken)
        if again.accepted and not self._suite.is_session(again) and self._judge.must_findings():
            raise NothingFollows(f"{self._judge.redacted(seen.found)} (exchange {again.number})")

    def _demand_no_mistake(self, request: Request, refused: Exchange) -> None:
        """Raises `Inconclusive` where a refusal is plainly the profile's mistake: what is right was seen to work."""
        seen = None
        with suppress(Unjudged):  # as above
            seen = base_url.located(self._asking, request, refused)
            if seen is None and self._refuses_credentials() and not refused.is_page:
                seen = credentials.mistaken(self._asking, request, refused)
        if seen is not None:
            raise self._meaning(seen)

    def _compare_clocks(self, exchange: Exchange) -> None:
        if (seen := clock.looked_at(exchange)).severity != "ok":
            self._judge.note(f"{seen.found}. {seen.cure}")

    def _blame(self, added: tuple[tuple[str, str], ...], exchange: Exchange) -> None:
        refused = self._refused or exchange
        for clause, what in added:
            self._judge.broken(
                clause,
                f"a session without {what}, which the documentation does not ask for",
                f"refused ({refused.summary()}); accepted with {what}",
                refused,
                about=(STATUS,),
            )

    def _no_answer(self, why: str) -> Inconclusive:
        return Inconclusive(
            f"{self._profile.base_url} gives no answer that could be judged: {self._judge.redacted(why)}",
            worded(
                "Check `base_url` and the network between this machine and the target, then run again.", self._profile
            ),
        )

    def _meaning(self, seen: Observation, answer: str = "") -> Inconclusive:
        told = f" (it answers {answer})" if answer else ""
        where = "" if seen.exchange is None else f" (exchange {seen.exchange})"
        between, said = MEANT[seen.about]
        found, cure = (self._judge.redacted(worded(text, self._profile)) for text in (seen.found, seen.cure))
        return Inconclusive(f"{self._profile.base_url}{between}{found.removeprefix(said)}{told}{where}", cure)

    def _nothing_accepted(self) -> Inconclusive:
        refused = self._refused
        if refused is None:
            return self._no_answer("no request could be made")
        if (seen := base_url.named(self._suite, refused, self._judge.redacted)) is not None:
            return self._meaning(seen)
        if self._refuses_credentials():
            return self._meaning(credentials.unexplained(self._asking, refused))
        return Inconclusive(
            f"{self._profile.base_url} accepted none of the documented requests; to the first it answered: "
            f"{_described(refused, self._judge)} (exchange {refused.number})",
            worded(self._suite.contract.advice, self._profile),
        )


def _described(exchange: Exchange, judge: Judge) -> str:
    """Says what an answer is: its status and content type, and what it says of itself."""
    if exchange.response is None:
        return judge.redacted(exchange.summary())
    kind = exchange.response.media_type or "no content type"
    told = exchange.summary()
    told = judge.redacted(told if kind in told else f"{told} ({kind})")
    # The API's own words are told already; what others say stands anywhere in the body, as in the 422 of a validator.
    record = next((record for record in judge.exchanges if record["number"] == exchange.number), None)
    if record is None or record["response"] is None or exchange.accepted or not WORDLESS.search(told):
        return told
    return f"{told}: {one_line(record['response']['body'], LONGEST_BODY)}"
