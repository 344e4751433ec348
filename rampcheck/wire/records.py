"""Records in a file, a line of JSON each: what is written stays known where the disk fills or the folder vanishes."""

from __future__ import annotations

import json
import os
from io import FileIO
from pathlib import Path
from typing import cast

from rampcheck.wire.journal_records import Record


class Records:
    """Appends records to the file at `path`, each at once.

    Once that fails, `error` says why, and the rest is kept in memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: OSError | None = None
        self._unwritten: list[Record] = []
        self._file: FileIO | None = None

    def write(self, record: Record) -> int:
        """Appends a record; gives how many bytes it takes."""
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        if self.error is None:
            try:
                self._append(line)
            except OSError as error:
                self.error = error
        if self.error is not None:
            self._unwritten.append(record)
        return len(line)

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._file = FileIO(self.path, "a+")
        end = self._file.seek(0, os.SEEK_END)
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError:
            self._file.truncate(end)  # No half a record stays.
            raise

    @property
    def is_in_trouble(self) -> bool:
        """Whether the file does not hold all that was written: it cannot be written, or was taken away."""
        return self.error is not None or (self._file is not None and not self.path.exists())

    def missing(self) -> list[Record]:
        """Gives the records that whoever opens `path` does not find there."""
        kept: list[Record] = []
        if self._file is not None and not self.path.exists():
            self._file.seek(0)
            kept = [cast("Record", json.loads(line)) for line in self._file.readall().splitlines()]
        return [*kept, *self._unwritten]

    def retry(self) -> None:
        """Writes what is missing. Raises `OSError` where that is still not possible."""
        missing = self.missing()
        self.close()
        self.error, self._unwritten = None, []
        for record in missing:
            self.write(record)
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Closes the file; a later `write` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None
