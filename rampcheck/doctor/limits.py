"""Whether the limits of a profile let a whole run through."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.contract.profile import Profile
from rampcheck.mistakes import rate
from rampcheck.mistakes.observation import Observation
from rampcheck.report.text import plural
from rampcheck.running.forecast import FREE_RATE
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.retries import asked_wait

LEAST = 1.0  # seconds: what goes through in less tells no rate
DAY = 86_400.0  # seconds, the longest that a quota counts for


def refusals(seen: Sequence[Exchange]) -> list[Exchange]:
    """Gives the exchanges that were answered 429."""
    return [exchange for exchange in seen if exchange.status == 429]


def bears(seen: Sequence[Exchange]) -> float | None:
    """Gives about how many requests a second a target lets through that answered some with 429, at the most; else None.

    Counted are those from the first one to the last, or until the next one may go, as the last 429 says
    (`Retry-After`): one, where it has let none through.
    """
    if not (refused := refusals(seen)):
        return None
    last = refused[-1]
    until = max(last.ended + min(asked_wait(last) or 0.0, DAY), seen[-1].ended)
    return max(1, len(seen) - len(refused)) / max(LEAST, until - seen[0].started)


def let_through(seen: Sequence[Exchange]) -> float | None:
    """Gives about how many requests a second a target let through; None where it refused none with 429, or all."""
    return bears(seen) if len(refusals(seen)) < len(seen) else None


def limits(profile: Profile, seen: Sequence[Exchange]) -> list[Observation]:
    """Says whether the profile's limits let a whole run through; `seen` are the exchanges so far."""
    found, told = profile.limits, []
    allowed = rate.told(profile)
    if refused := refusals(seen):
        told.append(rate.refused(profile, let_through(seen), refused[-1].number))
    size = profile.described.requests
    if size and found.max_requests < size:
        told.append(
            Observation(
                "limits",
                "look",
                f"`max_requests` is {found.max_requests:,}; a run of all takes about {size:,}: only what finds the "
                "most will be tried",
                f"Raise `limits.max_requests` to {-(-size // 100) * 100 + 200:,}.",
                "profile",
            )
        )
    minutes = size / (found.requests_per_second or FREE_RATE) / 60
    if minutes > found.max_minutes:
        told.append(
            Observation(
                "limits",
                "look",
                f"at {allowed} a run takes about {minutes:.0f} minutes, and `max_minutes` is {found.max_minutes:g}",
                "Raise `limits.max_minutes`, or the rate if the vendor allows it.",
                "profile",
            )
        )
    if told:
        return told
    seen_so_far = f"{plural(len(seen), 'request')}, {allowed}: no 429; more at once was not tried"
    if found.is_stated:
        return [Observation(rate.ABOUT, "ok", seen_so_far)]
    return [
        Observation(
            rate.ABOUT,
            "look",
            seen_so_far,
            f"If the target allows less than {found.requests_per_second:g} a second, say so in "
            "`limits.requests_per_second`: a run asks less often only from the first 429 on.",
            "profile",
        )
    ]
