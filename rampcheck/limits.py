"""How often and how much a run may ask: the rate over all workers, and the number of requests."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rampcheck.errors import BudgetSpent

if TYPE_CHECKING:
    from pyrate_limiter import Limiter


class Budget:
    """Lets requests through: `total` of them over all workers, at most `per_second` a second.

    `per_second` 0 means no limit. `shared` is the folder for what the workers of a run count in common; None where
    there is only this process. The window slides, so no second lets more than `per_second` through; they reach the
    target when they are connected, so that those sent together may come a little nearer to the ones after them.
    Source: pyrate-limiter's documentation, "SQLiteBucket" with a file lock for several processes.
    """

    def __init__(self, per_second: float, total: int, shared: Path | None = None) -> None:
        if shared is not None:
            shared.mkdir(parents=True, exist_ok=True)
        self._total = total
        self._count = _Count() if shared is None else _SharedCount(shared)
        self._burst = max(1, int(per_second))
        self._limiter = _limiter(per_second, self._burst, shared) if per_second else None

    def take(self, count: int = 1) -> int:
        """Waits until `count` requests may go at once, or as many as the rate ever lets; gives how many that are.

        Raises `BudgetSpent` when the requests are used up.
        """
        if self._limiter is not None:
            count = min(count, self._burst)
        if self._count.increased(count) > self._total:
            raise BudgetSpent(
                f"the {self._total} requests that a run may send were used up; "
                "raise `limits.max_requests` in the profile"
            )
        if self._limiter is not None:
            self._limiter.try_acquire("request", weight=count)
        return count


class _Count:
    """Counts over the threads of this process."""

    def __init__(self) -> None:
        self._now = 0
        self._counting = threading.Lock()

    def increased(self, count: int) -> int:
        """Counts `count` more; gives how many there are now."""
        with self._counting:
            self._now += count
            return self._now


class _SharedCount:
    """Counts over all processes that share a folder, and their threads."""

    def __init__(self, folder: Path) -> None:
        # Imported here, as in `_limiter`.
        from filelock import FileLock  # noqa: PLC0415

        self._path = folder / "requests"
        self._counting = FileLock(folder / "requests.lock")

    def increased(self, count: int) -> int:
        """Counts `count` more; gives how many there are now."""
        # The file's length is the count: a process that is killed meanwhile leaves nothing half written.
        with self._counting, self._path.open("ab") as counted:
            counted.write(b"." * count)
            return counted.tell()


def _limiter(per_second: float, burst: int, shared: Path | None) -> Limiter:
    # Imported here: a run without a rate limit starts a tenth of a second sooner.
    from pyrate_limiter import InMemoryBucket, Limiter, Rate, SQLiteBucket  # noqa: PLC0415

    rates = [Rate(burst, round(1000 * burst / per_second))]
    if shared is None:
        return Limiter(InMemoryBucket(rates))
    return Limiter(SQLiteBucket.init_from_file(rates, db_path=str(shared / "rate.sqlite"), use_file_lock=True))
