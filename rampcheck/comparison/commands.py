"""The commands over saved runs: `rampcheck compare`, `rampcheck history`."""

from __future__ import annotations

from pathlib import Path

import click

from rampcheck.command import Command, pack_option
from rampcheck.errors import ExitCode, UsageError, writing


@click.command(cls=Command)
@pack_option
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write compare.html, compare.md (for a pipeline's job page) and compare.json there.",
)
@click.argument("before", type=click.Path())
@click.argument("after", type=click.Path())
def compare(before: str, after: str, output: str | None) -> int:
    """Tells what became of each clause between two runs of one contract.

    BEFORE and AFTER are the folders of two runs, or their results.json. With the folders, the journals are read, too:
    each regression shows both answers to the same request, and answer times are compared.

    The exit code is 1 where a required promise held before and is broken now, 4 where the runs cannot be compared, else
    0. What was not verified before and is broken now is told, and is no regression: nobody knows how long it has been
    broken. The same goes for what the earlier run, of another budget or selection, did not send; for a waiver that
    ended; and for answer times.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does without

    from rampcheck.comparison import differences, pages, saved, terminal  # noqa: PLC0415 - `--help` does without

    comparison = differences.compare(saved.load(Path(before)), saved.load(Path(after)))
    place = ""
    if output:
        with writing(output, "Name another folder with --output."):
            place = str(pages.write(comparison, Path(output)))
    terminal.print_comparison(comparison, Console(), place)
    return ExitCode.NONCONFORMANT if comparison["regression"] else ExitCode.CONFORMANT


@click.command(cls=Command)
@pack_option
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write history.html there.",
)
@click.argument("runs", nargs=-1, required=True, metavar="DIR...", type=click.Path())
def history(runs: tuple[str, ...], output: str | None) -> int:
    """Tells the verdict of each clause by release, over runs of one contract.

    DIR is the folder of a run, or its results.json. Releases are named by `subject.build` of the profile, where it was
    given, else by the time of the run, and stand in the order of time. A clause that was judged differently in runs of
    one and the same build is named as flaky. The exit code is 0, or 4 where the runs cannot be shown together.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does without

    from rampcheck.comparison import history_pages, releases, saved  # noqa: PLC0415 - `--help` does without

    # One run has many names: with a slash at its end, by its results.json, by a link.
    if len({saved.results_of(Path(run)).resolve() for run in runs}) < len(runs):
        raise UsageError("a run is named twice", "Name each run once.")
    told = releases.history([saved.anything(Path(run)) for run in runs])
    place = ""
    if output:
        with writing(output, "Name another folder with --output."):
            place = str(history_pages.write(told, Path(output)))
    history_pages.print_history(told, Console(), place)
    return ExitCode.CONFORMANT
