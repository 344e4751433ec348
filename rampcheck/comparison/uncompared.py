"""What a comparison cannot tell: the clauses of which a run knows nothing, and why it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rampcheck.comparison.pairs import UNVERIFIED, is_half_selected
from rampcheck.comparison.saved import Saved

Result = Mapping[str, Any] | None

# Why a run knows nothing of much, by what results.json says of it: the first that holds.
_WHY = (
    (lambda results: results.get("interrupted"), "was interrupted"),
    (lambda results: results.get("unfinished"), "was killed, or still goes on"),
    (lambda results: results.get("reason"), "ended before everything was tried"),
    (lambda results: any(results.get("selection", {}).values()), "tried a part of the contract"),
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
    why = [
        f"the {name} run {next(words for holds, words in _WHY if holds(run.results))}"
        for name, run in (("earlier", before), ("later", after))
        if any(holds(run.results) for holds, _ in _WHY)
    ]
    return {**counts, "why": why}
