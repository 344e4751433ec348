"""What a profile lacks for a clause, with an example of each, so that a report can offer it for pasting."""

from __future__ import annotations

from rampcheck.contract import profile_schema
from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Clause
from rampcheck.judging.results import Lack

UNKNOWN = "…"  # what stands for a value of which no example is known


def lacking(clause: Clause, profile: Profile) -> list[Lack]:
    """Gives the places to fill in, each as `key` with an `example`; nothing where the clause has all that it needs."""
    lacks: list[Lack] = [
        {"key": place, "example": _example(profile.contract, place) if value is None else value}
        for place, value in clause.lacking(profile).items()
    ]
    lacked = [lack["key"] for lack in lacks]
    # Another partner's credential says little without what that partner may ask for.
    for place, needed in profile.described.requires.items():
        shown = _example(profile.contract, place)
        if needed in lacked and profile.get(place) is None and isinstance(shown, dict):
            lacks += [{"key": f"{place}.{name}", "example": value} for name, value in shown.items()]
    return lacks


def _example(contract: str, place: str) -> object:
    shown: object = profile_schema.example(contract, place)
    return UNKNOWN if shown is None else shown
