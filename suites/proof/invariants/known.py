"""What a session has brought about stays known: a transaction, a user (status page, KYC page)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf

from rampcheck.contract.profile import Profile
from rampcheck.judging.invariants import asked, given
from rampcheck.judging.suite import STATUS, Broken, Held, HistoryInvariant, Invariant
from rampcheck.wire.exchanges import Exchange

from ..endpoints import KYC, SESSION
from ..requests import is_second
from .trail import Trail, is_denial, is_of_a_transaction, trails
from .values import UNTIL_KNOWN

PENDING, TERMINAL, STABLE = "proof.transaction.pending", "proof.transaction.terminal", "proof.kyc.stable"


@dataclass(frozen=True)
class Thing:
    """A transaction or a user: since when it is there, who told its owner of it, and who says that there is none.

    `known` are the answers that tell of it, in order, `denials` those of the right credentials that do not; `ended` is
    when it was told that a transaction has come to its end, infinite where it was not.
    """

    session: Exchange
    known: Sequence[Exchange]
    denials: Sequence[Exchange]
    ended: float = inf
    is_user: bool = False

    @property
    def since(self) -> float:
        """From when on it is known everywhere."""
        return self.session.ended + UNTIL_KNOWN

    def clause(self, denial: Exchange) -> str:
        """Gives the clause that speaks of it as it was when it was denied."""
        if self.is_user:
            return STABLE
        return TERMINAL if denial.started >= self.ended else PENDING


def things(exchanges: Sequence[Exchange]) -> list[Thing]:
    """Gives the run's transactions and users of whom an answer told, the oldest first."""
    found = [Thing(trail.session, trail.polls, trail.denials, _ended(trail)) for trail in trails(exchanges)]
    every = [*found, *_users(exchanges)]
    return sorted((thing for thing in every if thing.known), key=lambda thing: thing.session.started)


def _ended(trail: Trail) -> float:
    polled = [trail.end.ended] if trail.end is not None else []
    return min([*polled, *trail.ends_told], default=inf)


def _users(exchanges: Iterable[Exchange]) -> Iterator[Thing]:
    """Gives the users for whom a partner has created a session, as that partner has asked for them."""
    sessions: dict[tuple[bool, str], Exchange] = {}
    known: dict[tuple[bool, str], list[Exchange]] = defaultdict(list)
    denials: dict[tuple[bool, str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        user = asked(exchange, "partner_user_id") if SESSION.asked(exchange) else KYC.parameter(exchange)
        if not isinstance(user, str):
            continue
        key = is_second(exchange.credential), user
        if SESSION.answered(exchange):
            sessions.setdefault(key, exchange)
        elif key in sessions and exchange.authenticated and KYC.asked(exchange):
            if exchange.accepted and given(exchange, "partner_user_id") == user:
                known[key].append(exchange)
            elif is_denial(exchange):
                denials[key].append(exchange)
    return (Thing(session, known[key], denials[key], is_user=True) for key, session in sessions.items())


def _forgotten(exchanges: Sequence[Exchange]) -> Iterator[tuple[str, Broken]]:
    """Gives what is known and was denied, with the clause that says otherwise; each clause once.

    A refusal counts if it comes twice, with something accepted between; not as long as it may take a target to know a
    session everywhere, and not where all that was there before is unknown since: then the target has begun anew.
    """
    every = things(exchanges)
    begun = [thing.session.started for thing in every]
    # The last answer of all to tell of what is as old as a thing, or older.
    last_told = list(accumulate((max(one.started for one in thing.known) for thing in every), max))
    denied: list[tuple[Exchange, Thing]] = []
    for thing in every:
        last = last_told[bisect_right(begun, thing.session.started) - 1]
        denied += ((denial, thing) for denial in thing.denials if denial.started > thing.since and last >= denial.ended)
    accepted = sorted((exchange for exchange in exchanges if exchange.accepted), key=lambda one: one.started)
    asked_at = [control.started for control in accepted]
    # The first end of a control and of those after it.
    next_end = list(accumulate((control.ended for control in reversed(accepted)), min))[::-1]
    told: set[str] = set()
    for is_user in (False, True):
        alike = sorted((one for one in denied if one[1].is_user is is_user), key=lambda one: one[0].started)
        for (first, one), (again, thing) in pairwise(alike):
            clause, place = one.clause(first), bisect_left(asked_at, first.ended)
            if clause not in told and place < len(next_end) and next_end[place] <= again.started:
                told.add(clause)
                actual = f"{again.summary()}, as in exchange {first.number} before"
                yield clause, Broken(f"a 200, as in exchange {thing.known[0].number}", actual, again, (STATUS,))


def _is_of_a_thing(exchange: Exchange) -> bool:
    return is_of_a_transaction(exchange) or KYC.asked(exchange)


def _stays_known(clause: str) -> HistoryInvariant:
    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        return (broken for found, broken in _forgotten(exchanges) if found == clause)

    return HistoryInvariant(clause, _is_of_a_thing, judge, at_least=None)


INVARIANTS: Sequence[Invariant] = ()
HISTORY: Sequence[HistoryInvariant] = tuple(map(_stays_known, (PENDING, TERMINAL, STABLE)))
