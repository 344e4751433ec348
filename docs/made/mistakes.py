"""The table of mistakes of configuration, and what `rampcheck doctor` says of each."""

from __future__ import annotations

import json
from pathlib import Path

from docs.made.markdown import plain, table

FILE = Path(__file__).parents[1] / "mistakes.json"
WHOSE = {
    "profile": "Mend the profile, or the variables that it names",
    "machine": "Mend this machine, or its way to the target",
    "target": "For those who run the target",
    "either": "One or the other",
}


def _of(whose: str) -> str:
    """Gives those mistakes that are to be mended there."""
    told = [one for one in json.loads(FILE.read_text(encoding="utf-8")) if one["whose"] == whose]
    rows = [(plain(one["name"]), plain(one["found"]), plain(one["cure"])) for one in told]
    return table(("mistake", "what the doctor says", "what to do"), rows)


def mistakes() -> str:
    """Gives a section for each place at which something is to be mended."""
    return "\n".join(f"## {title}\n\n{_of(whose)}" for whose, title in WHOSE.items())
