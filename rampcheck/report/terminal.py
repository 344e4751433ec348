"""The last words of a run on the terminal: what failed and where to see it, what is missing, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rampcheck.display import one_line, visible
from rampcheck.judging.findings import LONGEST_REASON
from rampcheck.judging.results import ClauseResult, ClauseVerdict, FindingResult, Results, WaiverResult
from rampcheck.judging.verdicts import BROKEN
from rampcheck.report.console import heading, say
from rampcheck.report.outline import (
    CLAUSE_VERDICTS,
    GAPS,
    Gap,
    GapGroup,
    Lead,
    Outline,
    answers_text,
    others,
    outage_text,
    outline,
    trace_text,
)
from rampcheck.report.text import plural

LONGEST_VALUE = 400  # characters
FINDINGS_SHOWN = 3  # of one clause; the reports hold all
GAPS_SHOWN = 8

STYLES: Mapping[str, str] = {
    "failed": "bold red",
    "waived": "magenta",
    "advisory": "yellow",
    "not_verified": "blue",
    "attested": "blue",
    "observed": "cyan",
    "passed": "green",
    "conformant": "bold green",
    "conformant_with_gaps": "bold blue",
    "partial": "bold magenta",
    "incomplete": "bold yellow",
    "nonconformant": "bold red",
    "inconclusive": "bold",
}


def print_summary(results: Results, console: Console, directory: Path | None) -> None:
    """Prints valid `results` on `console`, the verdict last; `directory` is where the reports are.

    None says that there was no place to write them.

    Plain text where the console is no terminal. Lines fold at the console's width; a value of over 400
    characters is shortened with a note of its length, and a long list says how many more the reports hold.
    """
    summary = outline(results)
    for verdict in BROKEN:
        _print_broken(console, verdict, summary)
    for group, gaps in summary.groups:
        _print_gaps(console, group, gaps)
    attested = summary.by_verdict["attested"]
    _print_list(console, "Attested by the partner", (f"{clause['id']}: {clause['reason']}" for clause in attested))
    _print_list(console, "Waivers", map(_waiver, results.get("waivers", ())))
    _print_list(console, "Faults of rampcheck", results["faults"])
    _print_list(console, "Notes", summary.notes)
    lasting = [outage_text(outage) for outage in summary.outages if outage["ended"] is None]
    _print_list(console, "The target stopped answering", lasting)
    _print_end(console, results, summary, directory)


def where(directory: Path | None) -> str:
    """Says where the reports of a run are, None where there was no place to write them."""
    return f"Reports: {directory / 'index.html'}" if directory else "Reports: none could be written"


def _print_broken(console: Console, verdict: ClauseVerdict, summary: Outline) -> None:
    leads = summary.leads[verdict]
    if not leads:
        return
    word = CLAUSE_VERDICTS[verdict]
    following = sum("follows" in clause for clause in summary.by_verdict[verdict])
    more = f", and {following:,} more in consequence" if following else ""
    heading(console, f"{word.word.capitalize()}: {plural(len(leads), 'clause')}{more}", STYLES[verdict])
    for lead in leads:
        _print_lead(console, lead)


def _print_lead(console: Console, lead: Lead) -> None:
    clause = lead.clause
    say(console, "")
    say(console, Text(clause["id"], "bold"), _symbol(clause))
    say(console, one_line(clause["text"], LONGEST_VALUE), "  ")
    for finding in clause["findings"][:FINDINGS_SHOWN]:
        _print_finding(console, finding)
    if len(clause["findings"]) > FINDINGS_SHOWN:
        more = plural(len(clause["findings"]) - FINDINGS_SHOWN, "more finding")
        say(console, f"and {more}, see index.html", "    ")
    if lead.followers:
        say(
            console,
            f"from which {plural(len(lead.followers), 'more broken clause')} "
            f"{'follows' if len(lead.followers) == 1 else 'follow'}:",
            "  ",
        )
    for follower in lead.followers:
        say(console, follower["id"], Text.assemble("    ", _symbol(follower)))


def _symbol(clause: ClauseResult) -> Text:
    return Text(f"{CLAUSE_VERDICTS[clause['verdict']].symbol} ", STYLES[clause["verdict"]])


def _print_finding(console: Console, finding: FindingResult) -> None:
    number, times = finding["exchange"], finding["times"]
    rows = [("expected", finding["expected"]), ("actual", finding["actual"])]
    if number is not None:
        first = f", the first of {times:,}" if times > 1 else ""
        rows.append(("exchange", f"{number}{first}: index.html#exchange-{number}"))
    if answers := answers_text(finding):
        rows.append(("answers", answers))
    rows += [("also", f"{example['actual']} (exchange {example['exchange']})") for example in others(finding)]
    if finding["scenario"]:
        rows.append(("scenario", finding["scenario"]))
    if trace := trace_text(finding):
        rows.append(("trace", trace))
    for name, value in rows:
        say(console, one_line(value, LONGEST_VALUE), Text(f"    {name:<10}", "dim"))


def _waiver(waiver: WaiverResult) -> str:
    until = f", until {waiver['until']}" if waiver["until"] else ""
    return f"{waiver['state']}: {waiver['clause']}{until}: {waiver['reason']}"


def _print_gaps(console: Console, group: GapGroup, gaps: Sequence[Gap]) -> None:
    heading(console, GAPS[group].heading, STYLES["incomplete" if gaps[0].kind == "unexpected" else "not_verified"])
    if group == "unselected":
        say(console, f"{plural(sum(len(gap.clauses) for gap in gaps), 'clause')}, see index.html", "  ")
        return
    for gap in gaps[:GAPS_SHOWN]:
        say(console, one_line(gap.reason, LONGEST_REASON), "? ")
        say(console, Text(", ".join(clause["id"] for clause in gap.clauses), "dim"), "    ")
    if len(gaps) > GAPS_SHOWN:
        say(console, f"and {plural(len(gaps) - GAPS_SHOWN, 'more reason')}, see index.html", "  ")


def _print_list(console: Console, title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if number == 0:
            heading(console, title)
        say(console, one_line(line, LONGEST_VALUE), "- ")


def _print_end(console: Console, results: Results, summary: Outline, directory: Path | None) -> None:
    counts = [
        Text(f"{number} {word.word}", STYLES[verdict])
        for verdict, word in CLAUSE_VERDICTS.items()
        if (number := len(summary.by_verdict[verdict]))
    ]
    say(console, "")
    say(console, Text(", ").join(counts))
    is_sent = not ("traffic" in results.get("selection", {}) or "side" in results)
    seed = f", seed {results['seed']}" if is_sent else ""
    say(console, f"{plural(results['requests'], 'request' if is_sent else 'exchange')}{seed}, run {results['run']}")
    if build := results.get("subject", {}).get("build"):
        say(console, f"Build: {visible(build)}")
    if summary.selection:
        say(console, f"Selected: {visible(summary.selection)}")
    say(console, where(directory))
    say(console, "")
    if summary.early_end:
        say(console, Text(visible(summary.early_end), "bold"))
    target = f"{results['title']} at {visible(results['target']['base_url'])}"
    style = STYLES[results["verdict"]]
    if summary.cure:
        say(console, Text(f"What to do: {visible(summary.cure)}"))
    verdict = Text.assemble((summary.word.word, style), f": {target}. {visible(summary.sentence)}")
    say(console, verdict, Text(f"{summary.word.symbol} ", style))
