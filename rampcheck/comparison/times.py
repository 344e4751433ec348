"""Answer times of two runs by endpoint, and whether they differ beyond noise. Only told: no clause promises a time."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A difference is beyond noise where all of this holds: enough answers in each run; medians apart by so many
# milliseconds, which a busy machine or a network adds to anything, and by such a part of the smaller one; and the
# middle halves of both do not overlap, so that the usual answer now was an unusual one before.
FEWEST = 20
FLOOR_MS = 25.0
FLOOR_SHARE = 0.25

Samples = Mapping[str, Sequence[float]]


def is_sample(record: Mapping[str, Any]) -> bool:
    """Whether an exchange record tells how long an accepted request takes: refusals are answered faster than work."""
    response = record["response"]
    return (
        record["protocol"] == "http"
        and record["direction"] == "outgoing"
        and response is not None
        and not record["failure"]
        and 200 <= response["status"] < 300
    )


def compared(before: Samples, after: Samples) -> list[dict[str, Any]]:
    """Gives for each endpoint that both runs asked: the times of both, and `differs`: `slower`, `faster` or ""."""
    return [
        _row(endpoint, summary(before[endpoint]), summary(after[endpoint])) for endpoint in before if endpoint in after
    ]


def summary(samples: Iterable[float]) -> dict[str, Any]:
    """Gives how many samples there are, in milliseconds their median, and the quartiles around it."""
    ordered = sorted(samples)
    low, middle, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    return {"answers": len(ordered), "median_ms": round(middle, 1), "q1_ms": round(low, 1), "q3_ms": round(high, 1)}


def _row(endpoint: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"endpoint": endpoint, "before": before, "after": after, "differs": _differs(before, after)}


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if min(before["answers"], after["answers"]) < FEWEST:
        return ""
    fast, slow = sorted((before, after), key=lambda times: float(times["median_ms"]))
    apart = slow["median_ms"] - fast["median_ms"]
    if apart < max(FLOOR_MS, FLOOR_SHARE * fast["median_ms"]) or slow["q1_ms"] <= fast["q3_ms"]:
        return ""
    return "slower" if slow is after else "faster"
