"""A run begins by finding a request that this target accepts."""

from __future__ import annotations

from rampcheck.client import Client
from rampcheck.errors import Inconclusive, Unjudged
from rampcheck.exchanges import Exchange
from rampcheck.findings import Judge
from rampcheck.profile import Profile
from rampcheck.suite import STATUS, Suite

SCENARIO = "baseline"


def find(profile: Profile, suite: Suite, client: Client, judge: Judge, run: str) -> int:
    """Gives the index, among the suite's candidates, of the first request that the target accepts.

    What had to be added although the documentation calls it optional becomes a finding; before it does, the candidates
    that met a 5xx are sent again. Raises `Inconclusive` where nothing is accepted, the credentials are refused, or the
    target does not answer.
    """
    judge.begin(SCENARIO)
    refused: Exchange | None = None
    failed: list[int] = []
    candidates = list(suite.candidates(profile))

    def send(index: int) -> Exchange:
        return client.send(candidates[index].build(profile, suite.credential, f"{run}-baseline"), SCENARIO)

    for index, candidate in enumerate(candidates):
        try:
            exchange = send(index)
            doubtful = failed if exchange.accepted and candidate.added else ()
            found = next((earlier for earlier in doubtful if send(earlier).accepted), index)
        except Unjudged as error:
            if refused is not None:
                break
            raise Inconclusive(
                f"{profile.base_url} gives no answer that could be judged: {error}",
                "Check `base_url` and the network between this machine and the target, then run again.",
            ) from None
        if exchange.accepted:
            for clause, what in candidates[found].added:
                judge.broken(clause, f"a session without {what}, which the documentation calls optional",
                             f"refused ({(refused or exchange).summary()}); accepted with {what}", refused,
                             about=(STATUS,))
            return found
        if exchange.status == 401:
            raise Inconclusive(
                f"{profile.base_url} refuses the credentials: {judge.redacted(exchange.summary())} "
                f"(exchange {exchange.number})",
                f"Check the profile's `credentials` ({', '.join(profile.credentials)}) and its `environment`.",
            )
        refused = refused or exchange
        if exchange.status >= 500:
            failed.append(index)
    answer = judge.redacted(refused.summary()) if refused else "nothing"
    raise Inconclusive(
        f"{profile.base_url} accepted none of the documented requests; to the first it answered: {answer}",
        suite.advice,
    )

