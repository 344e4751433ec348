"""What came of an exchange that was sent again, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from rampcheck.display import one_line, visible
from rampcheck.report.commands import Commands
from rampcheck.report.evidence import Part, evidence
from rampcheck.wire.journal_records import ExchangeRecord

LONGEST_VALUE = 1_000  # characters: all that a journal keeps of a finding's text
STYLES = {"seen again": "bold red", "new": "bold red", "not seen": "green"}


class Told(NamedTuple):
    """A finding, and in a word what became of it; all texts are redacted."""

    word: str
    clause: str
    expected: str
    actual: str


def print_replay(
    before: ExchangeRecord, now: ExchangeRecord, session: int | None, told: Sequence[Told], console: Console
) -> None:
    """Prints what an exchange answered `before` and `now`, and what became of its findings.

    `session` is the number of the exchange whose session was made before, if any was.
    """
    was, came = (evidence(record, Commands({}, {})) for record in (before, now))
    _say(console, came.title, "bold")
    if session is not None:
        _say(console, f"after the session of exchange {session}, made anew")
    _say(console, f"Then: {was.outcome}")
    _say(console, f"Now:  {came.outcome}")
    for part in came.parts[1:]:
        _print_part(console, part)
    console.print()
    for finding in told:
        _say(console, f"{finding.word}: {finding.clause}", STYLES.get(finding.word, "bold blue"))
        for name, value in (("expected", finding.expected), ("actual", finding.actual)):
            if value:
                _say(console, f"    {name} {one_line(value, LONGEST_VALUE)}")
    if not told:
        _say(console, "Nothing was found broken in it, then or now.", "green")


def _print_part(console: Console, part: Part) -> None:
    console.print()
    for line in (*part.head, "", *(part.body.text.splitlines() if part.body else ())):
        _say(console, f"    {line}" if line else "")


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(visible(text), style), soft_wrap=True)
