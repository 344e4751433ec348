"""What differs between any two runs, folded away: what is left of two texts that are equal in all that matters."""

from __future__ import annotations

import re
from typing import Any

_MARK = re.compile(r"\[redacted ([\w .-]*?) [0-9a-f]+\]"), r"[redacted \1]"  # a mark's key lives as long as its run
_PORT = re.compile(r"(?<![\w.])(127\.0\.0\.\d+|localhost|\[::1\]):\d+"), r"\1"  # a free port of this machine
# Of what somebody chose for a run: an id in a profile is the one that it names.
_CHOSEN = (_MARK, _PORT)
# What is made anew for each run, or each answer, and what stands in its place. The first that matches counts.
_FOLDED = (
    _MARK,
    (re.compile(r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b"), "[trace]"),  # W3C Trace Context, traceparent
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "[uuid]"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?Z|[+-]\d\d:?\d\d)?", re.IGNORECASE), "[time]"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "[time]"),
    (re.compile(r"\brampcheck[-/.+_][\w.@+/-]+"), "[rampcheck]"),  # our own test data name the run
    (re.compile(r"(?<=[?&]run=)[\w.-]+"), "[run]"),  # our own addresses name it, too
    _PORT,
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


def chosen(value: Any) -> Any:
    """Gives plain data of a run's settings with marks and free ports replaced in every text, members' names too."""
    if isinstance(value, dict):
        return {chosen(key): chosen(item) for key, item in value.items()}
    if isinstance(value, list):
        return [chosen(item) for item in value]
    if isinstance(value, str):
        for pattern, stands_for in _CHOSEN:
            value = pattern.sub(stands_for, value)
    return value
