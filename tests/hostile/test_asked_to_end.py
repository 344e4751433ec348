"""SIGTERM and SIGHUP at any moment, also while the program or its workers start: exit code 2, and what was judged."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.ended import environment

REPORTS = {"index.html", "results.json", "junit.xml", "summary.md", "journal.jsonl"}


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """What the tests start hears SIGHUP, also where they were started so that it is ignored: that is passed on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", range(4))
def test_whoever_asks_for_the_end_gets_it(moment: int, number: signal.Signals, workers: str, tmp_path: Path) -> None:
    """From the first record of the journal on, the reports are whole; a second signal changes nothing."""
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "rampcheck.cli",
        "run",
        "--contract",
        "kryptonim",
        "--latency",
        "0.05",
        "-n",
        workers,
        "--output",
        str(folder),
    ]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        journal = folder / "journal.jsonl"  # made before there is a record to write
        while process.poll() is None and not (journal.exists() and journal.stat().st_size):
            time.sleep(0.01)
        time.sleep(0.3 * moment)
        process.send_signal(number)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=120)
    assert process.returncode == 2, printed
    assert not {part for part in ("Traceback", "!!!", "site-packages", "--full-trace") if part in printed}
    assert {path.name for path in folder.iterdir()} >= REPORTS
    assert "nterrupted" in printed
