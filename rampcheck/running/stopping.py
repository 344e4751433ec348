"""The end of a run that has seen enough promises broken."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from rampcheck.judging.findings import Finding
from rampcheck.report.text import plural
from rampcheck.wire.presence import Presence


class Stopping:
    """Ends a run, for all its processes, when `most` required promises were seen broken; None: never.

    Those that are `waived` do not count. `folder` is what the processes share, None where there is only this one.
    """

    def __init__(
        self, most: int | None, waived: Collection[str], presence: Presence, folder: Path | None = None
    ) -> None:
        self._most = most
        self._waived = waived
        self._presence = presence
        self._path = folder / "broken" if folder is not None else None
        self._broken: set[str] = set()

    def count(self, findings: Iterable[Finding]) -> None:
        """Takes a scenario's findings that break a `must`; ends the run where these clauses are enough."""
        new = {finding.clause for finding in findings}.difference(self._waived) - self._broken
        if self._most is None or not new:
            return
        self._broken |= new
        if self._path is not None:
            with self._path.open("a", encoding="ascii") as told:
                told.writelines(f"{clause}\n" for clause in sorted(new))
            self._broken |= set(self._path.read_text(encoding="ascii").split())
        # Another process may have ended the run meanwhile.
        if len(self._broken) >= self._most and not self._presence.ended:
            self._presence.end(f"the run was to stop after {plural(self._most, 'failed clause')}")
