"""How much a run keeps: the bytes that came from its target, and those that it has written of them."""

from __future__ import annotations

import threading

from rampcheck.errors import BudgetSpent

MOST_BYTES = 32 * 1024 * 1024  # of a run, over all its processes: what its memory and its folder grow with
HEADER_BYTES = 400  # that Python takes for a header, here and in what is made of it, however short it is


class Room:
    """Counts what one process of a run keeps, whatever channel it came by, from all its threads.

    `total` is how many bytes that may be. What is under way when they are used up is kept all the same: each answer,
    WebSocket and webhook has a bound of its own.
    """

    def __init__(self, total: int = MOST_BYTES) -> None:
        self._left = total
        self._counting = threading.Lock()

    def take(self, size: int) -> None:
        """Counts `size` bytes more."""
        with self._counting:
            self._left -= size

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be asked for, or taken."""
        return self._left < 0

    def demand(self) -> None:
        """Raises `BudgetSpent` where nothing more may be asked for."""
        if self.is_spent:
            raise BudgetSpent(
                f"what the target sent, and what was written of it, is more than the "
                f"{MOST_BYTES // 1024**2} MiB that a run keeps"
            )
