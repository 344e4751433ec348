"""What the schema and the invariants say of one exchange, of a run that goes on or of one that is over."""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.contract.profile import Partner, Profile
from rampcheck.contract.register import Contract
from rampcheck.errors import NotRecorded
from rampcheck.judging.schema import SchemaJudge
from rampcheck.judging.suite import Broken, Observed, Suite, partner_of
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal_records import JudgeName
from rampcheck.wire.partial import without


@dataclass(frozen=True)
class Breach:
    """One clause broken in one exchange, or `times` of it; `judge` says what saw it: `schema` or `invariant`."""

    judge: JudgeName
    clause: str
    problem: Broken
    times: int = 1


@dataclass(frozen=True)
class Examined:
    """What one exchange shows: the clauses that `held`, what was `broken`, and what was `observed` of a clause.

    Of traffic that was recorded elsewhere, `lacking` says of each clause that it cannot show for that, what it lacks.
    """

    held: frozenset[str]
    broken: tuple[Breach, ...]
    observed: tuple[tuple[str, Observed], ...]
    lacking: tuple[tuple[str, str], ...] = ()


class Examiner:
    """Judges exchanges by the document and by the suite's invariants; it keeps nothing of them."""

    def __init__(self, contract: Contract, suite: Suite, profile: Profile) -> None:
        self._schema = SchemaJudge(contract)
        self._suite = suite
        self._profile = profile

    def examined(self, exchange: Exchange) -> Examined:
        """Judges one exchange, and gives what it shows: nothing, where the answer was too long to be read."""
        if exchange.is_too_long:
            return Examined(frozenset(), (), ())
        partner = self._partner(exchange)
        by_schema = self._schema.told(exchange)
        held, lacking = by_schema.held, dict(by_schema.lacking)
        broken = [
            Breach(
                "schema",
                violation.clause,
                Broken(violation.expected, violation.actual, about=violation.about),
                violation.times,
            )
            for violation in by_schema.violations
        ]
        observed: list[tuple[str, Observed]] = []
        for invariant in self._suite.invariants:
            try:
                if exchange.response is None or not invariant.when(exchange, partner):
                    continue
                seen = invariant.judge(exchange, partner)
            except NotRecorded as lack:
                lacking[invariant.clause] = str(lack)
                continue
            if isinstance(seen, Broken):
                broken.append(Breach("invariant", invariant.clause, seen))
            elif isinstance(seen, Observed):
                observed.append((invariant.clause, seen))
            elif invariant.exercises:
                held.add(invariant.clause)
        held.difference_update(breach.clause for breach in broken)
        held.difference_update(lacking)
        return Examined(frozenset(held), tuple(broken), tuple(observed), tuple(lacking.items()))

    def _partner(self, exchange: Exchange) -> Partner:
        try:
            return partner_of(self._profile, exchange.credential)
        except NotRecorded as lack:
            return without(Partner(), {"get": str(lack)})
