"""What has room on the first sheet of a report, which both sides sign: names whole, waivers, promises not verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rampcheck.contract.register import Level
from rampcheck.display import one_line
from rampcheck.judging.results import ClauseResult, Results, WaiverResult
from rampcheck.judging.verdicts import DECLARED
from rampcheck.report.agreement import LONGEST_NAME, agreed
from rampcheck.report.outline import Outline

# Of the style sheet for paper (`print.css`): small lines between what always stands there, and characters in one; the
# same of a cell of the facts, whose lines are a fifth higher.
LINES, WIDTH = 23, 124
CELL, TALLER = 24, 1.2
REACH = 110  # characters in a line of what a budget left out
HEADING = 2.5  # lines of a heading and what is above it
MOST_LISTED = 5  # waivers
WAIVED = 8  # lines of them
SHORTEST_REASON = 80  # characters of a reason that is cut
LEAST_WAIVED = 3  # lines of them, however many promises are to be named
LEAST_LISTED = 2  # promises, however little room there is
IDS, WORD = 108, 14  # characters of ids in a line, and what stands before them
LONGEST_PROMISE = 160  # characters of one that is waived
REASONS = 900  # characters of the reasons of waivers together
_LEVELS: tuple[Level, ...] = ("must", "should", "open")


@dataclass(frozen=True)
class Certificate:
    """What of a run is told on the first sheet.

    Of its `waivers` each has up to `longest_reason` characters of its reason, and stands with its promise, which
    `texts` has by the clause's id. The `promises` that were not verified, the required ones first, stand there by id,
    `with_texts` where all of them have room; `more` of each are told below.
    """

    waivers: tuple[WaiverResult, ...]
    more_waivers: int
    longest_reason: int
    texts: Mapping[str, str]
    promises: tuple[ClauseResult, ...]
    more_promises: int
    with_texts: bool

    @property
    def by_level(self) -> tuple[tuple[Level, tuple[ClauseResult, ...]], ...]:
        """The promises that were not verified by their level, the required ones first."""
        return _by_level(self.promises)


def certificate(results: Results, outline: Outline) -> Certificate:
    """Gives what has room on the first sheet of a run's report.

    What was not verified is named before a waiver has all of its reason.
    """
    waivers = results.get("waivers", [])
    texts = {clause["id"]: clause["text"] for clause in results["clauses"]}
    lacked = _lacked(results, outline)
    room = LINES - _taller(results, outline.reach) - (HEADING + 1) * bool(lacked)
    left = int(room - _named(lacked) - HEADING)
    shown, longest = _listed(waivers, texts, max(LEAST_WAIVED, min(WAIVED, left)))
    room -= sum(_lines(_waived(waiver, texts, longest)) for waiver in shown) + HEADING * bool(shown)
    with_texts = sum(_lines(f"{clause['id']} ({clause['level']}): {clause['text']}") for clause in lacked) <= room
    number = len(lacked) if with_texts else _fitting_ids(lacked, room)
    return Certificate(
        shown, len(waivers) - len(shown), longest, texts, lacked[:number], len(lacked) - number, with_texts
    )


def _lacked(results: Results, outline: Outline) -> tuple[ClauseResult, ...]:
    """Gives what was not verified of a run that can be signed; else what stands in the way tells all but what lacks."""
    declared = [clause for gap in outline.gaps if gap.kind == DECLARED for clause in gap.clauses]
    lacked = declared if outline.unsigned else outline.by_verdict["not_verified"]
    return tuple(sorted(lacked, key=lambda clause: (_LEVELS.index(clause["level"]), results["clauses"].index(clause))))


def _by_level(clauses: Iterable[ClauseResult]) -> tuple[tuple[Level, tuple[ClauseResult, ...]], ...]:
    return tuple((level, tuple(those)) for level, those in groupby(clauses, key=lambda clause: clause["level"]))


def _named(clauses: Sequence[ClauseResult]) -> int:
    """Gives how many lines the ids of clauses take, each level in lines of its own."""
    widths = [sum(len(clause["id"]) + 2 for clause in those) for _, those in _by_level(clauses)]
    return sum(-(-(WORD + width) // IDS) for width in widths)


def _fitting_ids(clauses: Sequence[ClauseResult], room: float) -> int:
    """Gives of how many clauses the ids fit in."""
    numbers = range(len(clauses), LEAST_LISTED, -1)
    return next((number for number in numbers if _named(clauses[:number]) <= room), min(LEAST_LISTED, len(clauses)))


def _listed(
    waivers: Sequence[WaiverResult], texts: Mapping[str, str], lines: int
) -> tuple[tuple[WaiverResult, ...], int]:
    """Gives the waivers that fit with the names in them whole, at least one, and how much of each reason."""
    for number in range(min(MOST_LISTED, len(waivers)), 0, -1):
        listed = tuple(waivers[:number])
        left = lines * WIDTH - sum(len(_waived(waiver, texts, 0)) for waiver in listed)
        longest = fitting([waiver["reason"] for waiver in listed], max(0, min(REASONS, left)))
        if number == 1 or longest >= min(SHORTEST_REASON, max(len(waiver["reason"]) for waiver in listed)):
            return listed, max(longest, SHORTEST_REASON)
    return (), 0


def _lines(text: str, width: int = WIDTH) -> int:
    return max(1, -(-len(one_line(text, len(text))) // width))


def _waived(waiver: WaiverResult, texts: Mapping[str, str], longest: int) -> str:
    promise = texts.get(waiver["clause"], "")[:LONGEST_PROMISE]
    about = f"{waiver['clause']}: {promise} ({waiver['state']}, until 2027-01-31, {agreed(waiver)}): "
    return about + "x" * min(longest, len(waiver["reason"]))


def _taller(results: Results, reach: str) -> float:
    """Gives how many lines the verdict and the facts take more than they do mostly: names are told whole."""
    subject, target = results.get("subject"), results["target"]
    named = (subject["partner"], subject["build"], subject["requested_by"]) if subject else ()
    rows: tuple[Iterable[int], ...] = (
        (_lines(target["base_url"][:LONGEST_NAME], 2 * CELL), _lines(target["environment"][:LONGEST_NAME], CELL)),
        (_lines(name[:LONGEST_NAME], CELL) for name in named),
    )
    lines = _lines(reach, REACH) if reach else 0
    return TALLER * (lines + sum(max(row, default=1) - 1 for row in rows))


def fitting(texts: Sequence[str], room: int = REASONS) -> int:
    """Gives up to how many characters each of some texts may have for all of them to fit in: few are shown whole."""
    lengths = sorted(len(one_line(text, len(text))) for text in texts)
    for number, length in enumerate(lengths):
        share = room // (len(lengths) - number)
        if length > share:
            return share
        room -= length
    return lengths[-1] if lengths else 0
