"""One trial being made: a reference in one process, the run that judges it in another."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import yaml

from rampcheck.errors import ExitCode, UsageError
from rampcheck.sandbox import builtin_profile
from rampcheck.selftest.trial import Trial
from rampcheck.wire import receiver

PRINTED = "printed.txt"
PROFILE = "profile.yaml"
RUN = "run"
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Conditions:
    """What all trials have in common: the run's `workers`, its `examples` of each property, how long it may take.

    `quick` tries a defect with the scenarios of its own clauses only, and several variants at once.
    """

    workers: int = 1
    examples: int = 10
    most_seconds: float = 300.0
    quick: bool = False


def processes() -> BaseContext:
    """Gives what starts the processes of trials: each a copy of one that has everything loaded; see `warm`.

    Raises `UsageError` on a system that cannot copy a process.
    """
    try:
        context = multiprocessing.get_context("forkserver")
    except ValueError as error:
        raise UsageError("this system cannot copy processes", "Try it on Linux or macOS.") from error
    context.set_forkserver_preload(["__main__", "rampcheck.selftest.warm"])
    return context


class Attempt:
    """A trial from its start to its end, a step at a time; it writes into `folder`.

    `proceed` takes the next step as soon as `connection` has something to read, until `is_over`. Then `code` is the
    run's exit code, None where the run did not come to its end, and `fault` says why.
    """

    def __init__(self, trial: Trial, conditions: Conditions, folder: Path, context: BaseContext) -> None:
        self.trial = trial
        self.folder = folder
        self.code: int | None = None
        self.fault = ""
        self.is_over = False
        self.started = time.monotonic()
        self.conditions = conditions
        self._context = context
        self._webhook_url = f"http://127.0.0.1:{receiver.free_port()}/webhooks"
        folder.mkdir(parents=True)
        self._started: list[tuple[BaseProcess, Connection]] = []
        self._start(serve_reference, trial, self._webhook_url)

    @property
    def connection(self) -> Connection:
        """To the process that is waited for."""
        return self._started[-1][1]

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(  # type: ignore[attr-defined]
            target=_work, args=(theirs, self.folder / PRINTED, work, *arguments), daemon=False
        )
        process.start()
        theirs.close()
        self._started.append((process, ours))

    def proceed(self) -> None:
        """Reads what the process has to say: the reference where it listens, the run its exit code."""
        try:
            said = self.connection.recv()
        except (EOFError, OSError):
            who = "the run" if len(self._started) > 1 else "the reference"
            self.stop(f"{who} ended without a word; see {PRINTED}")
            return
        if len(self._started) == 1:
            self._run(said)
        else:
            self.code = said
            self.stop()

    def _run(self, base_url: str) -> None:
        """Starts the run with a profile in a file, as a user would."""
        profile = builtin_profile(self.trial.contract, base_url, None, self._webhook_url, self.trial.variants)
        path = self.folder / PROFILE
        path.write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")
        given = {
            "profile": path,
            "output": self.folder / RUN,
            "seed": self.trial.seed,
            "strict": True,
            "examples": self.conditions.examples,
            "no_allure": True,
            "clause": self.trial.clauses if self.conditions.quick else (),
        }
        self._start(make_run, self.trial.contract, given, self.conditions.workers)

    def keep_time(self) -> None:
        """Stops a trial that takes too long."""
        if self.seconds > self.conditions.most_seconds:
            self.stop(f"it did not end within {self.conditions.most_seconds:g} s")

    def stop(self, fault: str = "") -> None:
        """Ends the processes, the run first and in good order; `fault` says why, where it had not ended by itself."""
        self.fault = fault
        self.is_over = True
        for number, (process, connection) in reversed(list(enumerate(self._started))):
            connection.close()
            if number and fault:
                process.terminate()
            if number:
                process.join(STOP_SECONDS)
            # The reference has nothing to tidy up, and a server takes its time to end in good order.
            process.kill()
            process.join(STOP_SECONDS)
            process.close()


def _work(connection: Connection, printed: Path, work: Callable[..., None], *arguments: Any) -> None:
    """What a process of a trial does: no word of it reaches the terminal, and Ctrl-C is for the parent alone."""
    os.setsid()
    sys.stdout.flush()
    descriptor = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    # What is left behind goes with the trial's folder.
    tempfile.tempdir = str(printed.parent)
    work(connection, *arguments)


def serve_reference(connection: Connection, trial: Trial, webhook_url: str) -> None:
    """Serves a trial's reference, which says where it listens, until the parent closes the connection."""
    from rampcheck.sandbox import server  # noqa: PLC0415 - the parent does without

    os.dup2(connection.fileno(), 0)
    server.serve(
        trial.contract,
        defects=trial.defects,
        variants=trial.variants,
        webhook_url=webhook_url,
        announce=connection.send,
    )


def make_run(connection: Connection, contract: str, given: dict[str, Any], workers: int) -> None:
    """Makes a run of a contract with these options, and says its exit code."""
    from rampcheck.running import launch  # noqa: PLC0415 - the parent does without

    code = ExitCode.FAULT
    try:
        code = ExitCode(launch.run(contract, given, workers=workers))
    finally:
        connection.send(int(code))
