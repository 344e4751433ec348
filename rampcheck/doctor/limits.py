"""Whether the limits of a profile let a whole run through."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.contract.profile import Profile
from rampcheck.mistakes import rate
from rampcheck.mistakes.observation import Observation
from rampcheck.report.text import plural
from rampcheck.running.forecast import FREE_RATE


def limits(profile: Profile, seen: Sequence[int]) -> list[Observation]:
    """Says whether the profile's limits let a whole run through; `seen` are the statuses of the answers so far."""
    found, told = profile.limits, []
    allowed = rate.told(profile)
    if 429 in seen:
        told.append(rate.too_many(profile))
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
    return told or [
        Observation("limits", "ok", f"{plural(len(seen), 'request')}, {allowed}: no 429; more at once was not tried")
    ]
