"""annotations.txt: what GitHub Actions shows beside a job, as the commands that it takes from a step's output.

They are those of "Workflow commands for GitHub Actions", which has the escapes too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from rampcheck.display import shorten, visible
from rampcheck.judging.findings import LONGEST_REASON
from rampcheck.judging.results import Results
from rampcheck.report import standing
from rampcheck.report.outline import CLAUSE_VERDICTS, GAPS, Lead, outline
from rampcheck.report.text import plural

FILE_NAME = "annotations.txt"
SHOWN = 10  # of each kind in a step; GitHub drops what comes after them
LONGEST_VALUE = 600  # characters

Kind = Literal["error", "warning", "notice"]


class _Annotation(NamedTuple):
    kind: Kind
    title: str
    text: str


def render(results: Results) -> str:
    """Gives the annotations of valid `results`: first the verdict, an error exactly where the exit code is not 0.

    Then what is wrong with the run, what is broken (a clause that follows from another is counted there), and what was
    not verified, by its reason.
    """
    left = dict.fromkeys(("error", "warning", "notice"), SHOWN)
    lines, dropped = [], 0
    for annotation in _annotations(results):
        if left[annotation.kind]:
            left[annotation.kind] -= 1
            lines.append(_command(annotation))
        else:
            dropped += 1
    if dropped:
        lines.append(f"{plural(dropped, 'more annotation')} not shown: see the summary.")
    return "".join(f"{line}\n" for line in lines)


def _annotations(results: Results) -> Iterator[_Annotation]:
    summary = outline(results)
    yield _Annotation(
        "error" if standing.is_red(results) else "notice", f"{summary.word.word}: {results['title']}", summary.sentence
    )
    for trouble in standing.troubles(results):
        if trouble.text != summary.sentence:
            yield _Annotation("error", trouble.title, trouble.text)
    for lead in summary.leads["failed"]:
        yield _Annotation("error", lead.clause["id"], _broken(lead))
    for lead in summary.leads["advisory"]:
        yield _Annotation("warning", f"{lead.clause['id']} ({CLAUSE_VERDICTS['advisory'].word})", _broken(lead))
    for gap in summary.gaps:
        if gap.kind == "unselected":
            continue
        lost = any(standing.of(clause) == "lost" for clause in gap.clauses)
        unexpected: Kind = "error" if lost else "warning"
        names = ", ".join(clause["id"] for clause in islice(gap.clauses, SHOWN))
        more = f" and {len(gap.clauses) - SHOWN:,} more" if len(gap.clauses) > SHOWN else ""
        yield _Annotation(
            unexpected if gap.kind == "unexpected" else "notice",
            GAPS[gap.group].heading,
            f"{shorten(gap.reason, LONGEST_REASON)}\n{names}{more}",
        )


def _broken(lead: Lead) -> str:
    clause = lead.clause
    lines = [clause["text"]]
    for finding in clause["findings"][:1]:
        lines += [
            f"Expected: {shorten(finding['expected'], LONGEST_VALUE)}",
            f"Actual: {shorten(finding['actual'], LONGEST_VALUE)}",
        ]
    if len(clause["findings"]) > 1:
        lines.append(f"And {plural(len(clause['findings']) - 1, 'more finding')}.")
    if lead.followers:
        lines.append(f"{plural(len(lead.followers), 'more clause')} broken in consequence.")
    return "\n".join(lines)


def _command(annotation: _Annotation) -> str:
    title, text = (_data(visible(part)) for part in (annotation.title, annotation.text))
    return f"::{annotation.kind} title={title.replace(':', '%3A').replace(',', '%2C')}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
