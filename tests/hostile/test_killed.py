"""A run that is killed loses what was in flight, and nothing else: counted against what the reference has answered.

Two random moments are tried here; RAMPCHECK_KILLS=30 tries thirty.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from rampcheck.running import folder
from rampcheck.sandbox import builtin_profile
from rampcheck.wire.receiver import free_port
from tests.runs import Completed

MOMENTS = int(os.environ.get("RAMPCHECK_KILLS", "2"))
ALL = 740  # answers to a whole run
TOGETHER = 12  # requests that one scenario sends at the same time
GENEROUS = 120.0  # seconds
SERVER = Path(__file__).with_name("counted_reference.py")

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="tells the worker processes from /proc")


@dataclass(frozen=True)
class Counted:
    """A reference that counts, and the profile of a run against it."""

    log: Path
    profile: Path

    def answers(self, *kinds: str, until: float = math.inf) -> list[int]:
        """Gives the numbers of the exchanges that it has answered until then, or only those of some `kinds`."""
        lines = [line.split() for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [int(number) for at, _, number, kind in lines if (not kinds or kind in kinds) and float(at) <= until]


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    """A reference of its own for each run, so that what it has answered was this run's."""
    port, hook = free_port(), f"http://127.0.0.1:{free_port()}/webhooks"
    log, profile = tmp_path / "answers", tmp_path / "profile.yaml"
    log.touch()
    base_url = f"http://127.0.0.1:{port}"
    profile.write_text(yaml.safe_dump(builtin_profile("proof", base_url, webhook_url=hook)), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(SERVER), str(log), str(port), hook]) as server:
        wait_until(lambda: is_there(base_url), server)
        yield Counted(log, profile)
        server.kill()


def is_there(base_url: str) -> bool:
    """Whether anything answers at a URL."""
    try:
        httpx.get(base_url, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[Any] | None = None) -> None:
    """Looks often whether something holds, until it does, or `process` ends before."""
    deadline = time.monotonic() + GENEROUS
    while not holds():
        assert time.monotonic() < deadline
        if process is None:
            os.sched_yield()
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.002)
            pytest.fail("it ended by itself")


def workers_of(process: int) -> list[int]:
    """Gives the processes that a run has started (Linux: proc(5), /proc/pid/task/tid/children)."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def killed(
    counted: Counted,
    where: Path,
    *arguments: str,
    after: Callable[[], bool],
    victim: str = "main",
) -> tuple[int, float]:
    """Makes a run and kills it, or one of its workers, when `after` holds; waits until all of it has ended.

    Gives its exit code, and when it was killed, by the monotonic clock.
    """
    command = [sys.executable, "-m", "rampcheck.cli", "run", str(counted.profile), "--output", str(where), *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        wait_until(after, run)
        children = workers_of(run.pid)
        at = time.monotonic()
        os.kill(run.pid if victim == "main" else children[0], signal.SIGKILL)
        code = run.wait(GENEROUS)
    wait_until(lambda: not any(is_running(child) for child in children))
    return code, at


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def report(where: Path) -> Completed:
    """Runs `rampcheck report`."""
    done = subprocess.run(
        [sys.executable, "-m", "rampcheck.cli", "report", str(where)],
        capture_output=True,
        text=True,
        check=False,
        timeout=GENEROUS,
    )
    return Completed(done.returncode, done.stdout + done.stderr, where)


def lost(counted: Counted, where: Path, at: float) -> Counter[str]:
    """Gives how much of each kind was answered until a run was killed, and does not stand in its journal."""
    kept = {record["number"]: record for record in folder.read(where) if record["kind"] == "exchange"}
    told = Counter(
        number
        for number, record in kept.items()
        for message in record["messages"]
        if message["direction"] == "incoming" and message["kind"] != "close"
    )
    sent = Counter(counted.answers("message", until=at))
    webhooks = sum(record["protocol"] == "webhook" for record in kept.values())
    return +Counter(
        {
            "exchanges": len(set(counted.answers("http", "upgrade", until=at)) - set(kept)),
            "messages": (sent - told).total(),
            "webhooks": len(counted.answers("webhook", until=at)) - webhooks,
        }
    )


@pytest.mark.parametrize(
    ("what", "times"),
    [("http", 1), ("http", 150), ("message", 3), ("webhook", 2)],
    ids=["the first answer", "many answers", "a WebSocket's messages", "webhooks"],
)
def test_a_killed_run_keeps_what_came_before(counted: Counted, tmp_path: Path, what: str, times: int) -> None:
    """kill -9: of exchanges, messages and webhooks, the last may be lost; the rest is judged."""
    part = [] if what == "http" else ["-k", "followed"]
    where = tmp_path / "run"
    _, at = killed(counted, where, *part, after=lambda: len(counted.answers(what)) >= times)
    done = report(where)
    assert done.code == 5, done.printed
    assert done.results["unfinished"]
    assert done.results["verdict"] == ("inconclusive" if times == 1 else "incomplete")
    assert not done.verdicts("failed", "advisory")
    assert max(lost(counted, where, at).values(), default=0) <= 1
    assert all((where / name).exists() for name in ("index.html", "junit.xml", "summary.md", "allure-results"))
    before = (where / "results.json").read_bytes()
    assert report(where).code == 5
    assert (where / "results.json").read_bytes() == before


@pytest.mark.parametrize("victim", ["main", "worker"])
def test_what_workers_saw_is_judged(counted: Counted, tmp_path: Path, victim: str) -> None:
    """Where the main process is killed, its workers' journals are judged; where a worker is, the run is a fault's.

    The worker that replaces a killed one gives no number twice.
    """
    where = tmp_path / "run"
    code, at = killed(
        counted, where, "-n", "2", "-k", "not same_time", victim=victim, after=lambda: len(counted.answers()) >= 200
    )
    done = report(where)
    assert (code, done.code) == ((-signal.SIGKILL, 5) if victim == "main" else (3, 3)), done.printed
    assert done.results["verdict"] == "incomplete"
    assert not done.verdicts("failed", "advisory")
    assert lost(counted, where, at)["exchanges"] <= 1
    numbers = counted.answers("http", "upgrade")
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_any_moment_will_do(counted: Counted, tmp_path: Path, seed: int) -> None:
    """Whenever a run or a worker of it is killed, what is lost was in flight."""
    chosen = random.Random(seed)
    workers = chosen.choice(["1", "2"])
    victim = chosen.choice(["main", "worker"]) if workers == "2" else "main"
    moment = chosen.randrange(20, ALL)
    where = tmp_path / "run"
    _, at = killed(counted, where, "-n", workers, victim=victim, after=lambda: len(counted.answers()) >= moment)
    done = report(where)
    gone = lost(counted, where, at)
    sys.stdout.write(f"{victim} of {workers} after {moment} answers: lost {dict(gone) or 'nothing'}; {done.code}\n")
    assert done.code == (3 if victim == "worker" else 5), done.printed
    assert not done.verdicts("failed", "advisory")
    # What is sent at the same time is in flight together.
    assert gone["exchanges"] <= TOGETHER
    assert max(gone["messages"], gone["webhooks"]) <= 2
