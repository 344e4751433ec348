"""What it takes the doctor to name each mistake of configuration, in requests and seconds.

`python -m benchmarks.mistakes` prints it.
The handbook's table of what it says is written by `docs/make_mistakes.py`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rampcheck.sandbox import server
from tests.misconfigured import World, alone, diagnosed
from tests.mistakes import MISTAKES, Case


@dataclass(frozen=True)
class Named:
    """A mistake, and what it took to name it."""

    case: Case
    requests: int
    seconds: float


def named() -> Iterator[Named]:
    """Asks the doctor about each mistake of the table."""
    with server.start("proof") as proof, server.start("kryptonim") as kryptonim:
        references = {"proof": proof, "kryptonim": kryptonim}
        for case in MISTAKES:
            with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
                alone(environment)
                world = World(references, Path(folder), environment)
                profile = case.make(world)
                began = time.monotonic()
                told = diagnosed(profile, Path(folder) / "out")
                seconds = time.monotonic() - began
                world.closed()
            alone(environment)
            yield Named(case, told["requests"], seconds)


def main() -> None:
    """Prints a line for each mistake, and the most that any of them takes."""
    mistakes = list(named())
    for one in mistakes:
        sys.stdout.write(f"{one.seconds:6.2f} s  {one.requests:2} requests  {one.case.name}\n")
    longest = max(mistakes, key=lambda one: one.seconds)
    most = max(mistakes, key=lambda one: one.requests)
    sys.stdout.write(
        f"{len(mistakes)} mistakes; the longest takes {longest.seconds:.2f} s ({longest.case.name}), the most requests "
        f"are {most.requests} ({most.case.name})\n"
    )


if __name__ == "__main__":
    main()
