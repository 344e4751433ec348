"""How often, how much and how long a run may ask: the rate, the number of requests and the time of all workers."""

from __future__ import annotations

import math
import os
import threading
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rampcheck.errors import BudgetSpent, LeftOut, RunOver
from rampcheck.wire import retries
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.pace import LEAST, Pace
from rampcheck.wire.turns import Turns

if TYPE_CHECKING:
    from pyrate_limiter import Limiter

SPENT = "requests that a run may send were used up"  # in the reason of what was not tried for that
# So many refusals to ask so often, and one of so many requests, are told of where the rate is given.
FEWEST_TOLD, SHARE_TOLD = 3, 25


class Deadline:
    """The end of a run's time: `minutes` after `began`, a moment of the monotonic clock (None: now).

    That clock is one for all processes since the machine has started: on Linux and macOS by its definition (POSIX
    `clock_gettime`, CLOCK_MONOTONIC), on Windows because what Python reads there, GetTickCount64 or from 3.13 on
    QueryPerformanceCounter, counts from the same moment. No change of the wall clock moves it.
    """

    def __init__(self, minutes: float = math.inf, began: float | None = None) -> None:
        self._end = (time.monotonic() if began is None else began) + 60 * minutes
        self.reason = (
            f"the {minutes:g} minutes that a run may take were used up; "
            "raise `limits.max_minutes` in a profile, or run a part"
        )

    def left(self) -> float:
        """Gives the seconds that are left, 0 where none are; infinity where there is no end."""
        return max(0.0, self._end - time.monotonic())


class Budget:
    """Lets requests through: `total` of them over all workers, at most `per_second` a second.

    `per_second` 0 means no limit; where the rate `adapts`, it is what it begins with; where it `yields`, the most, and
    what is sent is held back only after an answer of 429, as much as if it adapted. `shared` is the folder for what
    the workers of a run count in common; None where there is only this process. The window slides, so no second lets
    more than `per_second` through; they reach the target when they are connected, so that those sent together may come
    a little nearer to the ones after them. Source: pyrate-limiter's documentation, "SQLiteBucket" with a file lock for
    several processes. A run that chose what it tries for so many requests `leaves_out` what they do not reach.
    """

    def __init__(  # noqa: PLR0913 - what bounds a run
        self,
        per_second: float,
        total: int,
        shared: Path | None = None,
        deadline: Deadline | None = None,
        *,
        adapts: bool = False,
        yields: bool = False,
        leaves_out: bool = False,
    ) -> None:
        if shared is not None:
            shared.mkdir(parents=True, exist_ok=True)
        self._total = total
        self._spent = LeftOut if leaves_out else BudgetSpent
        self._deadline = deadline or Deadline()
        self._count = _Count() if shared is None else _SharedCount(shared)
        self._burst = max(1, int(per_second))
        # What is never waited for tells how often the target refused.
        self._pace = Pace(per_second, shared) if adapts else Pace(per_second, shared, most=per_second, late=True)
        self._adapts, self._yields = adapts, yields and per_second > 0
        self._per_second = 0.0 if adapts else per_second
        self._shared = shared

    @cached_property
    def _limiter(self) -> Limiter | None:
        return _limiter(self._per_second, self._burst, self._shared) if self._per_second else None

    def take(self, count: int = 1) -> int:
        """Waits until `count` requests may go at once, or as many as the rate ever lets; gives how many that are.

        Raises `BudgetSpent` when the requests are used up, `RunOver` when the time is, or where another process of the
        run keeps all others from counting.
        """
        if (self._adapts or self._yields) and not (count := self._pace.wait(count, self._deadline.left)):
            raise RunOver(self._deadline.reason)
        if self._per_second:
            count = min(count, self._burst)
        if not self._count.increased(count, self._total):
            raise self._spent(f"the {self._total} {SPENT}; raise `limits.max_requests` in a profile, or --budget")
        if self._limiter is not None:
            left = self._deadline.left()
            if not self._limiter.try_acquire("request", weight=count, timeout=-1 if math.isinf(left) else left):
                raise RunOver(self._deadline.reason)
        return count

    def answered(self, exchange: Exchange) -> None:
        """Learns from what came of a request, whether or not the rate follows from it."""
        if exchange.response is not None:
            # What came stands, whether or not others let this process tell of it; they do not let it ask again, then.
            with suppress(RunOver):
                self._pace.answered(
                    refused=exchange.status == 429, asked=retries.asked_wait(exchange), elapsed=exchange.elapsed
                )

    def told(self) -> str:
        """Says what a rate that adapts, or yielded, has come to, and of one that is given, whether it is too high."""
        rate, refusals = self._pace.now
        if self._adapts:
            times = f"{refusals:,} time{'' if refusals == 1 else 's'}" if refusals else "never"
            return (
                f"`limits.requests_per_second: auto` began with {self._pace.first:g} requests a second and came to "
                f"{round(rate, 1):g}: the target answered 429 (too many requests) {times}"
            )
        sent, borne = self._count.now, self._pace.borne
        many = f"{refusals:,} of {sent:,} requests were answered 429 (too many requests)"
        if self._yields and refusals:
            return (
                f"{many}. Nothing says how many requests a second the target allows: the run began with "
                f"{self._per_second:g} and came to {round(rate, 1):g}. Write what the vendor allows, or "
                f"`limits: {{requests_per_second: {_written(borne or rate)}}}`, which it let through, in the profile"
            )
        if refusals < FEWEST_TOLD or refusals * SHARE_TOLD < sent:
            return ""
        kept = f"{self._per_second:g} requests a second" if self._per_second else "no limit of a rate"
        figure = f"`limits: {{requests_per_second: {_written(borne)}}}`, what it let through, or " if borne else ""
        return (
            f"{many}: `limits.requests_per_second` states {kept}, which was kept. Write {figure}"
            "`limits: {requests_per_second: auto}`, which learns it, in the profile"
        )


def _written(rate: float) -> str:
    """Gives a rate as it is written into a profile: no higher than it is."""
    return f"{max(LEAST, math.floor(10 * rate) / 10):g}"


class _Count:
    """Counts over the threads of this process."""

    def __init__(self) -> None:
        self._now = 0
        self._counting = threading.Lock()

    @property
    def now(self) -> int:
        """How many were counted so far."""
        return self._now

    def increased(self, count: int, total: int) -> bool:
        """Counts `count` more, where they fit into the `total`: what cannot go leaves the rest to others."""
        with self._counting:
            fits = self._now + count <= total
            self._now += count if fits else 0
            return fits


class _SharedCount:
    """Counts over all processes that share a folder, and their threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "requests"
        self._turns = Turns(folder / "requests.lock")

    @property
    def now(self) -> int:
        """How many were counted so far."""
        return self._path.stat().st_size if self._path.exists() else 0

    def increased(self, count: int, total: int) -> bool:
        """Counts `count` more, where they fit into the `total`: what cannot go leaves the rest to others."""
        # The file's length is the count: a process that is killed meanwhile leaves nothing half written.
        with self._turns, self._path.open("ab") as counted:
            fits = counted.seek(0, os.SEEK_END) + count <= total
            counted.write(b"." * (count if fits else 0))
            return fits


def _limiter(per_second: float, burst: int, shared: Path | None) -> Limiter:
    from pyrate_limiter import (  # noqa: PLC0415 - a run without a rate limit starts sooner
        InMemoryBucket,
        Limiter,
        Rate,
        SingleBucketFactory,
        SQLiteBucket,
    )

    class Bucket(SQLiteBucket):
        """A bucket that several processes share; its library's own reads the wall clock, which may be put back."""

        def now(self) -> int:
            return time.monotonic_ns() // 1_000_000  # `Deadline` says why one process may compare another's.

    rates = [Rate(burst, round(1000 * burst / per_second))]
    if shared is None:
        return Limiter(InMemoryBucket(rates))
    turns = Turns(shared / "rate.lock")
    with turns:
        made = Bucket.init_from_file(rates, db_path=str(shared / "rate.sqlite"))
        # Who counts is one at a time; after a crash of the machine nobody goes on.
        made.conn.execute("PRAGMA synchronous=OFF")
    # The library's own lock of a file waits for as long as it takes. Nothing leaks: a run's requests are few.
    return Limiter(SingleBucketFactory(Bucket(rates, made.conn, made.table, turns), schedule_leak=False))
