"""A diagnosis on the terminal, and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from rampcheck import __version__
from rampcheck.contract.wording import worded
from rampcheck.display import one_line, visible
from rampcheck.doctor.asking import Asking
from rampcheck.doctor.diagnosis import Diagnosis
from rampcheck.mistakes.observation import Severity
from rampcheck.report.additions import CAVEAT
from rampcheck.report.console import heading, say
from rampcheck.report.text import plural
from rampcheck.running.forecast import lacks, takes, tries

SCHEMA = 1
LONGEST = 600  # characters of what was found
STYLES: dict[Severity, str] = {"ok": "green", "look": "yellow", "wrong": "bold red"}


def document(diagnosis: Diagnosis, asking: Asking) -> dict[str, Any]:
    """Gives a diagnosis as data, no secret in it."""
    ahead = diagnosis.forecast
    return {
        "schema": SCHEMA,
        "rampcheck": __version__,
        "contract": asking.contract.name,
        "contract_version": asking.contract.version,
        "target": {
            "base_url": asking.redacted(asking.profile.base_url),
            "environment": asking.profile.environment or "",
        },
        "ready": diagnosis.is_ready,
        "requests": len(asking.exchanges),
        "journal": str(asking.output),
        "observations": [
            {
                "about": seen.about,
                "severity": seen.severity,
                "found": one_line(asking.redacted(worded(seen.found, asking.profile)), LONGEST),
                "cure": one_line(asking.redacted(worded(seen.cure, asking.profile)), LONGEST),
                "whose": seen.whose,
                "exchange": seen.exchange,
            }
            for seen in diagnosis.observations
        ],
        "run": {
            "verified": list(ahead.verified),
            "gaps": [{"clause": gap.clause.id, "lacks": list(gap.lacks)} for gap in ahead.gaps],
            "untestable": list(ahead.untestable),
            "addition": ahead.addition,
            "requests": ahead.requests,
            "seconds": round(ahead.seconds),
            "left_out": ahead.left_out,
            "at_least": ahead.at_least,
            "lets_through": diagnosis.lets_through,
            "refused": diagnosis.refused,
        },
    }


def show(told: dict[str, Any], console: Console, *, has_file: bool = True) -> None:
    """Prints the `document` of a diagnosis, the verdict last; `has_file` says whether there is a profile to add to."""
    target = told["target"]
    say(console, visible(f"{told['contract']} at {target['base_url']}"))
    say(console, "")
    for seen in told["observations"]:
        label = Text.assemble((f"{seen['severity']:<7}", STYLES[seen["severity"]]))
        number = f" (exchange {seen['exchange']})" if seen["exchange"] and seen["severity"] != "ok" else ""
        say(console, f"{seen['about']}: {seen['found']}{number}", label)
        if seen["cure"]:
            say(console, Text(seen["cure"]), "       → ")
    _show_run(told["run"], console, is_ready=told["ready"], has_file=has_file)
    say(console, "")
    wrong = sum(seen["severity"] == "wrong" for seen in told["observations"])
    verdict = (
        Text("Ready: a run can begin.", "bold green")
        if told["ready"]
        else Text(f"Not ready: a run would trip over {plural(wrong, 'thing')}.", "bold red")
    )
    say(console, verdict)
    say(console, visible(f"{plural(told['requests'], 'request')}, each in {Path(told['journal']) / 'journal.jsonl'}"))


def _show_run(run: dict[str, Any], console: Console, *, is_ready: bool, has_file: bool) -> None:
    verified, gaps, untestable = len(run["verified"]), len(run["gaps"]), len(run["untestable"])
    heading(console, "What a run with this profile does" if has_file else "What a run without a profile does")
    say(console, tries(verified, verified + gaps + untestable, untestable))
    rate = "the rate that the target let through" if run.get("refused") else "this rate"
    if run.get("refused") and run["lets_through"] is None:
        rate = "what the target asks to wait"
    if told := takes(run["requests"], run["seconds"], run["left_out"], rate, at_least=run.get("at_least", False)):
        say(console, told)
    if gaps:
        what = "What to add, with examples:" if is_ready else "What to add is told here when a run can begin."
        say(console, f"For {plural(gaps, 'clause')} {lacks(has_file)}. {what}")
        for line in run["addition"].splitlines() if is_ready else ():
            # Never folded: what is pasted into a profile has to be YAML.
            console.print(Text(f"    {visible(line)}"), soft_wrap=True, highlight=False)
        if is_ready and run["addition"]:
            say(console, CAVEAT)
