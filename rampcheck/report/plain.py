"""What was seen of a clause, as plain text."""

from __future__ import annotations

from rampcheck.display import shorten, visible
from rampcheck.judging.results import ClauseResult, FindingResult, ObservationResult
from rampcheck.report.outline import others, seen_of, trace_text
from rampcheck.report.text import plural

LONGEST_VALUE = 4_000  # characters


def seen(clause: ClauseResult) -> str:
    """Gives the findings and observations of a clause, a paragraph each; nothing in it is a command to its reader."""
    return visible("\n\n".join(map(_paragraph, seen_of(clause))))


def actual(clause: ClauseResult) -> str:
    """Gives what the target did in place of what it promised, in a line, with what that follows from."""
    what = "; ".join(dict.fromkeys(shorten(one["actual"], 200) for one in seen_of(clause)))
    return visible(follows(clause) + what)


def follows(clause: ClauseResult) -> str:
    """Gives the beginning of a text on a clause that follows from another; nothing where it follows from none."""
    return f"follows from {clause['follows']}: " if "follows" in clause else ""


def _paragraph(one: FindingResult | ObservationResult) -> str:
    lines = [f"expected: {shorten(one['expected'], LONGEST_VALUE)}"] if "expected" in one else []
    lines.append(f"actual: {shorten(one['actual'], LONGEST_VALUE)}")
    if one["exchange"] is not None:
        lines.append(f"exchange: {one['exchange']}, see index.html#exchange-{one['exchange']}")
    lines.append(f"seen: {plural(one['times'], 'time')}")
    if one["scenario"]:
        lines.append(f"scenario: {one['scenario']}")
    if trace := trace_text(one):
        lines.append(f"trace: {trace}")
    lines += [
        f"also: {shorten(example['actual'], LONGEST_VALUE)}, exchange {example['exchange']}" for example in others(one)
    ]
    return "\n".join(lines)
