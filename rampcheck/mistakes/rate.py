"""How often a profile lets the target be asked, and a target that finds it too often."""

from __future__ import annotations

from dataclasses import replace

from rampcheck.contract.profile import Profile
from rampcheck.mistakes.observation import Observation

ABOUT, KEY = "limits", "requests_per_second"


def told(profile: Profile) -> str:
    """Gives the profile's rate in words."""
    allowed = profile.limits.requests_per_second
    words = f"{allowed:g} request{'' if allowed == 1 else 's'} a second" if allowed else "no limit of a rate"
    return f"{words}, to begin with (auto)" if profile.limits.adapts else words


def too_many(profile: Profile) -> Observation:
    """Says that the target answers 429, and lets nothing through."""
    return Observation(
        ABOUT,
        "wrong",
        f"the target answers 429 (too many requests), asked with {told(profile)}",
        "Lower `limits.requests_per_second` (`auto` learns it), or ask the vendor for a higher limit. If it is the "
        "quota of an hour or a day, wait for it.",
        "profile",
    )


def refused(profile: Profile, let_through: float | None, number: int) -> Observation:
    """Says how many requests a second a target let through that answered others with 429; None: no request at all.

    A run trips over that where the profile states a rate, to which it keeps; else it asks less often by itself.
    `number` is that of an exchange with such an answer.
    """
    seen = replace(too_many(profile), exchange=number)
    if let_through is None:
        return replace(seen, found=f"{seen.found}; it let nothing through")
    figure = f"{let_through:.1g}" if let_through < 1 else f"{let_through:.0f}"
    seen = replace(seen, found=f"{seen.found}; it let about {figure} a second through")
    if profile.limits.adapts:
        return replace(seen, severity="ok", cure="", whose="")
    if profile.limits.is_stated:
        return seen
    cure = (
        f"A run asks less often then. Write what the vendor allows, `limits: {{{KEY}: {figure}}}`, say, in the profile."
    )
    return replace(seen, severity="look", cure=cure)
