"""A comparison on the terminal: what changed, most pressing first, the word last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from rampcheck.comparison import words
from rampcheck.comparison.words import Group
from rampcheck.display import one_line
from rampcheck.report.console import heading, say
from rampcheck.report.outline import RUN_VERDICTS
from rampcheck.report.terminal import STYLES
from rampcheck.report.text import moment, plural

LONGEST_VALUE = 400  # characters
LINES_SHOWN = 12  # of two answers that differ
CLAUSES_SHOWN = 30  # of one kind
DETAILED = frozenset({"regressed", "unasked_before", "newly_broken"})
COUNTED = frozenset({"not_compared"})  # of these, only how many there are


def print_comparison(comparison: Mapping[str, Any], console: Console, place: str = "") -> None:
    """Prints a comparison; `place` says where it was written, if it was."""
    if unknown := words.uncompared(comparison):
        say(console, Text(unknown, STYLES["incomplete"]), Text("? ", STYLES["incomplete"]))
    for group in words.groups(comparison):
        _print_group(console, group)
    _print_reworded(console, words.reworded(comparison))
    _print_settings(console, comparison["settings"])
    _print_list(
        console,
        "Answer times beyond noise",
        (f"{row['endpoint']} is {row['differs']}: {words.time(row)}" for row in words.beyond_noise(comparison)),
    )
    _print_list(console, "Notes", comparison["notes"])
    say(console, "")
    for name in ("before", "after"):
        run = comparison[name]
        verdict = RUN_VERDICTS[run["verdict"]].word.lower()
        told = f"{words.name(run)}, {moment(run['started'])}, {run['target']['base_url']}, {verdict}"
        say(console, one_line(told, LONGEST_VALUE), f"{name.capitalize():<8}")
    if place:
        say(console, f"Comparison: {place}")
    outcome = words.outcome(comparison)
    style = STYLES[outcome.tone]
    text = Text.assemble((outcome.word, style), f": {comparison['title']}. {outcome.sentence}")
    say(console, text, Text(f"{outcome.symbol} ", style))


def _print_group(console: Console, group: Group) -> None:
    kind = group.kind
    style = STYLES[kind.tone]
    heading(console, group.heading, style)
    say(console, Text(f"{kind.meaning}", "dim"), "  ")
    if group.name in COUNTED:
        return
    for shared, clauses in words.by_reason(group.clauses[:CLAUSES_SHOWN]):
        if shared:
            say(console, one_line(shared, LONGEST_VALUE), Text(f"{kind.symbol} ", style))
        for clause in clauses:
            level = (clause["after"] or clause["before"])["level"]
            line = Text.assemble((clause["id"], "bold"), f"  ({level}; {words.pair(clause)})")
            say(console, line, "    " if shared else Text(f"{kind.symbol} ", style))
            if not shared and (reason := words.reason(clause)):
                say(console, one_line(reason, LONGEST_VALUE), "    ")
            if group.name in DETAILED and "follows" not in clause:
                _print_evidence(console, clause)
    if (more := len(group.clauses) - CLAUSES_SHOWN) > 0:
        say(console, f"and {more:,} more; --output writes all", "  ")


def _print_evidence(console: Console, clause: Mapping[str, Any]) -> None:
    say(console, one_line(clause["after"]["text"], LONGEST_VALUE), "    ")
    for finding in clause["findings"][:1]:
        for name in ("expected", "actual", "scenario"):
            say(console, one_line(str(finding[name]), LONGEST_VALUE), Text(f"    {name:<10}", "dim"))
    for answers in clause["answers"]:
        before = "no such request" if answers["before"] is None else f"exchange {answers['before']}"
        what = f"{answers['request']}{f', {change}' if (change := answers['change']) else ''}"
        told = f"{what}: {before} before, exchange {answers['after']} after"
        say(console, one_line(told, LONGEST_VALUE), Text("    answers   ", "dim"))
        _print_rows(console, answers)


def _print_rows(console: Console, answers: Mapping[str, Any]) -> None:
    apart = [row for row in answers["rows"] if row["differs"]]
    if not apart:
        say(console, "they differ in nothing but what differs between any two answers", "              ")
    for row in apart[:LINES_SHOWN]:
        for sign, side, style in (("-", "before", "green"), ("+", "after", "red")):
            if row[side] is not None:
                say(console, Text(one_line(row[side], LONGEST_VALUE), style), Text(f"            {sign} ", style))
    if len(apart) > LINES_SHOWN:
        say(console, f"and {len(apart) - LINES_SHOWN:,} more lines; --output writes them", "              ")
    if answers["cut"]:
        say(console, f"and {plural(answers['cut'], 'line')} after these, in the runs' own journals", "              ")


def _print_reworded(console: Console, clauses: Iterable[Mapping[str, Any]]) -> None:
    _print_list(
        console,
        "Changed clauses",
        (
            f"{clause['id']}: {name}: {clause['before'][name]} → {clause['after'][name]}"
            for clause in clauses
            for name in clause["changed"]
        ),
    )


def _print_settings(console: Console, settings: Iterable[Mapping[str, Any]]) -> None:
    told = [f"{change['name']}: {change['before']} → {change['after']}" for change in settings if change["matters"]]
    _print_list(console, "The runs themselves differ, which may explain the rest", told)


def _print_list(console: Console, title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if number == 0:
            heading(console, title)
        say(console, one_line(line, LONGEST_VALUE), "- ")
