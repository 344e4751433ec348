"""What a comparison comes to in a word and a sentence, and how its parts are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rampcheck.comparison.pairs import KINDS, Kind
from rampcheck.report.outline import CLAUSE_VERDICTS
from rampcheck.report.text import enumerated, plural

Clause = Mapping[str, Any]


class Outcome(NamedTuple):
    """What a comparison comes to: the word, a symbol, the colour (a run verdict's), the sentence."""

    word: str
    symbol: str
    tone: str
    sentence: str


# What is counted in the sentence, in this order: how many are what. `still_broken` is no difference.
_COUNTED = {
    "newly_broken": "broken that were not verified before",
    "unwaived": "no longer waived",
    "waived": "waived now",
    "no_longer_verified": "no longer verified",
    "fixed": "fixed",
    "newly_verified": "newly verified",
    "new": "new",
    "removed": "removed",
    "rejudged": "judged by another level",
    "not_compared": "not compared",
}


def outcome(comparison: Mapping[str, Any]) -> Outcome:
    """Says what a comparison comes to."""
    counts = comparison["counts"]
    required = sum(clause["regression"] for clause in comparison["clauses"])
    recommended = counts["regressed"] - required
    told = [f"{plural(recommended, 'recommendation')} regressed"] * bool(recommended)
    told += [f"{counts[kind]:,} {words}" for kind, words in _COUNTED.items() if counts[kind]]
    if reworded := sum(bool(clause["changed"]) for clause in comparison["clauses"]):
        told.append(f"{reworded:,} with another level or text")
    rest = f" Besides: {enumerated(told)}." if told else ""
    if comparison["regression"]:
        are = "is" if required == 1 else "are"
        return Outcome(
            "Regressed",
            "✗",
            "nonconformant",
            f"{plural(required, 'required promise')} held before and {are} broken now.{rest}",
        )
    if told:
        return Outcome("No regression", "✓", "partial", f"No required promise regressed.{rest}")
    still = counts["still_broken"]
    broken = f" {plural(still, 'clause')} {'is' if still == 1 else 'are'} broken in both." * bool(still)
    return Outcome(
        "No difference",
        "=",
        "conformant",
        f"Both runs came to the same for all {sum(counts.values()):,} clauses.{broken}",
    )


@dataclass(frozen=True)
class Group:
    """The clauses of one kind of change, in the order of reading; `heading` says the kind and how many."""

    name: str
    kind: Kind
    clauses: tuple[Clause, ...]

    @property
    def heading(self) -> str:
        """The kind of change, and how many clauses changed so."""
        return f"{self.kind.heading}: {plural(len(self.clauses), 'clause')}"


def groups(comparison: Mapping[str, Any]) -> tuple[Group, ...]:
    """Gives the clauses by kind of change, in the order of reading, those without a difference left out.

    Under each kind, what follows from another clause comes last.
    """
    found = []
    for name, kind in KINDS.items():
        clauses = [clause for clause in comparison["clauses"] if clause["kind"] == name]
        if clauses and name != "unchanged":
            found.append(Group(name, kind, tuple(sorted(clauses, key=lambda clause: "follows" in clause))))
    return tuple(found)


def reworded(comparison: Mapping[str, Any]) -> tuple[Clause, ...]:
    """Gives the clauses whose level or text is another one."""
    return tuple(clause for clause in comparison["clauses"] if clause["changed"])


def pair(clause: Clause) -> str:
    """Gives the verdicts of a clause before and after: `passed → failed`."""
    sides = [clause["before"], clause["after"]]
    return " → ".join(CLAUSE_VERDICTS[side["verdict"]].word if side else "none" for side in sides)


def reason(clause: Clause) -> str:
    """Gives why a clause has its verdict in the later run, or what it follows from; "" where nothing tells."""
    if "follows" in clause:
        return f"in consequence of {clause['follows']}"
    return str((clause["after"] or {}).get("reason", ""))


def time(row: Mapping[str, Any]) -> str:
    """Gives the answer times of an endpoint in both runs."""
    sides = [
        f"{side['median_ms']:,} ms ({side['q1_ms']:,} to {side['q3_ms']:,}, {plural(side['answers'], 'answer')})"
        for side in (row["before"], row["after"])
    ]
    return " → ".join(sides)


def beyond_noise(comparison: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Gives the endpoints whose answer times differ beyond noise."""
    return [row for row in comparison["times"] if row["differs"]]


def name(run: Mapping[str, Any]) -> str:
    """Gives what a run is called: its build, where the profile named it, and its id."""
    return f"{run['build']} (run {run['run']})" if run["build"] else f"run {run['run']}"
