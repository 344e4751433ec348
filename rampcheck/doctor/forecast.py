"""What a run with a profile will verify, what it will not, how much it asks, and how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Clause, Contract
from rampcheck.doctor.observation import Observation
from rampcheck.judging.lacking import lacking
from rampcheck.judging.results import ClauseResult, Lack
from rampcheck.report.additions import addition
from rampcheck.report.text import plural

FREE_RATE = 100  # requests a second of one process, about, where the profile sets no limit


@dataclass(frozen=True)
class Gap:
    """A clause for which the profile lacks something."""

    clause: Clause
    lacks: Sequence[Lack]


@dataclass(frozen=True)
class Forecast:
    """What a run comes to if all goes well: `requests` and `seconds` are rough, 0 where the contract tells no size.

    `verified` are the clauses that it will try, `gaps` those that it lacks something for, `untestable` what nobody can
    try from outside; `addition` is the piece of profile that closes the gaps.
    """

    verified: tuple[str, ...]
    gaps: tuple[Gap, ...]
    untestable: tuple[str, ...]
    addition: str
    requests: int
    seconds: float


def forecast(profile: Profile, contract: Contract) -> Forecast:
    """Reckons from the register and the profile; sends nothing."""
    untestable = tuple(clause.id for clause in contract.clauses.values() if clause.untestable)
    testable = [clause for clause in contract.clauses.values() if not clause.untestable]
    gaps = tuple(Gap(clause, lacks) for clause in testable if (lacks := lacking(clause, profile)))
    lacked = {gap.clause.id for gap in gaps}
    # The contract tells the size of a run in which nothing is left out; a clause takes its share of it, about.
    share = (len(testable) - len(gaps)) / max(1, len(testable))
    size = 10 * round(profile.described.requests * share / 10)
    size = min(size, profile.limits.max_requests)
    return Forecast(
        tuple(clause.id for clause in testable if clause.id not in lacked),
        gaps,
        untestable,
        addition([cast("ClauseResult", {"lacks": gap.lacks}) for gap in gaps]),
        size,
        size / (profile.limits.requests_per_second or FREE_RATE),
    )


def limits(profile: Profile, seen: Sequence[int]) -> list[Observation]:
    """Says whether the profile's limits let a whole run through; `seen` are the statuses of the answers so far."""
    found, told = profile.limits, []
    rate = f"{found.requests_per_second:g} requests a second" if found.requests_per_second else "no limit of a rate"
    if 429 in seen:
        told.append(
            Observation(
                "limits",
                "wrong",
                f"the target answers 429 (too many requests), with {rate} in the profile",
                "Lower `limits.requests_per_second`, or ask the vendor for a higher limit. If it is the quota of an "
                "hour or a day, wait for it.",
                "profile",
            )
        )
    size = profile.described.requests
    if size and found.max_requests < size:
        told.append(
            Observation(
                "limits",
                "look",
                f"`max_requests` is {found.max_requests:,}; a run of all takes about {size:,}: some will not be "
                "verified",
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
                f"at {rate} a run takes about {minutes:.0f} minutes, and `max_minutes` is {found.max_minutes:g}",
                "Raise `limits.max_minutes`, or the rate if the vendor allows it.",
                "profile",
            )
        )
    return told or [
        Observation("limits", "ok", f"{plural(len(seen), 'request')}, {rate}: no 429; more at once was not tried")
    ]
