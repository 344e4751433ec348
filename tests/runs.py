"""Runs of the program as a user starts it, for tests to look at."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Completed:
    """A finished run: its exit code, what it printed, and its folder."""

    code: int
    printed: str
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        """The content of results.json."""
        content: dict[str, Any] = json.loads((self.folder / "results.json").read_text(encoding="utf-8"))
        return content

    def verdicts(self, *wanted: str) -> dict[str, str]:
        """Gives the clauses with any of these verdicts, with the verdict."""
        return {clause["id"]: clause["verdict"] for clause in self.results["clauses"] if clause["verdict"] in wanted}

    def clause(self, clause: str) -> dict[str, Any]:
        """Gives the result of one clause."""
        return next(entry for entry in self.results["clauses"] if entry["id"] == clause)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Gives the journal's records of one kind."""
        lines = (self.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        return [record for record in map(json.loads, lines) if record["kind"] == kind]


def rampcheck(
    *arguments: str,
    folder: Path,
    environment: dict[str, str] | None = None,
    program: Path | None = None,
    current: Path | None = None,
) -> Completed:
    """Runs `rampcheck run` with these arguments, writing to `folder`."""
    command = [str(program)] if program else [sys.executable, "-m", "rampcheck.cli"]
    done = subprocess.run(
        [*command, "run", *arguments, "--output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=current,
    )
    return Completed(done.returncode, done.stdout + done.stderr, folder)
