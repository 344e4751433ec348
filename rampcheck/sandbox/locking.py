"""How a server protects itself: it lets nobody in for a while, or nobody of one kind."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rampcheck.sandbox.wire import Answer

WINDOW = 10.0  # seconds over which requests of one kind are counted


class Lock:
    """After `most` refusals of credentials (401) in a row, nobody is let in for so many `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._wrong, self._until = 0, -math.inf

    def answered(self, answer: Callable[[], Answer], locked: Callable[[], Answer]) -> Answer:
        """Gives the `answer`, or what is said to whoever comes while it is `locked`."""
        if time.monotonic() < self._until:
            return locked()
        given = answer()
        self._wrong = self._wrong + 1 if given.status == 401 else 0
        if self._wrong >= self._most:
            self._wrong, self._until = 0, time.monotonic() + self._seconds
        return given


class Quota:
    """After `most` requests of one kind within `WINDOW`, there is none of that kind for so many `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._made: dict[str, list[float]] = {}
        self._until: dict[str, float] = {}

    def is_spent(self, whose: str) -> bool:
        """Whether one more of this kind has to wait; counts it where it has not."""
        now = time.monotonic()
        made = [since for since in self._made.get(whose, []) if now - since < WINDOW]
        if len(made) >= self._most:
            made, self._until[whose] = [], now + self._seconds
        self._made[whose] = made
        if now < self._until.get(whose, now):
            return True
        made.append(now)
        return False
