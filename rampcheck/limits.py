"""How often and how much a run may ask: the rate over all workers, and the number of requests."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rampcheck.errors import Unjudged

if TYPE_CHECKING:
    from pyrate_limiter import Limiter


class Budget:
    """Lets requests through, at most `per_second` a second over all workers and `total` in this process.

    `per_second` 0 means no limit. `shared` is the file that the workers of a run hold in common; None where there is
    only this process. The window slides, so no second ever sees more requests than `per_second`.
    Source: pyrate-limiter's documentation, "SQLiteBucket" with a file lock for several processes.
    """

    def __init__(self, per_second: float, total: int, shared: Path | None = None) -> None:
        self._left = total
        self._total = total
        self._counting = threading.Lock()
        self._limiter = _limiter(per_second, shared) if per_second else None

    def take(self) -> None:
        """Waits for the rate's next free place. Raises `Unjudged` when the requests are used up."""
        with self._counting:
            if self._left <= 0:
                raise Unjudged(
                    f"the run's request budget was used up (this worker's share: {self._total}); "
                    "raise `limits.max_requests` in the profile"
                )
            self._left -= 1
        if self._limiter is not None:
            self._limiter.try_acquire("request")


def _limiter(per_second: float, shared: Path | None) -> Limiter:
    # Imported here: a run without a rate limit starts a tenth of a second sooner.
    from pyrate_limiter import InMemoryBucket, Limiter, Rate, SQLiteBucket  # noqa: PLC0415

    burst = max(1, int(per_second))
    rates = [Rate(burst, round(1000 * burst / per_second))]
    if shared is None:
        return Limiter(InMemoryBucket(rates))
    return Limiter(SQLiteBucket.init_from_file(rates, db_path=str(shared), use_file_lock=True))
