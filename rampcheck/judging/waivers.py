"""What the profile waives, and what became of it in a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from rampcheck.contract.profile import Waiver
from rampcheck.contract.register import Contract
from rampcheck.errors import UsageError
from rampcheck.judging.results import ClauseResult, ClauseVerdict, WaiverResult, WaiverState


def check(waivers: Iterable[Waiver], contract: Contract) -> None:
    """Raises `UsageError` where a waiver covers what is no clause of the contract."""
    if unknown := [waiver.clause for waiver in waivers if waiver.clause not in contract.clauses]:
        raise UsageError(
            f"the profile waives what is no clause of {contract.name}: {', '.join(unknown)}",
            contract.cure(*unknown),
        )


def is_valid(waiver: Waiver, today: date) -> bool:
    """Whether a waiver still holds: its `until` is the last day on which it does."""
    return waiver.until is None or today <= waiver.until


def by_clause(waivers: Iterable[Waiver], today: date) -> dict[str, Waiver]:
    """Gives the waivers that hold on `today`, by the clause that they cover."""
    return {waiver.clause: waiver for waiver in waivers if is_valid(waiver, today)}


def states(waivers: Sequence[Waiver], clauses: Iterable[ClauseResult], today: date) -> list[WaiverResult]:
    """Gives the `waivers` of results.json: each with its `state` after a run with these results of the `clauses`.

    `used`: it covers what was found broken. `stale`: there was nothing to cover, for the clause held. `expired`: it
    holds no longer. `untried`: whether there was something to cover is not known, or nothing was promised.
    """
    verdicts = {clause["id"]: clause["verdict"] for clause in clauses}
    return [
        {
            "clause": waiver.clause,
            "reason": waiver.reason,
            "until": waiver.until.isoformat() if waiver.until else None,
            "owner": waiver.owner,
            "approver": waiver.approver,
            "state": _state(verdicts[waiver.clause]) if is_valid(waiver, today) else "expired",
        }
        for waiver in waivers
    ]


def _state(verdict: ClauseVerdict) -> WaiverState:
    if verdict == "waived":
        return "used"
    return "stale" if verdict == "passed" else "untried"


def notes(waivers: Iterable[WaiverResult]) -> list[str]:
    """Says which of the `waivers` of results.json want to be taken out of the profile, or renewed."""
    told = []
    for waiver in waivers:
        if waiver["state"] == "expired":
            told.append(f"the waiver of {waiver['clause']} ended on {waiver['until']} and no longer counts")
        elif waiver["state"] == "stale":
            told.append(
                f"the waiver of {waiver['clause']} is stale: the clause held in this run; take it out of the profile"
            )
    return told
