"""The last words of a selftest on the terminal: what is not as required, and where to look."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from rampcheck.display import one_line
from rampcheck.report.text import plural
from rampcheck.selftest.matrix import is_as_required
from rampcheck.selftest.members import Matrix, TrialMembers
from rampcheck.selftest.page import FILE_NAME, RESULTS, early, remark, sentence

LONGEST_REMARK = 400  # characters


def print_matrix(matrix: Matrix, console: Console, folder: Path) -> None:
    """Prints what of a matrix is not as required, each with its trial's folder below `folder`; the sums last."""
    for entry in matrix["trials"]:
        if not is_as_required(entry):
            _print_wrong(console, entry, folder)
    sums = matrix["summary"]
    middle = sums["median_to_first_finding"]
    found = f"; first finding after {middle:g} requests in the median" if middle is not None else ""
    console.print(
        f"{plural(len(matrix['trials']), 'trial')} in {matrix['seconds']:.0f} s, {matrix['jobs']} at a time; "
        f"{plural(sums['requests'], 'request')}{found}",
        highlight=False,
    )
    if told := early(matrix):
        console.print(f"How early in a run (APFD, 1 is at once): {told}", highlight=False)
    console.print(f"Matrix: {folder / FILE_NAME}", highlight=False, soft_wrap=True)
    console.print()
    good = matrix["as_required"]
    word = Text("✓ As required: " if good else "✗ Not as required: ", "bold green" if good else "bold red")
    if matrix["interrupted"]:
        word = Text(f"? Interrupted after {len(matrix['trials'])} of {plural(matrix['planned'], 'trial')}: ", "bold")
    console.print(Text.assemble(word, sentence(matrix)), highlight=False)


def _print_wrong(console: Console, entry: TrialMembers, folder: Path) -> None:
    heading = f"{entry['contract']} {entry['kind']} {entry['name']}, seed {entry['seed']}"
    console.print(Text.assemble(("✗ ", "bold red"), (heading, "bold"), ": ", _wrong(entry)), highlight=False)
    console.print(Text(f"    {one_line(entry['summary'], LONGEST_REMARK)}"), highlight=False)
    console.print(Text(f"    {one_line(remark(entry), LONGEST_REMARK)}"), highlight=False)
    if entry["folder"]:
        console.print(Text(f"    {folder / entry['folder']}", "dim"), highlight=False, soft_wrap=True)
    console.print()


def _wrong(entry: TrialMembers) -> str:
    if entry["result"] in {"convicted", "ended"}:
        return "an unrelated clause failed"
    return "a gap" if entry["result"] == "conforming" else RESULTS[entry["result"]].word
