"""What was sent last, in short: what came before a target stopped to accept anything."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rampcheck.wire.exchanges import Exchange

LONGEST = 16  # exchanges that are remembered
LAST = 5  # exchanges that are named as those before an outage


@dataclass(frozen=True)
class Step:
    """One exchange: whether its request carried valid credentials, and whether the API accepted it."""

    number: int
    authenticated: bool
    accepted: bool


class Trail:
    """The last exchanges of one process."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=LONGEST)

    def add(self, exchange: Exchange, *, accepted: bool) -> None:
        """Remembers an exchange."""
        self._steps.append(Step(exchange.number, exchange.authenticated, accepted))

    def until(self, number: int) -> Trail:
        """Gives what of it came before the exchange with this number."""
        trail = Trail()
        trail._steps.extend(step for step in self._steps if step.number < number)
        return trail

    @property
    def last(self) -> list[int]:
        """The numbers of the last exchanges."""
        return [step.number for step in self._steps][-LAST:]

    @property
    def accepted(self) -> int | None:
        """The number of the last exchange that was accepted, with valid credentials."""
        return max((step.number for step in self._steps if step.accepted and step.authenticated), default=None)

    @property
    def since(self) -> list[int]:
        """The numbers of the exchanges after the last one that was accepted."""
        last = self.accepted or 0
        return [step.number for step in self._steps if step.number > last]

    @property
    def strangers(self) -> list[int]:
        """The numbers of the exchanges whose requests had no valid credentials."""
        return [step.number for step in self._steps if not step.authenticated]
