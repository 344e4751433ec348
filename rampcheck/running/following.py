"""A run that still goes on, followed from its folder: what all its processes write to their journals, redacted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from rampcheck.running import folder as folders
from rampcheck.wire.journal_records import Record

TOLD = "told"  # where a worker says what the user should know, a line each


def tell(folder: Path, text: str) -> None:
    """Says in a worker what the user should know; `Following.told` gives it in the first process."""
    with suppress(OSError), (folder / folders.SHARED / TOLD).open("a", encoding="utf-8") as told:
        told.write(f"{text}\n")


class Following:
    """What a run has written to its `folder` since it was last asked for.

    A line of which only the beginning is there waits for its rest. What cannot be read is passed over: nothing is
    judged by it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def records(self) -> Iterator[Record]:
        """Gives the new records of all journals."""
        for path in folders.journals(self._folder):
            for line in self._lines(path):
                with suppress(ValueError):
                    yield cast("Record", json.loads(line))

    def told(self) -> list[str]:
        """Gives what workers have said."""
        return [line.decode(errors="replace") for line in self._lines(self._folder / folders.SHARED / TOLD)]

    def _lines(self, path: Path) -> list[bytes]:
        try:
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                new = file.read()
        except OSError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._read[path] = self._read.get(path, 0) + len(whole)
        return whole.splitlines()
