"""The table of mistakes of configuration: what the doctor says of each, in how many requests and seconds.

`python -m benchmarks.mistakes` measures; `python -m benchmarks.mistakes --markdown` prints the table as a page has it.
"""

from __future__ import annotations

import argparse
import re
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

# What differs from one time to the next.
PASSING = ((r"127\.0\.0\.1:\d+", "HOST:PORT"), (r"no-such-host\.invalid", "HOST"), (r"in \d+ ms", "in N ms"))


@dataclass(frozen=True)
class Named:
    """A mistake, what is said of it, the cure, and what it took to see it."""

    case: Case
    found: str
    cure: str
    requests: int
    seconds: float


def named() -> Iterator[Named]:
    """Gives what the doctor says of each mistake of the table."""
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
            wrong = next(seen for seen in told["observations"] if seen["severity"] == "wrong")
            yield Named(case, wrong["found"], wrong["cure"], told["requests"], seconds)


def markdown(mistakes: Iterator[Named]) -> Iterator[str]:
    """Gives the lines of the table."""
    yield "| mistake | what is said of it | what to do | requests |"
    yield "|---|---|---|---|"
    for one in mistakes:
        cells = [f"{one.case.about}: {one.case.name}", one.found, one.cure, str(one.requests)]
        yield f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    for pattern, words in PASSING:
        text = re.sub(pattern, words, text)
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Prints the table, or what it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table of mistakes and cures")
    if parser.parse_args().markdown:
        sys.stdout.writelines(f"{line}\n" for line in markdown(named()))
        return
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
