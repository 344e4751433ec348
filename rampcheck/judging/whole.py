"""A whole run, judged by the suite's history invariants: what shows only over all of its exchanges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.errors import NotRecorded
from rampcheck.judging.findings import Finding, shortened, told_within
from rampcheck.judging.folding import Few
from rampcheck.judging.suite import Broken, Held, HistoryInvariant, Suite
from rampcheck.wire.exchanges import Exchange


@dataclass(frozen=True)
class History:
    """What a whole run shows: the findings, how often each clause was exercised.

    Of traffic that was recorded elsewhere, `lacking` counts the exchanges that could not show a clause, with the
    reason.
    """

    findings: list[Finding]
    exercised: Counter[str]
    lacking: Counter[tuple[str, str]]


def judge_history(records: Sequence[Exchange], suite: Suite, profile: Profile) -> tuple[list[Finding], Counter[str]]:
    """Gives the findings, and how often each clause was exercised, as `history_of` does."""
    history = history_of(records, suite, profile)
    return history.findings, history.exercised


def history_of(records: Sequence[Exchange], suite: Suite, profile: Profile) -> History:
    """Judges a whole run by the suite's history invariants.

    Takes the run's recorded exchanges in the order of their start.
    """
    findings: list[Finding] = []
    exercised: Counter[str] = Counter()
    lacking: Counter[tuple[str, str]] = Counter()
    few, told = Few(), Counter[str]()
    usable = _Usable(records, suite)
    for invariant in suite.history:
        relevant, held = usable.by(invariant, lacking), 0
        for judgement in _judgements(invariant, relevant, profile, lacking):
            if isinstance(judgement, Held):
                held += 1
                continue
            number = judgement.exchange.number if judgement.exchange else None
            if few.takes((invariant.clause, number), judgement.about):
                told[invariant.clause] += 1
                findings.append(
                    told_within(
                        Finding(
                            invariant.clause,
                            shortened(judgement.expected),
                            shortened(judgement.actual),
                            number,
                            judgement.exchange.scenario if judgement.exchange else "",
                            "history",
                            judgement.about,
                        ),
                        told,
                    )
                )
        if invariant.at_least is None:
            exercised[invariant.clause] += held
        elif len(relevant) >= invariant.at_least:
            exercised[invariant.clause] += len(relevant)
    return History(few.counted(findings, lambda finding: (finding.clause, finding.exchange)), exercised, lacking)


class _Usable:
    """The exchanges of a run from which something can be learnt of its whole; of some, nobody knows."""

    def __init__(self, records: Iterable[Exchange], suite: Suite) -> None:
        self._answered = [one for one in records if one.response is not None and not one.is_too_long]
        self._of_the_api: list[Exchange] = []
        self._unknown: list[tuple[Exchange, str]] = []
        self._last: tuple[tuple[Any, bool], list[Exchange], Counter[str]] | None = None
        for exchange in self._answered:
            try:
                if not suite.is_strange(exchange):
                    self._of_the_api.append(exchange)
            except NotRecorded as lack:
                self._unknown.append((exchange, str(lack)))

    def by(self, invariant: HistoryInvariant, lacking: Counter[tuple[str, str]]) -> list[Exchange]:
        """Gives those to which an invariant applies; of those that lack what decides it, the reasons are counted.

        Where the next invariant applies to the same, it is given the same list.
        """
        if self._last is None or (invariant.when, invariant.of_anybody) != self._last[0]:
            self._last = (invariant.when, invariant.of_anybody), *self._applying(invariant)
        _, relevant, reasons = self._last
        for reason, times in reasons.items():
            lacking[invariant.clause, reason] += times
        return relevant

    def _applying(self, invariant: HistoryInvariant) -> tuple[list[Exchange], Counter[str]]:
        relevant: list[Exchange] = []
        lacking: Counter[str] = Counter()
        for exchange, reason in [] if invariant.of_anybody else self._unknown:
            with suppress(NotRecorded):
                lacking[reason] += invariant.when(exchange)
        for exchange in self._answered if invariant.of_anybody else self._of_the_api:
            try:
                if invariant.when(exchange):
                    relevant.append(exchange)
            except NotRecorded as lack:
                lacking[str(lack)] += 1
        return relevant, lacking


def _judgements(
    invariant: HistoryInvariant, relevant: list[Exchange], profile: Profile, lacking: Counter[tuple[str, str]]
) -> Iterable[Broken | Held]:
    """Gives what an invariant says of the exchanges that have what it needs; leaves out the others, and counts why."""
    try:
        return list(invariant.judge(relevant, profile))
    except NotRecorded:
        usable = [exchange for exchange in relevant if _has_what_it_needs(invariant, exchange, profile, lacking)]
    try:
        return list(invariant.judge(usable, profile))
    except NotRecorded as lack:  # only together do they need it
        lacking[invariant.clause, str(lack)] += 1
        return []


def _has_what_it_needs(
    invariant: HistoryInvariant, exchange: Exchange, profile: Profile, lacking: Counter[tuple[str, str]]
) -> bool:
    try:
        for _ in invariant.judge([exchange], profile):
            pass
    except NotRecorded as lack:
        lacking[invariant.clause, str(lack)] += 1
        return False
    return True
