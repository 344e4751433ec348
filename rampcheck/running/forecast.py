"""What a run with a profile will verify, what it will not, how much it asks, and how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import cast

from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Clause, Contract
from rampcheck.judging.lacking import lacking
from rampcheck.judging.results import ClauseResult, Lack
from rampcheck.report.additions import addition
from rampcheck.report.text import plural
from rampcheck.running import worth
from rampcheck.wire.pace import shortest

FREE_RATE = 100  # requests a second of one process, about, where the profile sets no limit


@dataclass(frozen=True)
class Gap:
    """A clause for which the profile lacks something."""

    clause: Clause
    lacks: Sequence[Lack]


@dataclass(frozen=True)
class Forecast:
    """What a run comes to if all goes well: `requests` and `seconds` are rough, 0 where the contract tells no size.

    It takes `at_least` so many seconds where the rate may be less than is known now.
    `left_out` is about how many more requests would be sent without a budget, 0 where there is none.
    `verified` are the clauses that it will try, `gaps` those that it lacks something for, `untestable` what nobody can
    try from outside; `addition` is the piece of profile that closes the gaps.
    """

    verified: tuple[str, ...]
    gaps: tuple[Gap, ...]
    untestable: tuple[str, ...]
    addition: str
    requests: int
    seconds: float
    left_out: int = 0
    at_least: bool = False


def forecast(  # noqa: PLR0913 - all that it reckons with
    profile: Profile,
    contract: Contract,
    selected: AbstractSet[str] | None = None,
    budget: int | None = None,
    expected: int = 0,
    *,
    lets_through: float | None = None,
) -> Forecast:
    """Reckons from the register and the profile, for a run of the `selected` clauses (None: of all); sends nothing.

    `budget` is how many requests it may send, None where it sends all; `expected` how many what was selected takes,
    where that is known; `lets_through` how many requests a second the target was seen to bear, where it answered
    others with 429.
    """
    clauses = [clause for clause in contract.clauses.values() if selected is None or clause.id in selected]
    testable = [clause for clause in clauses if not clause.untestable]
    gaps = tuple(Gap(clause, lacks) for clause in testable if (lacks := lacking(clause, profile)))
    lacked = {gap.clause.id for gap in gaps}
    everything = sum(not clause.untestable for clause in contract.clauses.values())
    size = expected or _size(
        profile, lacked, len(testable) - len(gaps), everything, is_whole=len(testable) == everything
    )
    most = min(size, profile.limits.max_requests if budget is None else budget)
    rate = profile.limits.requests_per_second or FREE_RATE
    seconds = shortest(most, rate) if profile.limits.adapts else most / rate
    return Forecast(
        tuple(clause.id for clause in testable if clause.id not in lacked),
        gaps,
        tuple(clause.id for clause in clauses if clause.untestable),
        addition([cast("ClauseResult", {"lacks": gap.lacks}) for gap in gaps]),
        most,
        seconds if lets_through is None else max(seconds, most / lets_through),
        0 if budget is None else size - most,
        profile.limits.adapts or not profile.limits.is_stated,
    )


def _size(profile: Profile, lacked: AbstractSet[str], tried: int, everything: int, *, is_whole: bool) -> int:
    """Gives about how many requests a run sends that tries so many clauses of `everything`; 0 where nobody knows.

    Where the suite was measured, a whole run is what its scenarios take, but for those that try what is lacked. Else
    the contract tells the size of a run in which nothing is left out, of which a clause takes its share.
    """
    measured = worth.of_suite(profile.contract).scenarios.values()
    requests = (
        sum(one.requests for one in measured if not one.tries & lacked)
        if is_whole and measured
        else profile.described.requests * tried / max(1, everything)
    )
    return 10 * max(1, round(requests / 10)) if requests else 0


def tries(verified: int, total: int, untestable: int, *, at_most: bool = False) -> str:
    """Says how many clauses of the contract a run tries, or tries `at_most`, and how many nobody can try."""
    without = f"; {plural(untestable, 'clause')} nobody can try from outside" if untestable else ""
    return f"It tries {'at most ' * at_most}{verified:,} of {plural(total, 'clause')}{without}."


def lacks(has_file: bool) -> str:
    """Says what is missing for the clauses that a run does not try: in a profile, or one."""
    return "the profile lacks something" if has_file else "a profile is needed, which `rampcheck init` writes"


def takes(requests: int, seconds: float, left_out: int = 0, rate: str = "this rate", *, at_least: bool = False) -> str:
    """Says what a run of so many requests takes, and one of those `left_out`, too; "" where nothing is known of it.

    `rate` says in words at which one, `at_least` that it may well be less.
    """
    if not requests:
        return ""
    told = f"{plural(requests, 'request')}, and takes {'at least' if at_least else 'about'} {rough(seconds)} at {rate}"
    if not left_out:
        return f"It sends about {told}."
    longer = rough(seconds * (requests + left_out) / requests)
    return f"It sends at most {told}: those that find the most. --thorough sends all, in about {longer}."


def rough(seconds: float) -> str:
    """Gives a time that is only about right: `40 s`, `3 min`, `5 h`."""
    if seconds >= 2 * 3600:
        return f"{round(seconds / 3600):,} h"
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{round(seconds / 60)} min"
