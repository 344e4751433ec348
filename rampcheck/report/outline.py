"""What a reader of any report wants to know first, worked out once from the results."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from rampcheck.contract.register import Level
from rampcheck.contract.urls import is_loopback
from rampcheck.judging.conducted import UNTAKEN
from rampcheck.judging.results import (
    ClauseResult,
    ClauseVerdict,
    Example,
    FindingResult,
    GapKind,
    ObservationResult,
    OutageResult,
    Results,
    RunVerdict,
)
from rampcheck.judging.verdicts import LEFT_OUT, TO_SEND, UNEXPECTED, UNSELECTED, held_elsewhere
from rampcheck.report.sentence import sentence
from rampcheck.report.text import duration, enumerated, moment, plural
from rampcheck.wire.journal_records import Selection
from rampcheck.wire.limits import SPENT


class Word(NamedTuple):
    """How a verdict is shown: the word, a symbol (colour is never alone), and what it means."""

    word: str
    symbol: str
    meaning: str


# In the order of reading: what needs somebody's attention first.
CLAUSE_VERDICTS: Mapping[ClauseVerdict, Word] = {
    "failed": Word("failed", "✗", "exercised, and seen broken"),
    "waived": Word("waived", "≈", "seen broken, and a waiver in the profile covers it"),
    "advisory": Word("advisory", "!", "recommended, and seen broken; no obstacle to conformance"),
    "not_verified": Word("not verified", "?", "could not be tried; speaks neither for the target nor against it"),
    "attested": Word("attested", "◇", "cannot be seen from outside, and nothing refuted it; the partner stands for it"),
    "observed": Word("observed", "○", "the documentation leaves it open; what the target did is recorded"),
    "passed": Word("passed", "✓", "exercised at least once and never seen broken"),
}

RUN_VERDICTS: Mapping[RunVerdict, Word] = {
    "conformant": Word("Conformant", "✓", "nothing failed, and every required promise was verified"),
    "conformant_with_gaps": Word(
        "Conformant, with gaps", "◐", "nothing failed, but the profile lacks what some required promise needs"
    ),
    "partial": Word("Partial", "◔", "a part was selected, and nothing in it failed; says nothing of the rest"),
    "incomplete": Word("Incomplete", "△", "nothing failed, but something kept a required promise from being verified"),
    "nonconformant": Word("Not conformant", "✗", "at least one clause failed"),
    "inconclusive": Word("Inconclusive", "?", "nothing could be judged"),
}

# Why there is nothing to sign, where there is not.
UNSIGNED: Mapping[RunVerdict, str] = {
    "partial": "Only a part of the contract was tried. A run of all of it can be signed.",
    "incomplete": "The run did not verify what it set out to. Run it again, and look into what stands in its way.",
    "nonconformant": "The target breaks what is promised. Once that is mended, or a waiver in the profile "
    "covers it, the next run can be signed, and says who agreed to it.",
    "inconclusive": "Nothing was judged.",
}
# Where it is an integration that was judged.
UNSIGNED_OF_PARTNER: Mapping[RunVerdict, str] = {
    "partial": "Only some steps were tried. A certification of all of them can be signed.",
    "nonconformant": "The integration breaks what is promised. Once that is mended, the next certification can be "
    "signed.",
}

# Where it is incomplete for nothing but what somebody chose.
UNSIGNED_OF_GAPS: Mapping[GapGroup, str] = {
    "left_out": "The run was to send fewer requests than all required promises take. A run with --thorough, which "
    "leaves nothing out, can be signed.",
    "untaken": "The integration never did what some required promises are about. Once its command does, the "
    "certification can be signed.",
}

LEVELS: Mapping[Level, str] = {
    "must": "the documentation states it as a fact or a rule",
    "should": "the documentation recommends it, or implies it so plainly that partners rely on it",
    "open": "the documentation is silent or contradicts itself",
}


class GapWord(NamedTuple):
    """How gaps are shown: a heading, what it means, and a word for one of them."""

    heading: str
    meaning: str
    word: str


# What a gap stands under: its kind, or what is known better than that of an unexpected one.
GapGroup = GapKind | Literal["left_out", "untaken"]
# In the order of reading. What older results call a gap is taken for a declared one.
GAPS: Mapping[GapGroup, GapWord] = {
    "unexpected": GapWord(
        "Not verified, and nobody expected that",
        "Something set out to try these clauses and could not, or never came to it. Until it does, nothing is known.",
        "unexpected",
    ),
    "left_out": GapWord(
        "Not tried, as the run was to send no more requests",
        "Whoever started the run chose how many, and these clauses did not fit in. `--thorough`, or a greater "
        "`--budget` (`limits.max_requests` in the profile), tries them; until then nothing is known of them.",
        "left out",
    ),
    "untaken": GapWord(
        "Not verified, as the integration never did it",
        "The sandbox gave the occasion, and the integration did not take it. Where that is as it is built (one that "
        "only polls opens no WebSocket and hears no webhook), leave it so; else let the command do it, for which "
        "docs/certify.md says what is handed to it.",
        "never done",
    ),
    "declared": GapWord(
        "Not verified, and what to add",
        "What was given did not let these clauses be tried. They count neither for the target nor against it.",
        "declared",
    ),
    "unselected": GapWord(
        "Not selected",
        "These clauses were no part of what this run was asked to try, or of what recorded traffic shows.",
        "not selected",
    ),
}


# What stands in the reasons of what was left out by choice: of the run's, and of the integration's.
CHOSEN: Mapping[str, GapGroup] = {LEFT_OUT: "left_out", SPENT: "left_out", UNTAKEN: "untaken"}


def gap_group(kind: GapKind, reason: str) -> GapGroup:
    """Gives what a gap of a kind stands under, for its reason."""
    if kind == UNSELECTED:
        return kind
    return next((group for words, group in CHOSEN.items() if words in reason), kind)


@dataclass(frozen=True)
class Gap:
    """One reason for which clauses were not verified, and those clauses; `group` is a key of `GAPS`."""

    kind: GapKind
    reason: str
    clauses: tuple[ClauseResult, ...]

    @property
    def group(self) -> GapGroup:
        """What it stands under."""
        return gap_group(self.kind, self.reason)


@dataclass(frozen=True)
class Lead:
    """A clause that follows from no other, and those that follow from it."""

    clause: ClauseResult
    followers: tuple[ClauseResult, ...]


@dataclass(frozen=True)
class Outline:
    """The results in the order of reading.

    `word` and `sentence` say what the run's verdict means here, `reach` what was not looked for where nothing was seen
    broken and a budget chose the scenarios, `cure` what to do about it, where that is known;
    `early_end` is a sentence where the run stopped before its end, else empty; `by_verdict` has the clauses of every
    verdict in the order of the documentation; `leads` has them without those that follow from another, what most
    others follow from first;
    `gaps` has those not verified by group and reason, what nobody expected first, then the widest gap.
    `selection` is what was selected, as options of a command, `command` the one that runs it again; `unsigned` says
    why there is nothing to sign, where there is not. `outages` are those of the results, `notes` their notes with a
    line for each outage that ended. Where nothing at all was judged, for one cause, `judged_nothing` says so: the gaps
    are none then, as all would say the same.
    """

    word: Word
    sentence: str
    reach: str
    cure: str
    early_end: str
    by_verdict: Mapping[ClauseVerdict, tuple[ClauseResult, ...]]
    leads: Mapping[ClauseVerdict, tuple[Lead, ...]]
    gaps: tuple[Gap, ...]
    selection: str
    command: str
    unsigned: str
    outages: tuple[OutageResult, ...]
    notes: tuple[str, ...]
    judged_nothing: bool

    @property
    def groups(self) -> tuple[tuple[GapGroup, tuple[Gap, ...]], ...]:
        """The gaps by what they stand under, in the order of reading."""
        return tuple((group, tuple(gaps)) for group, gaps in groupby(self.gaps, lambda gap: gap.group))


def outline(results: Results) -> Outline:
    """Gives the outline of valid `results`."""
    clauses = results["clauses"]
    by_verdict = {name: tuple(c for c in clauses if c["verdict"] == name) for name in CLAUSE_VERDICTS}
    outages = tuple(results.get("outages", ()))
    nothing = _judged_nothing(results)
    return Outline(
        word=RUN_VERDICTS[results["verdict"]],
        sentence=sentence(results),
        reach=reach(results),
        cure=results.get("cure", ""),
        early_end=_early_end(results),
        by_verdict=by_verdict,
        leads={name: _leads(those, clauses) for name, those in by_verdict.items()},
        gaps=() if nothing else _gaps(by_verdict["not_verified"]),
        selection=selection(results),
        command=_command(results),
        unsigned=unsigned(results),
        outages=outages,
        notes=(*results["notes"], *(outage_text(outage) for outage in outages if outage["ended"] is not None)),
        judged_nothing=nothing,
    )


def _judged_nothing(results: Results) -> bool:
    """Whether one thing kept all clauses from being judged: what it was is told once, not for each of them."""
    has_cause = bool(results["reason"] or results["interrupted"])
    unjudged = all(clause["verdict"] == "not_verified" for clause in results["clauses"])
    return results["verdict"] == "inconclusive" and has_cause and unjudged


def reach(results: Results) -> str:
    """Says for which kinds of defects a run did not look that sent fewer requests than it takes to look for all.

    Gives "" where no budget chose, and where what was found is more than what was not looked for.
    """
    budget = results.get("selection", {}).get("budget")
    if budget is None or results["verdict"] in ("nonconformant", "inconclusive"):
        return ""
    told = next((note for note in results["notes"] if TO_SEND in note), f"at most {budget:,} {TO_SEND}")
    return f"{told[:1].upper()}{told[1:]}."


def unsigned(results: Results) -> str:
    """Says why there is nothing to sign, and what to do; "" where the run can be signed."""
    if "traffic" in results.get("selection", {}):
        return (
            "Traffic that was recorded shows what somebody happened to ask for. A run, which provokes, can be signed."
        )
    if results["verdict"] != "nonconformant" or results["counts"]["failed"]:
        why = {**UNSIGNED, **(UNSIGNED_OF_PARTNER if "side" in results else {})}
        if results["verdict"] == "incomplete" and (group := _only_group(results)):
            return UNSIGNED_OF_GAPS[group]
        return why.get(results["verdict"], "")
    stale = [waiver["clause"] for waiver in results.get("waivers", ()) if waiver["state"] == "stale"]
    told = [f"{plural(number, 'recommendation')} not kept" if (number := results["counts"]["advisory"]) else ""]
    told.append(f"stale: the waiver of {enumerated(stale)}, which nothing needs any more" if stale else "")
    cure = (
        "Take what is stale out of the profile, and run it again." if stale else "A run without --strict can be signed."
    )
    return f"No required promise is broken, but the run is strict ({'; '.join(filter(None, told))}). {cure}"


def _only_group(results: Results) -> GapGroup | None:
    """Gives what the required promises that make a run incomplete stand under, where it is one thing, and chosen."""
    if results["reason"] or results["interrupted"] or results["faults"]:
        return None
    gaps = _gaps(tuple(clause for clause in results["clauses"] if clause["verdict"] == "not_verified"))
    groups = {gap.group for gap in gaps if gap.kind == UNEXPECTED and any(c["level"] == "must" for c in gap.clauses)}
    (only, *others) = groups or {UNEXPECTED}
    return only if not others and only in UNSIGNED_OF_GAPS else None


def _leads(those: tuple[ClauseResult, ...], clauses: Sequence[ClauseResult]) -> tuple[Lead, ...]:
    followers: defaultdict[str, list[ClauseResult]] = defaultdict(list)
    for clause in clauses:
        if "follows" in clause:
            followers[clause["follows"]].append(clause)
    leads = [Lead(clause, tuple(followers[clause["id"]])) for clause in those if "follows" not in clause]
    return tuple(sorted(leads, key=lambda lead: -len(lead.followers)))


def _gaps(unverified: tuple[ClauseResult, ...]) -> tuple[Gap, ...]:
    alike: dict[tuple[GapKind, str], list[ClauseResult]] = {}
    for clause in unverified:
        reason = clause["reason"].removesuffix(held_elsewhere(clause["exercised"]))
        alike.setdefault((clause.get("gap", "declared"), reason), []).append(clause)
    gaps = [Gap(kind, reason, tuple(clauses)) for (kind, reason), clauses in alike.items()]
    return tuple(sorted(gaps, key=lambda gap: (list(GAPS).index(gap.group), -len(gap.clauses))))


def selection(results: Results) -> str:
    """Gives what of the contract was selected, and at what pace, as options for a shell; empty where that was all."""
    chosen = results.get("selection", Selection(clauses=[], keyword=""))
    options = [word for pattern in chosen["clauses"] for word in ("--clause", pattern)]
    options += ["-k", chosen["keyword"]] if chosen["keyword"] else []
    options += ["--shard", chosen["shard"]] if "shard" in chosen else []
    options += [word for step in chosen.get("steps", ()) for word in ("--step", step)]
    options += ["--budget", str(chosen["budget"])] if "budget" in chosen else []
    options += ["--time-scale", f"{results['time_scale']:g}"] if "time_scale" in results else []
    options += chosen.get("traffic", [])
    return shlex.join(options)


def _command(results: Results) -> str:
    strict = "--strict" if results.get("strict") else ""
    if "traffic" in results.get("selection", {}):
        named = shlex.join(results.get("named_with", ())) or "--profile PROFILE.yaml"
        return " ".join(filter(None, [f"rampcheck judge {named}", strict, selection(results)]))
    if "side" in results:
        words = ["rampcheck certify --contract", results["contract"], strict, selection(results), "-- COMMAND"]
        return " ".join(filter(None, words))
    named = shlex.join(results.get("named_with", ())) or "PROFILE.yaml"
    chosen = results.get("selection", {})
    # Of itself, a run against another machine sends less.
    is_less = bool(chosen.keys() & {"budget", "shard"}) or is_loopback(results["target"]["base_url"])
    words = [f"rampcheck run {named}", f"--seed {results['seed']}", strict, selection(results)]
    words += [] if is_less else ["--thorough"]
    return " ".join(filter(None, words))


def verdicts_of(results: Results) -> dict[ClauseVerdict, Word]:
    """Gives the verdicts that clauses of a run may have, in the order of reading: only a partner's are attested."""
    return {name: word for name, word in CLAUSE_VERDICTS.items() if name != "attested" or "side" in results}


def seen_of(clause: ClauseResult) -> list[FindingResult | ObservationResult]:
    """Gives the findings and the observations of a clause."""
    return [*clause["findings"], *clause["observations"]]


def others(seen: FindingResult | ObservationResult | Example) -> list[Example]:
    """Gives the examples of what was seen that have other values than it has itself."""
    return seen["examples"][1:] if "examples" in seen else []


def trace_text(seen: FindingResult | ObservationResult | Example) -> str:
    """Says by which trace and span the vendor finds the exchange of a finding among its own, where it names them."""
    if "trace" not in seen:
        return ""
    return f"{seen['trace']}, span {seen['span']}" if "span" in seen else seen["trace"]


def answers_text(seen: FindingResult | ObservationResult | Example) -> str:
    """Says how the exchanges ended in which a finding was seen several times: `each answered with 401`."""
    answers = seen["answers"] if "answers" in seen else {}  # noqa: SIM401 - of a union, `get` gives any object
    if not answers or not all(outcome.isdecimal() or outcome == "accepted" for outcome in answers):
        return ""
    if len(answers) == 1:
        (outcome,) = answers
        return "each accepted" if outcome == "accepted" else f"each answered with {outcome}"
    return "answered with " + enumerated([f"{outcome} ({plural(times, 'time')})" for outcome, times in answers.items()])


def outage_text(outage: OutageResult, *, with_cause: bool = True) -> str:
    """Says in some sentences when the target answered nothing, or refused all, from which exchange on, and why."""
    after = f", after exchange {outage['before'][-1]}" if outage["before"] else ""
    refuses, throttles = outage.get("refuses", False), outage["detail"].startswith("429")
    what = "the first that was refused" if refuses or throttles else "the first without an answer"
    first = f"Exchange {outage['exchange']} was {what}" if outage["exchange"] is not None else ""
    told = [": ".join(filter(None, [first, outage["detail"]])), outage.get("cause", "") if with_cause else ""]
    probes = plural(outage["probes"], "probe") if outage.get("probes") else ""
    since = f"{moment(outage['began'])}{after}"
    if outage["ended"] is None:
        back = "It still did" if refuses else "It was not back"
        told.insert(1, f"{back} after {probes}" if probes else "It did not come back")
        did = (
            "began to refuse everything"
            if refuses
            else "began to let nothing through"
            if throttles
            else "stopped answering"
        )
        began = f"The target {did} on {since}"
    else:
        lasted = f"for {duration(outage['began'], outage['ended'])}" + (f" and {probes}" if probes else "")
        did = "refused everything" if refuses else "let nothing through" if throttles else "did not answer"
        began = f"The target {did} {lasted}, from {moment(outage['began'])} on{after}"
    return " ".join(f"{text.rstrip('.')}." for text in [began, *told] if text)


def _early_end(results: Results) -> str:
    """Gives a sentence, or nothing where the run came to its end or its verdict tells why it did not."""
    told = results["verdict"] == "inconclusive" or not results["reason"]
    if told and not results["interrupted"]:
        return ""
    if results["reason"].startswith("shard "):  # of one that was put together
        return f"Not all of the run is here: {results['reason'].rstrip('.')}."
    how = "The run was interrupted" if results["interrupted"] else "The run ended early"
    return f"{how}." if told else f"{how}: {results['reason'].rstrip('.')}."
