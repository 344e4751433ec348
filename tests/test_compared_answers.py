"""Two long answers side by side: what differs first is shown, wherever it stands, and what is left out is told."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rampcheck.comparison import answers, differences, pages, saved, terminal
from tests import samples
from tests.test_compare import beginning, clause, results, written

NUMBERS = [{"number": number} for number in range(2_000)]  # three lines each


def compared(before: Any, after: Any, folder: Path) -> dict[str, Any]:
    """The comparison of two runs that have these bodies as answers to the request that regressed."""
    folders = [
        written(
            folder / verdict,
            results(clause(verdict)),
            beginning(),
            samples.exchange(9, 200, json.dumps(body), path="/widget/session", scenario="x::y"),
        )
        for verdict, body in (("passed", before), ("failed", after))
    ]
    return differences.compare(*map(saved.load, folders))


def only(comparison: dict[str, Any]) -> dict[str, Any]:
    """The two answers of the clause that regressed."""
    (told,) = comparison["clauses"][0]["answers"]
    return dict(told)


def test_what_is_laid_against_another_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time grows with the square of what is matched: no long answer, and no long request, is matched whole."""
    lengths: list[int] = []

    class Matcher(difflib.SequenceMatcher[str]):
        """Notes how long that is which it is given."""

        def set_seq1(self, a: Sequence[str]) -> None:
            lengths.append(len(a))
            super().set_seq1(a)

        def set_seq2(self, b: Sequence[str]) -> None:
            lengths.append(len(b))
            super().set_seq2(b)

    monkeypatch.setattr(difflib, "SequenceMatcher", Matcher)
    large = json.dumps(NUMBERS)
    for verdict, body in (("passed", NUMBERS), ("failed", NUMBERS[::-1])):
        asked = samples.exchange(9, 200, json.dumps(body), large, path="/widget/session")
        written(tmp_path / verdict, results(clause(verdict)), beginning(), asked)
    comparison = differences.compare(*(saved.load(tmp_path / verdict) for verdict in ("passed", "failed")))
    assert only(comparison)["before"] == 9
    assert 0 < max(lengths) <= answers.MOST_MATCHED


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    """On the page and on the terminal; whatever the sizes, no line is lost without being counted."""
    comparison = compared([{"letter": "a"} for _ in NUMBERS], NUMBERS, tmp_path)
    both = only(comparison)
    assert len(both["rows"]) == answers.MOST_LINES
    assert both["skipped"] == 0
    assert both["cut"] >= 3 * len(NUMBERS) - answers.MOST_LINES
    differences.validate(comparison)
    told = f"{both['cut']:,}"
    assert f"and {told} more lines, in the runs' own journals" in pages.html(comparison).replace("&#39;", "'")
    console = Console(width=200)
    with console.capture() as captured:
        terminal.print_comparison(comparison, console)
    assert f"and {told} lines after these, in the runs' own journals" in captured.get()


@pytest.mark.parametrize("where", [0, 100, 150, 1_000, 1_999])
@pytest.mark.parametrize("change", ["changed", "missing", "shorter"])
def test_what_differs_late_in_long_answers_is_shown(where: int, change: str, tmp_path: Path) -> None:
    """It was said of them that they differ in nothing. What both begin with is left out, and told."""
    after = {
        "changed": [*NUMBERS[:where], {"number": "x"}, *NUMBERS[where + 1 :]],
        "missing": [*NUMBERS[:where], *NUMBERS[where + 1 :]],
        "shorter": NUMBERS[:where],
    }[change]
    comparison = compared(NUMBERS, after, tmp_path)
    both = only(comparison)
    assert any(row["differs"] for row in both["rows"])
    assert sum(row["differs"] for row in both["rows"]) <= 12 or change == "shorter"
    page = pages.html(comparison)
    assert ("which both begin with" in page) is (both["skipped"] > 0)
    differences.validate(comparison)


def test_short_answers_are_shown_whole(tmp_path: Path) -> None:
    """Nothing is left out of what fits."""
    both = only(compared(NUMBERS[:20], NUMBERS[:21], tmp_path))
    assert (both["skipped"], both["cut"]) == (0, 0)
    assert both["rows"][0]["before"] == "status 200"


def test_long_answers_that_are_alike_are_alike(tmp_path: Path) -> None:
    """Of what differs in nothing, the beginning is shown."""
    both = only(compared(NUMBERS, NUMBERS, tmp_path))
    assert both["skipped"] == 0
    assert not any(row["differs"] for row in both["rows"])
