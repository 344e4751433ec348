"""A comparison and a history as pages: Markdown for a pipeline's job page, HTML in the house of the report, JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from rampcheck.comparison import answers, differences, words
from rampcheck.report import files, summary
from rampcheck.report.html import asset, csp_hash, environment, foreign
from rampcheck.report.outline import CLAUSE_VERDICTS, RUN_VERDICTS

HTML, MARKDOWN, JSON = "compare.html", "compare.md", "compare.json"
LINES_SHOWN = 40  # of two answers that differ, in Markdown


def write(comparison: Mapping[str, Any], folder: Path) -> Path:
    """Writes compare.html, compare.md and compare.json into a folder, made if it is not there; gives the first.

    Raises `OSError` where a file cannot be written.
    """
    differences.validate(comparison)
    rendered = {HTML: html(comparison), MARKDOWN: markdown(comparison), JSON: encoded(comparison)}
    for name, text in rendered.items():
        put(folder / name, text)
    return folder / HTML


def put(path: Path, text: str) -> None:
    """Writes a file as a whole, its folder made if it is not there. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, text.encode("utf-8", "backslashreplace"))


def encoded(comparison: Mapping[str, Any]) -> str:
    """Gives the text of compare.json."""
    return json.dumps(comparison, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def markdown(comparison: Mapping[str, Any]) -> str:
    """Gives the comparison in GitHub Flavored Markdown."""
    return summary.environment().get_template("compare.md.jinja").render(**_view(comparison), shown=LINES_SHOWN)


def html(comparison: Mapping[str, Any]) -> str:
    """Gives the comparison as a page of its own: one file that needs no network and no script."""
    templates = environment()
    css = style(f"comparison {comparison['after']['run']}")
    return templates.get_template("compare.html.jinja").render(
        **_view(comparison), css=css, hash=csp_hash(css), sides=_sides
    )


def style(run: str) -> Markup:
    """Gives the style of a page about several runs; `run` is what stands in its print margin."""
    templates = environment()
    return asset(templates, "css", run) + Markup(templates.get_template("compare.css").render())  # noqa: S704 - ours


def _view(comparison: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "outcome": words.outcome(comparison),
        "groups": words.groups(comparison),
        "reworded": words.reworded(comparison),
        "slow": words.beyond_noise(comparison),
        "words": words,
        "verdicts": CLAUSE_VERDICTS,
        "run_verdicts": RUN_VERDICTS,
    }


def _sides(row: Mapping[str, Any]) -> tuple[Markup, Markup]:
    """Gives both lines of a row, what differs marked in place."""
    before, after = row["before"], row["after"]
    if not row["differs"] or before is None or after is None:
        return foreign(before or ""), foreign(after or "")
    begin, earlier, later, end = answers.apart(before, after)
    marked = [
        Markup("{}<mark>{}</mark>{}").format(foreign(begin), foreign(one), foreign(end)) for one in (earlier, later)
    ]
    return marked[0], marked[1]
