"""What was sent last, in short: what came before a target stopped to accept anything."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from rampcheck.wire.exchanges import Exchange

LONGEST = 16  # exchanges that are remembered
LAST = 5  # exchanges that are named as those before an outage


@dataclass(frozen=True)
class Step:
    """One exchange: whether its request carried valid credentials, whether the API accepted it, what was special."""

    number: int
    authenticated: bool
    accepted: bool
    change: str = ""


class Trail:
    """The last exchanges of one process."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=LONGEST)

    def add(self, exchange: Exchange, *, accepted: bool, change: str = "") -> None:
        """Remembers an exchange; `change` says in a phrase, without a secret, in what it differs from a plain one."""
        self._steps.append(Step(exchange.number, exchange.authenticated, accepted, change))

    def plain(self, number: int) -> None:
        """Takes an exchange for a plain one: a control."""
        self._steps = deque(
            (replace(step, change="") if step.number == number else step for step in self._steps), LONGEST
        )

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
    def suspect(self) -> Step | None:
        """The first exchange, from the last accepted one on, that had valid credentials and was no plain one."""
        since = {self.accepted, *self.since}
        return next((step for step in self._steps if step.number in since and step.authenticated and step.change), None)

    @property
    def strangers(self) -> list[int]:
        """The numbers of the exchanges whose requests had no valid credentials."""
        return [step.number for step in self._steps if not step.authenticated]
