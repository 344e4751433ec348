"""What was seen of each clause, ready to be shown, with each exchange in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rampcheck.judging.results import ClauseResult, Example, FindingResult, ObservationResult
from rampcheck.report.commands import Command, Commands
from rampcheck.report.difference import Piece, differing
from rampcheck.report.evidence import Evidence, Part, evidence
from rampcheck.report.extract import extract
from rampcheck.report.outline import GAPS, answers_text, gap_group, others, trace_text
from rampcheck.wire.journal_records import ExchangeRecord

SEEN_SHOWN = 20  # findings or observations of one clause; results.json holds all
LONGEST_COMPARED = 1_000  # characters of an expected or actual value that are shown, and compared
ROOM = 3_000_000  # characters of the exchanges on a page, for it to open at once; the others stand in journal.jsonl
# How the texts of findings name another exchange, as invariants of a whole run do.
OTHER = re.compile(r"\bexchange (\d{1,9})\b")
MOST_BESIDE = 3
MARKUP = 1_500  # characters of an exchange that are not its own


@dataclass(frozen=True)
class Beside:
    """An exchange that a finding names besides its own: its number, `place` and `evidence` as those of a sight."""

    exchange: int
    place: str
    evidence: Evidence | None


@dataclass(frozen=True)
class Sight:
    """A finding or an observation. `evidence` is set where its exchange is shown: where it is first cited.

    `expected` and `actual` are in pieces, each with whether it differs from the other text; `expected` is None of an
    observation. `extract` is the part of what the target sent that is the evidence. `place` says where its exchange is:
    `here`, `elsewhere` on the page, in the `journal`, `lost`, or nowhere (empty) where no single exchange shows it.
    `examples` are those of the same kind with other values, `beside` the exchanges with which it disagrees, `together`
    the command that sends it and these. `trace` is by what the vendor finds the exchange in its own traces, `answers`
    says how all the exchanges ended in which it was seen.
    """

    expected: list[Piece] | None
    actual: list[Piece]
    exchange: int | None
    place: str
    evidence: Evidence | None
    extract: str
    scenario: str
    times: int
    examples: tuple[Sight, ...] = ()
    beside: tuple[Beside, ...] = ()
    together: Command | None = None
    trace: str = ""
    answers: str = ""


@dataclass(frozen=True)
class ClauseView:
    """A clause with what was seen of it."""

    data: ClauseResult
    findings: tuple[Sight, ...]
    observations: tuple[Sight, ...]

    @property
    def gap(self) -> str:
        """In a word or two, what a gap it is; empty where the results do not tell of one."""
        return GAPS[gap_group(self.data["gap"], self.data["reason"])].word if "gap" in self.data else ""

    @property
    def share(self) -> str:
        """In how many of the answers it was seen broken: `3 of 12`; empty where that is not known."""
        broken = sum(finding["times"] for finding in self.data["findings"])
        judged = self.data["exercised"]
        return f"{broken:,} of {judged:,}" if 0 < broken <= judged else ""


def _size(part: Part) -> int:
    return sum(map(len, part.head)) + (len(part.body.text) if part.body else 0)


def _compared(expected: str | None, actual: str) -> tuple[list[Piece] | None, list[Piece]]:
    """Gives both in pieces; without anything marked where there is nothing to compare, or too much."""
    if expected is None:
        return None, [(actual, False)]
    if max(len(expected), len(actual)) > LONGEST_COMPARED:
        return [(expected, False)], [(actual, False)]
    return differing(expected, actual)


class Shelf:
    """The exchanges of a run; each is taken once, by who asks first, as long as there is room on the page.

    `variables` names the environment variable of each credential, for its commands.
    """

    def __init__(
        self, exchanges: Mapping[int, ExchangeRecord], room: int = ROOM, variables: Mapping[str, str] | None = None
    ) -> None:
        self._exchanges = exchanges
        self._commands = Commands(exchanges, variables or {})
        self._room = room
        self._taken: set[int] = set()

    def take(self, number: int | None) -> Evidence | None:
        """Gives the evidence of an exchange, or None where it is lost, taken already, or there is no room for it."""
        if number is None or number not in self._exchanges or number in self._taken:
            return None
        taken = evidence(self._exchanges[number], self._commands)
        size = MARKUP + len(taken.command.text) + sum(_size(part) for part in taken.parts)
        if size > self._room:
            return None
        self._room -= size
        self._taken.add(number)
        return taken

    def place(self, number: int | None) -> str:
        """Says where an exchange is that could not be taken."""
        if number is None:
            return ""
        if number not in self._exchanges:
            return "lost"
        return "elsewhere" if number in self._taken else "journal"

    def sight(self, seen: FindingResult | ObservationResult | Example) -> Sight:
        """Gives a finding or an observation of the results, and takes the exchange that it cites."""
        told = seen["expected"] if "expected" in seen else None  # noqa: SIM401 - of a union, `get` gives any object
        about = seen["about"] if "about" in seen else ()  # noqa: SIM401 - of a union, `get` gives any object
        times = seen["times"] if "times" in seen else 1  # noqa: SIM401 - of a union, `get` gives any object
        expected, actual = _compared(told, seen["actual"])
        number = seen["exchange"]
        exchange = self._exchanges.get(number) if number is not None else None
        taken = self.take(number)
        named = self._named(told or "", seen["actual"], number)
        return Sight(
            expected=expected,
            actual=actual,
            exchange=number,
            place="here" if taken else self.place(number),
            evidence=taken,
            extract=extract(exchange, about) if exchange is not None and about else "",
            scenario=seen["scenario"],
            times=times,
            beside=tuple(map(self._beside, named)),
            together=self._together([number, *named]) if number is not None and named else None,
            trace=trace_text(seen),
            answers=answers_text(seen),
        )

    def _named(self, expected: str, actual: str, own: int | None) -> list[int]:
        """Gives the exchanges that the texts of a finding name as the other side of it."""
        named = dict.fromkeys(int(number) for number in OTHER.findall(f"{expected} {actual}"))
        return [number for number in named if number in self._exchanges and number != own][:MOST_BESIDE]

    def _together(self, numbers: Sequence[int]) -> Command | None:
        """Gives the command for several exchanges, where they are known and there is room for it."""
        if not all(number in self._exchanges for number in numbers):
            return None
        command = self._commands.together([self._exchanges[number] for number in numbers])
        if not command.text or len(command.text) > self._room:
            return None
        self._room -= len(command.text)
        return command

    def _beside(self, number: int) -> Beside:
        taken = self.take(number)
        return Beside(number, "here" if taken else self.place(number), taken)

    def views(self, clauses: Iterable[ClauseResult]) -> dict[str, ClauseView]:
        """Gives the view of each clause, by id; `clauses` stand in the order of reading, and may come twice.

        What each finding cites is taken first, what its further examples cite only where there is room left.
        """
        known = {clause["id"]: clause for clause in clauses}
        views = {
            name: ClauseView(clause, self._sights(clause["findings"]), self._sights(clause["observations"]))
            for name, clause in known.items()
        }
        return {
            name: replace(view, findings=tuple(map(self._with_examples, view.findings, known[name]["findings"])))
            for name, view in views.items()
        }

    def _sights(self, seen: Sequence[FindingResult | ObservationResult]) -> tuple[Sight, ...]:
        return tuple(self.sight(one) for one in seen[:SEEN_SHOWN])

    def _with_examples(self, sight: Sight, seen: FindingResult) -> Sight:
        return replace(sight, examples=tuple(map(self.sight, others(seen))))
