"""What a comparison comes to in a word and a sentence, and how its parts are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rampcheck.comparison.pairs import KINDS, Kind
from rampcheck.report.outline import CLAUSE_VERDICTS
from rampcheck.report.text import enumerated, moment, plural

Clause = Mapping[str, Any]


class Outcome(NamedTuple):
    """What a comparison comes to: the word, a symbol, the colour (a run verdict's), the sentence."""

    word: str
    symbol: str
    tone: str
    sentence: str


# What is counted in the sentence, in this order: how many are what. `still_broken` is no difference.
_COUNTED = {
    "unasked_before": "broken, of which the earlier run did not send what shows it",
    "newly_broken": "broken that were not verified before",
    "unwaived": "no longer waived",
    "waived": "waived now",
    "no_longer_verified": "no longer verified",
    "not_seen_again": "broken before and not asked for again",
    "fixed": "fixed",
    "newly_verified": "newly verified",
    "new": "new",
    "removed": "removed",
    "rejudged": "judged by another level",
    "not_compared": "not compared",
}


def uncompared(comparison: Mapping[str, Any]) -> str:
    """Says how many clauses could not be compared, and why; "" where nothing but the profile kept any from it."""
    told = comparison["uncompared"]
    if not (told["lost"] or told["unselected"] or told["why"] or told["never"] > told["declared"]):
        return ""
    parts = {
        "lost": "verified before and not now",
        "unselected": "not selected in one of the runs",
        "never": "verified in neither",
    }
    number = sum(told[name] for name in parts)
    if not number:
        return f"Every clause could be compared, but {enumerated(told['why'])}."
    listed = enumerated([f"{told[name]:,} {words}" for name, words in parts.items() if told[name]])
    of = f"{number:,} of {plural(sum(comparison['counts'].values()), 'clause')}"
    why = f": {enumerated(told['why'])}" if told["why"] else ""
    return f"{of} could not be compared{f' ({listed})' if listed else ''}{why}."


def outcome(comparison: Mapping[str, Any]) -> Outcome:
    """Says what a comparison comes to; first, where that is so, that the runs seem to be swapped."""
    found = _outcome(comparison)
    if comparison["before"]["started"] <= comparison["after"]["started"] or not any(
        comparison["counts"][kind] for kind in _COUNTED
    ):
        return found
    swapped = "The run that is named first is the later one: what is told as fixed may have regressed. "
    kept = found if comparison["regression"] else found._replace(word="Swapped?", symbol="?", tone="incomplete")
    return kept._replace(sentence=swapped + found.sentence)


def _outcome(comparison: Mapping[str, Any]) -> Outcome:
    counts = comparison["counts"]
    required = sum(clause["regression"] for clause in comparison["clauses"])
    recommended = counts["regressed"] - required
    told = [f"{plural(recommended, 'recommendation')} regressed"] * bool(recommended)
    told += [f"{counts[kind]:,} {words}" for kind, words in _COUNTED.items() if counts[kind]]
    if reworded := sum(bool(clause["changed"]) for clause in comparison["clauses"]):
        told.append(f"{reworded:,} with another level or text")
    rest = f" Besides: {enumerated(told)}." if told else ""
    unknown = uncompared(comparison)
    if comparison["regression"]:
        are = "is" if required == 1 else "are"
        return Outcome(
            "Regressed",
            "✗",
            "nonconformant",
            f"{plural(required, 'required promise')} held before and {are} broken now.{rest} {unknown}".rstrip(),
        )
    if unknown or counts["unasked_before"] or counts["not_seen_again"]:
        of = "Of what both runs looked at,"
        return Outcome(
            "No regression seen", "?", "incomplete", f"{unknown} {of} no required promise regressed.{rest}".lstrip()
        )
    if told:
        return Outcome("No regression", "✓", "partial", f"No required promise regressed.{rest}")
    still, never = counts["still_broken"], comparison["uncompared"]["never"]
    broken = f" {plural(still, 'clause')} {'is' if still == 1 else 'are'} broken in both." * bool(still)
    lacking = f" {plural(never, 'clause')} {'was' if never == 1 else 'were'} verified in neither." * bool(never)
    return Outcome(
        "No difference",
        "=",
        "conformant",
        f"Both runs came to the same for all {sum(counts.values()):,} clauses.{broken}{lacking}",
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


def by_reason(clauses: Sequence[Clause]) -> tuple[tuple[str, tuple[Clause, ...]], ...]:
    """Gives clauses with the reason that they have in common, which is told once; "" where a clause has one of its own.

    In the order of the first of each.
    """
    alike: dict[str, list[Clause]] = {}
    for clause in clauses:
        shared = "" if "follows" in clause or clause["findings"] else reason(clause)
        alike.setdefault(shared or clause["id"], []).append(clause)
    return tuple((why if len(those) > 1 else "", tuple(those)) for why, those in alike.items())


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


def started(run: Mapping[str, Any]) -> str:
    """Gives when a run began, for people."""
    return moment(run["started"])
