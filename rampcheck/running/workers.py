"""The worker processes of a run: what they are told, what they leave, and the end of those that do not end."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from rampcheck.running.opening import BASELINE, REFERENCE
from rampcheck.running.run import Run

# What a worker may still be at when nothing more is asked, besides an exchange: a wait that the target asked for, the
# end of a scenario.
GRACE = 120.0  # seconds
LOOK = 1.0  # seconds between two looks
KILLED = "the run was over, and it did not end (it was stopped, or hung), so it was killed"


class Workers:
    """The part of a run's first process in its workers; a plugin of pytest, for the hooks of xdist.

    xdist waits for a worker for as long as it takes. Who has not ended `grace` seconds after the run was over, and
    after it was begun itself, is killed.
    """

    def __init__(self, config: pytest.Config, run: Run, grace: float = GRACE, look: float = LOOK) -> None:
        self._config = config
        self._run = run
        self._grace = grace + run.profile.limits.timeout_seconds
        self._look = look
        self._begun: dict[Any, float] = {}
        self._killed: set[Any] = set()
        self._changing = threading.Lock()
        self._ended = threading.Event()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a worker what the controller knows; nothing of it is written anywhere."""
        run, running = self._run, self._config.stash.get(REFERENCE, None)
        node.workerinput["rampcheck"] = {
            "run": run.settings.run,
            "key": run.settings.key.hex(),
            "output": str(run.settings.output),
            "workers": run.settings.workers,
            "began": run.settings.began,
            "budget": run.settings.budget,
            "at_most": run.settings.at_most,
            "scenarios": run.settings.scenarios and sorted(run.settings.scenarios),
            "baseline": self._config.stash[BASELINE],
            "reference": running.profile() if running else None,
        }
        with self._changing:
            self._begun[node] = time.monotonic()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Takes what a worker could not write, and records one that did not end by itself: its work was not judged."""
        self._run.take(getattr(node, "workeroutput", {}).get("rampcheck", ()))
        with self._changing:
            self._begun.pop(node, None)
        if error:
            why = KILLED if node in self._killed else error
            self._run.fault(f"the worker {node.gateway.id} ended before its work was done: {why}")

    def watch(self) -> None:
        """Sees to it, until `close`, that they end."""
        threading.Thread(target=self._watch, name="rampcheck-workers", daemon=True).start()

    def close(self) -> None:
        """Watches no more."""
        self._ended.set()

    def _watch(self) -> None:
        over: float | None = None
        while not self._ended.wait(self._look):
            now = time.monotonic()
            if over is None and self._run.presence.gone:
                over = now
            if over is not None:
                for node in self._late(now, over):
                    node.gateway._io.kill()  # what execnet itself does at last, to all of them

    def _late(self, now: float, over: float) -> list[Any]:
        with self._changing:
            late = [node for node, begun in self._begun.items() if now - max(over, begun) > self._grace]
            for node in late:
                del self._begun[node]
            self._killed.update(late)
        return late
