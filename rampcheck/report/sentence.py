"""What the verdict of a run means in numbers, in a sentence or two that are true of it."""

from __future__ import annotations

import re

from rampcheck.judging.conducted import UNTAKEN
from rampcheck.judging.results import ClauseVerdict, Results
from rampcheck.judging.verdicts import LEFT_OUT
from rampcheck.report.text import enumerated, plural

LACKS_SHARD = re.compile(r"shard \d+/\d+ ")  # how the reason of a merged run begins that lacks something


def sentence(results: Results) -> str:
    """Says what the verdict of valid `results` means here."""
    match results["verdict"]:
        case "conformant":
            attested = _count(results, verdict="attested", level="must")
            all_but = f" but {attested}, for which the partner stands," if attested else ""
            return f"Every required promise{all_but} was verified, and none was seen broken{_waivers(results)}."
        case "conformant_with_gaps":
            return f"No required promise was seen broken{_waivers(results)}, but {_unverified(results)}."
        case "partial":
            return _partial(results)
        case "incomplete":
            why = enumerated(_hindrances(results)) or "it did not come to its end"
            return f"No required promise was seen broken{_waivers(results)}, but the run is incomplete: {why}."
        case "nonconformant":
            gaps = f", and {_unverified(results)}" if _gaps(results) else ""
            return f"{_broken(results)}{gaps}."
        case _:
            why = results["reason"].rstrip(".") or enumerated(_hindrances(results)) or _unexercised(results)
            if results["interrupted"] and "side" in results:
                why = f"it was interrupted {results['reason']}".rstrip()
            # Scenarios of what was selected also see others hold.
            is_part = any(results.get("selection", {}).values()) and _count(results, verdict="passed")
            return f"{'What was selected' if is_part else 'Nothing'} could {'not ' * bool(is_part)}be judged: {why}."


def _count(results: Results, *, verdict: ClauseVerdict, **members: str) -> int:
    return sum(
        clause["verdict"] == verdict and all(clause.get(name) == value for name, value in members.items())
        for clause in results["clauses"]
    )


def _gaps(results: Results) -> int:
    """How many of the promises that are required, and were to be tried, were not verified."""
    return _count(results, verdict="not_verified", level="must") - _count(
        results, verdict="not_verified", level="must", gap="unselected"
    )


def _unverified(results: Results) -> str:
    return f"{plural(_gaps(results), 'required promise')} could not be verified"


def _waivers(results: Results) -> str:
    waived = _count(results, verdict="waived")
    return f", besides {waived} covered by a waiver" if waived else ""


def _partial(results: Results) -> str:
    if "traffic" in results.get("selection", {}):
        rest = _count(results, verdict="not_verified")
        were, they = ("was", "it does") if results["requests"] == 1 else ("were", "they do")
        return (
            f"Nothing that is required was seen broken in {plural(results['requests'], 'exchange')} that {were} "
            f"recorded, not provoked{_waivers(results)}. This says nothing of the {plural(rest, 'promise')} that "
            f"{they} not show."
        )
    rest = _count(results, verdict="not_verified", gap="unselected")
    others = f" This says nothing of the {plural(rest, 'promise')} not selected." if rest else ""
    if _gaps(results):
        return (
            f"No required promise that was selected was seen broken{_waivers(results)}, but "
            f"{_unverified(results)}.{others}"
        )
    return (
        f"Every required promise that was selected was verified, and none was seen broken{_waivers(results)}.{others}"
    )


def _hindrances(results: Results) -> list[str]:
    """What kept the run from verifying what it set out to."""
    unexpected = [
        clause["reason"]
        for clause in results["clauses"]
        if clause["verdict"] == "not_verified" and clause["level"] == "must" and clause.get("gap") == "unexpected"
    ]
    left_out = sum(reason.startswith(LEFT_OUT) for reason in unexpected)
    untaken = sum(reason.startswith(UNTAKEN) for reason in unexpected)
    others = len(unexpected) - left_out - untaken
    faults = len(results["faults"])
    is_part = LACKS_SHARD.match(results["reason"]) is not None
    lasting = [outage for outage in results.get("outages", ()) if outage["ended"] is None]
    told = {
        "it was interrupted": results["interrupted"],
        "its journal has no end": results.get("unfinished", False),
        f"rampcheck itself failed {'once' if faults == 1 else f'{faults:,} times'}": faults,
        # What is told of the shards of a merged run: those that are there came to their end.
        "a part of it is not there": is_part,
        "it ended before everything was tried": results["reason"] and not results["interrupted"] and not is_part,
        "the target stopped answering": any(not outage.get("refuses") for outage in lasting),
        "the target refuses what it accepted before": any(outage.get("refuses") for outage in lasting),
        f"{plural(others, 'required promise')} could not be tried to the end": others,
        f"{plural(left_out, 'required promise')} did not fit into the requests that it was to send": left_out,
        f"the integration never did what {plural(untaken, 'required promise')} speak{'s' * (untaken == 1)} of": untaken,
    }
    return [text for text, is_so in told.items() if is_so]


def _broken(results: Results) -> str:
    side = "integration" if "side" in results else "target"
    failed = [clause for clause in results["clauses"] if clause["verdict"] == "failed"]
    following = sum("follows" in clause for clause in failed)
    more = f", and {following:,} more in consequence" if following else ""
    advisory = _count(results, verdict="advisory") if results.get("strict") else 0
    stale = sum(waiver["state"] == "stale" for waiver in results.get("waivers", ())) if results.get("strict") else 0
    told = [f"the {side} breaks {plural(len(failed) - following, 'promise')} of the documentation{more}"] * bool(failed)
    if advisory and not failed:
        told.append(
            f"the {side} breaks {plural(advisory, 'recommendation')} of the documentation, which counts in a strict run"
        )
    if stale and not failed:
        are = "is" if stale == 1 else "are"
        told.append(f"{plural(stale, 'waiver')} of the profile {are} stale, which counts in a strict run")
    whole = ", and ".join(told)
    return f"{whole[:1].upper()}{whole[1:]}{_waivers(results)}"


def _unexercised(results: Results) -> str:
    chosen = results.get("selection", {})
    return "no clause that was selected was exercised" if any(chosen.values()) else "no clause was exercised"
