"""What becomes of a clause between two runs: a table of the verdict before and the verdict after.

A run says what it saw, and a comparison nothing beyond: what was not verified before may have been broken all along,
what is not verified any more may be broken still, and a waiver changes what counts, not what the target does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """How a kind of change is told: a heading, a symbol, whose colour it has (a verdict's), and what it means."""

    heading: str
    symbol: str
    tone: str
    meaning: str


# In the order of reading: what needs somebody's attention first.
KINDS: Mapping[str, Kind] = {
    "regressed": Kind("Regressed", "✗", "failed", "held before, and is broken now"),
    "unasked_before": Kind(
        "Broken, and not asked for before",
        "✗",
        "failed",
        "the earlier run saw the clause hold, and did not send what shows it broken: no regression",
    ),
    "newly_broken": Kind(
        "Broken, and not verified before", "✗", "failed", "nobody knows how long it has been broken: no regression"
    ),
    "unwaived": Kind(
        "Broken as before, and no longer waived", "✗", "failed", "the waiver ended, the target did not change"
    ),
    "waived": Kind("Broken, and waived now", "≈", "waived", "a waiver covers now what is broken"),
    "no_longer_verified": Kind(
        "No longer verified", "?", "not_verified", "nothing is known of it any more: what was broken is not fixed"
    ),
    "not_seen_again": Kind(
        "Not asked for again",
        "?",
        "not_verified",
        "broken before, and the later run did not send what showed it: it is not known to be fixed",
    ),
    "fixed": Kind("Fixed", "✓", "passed", "broken before, and tried and held now"),
    "newly_verified": Kind("Newly verified", "✓", "passed", "not verified before, and tried now"),
    "new": Kind("New clauses", "+", "observed", "the earlier run did not know them"),
    "removed": Kind("Removed clauses", "-", "observed", "the later run does not know them"),
    "rejudged": Kind("Judged by another level", "○", "observed", "its level changed, and so did what is made of it"),
    "not_compared": Kind(
        "Not compared", "?", "not_verified", "one of the runs did not select them, the other saw none broken"
    ),
    "still_broken": Kind("Still broken", "✗", "failed", "broken in both runs"),
    "unchanged": Kind("Unchanged", "=", "passed", "the same verdict in both runs"),
}

PASSED, FAILED, ADVISORY, OBSERVED, UNVERIFIED, WAIVED = (
    "passed",
    "failed",
    "advisory",
    "observed",
    "not_verified",
    "waived",
)

# Rows: before. Columns: after. What only another level explains (into and out of `observed`, which is for `open`
# clauses alone) is rejudged.
_AFTER = (PASSED, FAILED, ADVISORY, OBSERVED, UNVERIFIED, WAIVED)
_TABLE = {
    PASSED: ("unchanged", "regressed", "regressed", "rejudged", "no_longer_verified", "waived"),
    FAILED: ("fixed", "still_broken", "still_broken", "rejudged", "no_longer_verified", "waived"),
    ADVISORY: ("fixed", "still_broken", "still_broken", "rejudged", "no_longer_verified", "waived"),
    OBSERVED: ("rejudged", "rejudged", "rejudged", "unchanged", "no_longer_verified", "rejudged"),
    UNVERIFIED: ("newly_verified", "newly_broken", "newly_broken", "newly_verified", "unchanged", "waived"),
    WAIVED: ("fixed", "unwaived", "unwaived", "rejudged", "no_longer_verified", "still_broken"),
}
PAIRS: Mapping[tuple[str, str], str] = {
    (before, after): kind for before, row in _TABLE.items() for after, kind in zip(_AFTER, row, strict=True)
}


# What one run saw broken is told by its name, whether or not the other looked.
_BROKEN = frozenset({FAILED, ADVISORY, WAIVED})
# What a run cannot tell that did not send what the other one saw broken.
_UNASKED = {"regressed": "unasked_before", "fixed": "not_seen_again"}


def kind(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, is_asked: bool = True) -> str:
    """Gives the kind of change of a clause from its results in two runs; None where a run does not know it.

    `is_asked` says whether the run that saw it hold sent what the other one saw it broken by.
    """
    if before is None or after is None:
        return "new" if before is None else "removed"
    # What is attested was not verified either.
    then, now = (UNVERIFIED if one["verdict"] == "attested" else one["verdict"] for one in (before, after))
    if is_half_selected(before, after) and not {then, now} & _BROKEN:
        return "not_compared"
    found = PAIRS[then, now]
    return found if is_asked else _UNASKED.get(found, found)


def is_asked(broken: Mapping[str, Any] | None, scenarios: Collection[str]) -> bool:
    """Whether a run of these `scenarios` sent what a clause was seen `broken` by, its result in another run.

    What a scenario demands is seen in that scenario alone; what holds for every exchange, in whichever of them.
    """
    findings = (broken or {}).get("findings", ())
    demanded = {finding["scenario"] for finding in findings if finding.get("judge") == "scenario"}
    named = {finding["scenario"] for finding in findings} - {""}
    return demanded <= {*scenarios} if demanded else not named or not named.isdisjoint(scenarios)


def is_half_selected(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
    """Whether one of the runs did not select a clause of which the other tells another verdict."""
    if before is None or after is None:
        return False
    return before["verdict"] != after["verdict"] and "unselected" in (before.get("gap"), after.get("gap"))


def is_regression(kind: str, after: Mapping[str, Any] | None, *, strict: bool = False) -> bool:
    """Whether a required promise held before and is broken now: what a comparison fails for.

    `strict` says of the later run that recommendations are required, too.
    """
    return kind == "regressed" and after is not None and (strict or after["verdict"] == FAILED)
