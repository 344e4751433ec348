"""All that a diagnosis looks at, in its order: what has to be right before anything else can be seen comes first."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from rampcheck.doctor import partner, webhook
from rampcheck.doctor.asking import Asking
from rampcheck.doctor.limits import bears, let_through, limits, refusals
from rampcheck.errors import Unjudged
from rampcheck.judging.suite import Candidate
from rampcheck.mistakes import base_url, clock, connection, credentials
from rampcheck.mistakes.observation import Observation
from rampcheck.running import budgets
from rampcheck.running.forecast import Forecast, forecast
from rampcheck.wire.exchanges import Exchange, Request

MOST_FORMS = 4  # of the documented minimum: several pairs or purchases
MOST_CANDIDATES = 14  # documented requests, of which one has to be accepted
PAUSE = 0.5  # seconds before what failed in passing is asked once more


@dataclass(frozen=True)
class Diagnosis:
    """What was found, in the order of looking, and what a run will come to where nothing keeps it from beginning.

    `lets_through` is how many requests a second the target let through, None where it let all through, or nothing;
    `refused` how many it answered with 429.
    """

    observations: tuple[Observation, ...]
    forecast: Forecast
    lets_through: float | None = None
    refused: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether a run would trip over nothing of what was looked at."""
        return all(seen.severity != "wrong" for seen in self.observations)


def diagnose(asking: Asking) -> Diagnosis:
    """Looks at everything. Raises `UsageError` as `run` does for what it tells before it sends anything."""
    observations = tuple(_observations(asking))
    budget = budgets.of(asking.profile)
    ahead = forecast(asking.profile, asking.contract, budget=budget, lets_through=bears(asking.exchanges))
    return Diagnosis(observations, ahead, let_through(asking.exchanges), len(refusals(asking.exchanges)))


def _observations(asking: Asking) -> Iterator[Observation]:
    yield _environment(asking)
    try:
        accepted = yield from _accepted(asking)
        if accepted is None:
            return
        yield from partner.looked_at(asking, accepted)
        if asking.profile.webhook is not None:
            yield webhook.looked_at(asking, asking.profile.webhook)
    except Unjudged as error:
        yield Observation("the rest", "look", f"not looked at: {error}", "Mend what is wrong, and ask again.")
    yield from limits(asking.profile, asking.exchanges)


def _environment(asking: Asking) -> Observation:
    profile, known = asking.profile, asking.suite.contract.environments
    if profile.environment is None:
        who = "the profile does not say it" if asking.profile.has_file else "nothing says it"
        found = f"{who}: the target is taken for a {known[0]}"
        return Observation("environment", "look", found, f"{_write(asking, known[0])}, if it is.", "profile")
    host = urlsplit(profile.base_url).hostname or ""
    named = [name for name in known if name != profile.environment and name in host]
    if named and profile.environment not in host:
        return Observation(
            "environment",
            "look",
            f"it is said to be {profile.environment}, and `base_url` is at {host}",
            f"Is it meant? Else: {_write(asking, named[0])}, or that environment's address.",
            "profile",
        )
    return Observation("environment", "ok", profile.environment)


def _write(asking: Asking, environment: str) -> str:
    """Gives how an environment is said: in the profile's file, or where there is none."""
    return f"Write `environment: {environment}`" if asking.profile.has_file else f"Add `--environment {environment}`"


def _accepted(asking: Asking) -> Generator[Observation, None, Candidate | None]:
    """Looks at the way to the target, its address and the credentials; returns what was accepted, or None."""
    candidates = _candidates(asking)
    request = _built(asking, candidates[0])
    answer = asking.ask(request)
    if answer.status >= 500 or (answer.failure is not None and answer.failure.kind == "reset"):
        time.sleep(PAUSE)  # It may have been in passing.
        answer = asking.ask(request)
    if answer.failure is not None:
        yield connection.spoken(asking, request, answer.failure) or connection.explained(
            answer, answer.failure, urlsplit(asking.profile.base_url).netloc, profile=asking.profile
        )
        return None
    yield connection.answered(answer, asking.profile)
    yield clock.looked_at(answer)
    if answer.status == 429:
        yield from limits(asking.profile, asking.exchanges)
        return None
    if (foreign := base_url.explained(asking, request, answer)) is not None:
        yield foreign
        return None
    if (foreign := base_url.named(asking.suite, answer, asking.redacted)) is not None:
        return (yield from _accepted_with_more(asking, answer, foreign))
    yield Observation("base_url", "ok", "the API of the contract answers", exchange=answer.number)
    if answer.status == asking.suite.contract.credentials_refused[0]:
        return (yield from credentials.explained(asking, request, answer))
    return (yield from _first_accepted(asking, candidates, answer))


def _accepted_with_more(
    asking: Asking, refused: Exchange, foreign: Observation
) -> Generator[Observation, None, Candidate | None]:
    """Looks whether what seems to be anybody's refusal is one of a request that lacks something optional."""
    if refused.status >= 400 and not refused.is_page:
        for candidate in credentials.with_more(asking, refused):
            answer = asking.ask(_built(asking, candidate))
            if answer.accepted and asking.suite.is_session(answer):
                yield _documented(candidate, refused, answer)
                return candidate
    yield foreign
    return None


def _candidates(asking: Asking) -> list[Candidate]:
    """Gives the documented minimum in some forms, it with each optional part, in more forms, and with all at once."""
    *most, everything = asking.suite.candidates(asking.profile)
    found = [one for one in most if len({what for _, what in one.added}) <= 1]
    first = [one for one in found if not one.added][:MOST_FORMS]
    first += list({one.added: one for one in reversed(found) if one.added}.values())[::-1]
    return [*[*first, *(one for one in found if one not in first)][: MOST_CANDIDATES - 1], everything]


def _first_accepted(
    asking: Asking, candidates: list[Candidate], answer: Exchange
) -> Generator[Observation, None, Candidate | None]:
    first = answer
    for number, candidate in enumerate(candidates):
        if number:
            answer = asking.ask(_built(asking, candidate))
        if answer.accepted and asking.suite.is_session(answer):
            yield Observation("credentials", "ok", "accepted", exchange=answer.number)
            yield _documented(candidate, first, answer)
            return candidate
    yield _nothing_accepted(asking, first)
    return None


def _documented(candidate: Candidate, first: Exchange, answer: Exchange) -> Observation:
    if not candidate.added:
        return Observation("session", "ok", "a documented request is accepted", exchange=answer.number)
    return Observation(
        "session",
        "look",
        f"the documented minimum is refused ({first.summary()}); accepted with "
        f"{' and '.join(dict.fromkeys(what for _, what in candidate.added))}",
        "A run says so, too: the documentation does not ask for it.",
        "target",
        first.number,
    )


def _nothing_accepted(asking: Asking, first: Exchange) -> Observation:
    if first.status >= 500:
        return Observation(
            "session",
            "wrong",
            f"the target fails at the documented request: {first.summary()}",
            "That is the target's: tell the vendor the exchange, whose number stands in its User-Agent.",
            "target",
            first.number,
        )
    return Observation(
        "session",
        "wrong",
        f"the target accepts none of the documented requests; to the first it says {first.summary()}",
        asking.suite.contract.advice,
        "either",
        first.number,
    )


def _built(asking: Asking, candidate: Candidate) -> Request:
    return candidate.build(asking.profile, asking.suite.credential, asking.unique)
