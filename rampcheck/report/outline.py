"""What a reader of any report wants to know first, worked out once from the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rampcheck.report.text import plural

Clause = Mapping[str, Any]


class Word(NamedTuple):
    """How a verdict is shown: the word, a symbol (colour is never alone), and what it means."""

    word: str
    symbol: str
    meaning: str


# In the order of reading: what needs somebody's attention first.
CLAUSE_VERDICTS: Mapping[str, Word] = {
    "failed": Word("failed", "✗", "exercised, and seen broken"),
    "waived": Word("waived", "≈", "seen broken, and a waiver in the profile covers it"),
    "advisory": Word("advisory", "!", "recommended, and seen broken; no obstacle to conformance"),
    "not_verified": Word(
        "not verified", "?", "could not be tried; speaks neither for the target nor against it"
    ),
    "observed": Word("observed", "○", "the documentation leaves it open; what the target did is recorded"),
    "passed": Word("passed", "✓", "exercised at least once and never seen broken"),
}

RUN_VERDICTS: Mapping[str, Word] = {
    "conformant": Word("Conformant", "✓", "nothing failed, and every required promise was verified"),
    "conformant_with_gaps": Word(
        "Conformant, with gaps", "✓", "nothing failed, but a required promise was not verified"
    ),
    "nonconformant": Word("Not conformant", "✗", "at least one clause failed"),
    "inconclusive": Word("Inconclusive", "?", "nothing could be judged"),
}

LEVELS: Mapping[str, str] = {
    "must": "the documentation states it as a fact or a rule",
    "should": "the documentation recommends it, or implies it so plainly that partners rely on it",
    "open": "the documentation is silent or contradicts itself",
}


@dataclass(frozen=True)
class Gap:
    """One reason for which clauses were not verified, and those clauses."""

    reason: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Lead:
    """A clause that follows from no other, and those that follow from it."""

    clause: Clause
    followers: tuple[Clause, ...]


@dataclass(frozen=True)
class Outline:
    """The results in the order of reading.

    `word` and `sentence` say what the run's verdict means here; `early_end` is a sentence where the run
    stopped before its end, else empty; `by_verdict` has the clauses of every verdict in the order of the
    documentation; `leads` has them without those that follow from another, what most others follow from first;
    `gaps` has those not verified, by reason, the widest gap first.
    """

    word: Word
    sentence: str
    early_end: str
    by_verdict: Mapping[str, tuple[Clause, ...]]
    leads: Mapping[str, tuple[Lead, ...]]
    gaps: tuple[Gap, ...]


def outline(results: Mapping[str, Any]) -> Outline:
    """Gives the outline of valid `results`."""
    clauses = results["clauses"]
    by_verdict = {name: tuple(c for c in clauses if c["verdict"] == name) for name in CLAUSE_VERDICTS}
    return Outline(
        word=RUN_VERDICTS[results["verdict"]],
        sentence=_sentence(results, by_verdict),
        early_end=_early_end(results),
        by_verdict=by_verdict,
        leads={name: _leads(those, clauses) for name, those in by_verdict.items()},
        gaps=_gaps(by_verdict["not_verified"]),
    )


def _leads(those: tuple[Clause, ...], clauses: Sequence[Clause]) -> tuple[Lead, ...]:
    leads = [
        Lead(clause, tuple(other for other in clauses if other.get("follows") == clause["id"]))
        for clause in those
        if "follows" not in clause
    ]
    return tuple(sorted(leads, key=lambda lead: -len(lead.followers)))


def _gaps(unverified: tuple[Clause, ...]) -> tuple[Gap, ...]:
    by_reason: dict[str, list[Clause]] = {}
    for clause in unverified:
        by_reason.setdefault(clause["reason"], []).append(clause)
    gaps = [Gap(reason, tuple(clauses)) for reason, clauses in by_reason.items()]
    return tuple(sorted(gaps, key=lambda gap: -len(gap.clauses)))


def _early_end(results: Mapping[str, Any]) -> str:
    """Gives a sentence, or nothing where the run came to its end or its verdict tells why it did not."""
    told = results["verdict"] == "inconclusive" or not results["reason"]
    if told and not results["interrupted"]:
        return ""
    how = "The run was interrupted" if results["interrupted"] else "The run ended early"
    return f"{how}." if told else f"{how}: {results['reason'].rstrip('.')}."


def _sentence(results: Mapping[str, Any], by_verdict: Mapping[str, tuple[Clause, ...]]) -> str:
    gaps = sum(clause["level"] == "must" for clause in by_verdict["not_verified"])
    unverified = f"{plural(gaps, 'required promise')} could not be verified"
    waived = len(by_verdict["waived"])
    waivers = f", besides {waived} covered by a waiver" if waived else ""
    match results["verdict"]:
        case "conformant":
            return f"Every required promise was verified, and none was seen broken{waivers}."
        case "conformant_with_gaps":
            return f"No required promise was seen broken{waivers}, but {unverified}."
        case "nonconformant":
            following = sum("follows" in clause for clause in by_verdict["failed"])
            own = plural(len(by_verdict["failed"]) - following, "promise")
            more = f", and {following:,} more in consequence" if following else ""
            broken = f"The target breaks {own} of the documentation{more}{waivers}"
            return f"{broken}, and {unverified}." if gaps else f"{broken}."
        case _:
            return f"Nothing could be judged: {results['reason'].rstrip('.') or 'no clause was exercised'}."
