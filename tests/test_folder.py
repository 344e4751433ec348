"""A folder belongs to one run by its making, and holds one journal when the run is over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from rampcheck.errors import UsageError
from rampcheck.running import folder
from tests.journals import BEGINNING

END = {"kind": "end", "finished": BEGINNING["started"], "interrupted": False, "reason": ""}
NOTE = {"kind": "note", "text": "a"}


def journal(path: Path, *records: dict[str, Any], more: str = "") -> None:
    """Writes a journal."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + more, encoding="utf-8")


def kinds(records: Sequence[dict[str, Any]]) -> list[str]:
    """Gives the kinds of records."""
    return [record["kind"] for record in records]


def test_an_empty_folder_is_taken_once(tmp_path: Path) -> None:
    """A folder that is there and empty may be named, and a second run is refused it."""
    assert folder.claimed(str(tmp_path), "proof") == tmp_path
    with pytest.raises(UsageError, match="holds a run already"):
        folder.claimed(str(tmp_path), "proof")


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    """What is in a folder may be of another run."""
    (tmp_path / "journal.1.jsonl").touch()
    with pytest.raises(UsageError, match="is not empty"):
        folder.claimed(str(tmp_path), "proof")
    with pytest.raises(UsageError, match="is a file"):
        folder.claimed(str(tmp_path / "journal.1.jsonl"), "proof")


def test_of_many_runs_at_once_one_has_the_folder(tmp_path: Path) -> None:
    """However close together they come, one makes it its own."""
    together = Barrier(16)

    def claim(_: int) -> bool:
        together.wait()
        try:
            folder.claimed(str(tmp_path / "run"), "proof")
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(claim, range(16))) == 1


def test_of_two_runs_that_find_it_empty_one_has_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looked before the other had made its journal is refused all the same."""
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(()))
    folder.claimed(str(tmp_path), "proof")
    with pytest.raises(UsageError, match="another run has just taken it"):
        folder.claimed(str(tmp_path), "proof")


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default name is that of the second, and one of the runs that share it has no other's."""

    class Frozen(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Frozen:
            return cls(2026, 11, 26, 7, 0, 0, tzinfo=UTC)

    monkeypatch.setattr(folder, "datetime", Frozen)
    monkeypatch.chdir(tmp_path)
    names = [folder.claimed(None, "proof").name for _ in range(3)]
    assert names == ["proof-20261126T070000Z", "proof-20261126T070000Z-2", "proof-20261126T070000Z-3"]


def test_one_journal_stays(tmp_path: Path) -> None:
    """At its end the journals of a run's processes are one, without the lines that were cut short."""
    journal(tmp_path / "journal.jsonl", BEGINNING)
    journal(tmp_path / "journal.1.jsonl", NOTE, more='{"kind": "no')
    journal(tmp_path / "journal.3.jsonl", NOTE)
    (tmp_path / folder.SHARED).mkdir()
    assert kinds(folder.read(tmp_path)) == ["run", "note", "note"]
    folder.finish(tmp_path, END)
    assert kinds(folder.read(tmp_path)) == ["run", "note", "note", "end"]
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_journal_with_an_end_is_whole(tmp_path: Path) -> None:
    """What a run that was killed at its very end left of its workers' journals is not read twice."""
    journal(tmp_path / "journal.jsonl", BEGINNING, NOTE, END)
    journal(tmp_path / "journal.1.jsonl", NOTE)
    assert kinds(folder.read(tmp_path)) == ["run", "note", "end"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "does not begin"),
        ([NOTE], "does not begin"),
        ([BEGINNING, {"no": "kind"}, END], "line 2"),
    ],
)
def test_what_is_no_journal_is_told(tmp_path: Path, lines: list[dict[str, Any]], said: str) -> None:
    """A journal without a beginning, and a line that is no record, are told with the file."""
    journal(tmp_path / "journal.jsonl", *lines)
    with pytest.raises(UsageError, match=said):
        folder.read(tmp_path)


def test_what_holds_no_run_is_told(tmp_path: Path) -> None:
    """A folder without a journal, and what is no folder, are told apart."""
    with pytest.raises(UsageError, match=r"holds no journal\.jsonl"):
        folder.read(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        folder.read(tmp_path / "run")
