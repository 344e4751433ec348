"""A lock of a run's processes, and for how long it is waited for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rampcheck.errors import RunOver

if TYPE_CHECKING:
    from filelock import BaseFileLock

# A turn takes a moment, to count one more. Each wait is short: where all of the run's processes are stopped (Ctrl-Z)
# and go on later, what went by meanwhile counts as one.
WAITS, SECONDS = 30, 1.0
HELD = (
    f"another process of this run has kept for {WAITS * SECONDS:g} s what it needs for a moment: it was stopped, or "
    "hangs; see what became of it, and run again"
)


class Turns:
    """Lets one process at a time do what is in a `with`; the lock is that of a file.

    Raises `RunOver` on the way in where nobody lets go of it in time. Source: filelock's documentation, "FileLock".
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        from filelock import Timeout  # noqa: PLC0415 - as below

        for _ in range(WAITS):
            try:
                self._lock.acquire(timeout=SECONDS)
            except Timeout:
                continue
            return
        raise RunOver(HELD)

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @cached_property
    def _lock(self) -> BaseFileLock:
        from filelock import FileLock  # noqa: PLC0415 - a run of one process needs no lock

        return FileLock(self._path, timeout=SECONDS)
