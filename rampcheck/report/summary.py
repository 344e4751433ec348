"""summary.md: what a pipeline shows on its job page, in GitHub Flavored Markdown."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from rampcheck.display import one_line
from rampcheck.judging.results import FindingResult, Results
from rampcheck.report.outline import CLAUSE_VERDICTS, GAPS, others, outage_text, outline
from rampcheck.report.text import plural

LONGEST_CELL = 300  # characters
SEEN_SHOWN = 10  # findings or observations of one clause; results.json holds all

# What Markdown's emphasis, code, links, tables, HTML, entities, mathematics and references are made of, and
# what makes GitHub turn bare text into a link.
SPECIAL = re.compile(r"[\\`*_\[\]<>|~&#$@]|:(?=//)|(?<=www)\.")


def cell(value: object) -> str:
    """Gives `value` as one line that Markdown shows exactly as it is, whatever is in it."""
    return SPECIAL.sub(r"\\\g<0>", one_line(str(value), LONGEST_CELL))


@cache
def environment() -> Environment:
    """Gives what renders our pages in Markdown: every value is escaped, and what is missing is an error."""
    return Environment(
        loader=PackageLoader("rampcheck.report"),
        autoescape=False,  # noqa: S701 - Markdown, not HTML: `finalize` escapes every value
        finalize=cell,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(results: Results) -> str:
    """Gives the Markdown summary of valid `results`."""
    return (
        environment()
        .get_template("summary.md.jinja")
        .render(
            results={"waivers": [], **results},
            outline=outline(results),
            verdicts=CLAUSE_VERDICTS,
            gap_words=GAPS,
            outage_text=outage_text,
            others=_others,
            place=_place,
            plural=plural,
            shown=SEEN_SHOWN,
        )
    )


def _place(finding: FindingResult) -> str:
    """Gives the number of a finding's exchange, and by which trace the vendor finds it."""
    if finding["exchange"] is None:
        return ""
    return f"{finding['exchange']}, trace {finding['trace']}" if "trace" in finding else str(finding["exchange"])


def _others(finding: FindingResult) -> str:
    """Says how often a finding was seen with other values, and which, or nothing."""
    examples = others(finding)
    if not examples:
        return ""
    told = "; ".join(example["actual"] for example in examples)
    return f" ({plural(finding['times'], 'time')} with different values, also: {told})"
