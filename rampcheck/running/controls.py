"""One accepted request as the control of many changes, and the refusals that wait for the next one.

A refusal says that a change was refused only where the target accepts what was not changed, before it and after it. The
control after some refusals is the control before the next ones, so that n of them cost little more than n + 1 requests.
"""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.judging.demands import Demand
from rampcheck.judging.findings import Judge
from rampcheck.wire.exchanges import Exchange, Request

MOST_REFUSALS = 32  # that wait for a control: where it is refused, each of them is asked for again, with one of its own


@dataclass(frozen=True)
class Refusal:
    """A `request` refused as a scenario demands; `change` says what was changed in the one that `control` accepted."""

    request: Request
    exchange: Exchange
    demand: Demand
    change: str
    control: Exchange


class Controls:
    """The last plain request of a partner that was accepted, and the refusals after it that are not believed yet."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._control: tuple[Request, Exchange] | None = None
        self._failures = 0
        self._waiting: list[Refusal] = []

    @property
    def current(self) -> tuple[Request, Exchange] | None:
        """The request that serves as a control, and the exchange that accepted it; None where a new one is due.

        That is so where anything failed since, or enough refusals wait for it.
        """
        is_worn = self._judge.failures != self._failures or len(self._waiting) >= MOST_REFUSALS
        return None if is_worn else self._control

    @property
    def is_due(self) -> bool:
        """Whether any refusal waits for a control."""
        return bool(self._waiting)

    def refused(self, refusal: Refusal) -> None:
        """Takes a refusal, to be believed when the next control is accepted."""
        self._waiting.append(refusal)

    def taken(self) -> list[Refusal]:
        """Gives the refusals that wait, and forgets them and their control."""
        waiting, self._waiting, self._control = self._waiting, [], None
        return waiting

    def renew(self, request: Request, exchange: Exchange) -> None:
        """Takes a request that was just accepted as the control."""
        self._control, self._failures = (request, exchange), self._judge.failures

    def believe(self, refusals: list[Refusal]) -> None:
        """Records that refusals are what was demanded: the controls before and after them were accepted."""
        for refusal in refusals:
            with self._judge.changing(refusal.change):
                self._judge.met(refusal.demand, refusal.exchange, refusal.control.number)
