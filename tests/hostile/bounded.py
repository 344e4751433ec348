"""Runs of the program in a child process with bounds: what it may take of memory, disk and time, and what it took."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.runs import Completed

MOST_MEMORY = 300 * 1000 * 1000  # bytes that a run may hold at its peak, in any of its processes
MOST_OUTPUT = 100 * 1000 * 1000  # bytes that it may write
HUNG = 120  # seconds after which a run is taken for one that never ends
# What the child does: it bounds what it could take from everybody else, runs the program, writes the peak memory of the
# largest process to a file, and ends with the program's exit code.
MEASURED = f"""
import pathlib, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
resource.setrlimit(resource.RLIMIT_FSIZE, ({MOST_OUTPUT}, {MOST_OUTPUT}))
try:
    code = subprocess.run(sys.argv[2:], timeout={HUNG}).returncode
except subprocess.TimeoutExpired:  # by now it is killed
    code = "it did not end"
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
pathlib.Path(sys.argv[1]).write_text(str(peak * (1 if sys.platform == "darwin" else 1024)))
sys.exit(code)
"""


@dataclass(frozen=True)
class Bounded(Completed):
    """A run that ended within its bounds; `peak` is the most memory that one of its processes held."""

    peak: int

    @property
    def size(self) -> int:
        """How many bytes it wrote."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def run(profile: Mapping[str, Any], folder: Path, *options: str, codes: frozenset[int]) -> Bounded:
    """Runs the suite with a profile and checks what holds of every run, whatever the target does.

    It ends in time with one of these exit codes and without a fault, its memory and its output are bounded, and the
    reports are there.
    """
    (folder / "profile.yaml").write_text(yaml.safe_dump(dict(profile)), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "rampcheck.cli",
        "run",
        str(folder / "profile.yaml"),
        "--output",
        str(folder / "run"),
        *options,
    ]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(folder / "peak"), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * HUNG,
    )
    ended = Bounded(done.returncode, done.stdout + done.stderr, folder / "run", int((folder / "peak").read_text()))
    assert ended.code in codes, ended.printed
    assert ended.results["faults"] == []
    assert ended.peak < MOST_MEMORY, ended.peak
    assert ended.size < MOST_OUTPUT
    assert ended.records("exchange")
    assert len(ended.records("end")) == 1
    assert (ended.folder / "index.html").stat().st_size > 0
    assert json.loads((ended.folder / "results.json").read_text())["verdict"]
    return ended
