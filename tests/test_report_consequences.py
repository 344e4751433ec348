"""What follows from another clause stands under it, in every report."""

from __future__ import annotations

import io
import re
from pathlib import Path

import junitparser
import pytest
from rich.console import Console

from rampcheck.report.files import write_reports
from rampcheck.report.outline import outline
from rampcheck.report.results import ResultsError, validate
from rampcheck.report.terminal import print_summary
from tests import samples
from tests.test_report import Page

ROOT, FOLLOWERS = "proof.errors.envelope", ["proof.auth.bearer", "proof.errors.media-type"]
OTHER = "proof.session.amount-echo"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The reports of a run in which clauses follow from another."""
    write_reports(tmp_path, samples.consequences(), samples.exchanges())
    return tmp_path


def test_the_outline_leads_with_the_cause() -> None:
    """What others follow from comes first, with them; counted in the sentence is what failed by itself."""
    summary = outline(samples.consequences())
    leads = [(lead.clause["id"], [clause["id"] for clause in lead.followers]) for lead in summary.leads["failed"]]
    assert leads == [(ROOT, FOLLOWERS), (OTHER, [])]
    assert summary.leads["advisory"] == ()
    assert summary.sentence == "The target breaks 2 promises of the documentation, and 1 more in consequence."


@pytest.mark.parametrize("root", ["proof.auth.nowhere", "proof.session.lang", "proof.auth.bearer"])
def test_a_cause_has_to_have_failed_by_itself(root: str) -> None:
    """Results in which a clause follows from none of them, from one that passed or one that follows are refused."""
    results = samples.consequences()
    results["clauses"][4]["follows"] = root
    with pytest.raises(ResultsError, match=re.escape(f"proof.errors.media-type follows from {root}")):
        validate(results)


def test_the_page_folds_what_follows_under_its_cause(written: Path) -> None:
    """In the list of what failed, what follows stands in details of its cause, all of it above what failed else."""
    source = (written / "index.html").read_text(encoding="utf-8")
    page = Page(source)
    assert (page.unbalanced, page.open) == ([], [])
    assert [name for name in page.ids() if name.startswith("failed.")] == [
        f"failed.{clause}" for clause in (ROOT, *FOLLOWERS, OTHER)
    ]
    folded = source.partition('<details class="followers">')[2].partition("</details>\n</article>")[0]
    assert folded.count('<section class="follower"') == 2
    assert all(f'id="failed.{clause}"' in folded for clause in FOLLOWERS)
    assert f'id="failed.{OTHER}"' not in folded
    assert source.count('<details class="followers"') == 1
    assert "2 more broken clauses follow from this" in page.text
    assert f'<dt>Follows from</dt><dd><a class="id" href="#failed.{ROOT}">' in source


def test_the_page_keeps_the_evidence_of_what_follows(written: Path) -> None:
    """Every cited exchange is shown once, and both findings of a clause that follows are there."""
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert sorted(name for name in page.ids() if name.startswith("exchange-")) == [
        "exchange-17",
        "exchange-21",
        "exchange-3",
        "exchange-9",
    ]
    assert "code 'invalid_token' for a made-up token" in page.text


def test_paper_shows_what_follows() -> None:
    """In print, what follows from a cause is shown without a script too; exchanges stay folded."""
    style = (Path(__file__).parents[1] / "rampcheck/report/templates/print.css").read_text(encoding="utf-8")
    assert ".followers::details-content { content-visibility: visible;" in style
    assert "details::details-content" not in style


def test_the_terminal_names_what_follows_under_its_cause() -> None:
    """The terminal shows the findings of the cause, and of what follows the ids, with the symbol of the verdict."""
    console = Console(file=io.StringIO(), width=120)
    print_summary(samples.consequences(), console, Path("reports"))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert "Failed: 2 clauses, and 1 more in consequence" in lines
    start = lines.index(f"✗ {ROOT}")
    assert start < lines.index(f"✗ {OTHER}")
    followed = lines.index("  from which 2 more broken clauses follow:")
    assert lines[followed + 1 : followed + 3] == ["    ✗ proof.auth.bearer", "    ! proof.errors.media-type"]
    assert not any("made-up token" in line for line in lines)
    assert not any(line.startswith("Advisory") for line in lines)


def test_the_summary_puts_what_follows_below_its_cause(written: Path) -> None:
    """In summary.md the cause comes first, and what follows below it, marked, with its first finding."""
    lines = (written / "summary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ")[0] for line in lines if re.match(r"\| (↳ )?proof\.", line)]
    assert rows == [
        f"| {ROOT}",
        "| ↳ proof.auth.bearer (failed)",
        "| ↳ proof.errors.media-type (advisory)",
        f"| {OTHER}",
    ]
    assert "### ! Advisory" not in lines


def test_junit_says_from_what_a_clause_follows(written: Path) -> None:
    """A failure begins with what it follows from, and so does what is advisory; every clause is a case of its own."""
    document = junitparser.JUnitXml.fromstring((written / "junit.xml").read_bytes())
    cases = {case.name: case for suite in document if suite.name != "rampcheck" for case in suite}
    assert document.failures == 3
    assert cases["proof.auth.bearer"].result[0].message.startswith(f"follows from {ROOT}: 401, ")
    assert cases[ROOT].result[0].message == "members: error, message"
    assert cases["proof.errors.media-type"].system_out.startswith(f"follows from {ROOT}: expected: ")
