"""Many runs, clause by release: builds in their order, and flaky is what changed without one."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rampcheck.comparison import commands, history_pages, releases
from rampcheck.comparison.releases import History
from rampcheck.comparison.saved import Saved
from rampcheck.errors import UsageError
from tests.test_compare import CLAUSE, beginning, clause, command, results, written

OTHER = "proof.auth.inactive-token"


def part(of: Saved) -> Saved:
    """A run of a budget."""
    return Saved({**of.results, "selection": {"clauses": [], "keyword": "", "budget": 250}})


def run(verdict: str, day: int, build: str = "", **members: str) -> Saved:
    """A run of a day in which one clause had this verdict, and another passed."""
    clauses = [clause(verdict, **members), clause("passed", name=OTHER)]
    return Saved(
        results(
            *clauses, started=f"2026-11-{day:02}T07:00:00Z", subject={"partner": "", "build": build, "requested_by": ""}
        )
    )


def told(*runs: Saved) -> History:
    """The history of these runs."""
    return releases.history(runs)


def test_releases_stand_in_the_order_of_time() -> None:
    """A build is named, and its runs are one release; a run without one stands for itself, by its time."""
    history = told(run("failed", 4), run("passed", 1, "1.0"), run("passed", 3, "1.1"), run("passed", 2, "1.0"))
    names = [(release.name, len(release.runs)) for release in history.releases]
    assert names == [("1.0", 2), ("1.1", 1), ("4 November 2026, 07:00:00 UTC", 1)]
    row = next(row for row in history.rows if row.result["id"] == CLAUSE)
    assert row.verdicts == (("passed",), ("passed",), ("failed",))
    assert not row.is_steady
    assert next(row for row in history.rows if row.result["id"] == OTHER).is_steady


@pytest.mark.parametrize(
    ("first", "second", "flaky"),
    [
        (run("passed", 1, "1.0"), run("failed", 2, "1.0"), True),
        (run("passed", 1, "1.0"), run("not_verified", 2, "1.0"), True),
        (run("passed", 1, "1.0"), run("not_verified", 2, "1.0", gap="declared"), False),
        (run("failed", 1, "1.0"), run("waived", 2, "1.0"), False),
        (run("passed", 1, "1.0"), run("failed", 2, "1.1"), False),
        (run("passed", 1), run("failed", 2), False),
        (part(run("passed", 1, "1.0")), run("failed", 2, "1.0"), False),
        (part(run("passed", 1, "1.0")), part(run("failed", 2, "1.0")), True),
    ],
    ids=[
        "held and broken",
        "held and unverified",
        "not in the profile",
        "waived",
        "another build",
        "no build",
        "another budget",
        "the same budget",
    ],
)
def test_flaky_is_what_changed_without_a_release(first: Saved, second: Saved, flaky: bool) -> None:
    """Within one build the target was seen to do both; a waiver, the profile, or a release explain the rest."""
    assert [row.result["id"] for row in told(first, second).flaky] == [CLAUSE] * flaky


def test_a_clause_that_came_later_is_not_known_before() -> None:
    """What an earlier run does not know has no verdict there, and is not flaky."""
    later = Saved(results(clause("passed"), clause("failed", name=OTHER), started="2026-11-02T07:00:00Z"))
    row = told(Saved(results(clause("passed"), started="2026-11-01T07:00:00Z")), later).rows[1]
    assert row.verdicts == ((), ("failed",))


def test_the_page_shows_every_clause() -> None:
    """A row a clause, a column a release, what is flaky named; foreign names stay text."""
    page = history_pages.html(told(run("passed", 1, "<b>1.0"), run("failed", 2, "<b>1.0"), run("passed", 3, "1.1")))
    assert "&lt;b&gt;1.0" in page
    assert "<b>" not in page
    assert f'<a class="id" href="#{CLAUSE}">' in page
    assert page.count("~ flaky") == 1
    assert "<script" not in page


def test_a_run_that_judged_nothing_says_so_once() -> None:
    """What was not judged is neither a change nor flaky: the run tells why, and the clauses say nothing of it."""
    idle = run("not_verified", 2, "1.0", reason="refused").results
    alone = run("not_verified", 3, "1.1", reason="refused").results
    told_why = {"verdict": "inconclusive", "reason": "the credentials are refused."}
    nothing = [Saved({**results, **told_why}) for results in (idle, alone)]
    history = told(run("passed", 1, "1.0"), *nothing)
    assert [row.result["id"] for row in history.rows if not row.is_steady or any(row.flaky)] == []
    history_pages.print_history(history, printed := Console(file=StringIO(), width=200))
    text = printed.file.getvalue()  # type: ignore[attr-defined]
    assert CLAUSE not in text
    assert text.count("the credentials are refused") == 2
    assert "1.0: 2 runs, Conformant, Inconclusive; 1 run judged nothing (the credentials are refused)" in text
    assert "1.1: 1 run, Inconclusive; nothing was judged (the credentials are refused)" in text
    assert history_pages.html(history).count("nothing judged</span>") == 2


@pytest.mark.parametrize("verdict", ["failed", "not_verified"])
def test_what_is_broken_is_shown_beside_a_run_that_judged_nothing(verdict: str) -> None:
    """Whichever of them came first; of runs that all judged nothing no clause is shown."""
    nothing = Saved({**run("not_verified", 1).results, "verdict": "inconclusive"})
    history_pages.print_history(told(nothing, run(verdict, 2)), printed := Console(file=StringIO(), width=200))
    text = printed.file.getvalue()  # type: ignore[attr-defined]
    (row,) = [line for line in text.splitlines() if CLAUSE in line]
    assert row.split()[0] == "/"
    history_pages.print_history(told(nothing), printed := Console(file=StringIO(), width=200))
    assert CLAUSE not in printed.file.getvalue()  # type: ignore[attr-defined]


def test_the_command(tmp_path: Path) -> None:
    """It prints the table, writes the page, and refuses what does not belong together."""
    folders = [
        written(tmp_path / str(day), dict(run(verdict, day, "1.0").results), beginning())
        for day, verdict in ((1, "passed"), (2, "failed"))
    ]
    done = command("history", *map(str, folders), "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert f"~ {CLAUSE}: 1.0" in done.stdout
    assert (tmp_path / "out/history.html").is_file()
    (tmp_path / "link").symlink_to(folders[0])
    other = written(tmp_path / "other", results(clause("passed"), contract="kryptonim"), beginning())
    for arguments, message in (
        ([str(folders[0]), str(other)], "different contracts"),
        ([str(folders[0]), str(folders[0])], "named twice"),
        ([str(folders[0]), f"{folders[0]}/"], "named twice"),
        ([str(folders[0]), str(folders[0] / "results.json")], "named twice"),
        ([str(folders[0]), str(tmp_path / "link")], "named twice"),
        ([str(tmp_path / "nosuch")], "no such file"),
    ):
        with pytest.raises(UsageError, match=message):
            commands.history.main(arguments, standalone_mode=False)
