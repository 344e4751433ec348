"""How many requests a run may send, and what it does not see for want of more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Contract
from rampcheck.contract.urls import is_loopback
from rampcheck.judging.verdicts import TO_SEND
from rampcheck.running import worth
from rampcheck.running.worth import Worth

FOR_REMOTE = 250  # requests of a run, where neither the command line nor the profile says how many


def of(profile: Profile, asked: int | None = None, *, thorough: bool = False) -> int | None:
    """Gives how many requests a run may send, None where it may send all that it has.

    What is `asked` for goes before the profile's own `limits.max_requests`, which it cannot exceed. Where neither says
    it, a target on another machine is sent `FOR_REMOTE`, unless `thorough`.
    """
    if thorough:
        return None
    if asked is not None:
        return min(asked, profile.limits.max_requests)
    if profile.get("limits.max_requests") is not None:
        return profile.limits.max_requests
    is_measured = bool(worth.of_suite(profile.contract).scenarios)
    return FOR_REMOTE if is_measured and not is_loopback(profile.base_url) else None


def unseen(contract: Contract, able: Iterable[Worth], chosen: Iterable[Worth], requests: int) -> str:
    """Says which kinds of defects were not looked for, by the section of the contract that they break.

    `able` are all scenarios that a profile lets be tried, `chosen` those of them that fit into so many requests.
    """
    known = worth.of_suite(contract.name)
    seen = worth.together(known.first, *chosen).finds
    missed = worth.together(*able).finds - seen
    told = f"at most {requests:,} {TO_SEND}: those of the scenarios that find the most for them"
    if not missed:
        return f"{told}, and all {len(seen):,} known kinds of defects that a run like this one finds"
    broken = (known.breaks[defect] for defect in missed)
    sections = Counter(contract.clauses[clause].section for clause in broken if clause in contract.clauses)
    named = ", ".join(f"{section} {times}" for section, times in sections.most_common())
    return (
        f"{told}. Of {len(seen | missed):,} known kinds of defects that a run like this one finds, {len(missed):,} "
        f"were not looked for ({named}); --thorough looks for all"
    )
