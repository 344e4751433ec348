"""A process of a run that is stopped holds the others up for a while, and not for good."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import execnet
import filelock
import pytest

from rampcheck.contract.profile import from_mapping
from rampcheck.errors import RunOver
from rampcheck.judging import suite as suites
from rampcheck.running.opening import BASELINE
from rampcheck.running.workers import KILLED, Workers
from rampcheck.wire import turns
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request, Response, Sent
from rampcheck.wire.limits import Budget
from rampcheck.wire.presence import Presence

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")

GENEROUS = 60  # seconds
A_PROFILE = from_mapping(
    {"contract": "proof", "base_url": "http://127.0.0.1:9", "credentials": {"client_token": "token-of-nobody"}}, {}
)
HOLDING = """
import os, signal, sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""
KINDS = {"a count": (0.0, False), "a rate": (1000.0, False), "a rate that adapts": (20.0, True)}
LOCKS = {"a count": "requests.lock", "a rate": "rate.lock", "a rate that adapts": "pace.lock"}


@contextmanager
def stopped(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that was stopped while it held a lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(lock)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is waited for for a moment."""
    monkeypatch.setattr(turns, "WAITS", 2)
    monkeypatch.setattr(turns, "SECONDS", 0.05)


def in_time(act: Callable[[], object]) -> object:
    """Gives what comes of something, an exception too; fails where nothing comes in time."""
    came: list[object] = []

    def try_it() -> None:
        try:
            came.append(act())
        except RunOver as error:
            came.append(error)

    threading.Thread(target=try_it, daemon=True).start()
    wait_until(lambda: bool(came))
    return came[0]


def wait_until(holds: Callable[[], bool]) -> None:
    """Looks often whether something holds, until it does."""
    deadline = time.monotonic() + GENEROUS
    while not holds():
        assert time.monotonic() < deadline, "it waits for good"
        os.sched_yield()


def answered() -> Exchange:
    """Gives an answered exchange."""
    return Exchange(1, "one", Sent("GET", "https://a.example/", (), b""), Response(200, (), b""), 0.0, 0.0, "/")


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_was_stopped_ends_the_wait_of_the_others(kind: str, tmp_path: Path) -> None:
    """They are told why no more is asked; what came by then stands, and when its lock is free again, they go on."""
    rate, adapts = KINDS[kind]
    budget = Budget(rate, 100, tmp_path, adapts=adapts)
    with stopped(tmp_path / LOCKS[kind]):
        ended = in_time(budget.take)
        assert isinstance(ended, RunOver)
        assert "was stopped, or hangs" in str(ended)
        assert in_time(lambda: budget.answered(answered())) is None
        assert bool(in_time(budget.told)) is adapts
    assert in_time(budget.take) == 1


def test_who_may_not_go_ends_the_run_for_all(tmp_path: Path) -> None:
    """The other processes need not wait for the same again, and no scenario is tried in vain."""
    budget, presence = Budget(0, 100, tmp_path), Presence(5, tmp_path)
    client = Client(A_PROFILE, suites.load("proof").authenticate, Lane("run"), budget, lambda _: None, presence)
    with stopped(tmp_path / LOCKS["a count"]):
        assert isinstance(in_time(lambda: client.send(Request("GET", "/"), "one")), RunOver)
    assert "was stopped, or hangs" in Presence(5, tmp_path).ended


def test_a_run_that_was_stopped_as_a_whole_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one wait for a lock takes too long counts as one: the next one finds it free."""
    turns_of = turns.Turns(tmp_path / "lock")
    waits = iter([filelock.Timeout("lock"), None])

    def acquire(**_: object) -> None:
        if (error := next(waits)) is not None:
            raise error

    monkeypatch.setattr(turns_of._lock, "acquire", acquire)
    with turns_of:
        assert next(waits, "over") == "over"


class Over:
    """A run that is over."""

    def __init__(self, *, gone: str) -> None:
        self.presence = SimpleNamespace(gone=gone)
        self.profile = SimpleNamespace(limits=SimpleNamespace(timeout_seconds=0.0))
        self.settings = SimpleNamespace(
            run="run", key=b"", output=Path(), workers=1, began=0.0, budget=None, at_most=None, scenarios=None
        )
        self.faults: list[str] = []

    def fault(self, text: str) -> None:
        """Keeps a fault."""
        self.faults.append(text)

    def take(self, records: Iterable[object]) -> None:
        """Takes nothing."""
        assert not list(records)


@dataclass(eq=False)
class Node:
    """One of xdist's workers."""

    gateway: Any
    workerinput: dict[str, object] = field(default_factory=dict)


@pytest.mark.parametrize("gone", ["its time is spent", ""])
def test_a_worker_that_was_stopped_is_killed_when_its_run_is_over(gone: str) -> None:
    """No sooner: a run that goes on may still need it."""
    run, group = Over(gone=gone), execnet.Group()
    workers = Workers(SimpleNamespace(stash={BASELINE: 0}), run, grace=0.0, look=0.01)  # type: ignore[arg-type]
    node = Node(group.makegateway("popen"))
    process = node.gateway._io.popen
    try:
        workers.pytest_configure_node(node)
        os.kill(process.pid, signal.SIGSTOP)
        workers.watch()
        if gone:
            wait_until(lambda: process.poll() is not None)
        workers.close()
        workers.pytest_testnodedown(node, error="Not properly terminated")
        assert (process.poll() is None) is not bool(gone)
        assert [KILLED in fault for fault in run.faults] == [bool(gone)]
    finally:
        process.kill()
        group.terminate(1)
