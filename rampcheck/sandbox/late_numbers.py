"""A sequence whose last number is read first and written later: a race for those who come meanwhile."""

from __future__ import annotations

import asyncio


class LateNumbers:
    """Numbers that are handed out again until they have been written, 5 ms after the first time."""

    def __init__(self) -> None:
        self._next = 1

    def take(self) -> int:
        """Gives the number that is next as far as was written. Called inside a running event loop."""
        taken = self._next
        asyncio.get_running_loop().call_later(0.005, self._write, taken)
        return taken

    def _write(self, taken: int) -> None:
        self._next = max(self._next, taken + 1)
