"""How long a signed run holds: as long as its profile says, and no longer than the waivers that it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.judging.results import Results, WaiverResult


def holds_until(results: Results) -> str:
    """Gives the last day on which a signed run holds, "" where its results do not say.

    It is that of `sign_off`, or that of the first waiver to end without which a clause had failed.
    """
    if "sign_off" not in results:
        return ""
    return min([results["sign_off"]["valid_until"], *(waiver["until"] or "" for waiver in _ending(results))])


def ending_with(results: Results) -> Sequence[WaiverResult]:
    """Gives the waivers with which the validity ends; none where it ends by itself, or before them."""
    return [waiver for waiver in _ending(results) if waiver["until"] == holds_until(results)]


def _ending(results: Results) -> Sequence[WaiverResult]:
    return [waiver for waiver in results.get("waivers", ()) if waiver["state"] == "used" and waiver["until"]]
