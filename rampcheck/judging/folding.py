"""What was seen many times is told once: with a count, and with examples where only the values differ.

What comes thousands of times in one answer is counted as it comes, and only the first of it is kept.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

from rampcheck.judging.results import FindingResult, ObservationResult

EXAMPLES = 3
# Of the findings of a clause in one exchange so many are kept about the same parts of the answer, and so many in all.
KEPT_ALIKE, KEPT = 10, 50

# A quoted text or a number is a value; names in backticks and the status that a text begins with are not.
_VALUE = re.compile(
    r"""^\d{3}\b                        # the status
    | `[^`]*`                           # a name
    | \[redacted\ (?P<mark>\w+)\ [0-9a-f]+\]
    | (?<![\w\\])(?P<text>'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+")
    | (?P<number>(?<![A-Za-z_])-?\d+(?:\.\d+)?)""",
    re.VERBOSE,
)


class Counted(Protocol):
    """A dataclass of which one stands for so many `times` of it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def times(self) -> int:
        """How many it stands for."""


Some = TypeVar("Some", bound=Counted)
Seen = TypeVar("Seen", FindingResult, ObservationResult)


class Few:
    """Says which of many are kept: the first ones of each group, by what they are about. The others are counted."""

    def __init__(self) -> None:
        self._alike: Counter[Hashable] = Counter()
        self._kept: Counter[Hashable] = Counter()
        self._others: Counter[Hashable] = Counter()

    def takes(self, group: Hashable, about: tuple[str, ...]) -> bool:
        """Whether the next one of a group is kept."""
        self._alike[group, about] += 1
        takes = self._alike[group, about] <= KEPT_ALIKE and self._kept[group] < KEPT
        (self._kept if takes else self._others)[group] += 1
        return takes

    def counted(self, kept: Sequence[Some], group: Callable[[Some], Hashable]) -> list[Some]:
        """Gives what was kept; the last one of a group stands for those of it that were not, too."""
        others, found = self._others.copy(), list(kept)
        for place in reversed(range(len(found))) if others else ():
            one = found[place]
            found[place] = replace(one, times=one.times + others.pop(group(one), 0))
        return found


def pattern(text: str) -> str:
    """Gives a text with its values masked: equal patterns say the same of different values."""
    return _VALUE.sub(_masked, text)


def _masked(value: re.Match[str]) -> str:
    if value["mark"]:
        return f"[redacted {value['mark']}]"
    if value["text"]:
        return "'…'"
    return "#" if value["number"] else value[0]


def folded(entries: Iterable[Seen], same: Callable[[Seen], Hashable]) -> list[Seen]:
    """Gives the entries of which `same` is equal as one, with how many `times` it was seen, first seen first."""
    kept: dict[Hashable, Seen] = {}
    for entry in entries:
        if (first := kept.get(same(entry))) is None:
            kept[same(entry)] = entry.copy()
        else:
            first["times"] += entry["times"]
    return list(kept.values())


def folded_findings(findings: Iterable[FindingResult]) -> list[FindingResult]:
    """Gives the findings of a clause that differ only in values as one, the first seen, with the `times` of all.

    Where they do differ, `examples` has the first few of them, each with other values. Those without a text, of which
    only the number is known, are counted with the last. The `answers` of what was seen several times are of all of it,
    or left out.
    """
    alike: dict[tuple[str, str], list[FindingResult]] = {}
    untold = 0
    answers: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    each = [finding.copy() for finding in findings]
    for finding in each:
        answers[pattern(finding["expected"]), pattern(finding["actual"])].update(finding.pop("answers", {}))
    for finding in folded(each, lambda finding: (finding["expected"], finding["actual"])):
        if finding["expected"] or finding["actual"]:
            alike.setdefault((pattern(finding["expected"]), pattern(finding["actual"])), []).append(finding)
        else:
            untold = finding["times"]
    ones = [_one(those) for those in alike.values()]
    if ones:
        ones[-1]["times"] += untold
    for one, of_all in zip(ones, map(answers.__getitem__, alike), strict=True):
        if 1 < one["times"] == of_all.total():
            one["answers"] = dict(sorted(of_all.items()))
    return ones


def _one(alike: list[FindingResult]) -> FindingResult:
    one: FindingResult = {**alike[0], "times": sum(finding["times"] for finding in alike)}
    if len(alike) > 1:
        one["examples"] = [
            {
                "expected": finding["expected"],
                "actual": finding["actual"],
                "exchange": finding["exchange"],
                "scenario": finding["scenario"],
            }
            for finding in alike[:EXAMPLES]
        ]
    return one
