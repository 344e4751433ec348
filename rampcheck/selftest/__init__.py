"""The selftest: whether the suite catches every defect of the reference, and fails no variant.

`planned` says what to try, `prove` tries it and writes the matrix, `print_matrix` shows what came of it.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rampcheck.contract import packs, register
from rampcheck.errors import UsageError
from rampcheck.report.text import enumerated, plural
from rampcheck.running import launch, termination, worth
from rampcheck.selftest import bench, matrix, page
from rampcheck.selftest.attempt import Conditions
from rampcheck.selftest.members import Matrix
from rampcheck.selftest.outcome import Outcome
from rampcheck.selftest.terminal import print_matrix
from rampcheck.selftest.trial import Selection, Trial, grouped, planned, spread

__all__ = ["Conditions", "Selection", "Trial", "grouped", "planned", "print_matrix", "prove"]


def prove(  # noqa: PLR0913 - each is an option
    selection: Selection,
    conditions: Conditions,
    output: Path,
    *,
    jobs: int | None = None,
    keep: bool = False,
    measure: bool = False,
    progress: Console | None = None,
    trials: list[Trial] | None = None,
) -> Matrix:
    """Makes the trials of a selection, or these, writes matrix.json and index.html; gives the content of matrix.json.

    `jobs` trials run at a time, two a processor unless given, because each waits for a third of its time; `keep` keeps
    the folders of all; `measure` writes what the scenarios are worth into the folders of their suites; `progress` shows
    a bar while it lasts. After Ctrl-C or SIGTERM, what was done so far is written.
    Raises `UsageError` where there is nothing to try, too little to `measure`, or `output` holds something already.
    """
    if measure and not selection.is_everything:
        raise UsageError(
            "--write-worth measures by all defects of a contract, and a part of them was chosen",
            "Leave the choice out, or --write-worth.",
        )
    if trials is None:
        trials = planned(selection)
        trials = grouped(trials) if conditions.quick else trials
    if not trials:
        raise UsageError("there is nothing to try", "`rampcheck serve --list-defects` names the defects.")
    if output.exists() and any(output.iterdir()):
        raise UsageError(f"{output} holds something already", "Name another folder with --output.")
    output = output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    jobs = jobs or 2 * (os.cpu_count() or 1)
    outcomes: list[Outcome] = []
    started = time.time()
    interrupted = True
    console = progress or Console(quiet=True)
    console.print(announced(trials), highlight=False)
    with _bar(console) as bar, suppress(KeyboardInterrupt), termination.as_interruption():
        task = bar.add_task("", total=len(trials), wrong=0)

        def ended(outcome: Outcome) -> None:
            outcomes.append(outcome)
            bar.update(task, advance=1, wrong=sum(one.needs_a_look for one in outcomes))

        bench.make(spread(trials), conditions, output / "trials", jobs=jobs, keep=keep, measure=measure, ended=ended)
        interrupted = False
    made = matrix.Made(selection, conditions, jobs, len(trials), started, time.time(), interrupted)
    content = matrix.matrix(outcomes, made, output)
    matrix.write(content, output)
    page.write(content, output, is_everything=selection.is_everything)
    if measure and not interrupted:
        for name in selection.contracts:
            _write_worth(name, outcomes)
    return content


def announced(trials: Sequence[Trial]) -> str:
    """Says before they are made what trials are, and how many servers of which kind they try."""
    alone = [part for trial in trials for part in trial.parts or (trial,)]
    kinds = {"reference": "as it is", "defect": "with a defect", "variant": "with a variant"}
    counts: Counter[str] = Counter(trial.kind for trial in alone)
    told = enumerated([f"{counts[kind]:,} {words}" for kind, words in kinds.items() if counts[kind]])
    shared = ", several of them in one" if len(alone) > len(trials) else ""
    return f"{plural(len(trials), 'trial')}, each a run against a server of its own: {told}{shared}."


def _write_worth(contract: str, outcomes: Iterable[Outcome]) -> None:
    """Writes what each scenario of a contract was worth in these trials, into the folder of its suite."""
    own = [outcome for outcome in outcomes if outcome.trial.contract == contract]
    plain = next(outcome for outcome in own if outcome.trial.kind == "reference")
    caught = [outcome for outcome in own if outcome.trial.kind == "defect" and outcome.trial.clauses]
    found = {outcome.trial.name: outcome.found_by for outcome in caught}
    breaks = {outcome.trial.name: outcome.trial.clauses[0] for outcome in caught}
    path = packs.of(contract).suite(contract) / worth.FILE_NAME
    scenarios = (worth.key(scenario.key) for scenario in launch.scenarios(register.load(contract), ""))
    # One that needs no more than a control that was there already sends nothing.
    costs = {**dict.fromkeys(scenarios, 0), **plain.costs}
    content = worth.written(found, breaks, costs, plain.tried)
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("Trials made"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[wrong]} not as required"),
        console=console,
        transient=True,
    )
