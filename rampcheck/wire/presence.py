"""Whether the target may be asked, as all processes of a run know it.

While one looks for a target that is away, the others wait; where it lets nothing through, or the run's time is spent,
none of them asks any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rampcheck.errors import RunOver, Unjudged
from rampcheck.wire.limits import Deadline

LOOK = 0.05  # seconds between two looks at whether another process still searches
# Of what a process has to wait for at the most, in times of `patience`: each of the others may search before it.
LONGEST = 10
EXPLAINED, UNEXPLAINED = b"e", b"u"
# With nothing else in between: so many refusals to ask so often, each though the wait for it was kept, and the least
# seconds of such waits; or the most. A window of a minute, the longest that is usual, is over by then; where no wait is
# asked for, a few refusals may come within one moment.
MOST_THROTTLED, SHORTEST_THROTTLED, LONGEST_THROTTLED = 6, 5.0, 120.0
# So many in a row that ask for a longer wait than is kept: a quota that is spent, or a lock after refusals.
# Where it is one user's only, the requests of others come in between.
MOST_LOCKED = 30
LOCKED = -1.0  # stands for a wait that was not kept


class Presence:
    """What the processes of a run know of the target's absence.

    `patience` is how many seconds an absent target is waited for, `deadline` when the run's time is spent. `folder` is
    what the run's workers share; None where there is only this process. Source: filelock's documentation, for the lock
    over processes.
    """

    def __init__(self, patience: float, folder: Path | None = None, deadline: Deadline | None = None) -> None:
        self.patience = patience
        self.deadline = deadline or Deadline()
        self._throttled: list[float] = []
        self._folder = folder
        self._depth = 0
        self._told = 0
        self._absences = 0
        self._gone = ""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def wait(self) -> None:
        """Returns when no other process looks for the target. Raises `RunOver` where nothing more is to be asked."""
        if reason := self.gone:
            raise RunOver(reason)
        if self._depth:
            return
        deadline = time.monotonic() + LONGEST * self.patience
        while self._folder is not None and _is_searched(self._folder) and time.monotonic() < deadline:
            time.sleep(LOOK)
            if reason := self.gone:
                raise RunOver(reason)

    @contextmanager
    def search(self) -> Iterator[None]:
        """Keeps all other processes from sending, for as long as this one looks for the target.

        Raises `RunOver` where another process has found meanwhile that it will not come back.
        """
        with ExitStack() as stack:
            if not self._depth and self._folder is not None:
                stack.enter_context(self._locked(self._folder))
            if reason := self.gone:
                raise RunOver(reason)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        from filelock import FileLock, Timeout  # noqa: PLC0415 - a run of one process needs no lock

        lock = FileLock(folder / "away.lock")
        try:
            lock.acquire(timeout=LONGEST * self.patience)
        except Timeout:
            raise Unjudged("another worker of this run is looking for the target, and did not end in time") from None
        try:
            (folder / "away").touch()
            yield
        finally:
            (folder / "away").unlink(missing_ok=True)
            lock.release()

    @property
    def gone(self) -> str:
        """Why nothing more is to be asked, or nothing. Who asks for it, once the run's time is spent, ends the run."""
        if not self.ended and not self.deadline.left():
            self.end(self.deadline.reason)
        return self.ended

    @property
    def ended(self) -> str:
        """Why a process of the run has ended it, or nothing."""
        if not self._gone and self._folder is not None and (told := self._folder / "gone").exists():
            self._gone = told.read_text(encoding="utf-8")
        return self._gone

    def end(self, reason: str) -> None:
        """Tells all processes that nothing more is to be asked: the target will not come back, say."""
        self._gone = reason
        if self._folder is not None:
            (self._folder / "gone").write_text(reason, encoding="utf-8")

    def throttle(self, waited: float) -> None:
        """Counts a refusal to ask so often that came though `waited` seconds were kept before it.

        `LOCKED` stands for one that asks for a longer wait than is kept.
        """
        if self._folder is None:
            self._throttled.append(waited)
        else:
            with (self._folder / "throttled").open("a", encoding="ascii") as told:
                told.write(f"{waited}\n")

    def let_through(self) -> None:
        """Forgets the refusals to ask so often, as another answer has come."""
        self._throttled.clear()
        if self._folder is not None and (told := self._folder / "throttled").exists():
            told.unlink(missing_ok=True)

    @property
    def is_throttled(self) -> bool:
        """Whether the target lets nothing through any more."""
        waits = self._throttled
        with suppress(FileNotFoundError):  # Another process has forgotten them meanwhile.
            if self._folder is not None:
                waits = [float(line) for line in (self._folder / "throttled").read_text(encoding="ascii").split()]
        kept = [wait for wait in waits if wait != LOCKED]
        waited = sum(kept)
        return (
            (len(kept) >= MOST_THROTTLED and waited >= SHORTEST_THROTTLED)
            or waited >= LONGEST_THROTTLED
            or len(waits) - len(kept) >= MOST_LOCKED
        )

    def tell(self, *, explained: bool) -> None:
        """Tells the other processes that the target was away and is back, and whether it is known why."""
        self._absences += 1
        if self._folder is not None:
            with (self._folder / "absences").open("ab") as told:
                told.write(EXPLAINED if explained else UNEXPLAINED)
            self.has_news()

    @property
    def absences(self) -> int:
        """How often the processes of the run have told that the target was away."""
        if self._folder is None:
            return self._absences
        told = self._folder / "absences"
        return told.stat().st_size if told.exists() else 0

    def has_news(self) -> bool:
        """Whether another process has told, since the last call, of an absence that is not explained."""
        if self._folder is None or not (told := self._folder / "absences").exists():
            return False
        absences = told.read_bytes()
        new, self._told = absences[self._told :], len(absences)
        return new.endswith(UNEXPLAINED)


def _is_searched(folder: Path) -> bool:
    """Whether a process looks for the target; what one has left that was killed meanwhile is taken away."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - as above

    if not (folder / "away").exists():
        return False
    try:
        with FileLock(folder / "away.lock", timeout=0):
            (folder / "away").unlink(missing_ok=True)
    except Timeout:
        return True
    return False
