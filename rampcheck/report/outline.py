"""What a reader of any report wants to know first, worked out once from the results."""

from __future__ import annotations

import shlex
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
        "Conformant, with gaps", "◐", "nothing failed, but the profile lacks what some required promises need"
    ),
    "partial": Word("Partial", "◔", "a part of the contract was selected, and all that was tried of it held"),
    "incomplete": Word(
        "Incomplete", "?", "nothing failed, but what should have been tried was not, or the run did not end by itself"
    ),
    "nonconformant": Word("Not conformant", "✗", "at least one clause failed"),
    "inconclusive": Word("Inconclusive", "?", "nothing could be judged"),
}

# In the order of reading: the kinds of gaps, with what a reader makes of them.
GAPS: Mapping[str, str] = {
    "unexpected": "Not verified, though it should have been",
    "declared": "Not verified, and what to add",
    "unselected": "Not selected for this run",
}

SIGNABLE = frozenset({"conformant", "conformant_with_gaps"})

LEVELS: Mapping[str, str] = {
    "must": "the documentation states it as a fact or a rule",
    "should": "the documentation recommends it, or implies it so plainly that partners rely on it",
    "open": "the documentation is silent or contradicts itself",
}


@dataclass(frozen=True)
class Gap:
    """One reason for which clauses were not verified, and those clauses.

    `kind` is `unexpected`, `declared` (the profile lacks what they need) or `unselected`.
    """

    kind: str
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
    `gaps` has those not verified, by kind and reason, the widest gap first; `selection` says what was selected, and is
    empty for a whole run; `command` runs it again; `unsigned` says why it cannot be signed, and is empty where it can.
    """

    word: Word
    sentence: str
    early_end: str
    by_verdict: Mapping[str, tuple[Clause, ...]]
    leads: Mapping[str, tuple[Lead, ...]]
    gaps: tuple[Gap, ...]
    selection: str
    command: str
    unsigned: str


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
        selection=_selection(results),
        command=_command(results),
        unsigned=_unsigned(results),
    )


def _selection(results: Mapping[str, Any]) -> str:
    selected = results.get("selection", {})
    parts = [f"the clauses {', '.join(selected['clauses'])}"] if selected.get("clauses") else []
    parts += [f"the scenarios that match {selected['keyword']!r}"] if selected.get("keyword") else []
    return " and ".join(parts)


def _command(results: Mapping[str, Any]) -> str:
    selected = results.get("selection", {})
    words = ["rampcheck", "run", "PROFILE.yaml", "--seed", str(results["seed"])]
    words += [word for pattern in selected.get("clauses", ()) for word in ("--clause", pattern)]
    words += ["-k", selected["keyword"]] if selected.get("keyword") else []
    return shlex.join(words)


def _unsigned(results: Mapping[str, Any]) -> str:
    if results["verdict"] in SIGNABLE:
        return ""
    reasons = {
        "nonconformant": "The target breaks promises of the contract: mend them, or agree on a waiver, and run again.",
        "partial": "Only a part of the contract was selected: run the whole.",
        "incomplete": "Not all that should have been tried was: see what stopped it, and run again.",
        "inconclusive": "Nothing could be judged: see why, and run again.",
    }
    return reasons[results["verdict"]]


def _leads(those: tuple[Clause, ...], clauses: Sequence[Clause]) -> tuple[Lead, ...]:
    leads = [
        Lead(clause, tuple(other for other in clauses if other.get("follows") == clause["id"]))
        for clause in those
        if "follows" not in clause
    ]
    return tuple(sorted(leads, key=lambda lead: -len(lead.followers)))


def _gaps(unverified: tuple[Clause, ...]) -> tuple[Gap, ...]:
    by_reason: dict[tuple[str, str], list[Clause]] = {}
    for clause in unverified:
        by_reason.setdefault((clause.get("gap", "declared"), clause["reason"]), []).append(clause)
    gaps = [Gap(kind, reason, tuple(clauses)) for (kind, reason), clauses in by_reason.items()]
    return tuple(sorted(gaps, key=lambda gap: (list(GAPS).index(gap.kind), -len(gap.clauses))))


def outage_line(outage: Mapping[str, Any]) -> str:
    """Says of one of the results' `outages` when it was, how it was seen, and what is known of its cause."""
    until = f"until {outage['ended']}" if outage["ended"] else "and did not come back"
    cause = f"; the cause: {outage['cause']}" if outage["cause"] else ""
    return (f"The target was away from {outage['began']} {until} (exchange {outage['exchange']}: {outage['detail']}; "
            f"asked {plural(outage['probes'], 'time')}){cause}.")


def _early_end(results: Mapping[str, Any]) -> str:
    """Gives a sentence, or nothing where the run came to its end or its verdict tells why it did not."""
    gone = [outage for outage in results.get("outages", ()) if outage["ended"] is None]
    if gone:
        return (f"The target stopped answering at {gone[0]['began']}, in exchange {gone[0]['exchange']} "
                f"({gone[0]['detail']}), and did not come back; it was asked {plural(gone[0]['probes'], 'more time')}.")
    told = results["verdict"] == "inconclusive" or not results["reason"]
    if told and not results["interrupted"]:
        return ""
    how = "The run was interrupted" if results["interrupted"] else "The run ended early"
    return f"{how}." if told else f"{how}: {results['reason'].rstrip('.')}."


def _sentence(results: Mapping[str, Any], by_verdict: Mapping[str, tuple[Clause, ...]]) -> str:
    gaps = _musts(by_verdict["not_verified"], "declared", "unexpected")
    unverified = f"{plural(gaps, 'required promise')} could not be verified"
    waived = len(by_verdict["waived"])
    waivers = f", besides {waived} covered by a waiver" if waived else ""
    match results["verdict"]:
        case "conformant":
            return f"Every required promise was verified, and none was seen broken{waivers}."
        case "conformant_with_gaps":
            return (f"No required promise was seen broken{waivers}, but {unverified}, because the profile lacks what "
                    f"{'it needs' if gaps == 1 else 'they need'}.")
        case "partial":
            more = f"; of these, {unverified}" if gaps else ""
            return f"A part was selected, {_selection(results)}: what was tried of it held{waivers}{more}."
        case "incomplete":
            return f"No required promise was seen broken{waivers}, but {_unfinished(results, by_verdict)}."
        case "nonconformant":
            following = sum("follows" in clause for clause in by_verdict["failed"])
            own = plural(len(by_verdict["failed"]) - following, "promise")
            more = f", and {following:,} more in consequence" if following else ""
            broken = f"The target breaks {own} of the documentation{more}{waivers}"
            return f"{broken}, and {unverified}." if gaps else f"{broken}."
        case _:
            return f"Nothing could be judged: {results['reason'].rstrip('.') or 'no clause was exercised'}."


def _musts(clauses: Sequence[Clause], *kinds: str) -> int:
    return sum(clause["level"] == "must" and clause.get("gap", "declared") in kinds for clause in clauses)


def _unfinished(results: Mapping[str, Any], by_verdict: Mapping[str, tuple[Clause, ...]]) -> str:
    """Says why a run without a failure is not one that can be relied on."""
    unexpected = _musts(by_verdict["not_verified"], "unexpected")
    reasons = [f"{plural(unexpected, 'required promise')} could not be tried as intended"] if unexpected else []
    if results["interrupted"]:
        reasons.append("the run was interrupted")
    if results["faults"]:
        reasons.append(f"rampcheck itself met {plural(len(results['faults']), 'fault')}")
    return " and ".join(reasons) or "the run did not come to its end"
