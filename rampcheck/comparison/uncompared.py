"""What a comparison cannot tell: the clauses of which a run knows nothing, and why it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from rampcheck.comparison.pairs import UNVERIFIED, is_half_selected
from rampcheck.comparison.saved import Saved

Result = Mapping[str, Any] | None

# Why a run knows nothing of much, by what results.json says of it: the first that holds.
_WHY = (
    (lambda results: results.get("interrupted"), "was interrupted"),
    (lambda results: results.get("unfinished"), "was killed, or still goes on"),
    (lambda results: results.get("reason"), "ended before everything was tried"),
    (
        lambda results: any(value for name, value in results.get("selection", {}).items() if name != "budget"),
        "tried a part of the contract",
    ),
    (lambda results: results["verdict"] == "incomplete", "is incomplete"),
)


def told(before: Saved, after: Saved, clauses: Iterable[tuple[str, Result, Result]]) -> dict[str, Any]:
    """Gives the `uncompared` of compare.json; `clauses` are the kind of change and both results of each clause.

    `lost` are those that only the earlier run verified, `unselected` those that a run did not select, `never` those
    that neither verified, of which the profile explains the `declared`. `why` says it of the runs.
    """
    counts = dict.fromkeys(("lost", "unselected", "never", "declared"), 0)
    for kind, earlier, later in clauses:
        if is_half_selected(earlier, later):
            counts["unselected"] += 1
        elif kind == "no_longer_verified":
            counts["lost"] += 1
        elif kind == "unchanged" and earlier and later and later["verdict"] == UNVERIFIED:
            counts["never"] += 1
            counts["declared"] += "declared" in {earlier.get("gap"), later.get("gap")}
    runs = {"earlier": before.results, "later": after.results}
    why = [
        f"the {name} run {next(words for holds, words in _WHY if holds(results))}"
        for name, results in runs.items()
        if any(holds(results) for holds, _ in _WHY)
    ]
    budgets = {name: results.get("selection", {}).get("budget") or inf for name, results in runs.items()}
    why += [
        f"the {name} run, with a budget of {budget:,} requests, looked less hard than the other"
        for name, budget in budgets.items()
        if budget < max(budgets.values())
    ]
    return {**counts, "why": why}
