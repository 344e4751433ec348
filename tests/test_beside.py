"""A run beside another one says what it would have said alone, in its turn, and ends as it would have ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rampcheck.running import beside

pytestmark = pytest.mark.skipif(beside.room() == 1, reason="this machine has one processor, or cannot copy processes")

PROGRAM = """
import os, sys, threading
from rampcheck.running import termination
from rampcheck.running.beside import Beside

def other():
    print("told by the other ✓")
    print("a complaint", file=sys.stderr)
    return 5

def waiting():
    ready, writes = PIPE
    with termination.as_interruption():
        try:
            os.write(writes, b".")
            threading.Event().wait(60)
        except KeyboardInterrupt:
            print("what was seen so far")
            return 2
    return 0

print("before", end=" ")
"""


def said(script: str) -> subprocess.CompletedProcess[str]:
    """Runs a program that begins as above."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + script], capture_output=True, text=True, timeout=50, check=False
    )


def test_it_is_told_of_in_its_turn() -> None:
    """Nothing of it stands among what the first one says, nor is what was said before said twice."""
    done = said("run = Beside(other)\nprint('the first')\nsys.exit(run.end())")
    assert done.stdout == "before the first\ntold by the other ✓\n"
    assert done.stderr == "a complaint\n"
    assert done.returncode == 5


def test_it_is_interrupted_with_the_first_one() -> None:
    """What it has seen is judged, and told."""
    done = said("PIPE = os.pipe()\nrun = Beside(waiting)\nos.read(PIPE[0], 1)\nrun.stop()\nsys.exit(run.end())")
    assert done.stdout == "before what was seen so far\n"
    assert done.returncode == 2


def test_one_that_was_killed_has_no_code_of_its_own() -> None:
    """It never counts as conformant."""
    done = said("run = Beside(lambda: os.kill(os.getpid(), 9))\nprint(run.end())")
    assert done.stdout == "before -9\n"
