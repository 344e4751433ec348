"""What differs between any two runs, folded away: what is left of two texts that are equal in all that matters."""

from __future__ import annotations

import re
from typing import Any

# What is made anew for each run, or each answer, and what stands in its place. The first that matches counts.
_FOLDED = (
    (re.compile(r"\[redacted ([\w .-]*?) [0-9a-f]+\]"), r"[redacted \1]"),  # a mark's key lives as long as its run
    (re.compile(r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b"), "[trace]"),  # W3C Trace Context, traceparent
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "[uuid]"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?Z|[+-]\d\d:?\d\d)?", re.IGNORECASE), "[time]"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "[time]"),
    (re.compile(r"\brampcheck[-/.+_][\w.@+/-]+"), "[rampcheck]"),  # our own test data name the run
    (re.compile(r"(?<=[?&]run=)[\w.-]+"), "[run]"),  # our own addresses name it, too
    (re.compile(r"(?<![\w.])(127\.0\.0\.\d+|localhost|\[::1\]):\d+"), r"\1"),  # a free port of this machine
    (re.compile(r"\b(?:req|request)[-_][0-9a-z]{4,}\b", re.IGNORECASE), "[request id]"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{16,}\b", re.IGNORECASE), "[hex]"),
    (re.compile(r"\b\d{10,}\b"), "[number]"),
)
_LENGTH = re.compile(r"^(content-length): \d+$", re.IGNORECASE | re.MULTILINE)


def shape(text: str) -> str:
    """Gives a text with what differs between any two runs replaced by what it is."""
    for pattern, stands_for in _FOLDED:
        text = pattern.sub(stands_for, text)
    return _LENGTH.sub(r"\1: [length]", text)


def shaped(value: Any) -> Any:
    """Gives plain data with `shape` done to every text in it, the names of members too."""
    if isinstance(value, dict):
        return {shape(key): shaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shaped(item) for item in value]
    return shape(value) if isinstance(value, str) else value
