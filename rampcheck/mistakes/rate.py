"""How often a profile lets the target be asked, and a target that finds it too often."""

from __future__ import annotations

from rampcheck.contract.profile import Profile
from rampcheck.mistakes.observation import Observation

ABOUT = "limits"


def told(profile: Profile) -> str:
    """Gives the profile's rate in words."""
    allowed = profile.limits.requests_per_second
    words = f"{allowed:g} request{'' if allowed == 1 else 's'} a second" if allowed else "no limit of a rate"
    return f"{words}, to begin with (auto)" if profile.limits.adapts else words


def too_many(profile: Profile, let_through: float | None = None) -> Observation:
    """Says that the target answers 429, and how many requests a second it let through, where that is known."""
    borne = "" if let_through is None else f"; it let about {let_through:.1g} a second through"
    return Observation(
        ABOUT,
        "wrong",
        f"the target answers 429 (too many requests), asked with {told(profile)}{borne}",
        "Lower `limits.requests_per_second` (`auto` learns it), or ask the vendor for a higher limit. If it is the "
        "quota of an hour or a day, wait for it.",
        "profile",
    )
