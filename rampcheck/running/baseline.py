"""A run begins by finding a request that this target accepts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urljoin

from rampcheck.contract.profile import Profile
from rampcheck.display import one_line
from rampcheck.errors import Inconclusive, RunOver, Throttled, Unjudged
from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import STATUS, Candidate, Suite
from rampcheck.wire.client import Client
from rampcheck.wire.exchanges import Exchange, Request

SCENARIO = "baseline"
# What stands in front of an API may answer in its place once or twice; after so many seconds it is asked again.
TRIES, PAUSE = 3, 1.0
KNOWN_MEMBERS = 2  # so many of a session's members make an answer one, however it is written
# Kinds of failure by which it is plain that nobody is there to be asked again.
NOBODY = frozenset({"refused", "dns", "tls", "proxy"})
LONGEST_BODY = 300  # characters of an answer that says nothing of itself in the API's words
WORDLESS = re.compile(r", a (JSON object|body that is)\b")
# What to look at where there is no answer, by the kind of failure; None: whatever else.
CURES: Mapping[str | None, str] = {
    "proxy": "The proxy is what HTTPS_PROXY (or ALL_PROXY, or the profile) names; NO_PROXY may name the target's host.",
    "tls": "Check `base_url` (https:// or http://) and the certificates: `tls.ca` in the profile, or --ca-bundle, may "
    "name those of a company.",
    None: "Check `base_url` and the network between this machine and the target, then run again.",
}


def everything(profile: Profile, suite: Suite) -> list[Candidate]:
    """Gives all that may be tried: the suite's candidates, then the same in other spellings."""
    return [*suite.candidates(profile), *suite.respelled(profile)]


def find(profile: Profile, suite: Suite, client: Client, judge: Judge, run: str) -> int:
    """Gives the index, among `everything`, of the first request that the target accepts.

    What had to be added or written otherwise, although the documentation does not ask for it, becomes a finding; before
    it does, the candidates that met a 5xx are sent again. Raises `Inconclusive` where nothing is accepted, what is
    accepted is no session, the credentials are refused, or the target does not answer.
    """
    judge.begin(SCENARIO)
    return _Search(profile, suite, client, judge, run).found()


class _Search:
    def __init__(self, profile: Profile, suite: Suite, client: Client, judge: Judge, run: str) -> None:
        self._profile = profile
        self._suite = suite
        self._client = client
        self._judge = judge
        self._run = run
        self._refused: Exchange | None = None
        self._all = everything(profile, suite)

    def found(self) -> int:
        failed: list[int] = []
        for index in self._order():
            exchange, added = self._sent(index), self._all[index].added
            if exchange.accepted:
                self._demand_session(exchange)
                # Before something that was added is blamed, what failed in passing is asked for once more.
                for earlier in failed if added else ():
                    if self._sent(earlier).accepted:
                        return earlier
                self._blame(added, exchange)
                return index
            self._refused = self._refused or exchange
            if exchange.status >= 500:
                failed.append(index)
        raise self._nothing_accepted()

    def _order(self) -> Iterator[int]:
        """Gives what to try next. Once the credentials are refused: each optional part once, each other spelling."""
        plain = len(list(self._suite.candidates(self._profile)))
        tried: set[tuple[tuple[str, str], ...]] = set()
        for index in range(plain):
            added = self._all[index].added
            if not self._refuses_credentials() or (len(added) == 1 and added not in tried):
                tried.add(added)
                yield index
        if self._refuses_credentials():
            yield from range(plain, len(self._all))

    def _refuses_credentials(self) -> bool:
        return self._refused is not None and self._refused.status == self._suite.contract.credentials_refused[0]

    def _request(self, index: int) -> Request:
        return self._all[index].build(self._profile, self._suite.credential, f"{self._run}-baseline")

    def _sent(self, index: int) -> Exchange:
        """Sends a candidate, again where not the API seems to have answered."""
        for tries in range(TRIES, 0, -1):
            try:
                exchange = self._client.send(self._request(index), SCENARIO)
            except (RunOver, Throttled) as error:
                raise Inconclusive(f"{self._profile.base_url}: {self._judge.redacted(str(error))}") from None
            except Unjudged as error:
                raise self._no_answer(str(error)) from None
            if tries == 1 or not self._suite.is_doubtful(exchange) or (exchange.status >= 500 and not exchange.is_page):
                break
            if exchange.failure is not None and exchange.failure.kind in NOBODY:
                break
            time.sleep(PAUSE)
        if exchange.response is None:
            kind = exchange.failure.kind if exchange.failure else None
            raise self._no_answer(f"exchange {exchange.number}: {exchange.summary()}", kind)
        if exchange.is_page and not exchange.accepted:
            # Whatever is asked, it is not the API that answers.
            self._refused = exchange
            raise self._nothing_accepted()
        return exchange

    def _demand_session(self, exchange: Exchange) -> None:
        if not self._suite.is_known(exchange, KNOWN_MEMBERS):
            raise Inconclusive(
                f"{self._profile.base_url} is not this API: it answers {_described(exchange, self._judge)} where a "
                f"session of {self._profile.contract} was asked for (exchange {exchange.number})",
                "Check `base_url`: is it the API's own address, and not that of a page, a login or another API?",
            )

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

    def _no_answer(self, why: str, kind: str | None = None) -> Inconclusive:
        return Inconclusive(
            f"{self._profile.base_url} gives no answer that could be judged: {self._judge.redacted(why)}",
            CURES.get(kind, CURES[None]),
        )

    def _nothing_accepted(self) -> Inconclusive:
        refused = self._refused
        if refused is None:
            return self._no_answer("no request could be made")
        if self._refuses_credentials():
            return Inconclusive(
                f"{self._profile.base_url} refuses the credentials: {_described(refused, self._judge)} "
                f"(exchange {refused.number})",
                f"Check the profile's `credentials` ({', '.join(self._profile.credentials)}) and its `environment`.",
            )
        return Inconclusive(
            f"{self._profile.base_url} accepted none of the documented requests; to the first it answered: "
            f"{_described(refused, self._judge)} (exchange {refused.number})",
            self._cure(refused),
        )

    def _cure(self, refused: Exchange) -> str:
        assert refused.response is not None  # noqa: S101 - it was refused
        if 300 <= refused.status < 400 and (location := refused.response.header("location")):
            target = self._judge.redacted(urljoin(refused.request.url, location))
            return f"Redirects are not followed: if the API is at {target}, write that as `base_url`."
        if self._suite.is_foreign(refused):
            return "This is no answer of the API: check `base_url`, its path too, and what stands in front of it."
        if refused.status == 404:
            return "Nothing is where the API's documentation says: check the path of `base_url`."
        return self._suite.contract.advice


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
