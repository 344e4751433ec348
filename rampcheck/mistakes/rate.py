"""How often a profile lets the target be asked, and a target that finds it too often."""

from __future__ import annotations

from rampcheck.contract.profile import Profile
from rampcheck.mistakes.observation import Observation

ABOUT = "limits"


def told(profile: Profile) -> str:
    """Gives the profile's rate in words."""
    allowed = profile.limits.requests_per_second
    words = f"{allowed:g} requests a second" if allowed else "no limit of a rate"
    return f"{words}, to begin with (auto)" if profile.limits.adapts else words


def too_many(profile: Profile) -> Observation:
    """Says that the target answers 429."""
    return Observation(
        ABOUT,
        "wrong",
        f"the target answers 429 (too many requests), asked with {told(profile)}",
        "Lower `limits.requests_per_second`, or ask the vendor for a higher limit. If it is the quota of an hour or a "
        "day, wait for it.",
        "profile",
    )
