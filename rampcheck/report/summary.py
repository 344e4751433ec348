"""summary.md: what a pipeline shows on its job page, in GitHub Flavored Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from rampcheck.display import one_line
from rampcheck.judging.results import FindingResult, Results
from rampcheck.report.outline import GAPS, others, outage_text, outline, verdicts_of
from rampcheck.report.text import plural

LONGEST_CELL = 300  # characters
LONGEST_NOTE = 3_000  # … of what rampcheck says itself: what to do stands at its end
SEEN_SHOWN = 10  # findings or observations of one clause; results.json holds all
# GitHub shows no summary at all of more than 1 MiB ("Workflow commands", "Step isolation and limits").
LONGEST = 1_000_000  # bytes

# What Markdown's emphasis, code, links, tables, HTML, entities, mathematics and references are made of, and
# what makes GitHub turn bare text into a link.
SPECIAL = re.compile(r"[\\`*_\[\]<>|~&#$@]|:(?=//)|(?<=www)\.")


# The line between the head of a table and its rows.
RULE = re.compile(r"\|[-:|]+\|$")


class Note(str):
    """A text of rampcheck's own, as long as a paragraph may be."""

    __slots__ = ()


def cell(value: object) -> str:
    """Gives `value` as one line that Markdown shows exactly as it is, whatever is in it."""
    return escaped(one_line(str(value), LONGEST_NOTE if isinstance(value, Note) else LONGEST_CELL))


def escaped(text: str) -> str:
    """Gives a text so that Markdown shows it exactly as it is, whatever is in it."""
    return SPECIAL.sub(r"\\\g<0>", text)


@cache
def environment(shown: Callable[[object], str] = cell) -> Environment:
    """Gives what renders our pages in Markdown: what is missing is an error, every value is as `shown` gives it."""
    return Environment(
        loader=PackageLoader("rampcheck.report"),
        autoescape=False,  # noqa: S701 - Markdown, not HTML: `finalize` escapes every value
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(results: Results) -> str:
    """Gives the Markdown summary of valid `results`, of `LONGEST` bytes at most."""
    return _shortened(
        environment()
        .get_template("summary.md.jinja")
        .render(
            results={"waivers": [], **results},
            outline=outline(results),
            subject=results.get("subject", {"build": "", "partner": "", "requested_by": ""}),
            verdicts=verdicts_of(results),
            gap_words=GAPS,
            outage_text=outage_text,
            others=_others,
            place=_place,
            note=Note,
            plural=plural,
            shown=SEEN_SHOWN,
        )
    )


def _place(finding: FindingResult) -> str:
    """Gives the number of a finding's exchange, and by which trace the vendor finds it."""
    if finding["exchange"] is None:
        return ""
    return f"{finding['exchange']}, trace {finding['trace']}" if "trace" in finding else str(finding["exchange"])


def _shortened(text: str) -> str:
    """Gives a document cut between two lines where it is too long, with no table begun that has no row, and says so."""
    if len(text.encode()) <= LONGEST:
        return text
    note = "\n**This summary is shortened; index.html has all of it.**\n"
    kept, room = list[str](), LONGEST - len(note.encode())
    for line in text.splitlines(keepends=True):
        room -= len(line.encode())
        if room < 0:
            break
        kept.append(line)
    while kept and (RULE.match(kept[-1]) or kept[-1].startswith("#") or not kept[-1].strip()):
        if RULE.match(kept.pop()):
            kept.pop()  # the head of the table
    return "".join([*kept, note])


def _others(finding: FindingResult) -> str:
    """Says how often a finding was seen with other values, and which, or nothing."""
    examples = others(finding)
    if not examples:
        return ""
    told = "; ".join(example["actual"] for example in examples)
    return f"({plural(finding['times'], 'time')} with different values, also: {told})"
