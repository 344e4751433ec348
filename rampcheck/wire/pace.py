"""How often a target may be asked, learned from what it answers: from the first request on, or from the first 429."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rampcheck.wire.turns import Turns

# Requests a second, and how they change: additive increase, multiplicative decrease, as RFC 5681 section 3.1 has it for
# another kind of congestion.
LEAST, MOST = 0.2, 20.0
STEP = 0.5  # is added …
CALM = 20  # … after so many answers in a row that are not 429
LONGEST_HOLD = 60.0  # seconds; who asks to wait for longer is not asked again
FEWEST, SHORTEST = 3, 1.0  # refusals, and seconds from the first to the last: less tells no rate that is borne


@dataclass
class _State:
    """What all processes know: the rate, when the next request may go, answers since a change, when it was halved.

    Since the first refusal, which `began` it, so many answers were others (`through`), and of what came until the last
    one the target has `borne` so many a second, 0 where that is not known.
    """

    rate: float
    next: float = 0.0
    calm: int = 0
    halved: float = -math.inf
    refusals: int = 0
    began: float = math.inf
    through: int = 0
    borne: float = 0.0


class Pace:
    """Lets requests through at a rate that begins with `first` a second, and grows to `most`.

    One that is `late` lets everything through until the first refusal, and costs nothing until then. `shared` is the
    folder for what the workers of a run know in common; None where there is only this process. `clock` gives seconds
    that only grow, the same in all of them.
    """

    def __init__(  # noqa: PLR0913 - and the clock, which tests give
        self,
        first: float,
        shared: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        most: float = MOST,
        late: bool = False,
    ) -> None:
        self.first = first
        self._most = most
        self._late = late
        self._state = _State(first)
        self._path = shared and shared / "pace.json"
        self._turns = Turns(shared / "pace.lock") if shared else None
        self._clock = clock
        self._sleep = sleep
        self._changing = threading.Lock()

    def wait(self, count: int, left: Callable[[], float]) -> int:
        """Returns when `count` requests may go at once, or as many as go in a second; gives how many, 0 for none.

        None may go where that would be later than `left()` seconds from now. Raises `RunOver` as `_shared` does.
        """
        if self._is_idle:
            return count
        while True:
            with self._shared() as state:
                now = self._clock()
                if (wait := state.next - now) <= 0:
                    count = min(count, max(1, int(state.rate)))
                    state.next = now + count / state.rate
                    return count
            if wait >= left():
                return 0
            self._sleep(wait)

    def answered(self, *, refused: bool, asked: float | None, elapsed: float) -> None:
        """Learns from an answer that took `elapsed` seconds: `refused` with 429, which `asked` for a wait, perhaps.

        What was asked before the rate was halved halves it no further.
        """
        if not refused and self._is_idle:
            return
        with self._shared() as state:
            now = self._clock()
            if not refused:
                state.through += bool(state.refusals)
                state.calm += 1
                if state.calm >= CALM:
                    state.calm, state.rate = 0, min(self._most, state.rate + STEP)
                return
            state.refusals += 1
            state.began = min(state.began, now)
            if state.refusals >= FEWEST and now - state.began >= SHORTEST:
                state.borne = state.through / (now - state.began)
            state.calm = 0
            if now - elapsed >= state.halved:
                state.rate, state.halved = max(LEAST, state.rate / 2), now
            if asked is not None and asked <= LONGEST_HOLD:
                state.next = max(state.next, now + asked)

    @property
    def now(self) -> tuple[float, int]:
        """The rate that it has come to, and how often the target answered 429."""
        with self._changing:
            self._read()
            return self._state.rate, self._state.refusals

    @property
    def borne(self) -> float:
        """About how many requests a second the target let through while it refused others; 0 where nobody knows."""
        with self._changing:
            self._read()
            return self._state.borne

    @property
    def _is_idle(self) -> bool:
        """Whether it is late, and no process has met a refusal yet."""
        if self._late:
            self._late = not (self._state.refusals if self._path is None else self._path.exists())
        return self._late

    @contextmanager
    def _shared(self) -> Iterator[_State]:
        """Gives what is known, for this thread alone to change. Raises `RunOver` where another process hangs."""
        if self._path is None or self._turns is None:
            with self._changing:
                yield self._state
            return
        with self._changing, self._turns:
            self._read()
            yield self._state
            # As a whole or not at all: a process may be killed here.
            written = self._path.with_suffix(".new")
            written.write_text(json.dumps(asdict(self._state)), encoding="ascii")
            written.replace(self._path)

    def _read(self) -> None:
        """Takes what another process has come to."""
        if self._path is not None and self._path.exists():
            self._state = _State(**json.loads(self._path.read_text(encoding="ascii")))


def shortest(requests: int, first: float) -> float:
    """Gives the seconds that so many requests take where a rate begins with `first` a second, and none is refused."""
    seconds, rate = 0.0, first
    for sent in range(0, requests, CALM):
        seconds += min(CALM, requests - sent) / rate
        rate = min(MOST, rate + STEP)
    return seconds
