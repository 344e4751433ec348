"""What has room on the first sheet of a report, which both sides sign: names whole, waivers, promises not verified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from rampcheck.display import one_line
from rampcheck.judging.results import ClauseResult, Results, WaiverResult
from rampcheck.judging.verdicts import DECLARED
from rampcheck.report.outline import Outline

# Of the style sheet for paper (`print.css`): small lines between what always stands there, and characters in one; the
# same of a cell of the facts, whose lines are a fifth higher.
LINES, WIDTH = 25, 124
CELL, TALLER = 24, 1.2
REACH = 110  # characters in a line of what a budget left out
HEADING = 2.5  # lines of a heading and what is above it
MOST_LISTED = 5  # waivers
WAIVED = 8  # lines of them
SHORTEST_REASON = 80  # characters of a reason that is cut
LEAST_LISTED = 2  # promises, however little room there is
REASONS = 900  # characters of the reasons of waivers together
LONGEST_NAME = 80  # characters of who or what is named
SHORTENED = (3, 2, 1)  # lines of a promise, where all of them whole have no room


@dataclass(frozen=True)
class Certificate:
    """What of a run is told on the first sheet.

    Of its `waivers` each has up to `longest_reason` characters of its reason, of the `promises` that were not verified,
    the required ones first, each has up to `longest_promise` of its text; `more` of each are told below.
    """

    waivers: tuple[WaiverResult, ...]
    more_waivers: int
    longest_reason: int
    promises: tuple[ClauseResult, ...]
    more_promises: int
    longest_promise: int


def certificate(results: Results, outline: Outline) -> Certificate:
    """Gives what has room on the first sheet of a run's report."""
    waivers = results.get("waivers", [])
    shown, longest = _listed(waivers)
    lacked = [clause for gap in outline.gaps if gap.kind == DECLARED for clause in gap.clauses]
    promises = sorted(lacked, key=lambda clause: (clause["level"] != "must", results["clauses"].index(clause)))
    waived = sum(_lines(_waived(waiver, longest)) for waiver in shown) + HEADING * bool(shown)
    room = LINES - _taller(results, outline.reach) - waived
    number, width = _chosen([clause["text"] for clause in promises], room - HEADING - 1)
    return Certificate(
        shown, len(waivers) - len(shown), longest, tuple(promises[:number]), len(promises) - number, width * WIDTH
    )


def _listed(waivers: Sequence[WaiverResult]) -> tuple[tuple[WaiverResult, ...], int]:
    """Gives the waivers that fit with the names in them whole, at least one, and how much of each reason."""
    for number in range(min(MOST_LISTED, len(waivers)), 0, -1):
        listed = tuple(waivers[:number])
        left = WAIVED * WIDTH - sum(len(_waived(waiver, 0)) for waiver in listed)
        longest = fitting([waiver["reason"] for waiver in listed], min(REASONS, left))
        if number == 1 or longest >= min(SHORTEST_REASON, max(len(waiver["reason"]) for waiver in listed)):
            return listed, max(longest, SHORTEST_REASON)
    return (), 0


def _chosen(texts: Sequence[str], room: float) -> tuple[int, int]:
    """Gives how many texts fit, and in how many lines each: as many texts as can be, then as much of each."""
    most = max(map(_lines, texts), default=1)
    for width in (most, *(lines for lines in SHORTENED if lines < most)):
        if sum(min(width, _lines(text)) for text in texts) <= room:
            return len(texts), width
    ends = accumulate(min(1, _lines(text)) for text in texts)
    return max(LEAST_LISTED, sum(1 for _ in takewhile(lambda end: end <= room, ends))), 1


def _lines(text: str, width: int = WIDTH) -> int:
    return max(1, -(-len(one_line(text, len(text))) // width))


def _waived(waiver: WaiverResult, longest: int) -> str:
    names = waiver.get("owner", "")[:LONGEST_NAME] + waiver.get("approver", "")[:LONGEST_NAME]
    return f"{waiver['clause']}, {waiver['state']}, until 2027-01-31, owned by, approved by{names}: " + "x" * min(
        longest, len(waiver["reason"])
    )


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
