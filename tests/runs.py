"""Runs of the program as a user starts it, for tests to look at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from rampcheck.contract import packs
from rampcheck.selftest.attempt import processes


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
    """Runs `rampcheck run` with these arguments, writing to `folder`; `program` is one that was installed elsewhere."""
    asked = ["run", *arguments, "--output", str(folder)]
    if program is None:
        return Completed(*commanded(*asked, environment=environment, current=current), folder)
    done = subprocess.run(
        [str(program), *asked], capture_output=True, text=True, check=False, env=environment, cwd=current
    )
    return Completed(done.returncode, done.stdout + done.stderr, folder)


def conforming(contract: str, *options: str, place: Path) -> Completed:
    """Gives a whole run of the plain reference, with a HAR beside its folder, for tests that only read it.

    Whichever process of the tests asks first for one with these options makes it, below `place`, which all of them
    have.
    """
    own = place / "".join([contract, *options])
    told = own / "told.json"
    with FileLock(f"{own}.lock"):
        if not told.exists():
            own.mkdir()
            done = rampcheck("--contract", contract, *options, "--har", str(own / "run.har"), folder=own / "run")
            told.write_text(json.dumps([done.code, done.printed]), encoding="utf-8")
    code, printed = json.loads(told.read_text(encoding="utf-8"))
    return Completed(code, printed, own / "run")


def commanded(
    *arguments: str, environment: Mapping[str, str] | None = None, current: Path | None = None
) -> tuple[int, str]:
    """Gives the exit code of this checkout's program in a process of its own, and what it printed on both streams.

    It is a copy of a process that has everything loaded already: half of what a run costs is to load it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        printed = Path(scratch, "printed.txt")
        process = copies().Process(  # type: ignore[attr-defined]
            target=_command, args=(arguments, dict(environment or os.environ), current or Path.cwd(), printed)
        )
        process.start()
        process.join()
        return process.exitcode, printed.read_text(encoding="utf-8", errors="replace")


@cache
def copies() -> BaseContext:
    """Gives what starts copies of a process that has everything loaded, which knows of no pack that a test brings."""
    context = processes()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(packs.VARIABLE, raising=False)
        forkserver.ensure_running()
    return context


def _command(arguments: tuple[str, ...], environment: dict[str, str], current: Path, printed: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(current)
    descriptor = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.argv[:] = ["rampcheck", *arguments]
    from rampcheck.cli import main  # noqa: PLC0415 - what imports this does without

    main()
