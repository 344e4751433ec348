"""Making trials, several at a time."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

from rampcheck import options
from rampcheck.selftest.attempt import RUN, Attempt, Conditions, processes
from rampcheck.selftest.outcome import Outcome, read
from rampcheck.selftest.trial import Trial

LOOK_SECONDS = 1.0


def make(  # noqa: PLR0913 - each is an option
    trials: Iterable[Trial],
    conditions: Conditions,
    folder: Path,
    *,
    jobs: int,
    keep: bool,
    measure: bool = False,
    ended: Callable[[Outcome], None],
) -> None:
    """Makes the trials, `jobs` of them at a time, and calls `ended` with what came of each.

    Each writes into a folder of its own below `folder`, which is deleted afterwards unless the outcome needs a look, or
    `keep` is given. What a quick trial misses is tried again with the whole suite; what is not as it should be of
    several at once, each by itself. To `measure` what scenarios cost, the reference is asked as many generated requests
    as any target.

    An exception, of `ended` or of Ctrl-C, ends the trials under way before it goes on.
    """
    usual = replace(conditions, examples=options.default("examples"))
    waiting = deque((trial, usual if measure and trial.kind == "reference" else conditions) for trial in trials)
    running: list[Attempt] = []
    context = processes()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                trial, under = waiting.popleft()
                running.append(Attempt(trial, under, folder / trial.label, context))
            ready = wait([attempt.connection for attempt in running], LOOK_SECONDS)
            for attempt in running:
                if attempt.connection in ready:
                    attempt.proceed()
                else:
                    attempt.keep_time()
            over = [attempt for attempt in running if attempt.is_over]
            running = [attempt for attempt in running if not attempt.is_over]
            for attempt in over:
                outcome = _outcome(attempt, keep=keep)
                again = _again(outcome, attempt.conditions)
                waiting += again
                if again:
                    _delete(attempt.folder)
                else:
                    ended(outcome)
    finally:
        for attempt in running:
            attempt.stop("it was interrupted")
            _delete(attempt.folder)
        # The folder itself goes with the last of the trials'.
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def _again(outcome: Outcome, conditions: Conditions) -> list[tuple[Trial, Conditions]]:
    """Gives the trials that tell more than this one did, and how they are to be made."""
    trial = outcome.trial
    # Without a clause of its own, it was tried with the whole suite already.
    if outcome.result == "missed" and conditions.quick and trial.clauses:
        return [(trial, replace(conditions, quick=False))]
    if outcome.result != "conforming" or not set(outcome.unverified) <= set(trial.unverified):
        return [(part, conditions) for part in trial.parts]
    return []


def _outcome(attempt: Attempt, *, keep: bool) -> Outcome:
    outcome = read(attempt.trial, attempt.folder / RUN, attempt.code, attempt.fault, round(attempt.seconds, 2))
    if keep or outcome.needs_a_look:
        return replace(outcome, folder=attempt.folder)
    _delete(attempt.folder)
    return outcome


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
