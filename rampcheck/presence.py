"""Whether the target is there, as all processes of a run know it: while one looks for it, the others wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rampcheck.errors import TargetGone, Unjudged

LOOK = 0.05  # seconds between two looks at whether another process still searches
# Of what a process has to wait for at the most, in times of `patience`: each of the others may search before it.
LONGEST = 10
EXPLAINED, UNEXPLAINED = b"e", b"u"


class Presence:
    """What the processes of a run know of the target's absence.

    `patience` is how many seconds an absent target is waited for. `folder` is what the run's workers share; None where
    there is only this process. Source: filelock's documentation, for the lock over processes.
    """

    def __init__(self, patience: float, folder: Path | None = None) -> None:
        self.patience = patience
        self._folder = folder
        self._depth = 0
        self._told = 0
        self._gone = ""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def wait(self) -> None:
        """Returns when no other process looks for the target. Raises `TargetGone` where it will not come back."""
        if self._depth:
            return
        if reason := self.gone:
            raise TargetGone(reason)
        deadline = time.monotonic() + LONGEST * self.patience
        while self._folder is not None and (self._folder / "away").exists() and time.monotonic() < deadline:
            time.sleep(LOOK)
            if reason := self.gone:
                raise TargetGone(reason)

    @contextmanager
    def search(self) -> Iterator[None]:
        """Keeps all other processes from sending, for as long as this one looks for the target.

        Raises `TargetGone` where another process has found meanwhile that it will not come back.
        """
        with ExitStack() as stack:
            if not self._depth and self._folder is not None:
                stack.enter_context(self._locked(self._folder))
            if reason := self.gone:
                raise TargetGone(reason)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        # Imported here: a run of one process needs no lock.
        from filelock import FileLock, Timeout  # noqa: PLC0415

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
        """Why the target will not come back, or nothing."""
        if not self._gone and self._folder is not None and (told := self._folder / "gone").exists():
            self._gone = told.read_text(encoding="utf-8")
        return self._gone

    def end(self, reason: str) -> None:
        """Tells all processes that the target will not come back."""
        self._gone = reason
        if self._folder is not None:
            (self._folder / "gone").write_text(reason, encoding="utf-8")

    def tell(self, *, explained: bool) -> None:
        """Tells the other processes that the target was away and is back, and whether it is known why."""
        if self._folder is not None:
            with (self._folder / "absences").open("ab") as told:
                told.write(EXPLAINED if explained else UNEXPLAINED)
            self.has_news()

    def has_news(self) -> bool:
        """Whether another process has told, since the last call, of an absence that is not explained."""
        if self._folder is None or not (told := self._folder / "absences").exists():
            return False
        absences = told.read_bytes()
        new, self._told = absences[self._told:], len(absences)
        return new.endswith(UNEXPLAINED)
