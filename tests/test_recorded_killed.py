"""The folder of a run that was killed: what its other processes had written is judged, and compared, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.comparison.saved import Saved
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import Journal
from rampcheck.wire.redaction import Redactor
from tests.conducts import call
from tests.journals import BEGINNING
from tests.runs import Completed

END = {"kind": "end", "finished": "2026-11-21T07:01:00.000000Z", "interrupted": True, "reason": "killed"}


def killed(place: Path, **end: Any) -> Path:
    """The folder of a run with a worker, which had one exchange; `end` is that of the whole, as far as it has one."""
    folder = place / "killed"
    folder.mkdir()
    records = [BEGINNING, *([end] if end else [])]
    (folder / "journal.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")
    journal = Journal(folder / "journal.1.jsonl", Redactor(b"a key of these tests", ()), ())
    made = call("/widget/session", {"currency": "USDT"}, 400, {"error": "some"})
    members = {name: getattr(made, name) for name in made.__dataclass_fields__}
    journal.exchange(Exchange(**{**members, "direction": "outgoing"}))
    journal.close()
    with (folder / "journal.1.jsonl").open("ab") as lines:
        lines.write(b'{"kind": "exch')
    return folder


def judged(folder: Path, place: Path) -> Completed:
    """What `rampcheck judge` makes of it."""
    named = ["--contract", "proof", "--base-url", "http://127.0.0.1:8081", "--output", str(place / "out")]
    done = CliRunner().invoke(main, ["judge", str(folder), *named], env={"PROOF_CLIENT_TOKEN": "a-token-0123456789"})
    return Completed(done.exit_code, done.output, place / "out")


def test_what_the_workers_of_a_killed_run_wrote_is_judged(tmp_path: Path) -> None:
    """As `rampcheck report` does; that a line was cut off is told, with its journal."""
    done = judged(killed(tmp_path), tmp_path)
    assert (done.code, done.results["requests"]) == (5, 1), done.printed
    assert "killed/journal.1.jsonl, line" in done.results["reason"]


def test_what_lies_beside_the_journal_of_a_run_that_ended_is_in_it_already(tmp_path: Path) -> None:
    """It was killed after the journals had become one, and before the others were gone."""
    done = judged(killed(tmp_path, **END), tmp_path)
    assert (done.code, "there is no exchange in the traffic" in done.printed) == (4, True)


def test_what_the_workers_of_a_killed_run_wrote_is_compared(tmp_path: Path) -> None:
    """The records of all its journals are read."""
    folder = killed(tmp_path)
    saved = Saved({}, folder / "journal.jsonl", folder)
    assert [record["kind"] for record in saved.records()] == ["run", "exchange"]
