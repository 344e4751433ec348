"""A run beside another one: in a process of its own, what it says kept until there is room for it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import IO, NoReturn

from rampcheck import outlets


def room() -> int:
    """Gives how many runs go on at a time: one for each processor, and one where processes cannot be copied."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return processors()


def processors() -> int:
    """Gives how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Beside:
    """A run that goes on in a copy of this process, which must have no threads yet.

    `run` gives its exit code, and raises nothing. What it writes to standard output and error is written there by
    `end`, as it would have been.
    """

    def __init__(self, run: Callable[[], int]) -> None:
        self._run = run
        self._said: list[IO[bytes]] = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115 - `end` closes them
        self._process = multiprocessing.get_context("fork").Process(target=self._begin)
        self._process.start()

    def _begin(self) -> NoReturn:
        if sys.stdout.isatty():  # It is read there in the end.
            os.environ.setdefault("FORCE_COLOR", "1")
            os.environ.setdefault("COLUMNS", str(shutil.get_terminal_size().columns))
        sys.stdout, sys.stderr = (outlets.into(file) for file in self._said)
        sys.exit(self._run())

    def stop(self) -> None:
        """Interrupts it, as Ctrl-C does: what it has seen so far is judged and written."""
        if self._process.is_alive():
            self._process.terminate()

    def end(self) -> int:
        """Waits for it, writes what it said, and gives its exit code; that of a killed one is negative."""
        self._process.join()
        for file, stream in zip(self._said, (sys.stdout, sys.stderr), strict=True):
            file.seek(0)
            stream.write(file.read().decode("utf-8", "replace"))
            stream.flush()
            file.close()
        return self._process.exitcode or 0
