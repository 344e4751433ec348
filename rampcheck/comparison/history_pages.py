"""A history on the terminal and as a page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from rampcheck import __version__
from rampcheck.comparison import pages
from rampcheck.comparison.releases import INCONCLUSIVE, History, Release, Row
from rampcheck.display import one_line
from rampcheck.judging.results import ClauseVerdict
from rampcheck.report.console import heading, say
from rampcheck.report.html import csp_hash, environment
from rampcheck.report.outline import CLAUSE_VERDICTS, RUN_VERDICTS
from rampcheck.report.terminal import STYLES
from rampcheck.report.text import plural

HTML = "history.html"
ABSENT = "-"  # the runs of a release do not know the clause
UNJUDGED = "/"  # the runs of a release judged nothing
FLAKY = "~"
QUIET = frozenset({"passed", "observed", None})
NO_BUILD = (
    "No build was judged twice, so nothing can be said of flaky clauses. The profile's `subject: {build: …}` names the "
    "build."
)


def write(history: History, folder: Path) -> Path:
    """Writes history.html into a folder, made if it is not there, and gives its path. Raises `OSError`."""
    path = folder / HTML
    pages.put(path, html(history))
    return path


def html(history: History) -> str:
    """Gives the history as a page: one file that needs no network and no script."""
    css = pages.style("history")
    sections: dict[str, list[Row]] = {}
    titles = {
        s["id"]: s["title"] for release in history.releases for run in release.runs for s in run.results["sections"]
    }
    for row in history.rows:
        sections.setdefault(row.result["section"], []).append(row)
    return (
        environment()
        .get_template("history.html.jinja")
        .render(
            history=history,
            sections=[(titles[name], rows) for name, rows in sections.items()],
            sentence=sentence(history),
            verdicts=CLAUSE_VERDICTS,
            run_verdicts=RUN_VERDICTS,
            nothing_judged=nothing_judged,
            no_build="" if history.can_tell_flaky else NO_BUILD,
            version=__version__,
            css=css,
            hash=csp_hash(css),
        )
    )


def sentence(history: History) -> str:
    """Says in a sentence what a history tells."""
    runs = sum(len(release.runs) for release in history.releases)
    changed = sum(not row.is_steady for row in history.rows)
    flaky = f"; {plural(len(history.flaky), 'flaky clause')}" if history.can_tell_flaky else ""
    over = f"{plural(runs, 'run')} of {plural(len(history.releases), 'release')}"
    return f"{over}: {changed:,} of {plural(len(history.rows), 'clause')} changed{flaky}."


def nothing_judged(release: Release) -> str:
    """Says of a release of which a run judged nothing that it is so, and why; "" of another one."""
    idle = [run for run in release.runs if run.results["verdict"] == INCONCLUSIVE]
    if not idle:
        return ""
    which = "nothing was judged" if len(idle) == len(release.runs) else f"{plural(len(idle), 'run')} judged nothing"
    why = {run.results["reason"].rstrip(".") for run in idle if run.results["reason"]}
    return f"; {which}{f' ({next(iter(why))})' if len(why) == 1 else ''}"


def print_history(history: History, console: Console, place: str = "") -> None:
    """Prints a history, a column a release: the clauses that changed, or are broken; `place` is where the page is."""
    heading(console, "Releases")
    for number, release in enumerate(history.releases, start=1):
        verdicts = ", ".join(dict.fromkeys(RUN_VERDICTS[run.results["verdict"]].word for run in release.runs))
        told = f"{release.name}: {plural(len(release.runs), 'run')}, {verdicts}{nothing_judged(release)}"
        say(console, one_line(told, 400), f"{number:>3}  ")
    shown = [row for row in history.rows if not row.is_steady or row.steady not in QUIET]
    heading(
        console, f"Clauses: {plural(len(shown), 'row')}; what was the same in every run, and not broken, is left out"
    )
    say(console, Text("".join(f"{number:^4}" for number in range(1, len(history.releases) + 1)), "dim"))
    for row in shown:
        _print_row(console, row)
    say(console, "")
    words = [f"{word.symbol} {word.word}" for word in CLAUSE_VERDICTS.values()]
    legend = f"{', '.join(words)}, {ABSENT} not known to the run, {UNJUDGED} nothing judged, {FLAKY} flaky"
    say(console, Text(legend, "dim"))
    if history.flaky:
        heading(console, "Flaky: judged differently in runs of one build", STYLES["advisory"])
        for row in history.flaky:
            builds = [release.name for release, flaky in zip(history.releases, row.flaky, strict=True) if flaky]
            say(console, one_line(f"{row.result['id']}: {', '.join(builds)}", 400), f"{FLAKY} ")
    elif not history.can_tell_flaky:
        say(console, NO_BUILD)
    if place:
        say(console, f"History: {place}")
    say(console, "")
    say(console, f"{history.title}. {sentence(history)}")


def _print_row(console: Console, row: Row) -> None:
    cells = [_cell(verdicts, flaky=flaky) for verdicts, flaky in zip(row.verdicts, row.flaky, strict=True)]
    say(console, Text(row.result["id"], "bold"), Text.assemble(*cells, " "))


def _cell(verdicts: tuple[ClauseVerdict, ...] | None, *, flaky: bool) -> Text:
    if verdicts is None:
        return Text(f"{UNJUDGED:^4}", "dim")
    if not verdicts:
        return Text(f"{ABSENT:^4}", "dim")
    symbols = "".join(CLAUSE_VERDICTS[verdict].symbol for verdict in verdicts[:2]) + FLAKY * flaky
    return Text(f"{symbols:^4}", STYLES[verdicts[0]])
