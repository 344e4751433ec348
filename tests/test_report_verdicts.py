"""What the reports say of a run that is not simply right or wrong: gaps, a selection, outages, waivers, many values."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import junitparser
import pytest
from rich.console import Console

from rampcheck.report import summary
from rampcheck.report.files import write_reports
from rampcheck.report.outline import GAPS, RUN_VERDICTS, outage_text, outline
from rampcheck.report.results import ResultsError, validate
from rampcheck.report.terminal import STYLES, print_summary
from tests import samples
from tests.test_report import Page, summary_text

Sample = Callable[[], dict[str, Any]]


def page(results: dict[str, Any], folder: Path) -> Page:
    """The page of a run."""
    write_reports(folder, results, samples.exchanges())
    return Page((folder / "index.html").read_text(encoding="utf-8"))


def cases(results: dict[str, Any], folder: Path) -> dict[str, junitparser.TestCase]:
    """The cases of junit.xml, by name."""
    write_reports(folder, results, {})
    document = junitparser.JUnitXml.fromstring((folder / "junit.xml").read_bytes())
    return {case.name: case for suite in document for case in suite}


# Words


def test_only_conformant_is_green() -> None:
    """Each verdict of a run has a word, a symbol and a colour of its own, and only the first one is the green check."""
    assert len({word.symbol for word in RUN_VERDICTS.values()}) == len(RUN_VERDICTS)
    assert len({STYLES[verdict] for verdict in RUN_VERDICTS}) == len(RUN_VERDICTS)
    assert [verdict for verdict, word in RUN_VERDICTS.items() if word.symbol == "✓"] == ["conformant"]
    assert [verdict for verdict in RUN_VERDICTS if "green" in STYLES[verdict]] == ["conformant"]


def test_each_verdict_has_a_colour_of_its_own_on_the_page() -> None:
    """In the style sheet no two verdicts of a run share a tone, and each tone is there for light and dark."""
    style = (Path(__file__).parents[1] / "rampcheck/report/templates/report.css").read_text(encoding="utf-8")
    tones: dict[str, str] = {}
    for selectors, tone in re.findall(r"^([^{}\n]*) \{ --tone: var\((--\w+)\)", style, re.MULTILINE):
        tones |= {name.strip(): tone for name in selectors.split(",")}
    chosen = [tones[f".{verdict}"] for verdict in RUN_VERDICTS]
    assert len(set(chosen)) == len(chosen)
    for tone in chosen:
        assert style.count(f"{tone}: #") == 2, tone
        assert style.count(f"{tone}-wash: #") == 2, tone


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        (
            samples.partial(),
            (
                "Every required promise that was selected was verified, and none was seen broken. "
                "This says nothing of the 10 promises not selected."
            ),
        ),
        (
            samples.gaps(),
            (
                "No required promise was seen broken, besides 2 covered by a waiver, but 4 required promises "
                "could not be verified."
            ),
        ),
        (
            samples.incomplete(),
            (
                "No required promise was seen broken, but the run is incomplete: the target stopped "
                "answering and 2 required promises could not be tried to the end."
            ),
        ),
        (
            samples.conformant() | {"verdict": "incomplete", "faults": ["a", "b"], "interrupted": True},
            (
                "No required promise was seen broken, but the run is incomplete: "
                "it was interrupted and rampcheck itself failed 2 times."
            ),
        ),
        (
            samples.gaps() | {"verdict": "nonconformant", "strict": True},
            (
                "1 waiver of the profile is stale, which counts in a strict run, besides 2 covered by a waiver, and 4 "
                "required promises could not be verified."
            ),
        ),
        (
            samples.partial() | {"verdict": "inconclusive", "clauses": samples.inconclusive()["clauses"]},
            "Nothing could be judged: no clause that was selected was exercised.",
        ),
        (  # what was not selected was seen to hold all the same
            samples.partial() | {"verdict": "inconclusive"},
            "What was selected could not be judged: no clause that was selected was exercised.",
        ),
        (
            samples.results(strict=True, clauses=[c for c in samples.clauses() if c["verdict"] == "advisory"]),
            "The target breaks 2 recommendations of the documentation, which counts in a strict run.",
        ),
    ],
)
def test_the_sentence_is_true_of_the_run(results: dict[str, Any], sentence: str) -> None:
    """What the sentence says of a run is what its results say."""
    assert outline(results).sentence == sentence


@pytest.mark.parametrize("sample", [samples.partial, samples.incomplete, samples.gaps, samples.inconclusive])
def test_nothing_else_reads_as_conformant(sample: Sample, tmp_path: Path) -> None:
    """No report of another run says that every required promise was verified."""
    assert "Every required promise was verified" not in page(sample(), tmp_path).text
    assert "Every required promise was verified" not in summary_text(sample(), 500)


# Gaps


def test_gaps_stand_by_their_kind(tmp_path: Path) -> None:
    """What nobody expected comes first, apart from what the profile lacks, in the page, the summary, the terminal."""
    unexpected, declared = GAPS["unexpected"].heading, GAPS["declared"].heading
    text = page(samples.incomplete(), tmp_path).text
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    for shown in (text, summary, summary_text(samples.incomplete(), 200)):
        assert shown.index(unexpected) < shown.index("proof.session.fix-network", shown.index(unexpected))
        assert shown.rindex(unexpected) < shown.rindex(declared)
        assert GAPS["unselected"].heading not in shown


def test_one_reason_is_one_gap_however_often_a_clause_held_elsewhere(tmp_path: Path) -> None:
    """Clauses left unjudged for one reason stand together, and the page says how often each held all the same."""
    first = outline(samples.incomplete()).gaps[0]
    assert (first.kind, first.reason, len(first.clauses)) == ("unexpected", "the target stopped answering", 2)
    assert "held 12 times elsewhere" in page(samples.incomplete(), tmp_path).text


def test_junit_tells_the_kinds_of_gaps_apart(tmp_path: Path) -> None:
    """What nobody expected is an error; what the profile lacks and what was not selected is skipped."""
    lost = cases(samples.incomplete(), tmp_path / "a")
    assert lost["proof.session.fix-network"].result[0].type == "unexpected"
    assert lost["proof.session.fix-network"].is_error
    assert lost["proof.auth.inactive-token"].is_skipped
    part = cases(samples.partial(), tmp_path / "b")
    assert part["proof.auth.bearer-required"].result[0].message == "not verified: not selected for this run"
    assert not any(case.is_error for case in part.values())


def test_results_of_before_are_rendered_as_before(tmp_path: Path) -> None:
    """Results without a kind of gap, a selection, waivers or outages are valid, and their gaps are declared."""
    assert not {"selection", "waivers", "outages"} & samples.results().keys()
    assert {gap.kind for gap in outline(samples.results()).gaps} == {"declared"}
    assert not any(case.is_error for case in cases(samples.conformant(), tmp_path).values())


# Outages


def test_an_outage_that_did_not_end_leads_the_page(tmp_path: Path) -> None:
    """When it began, the request that was not answered as a command, and the exchanges before it, above all else."""
    shown = page(samples.incomplete(), tmp_path)
    start = shown.text.index("The target stopped answering on 21 November 2026, 07:00:40 UTC, after exchange 23.")
    assert start < shown.text.index("curl --include") < shown.text.index("All clauses")
    assert "Exchange 24 was the first without an answer: connection refused. It was not back after 30 probes." in (
        shown.text
    )
    exchanges = [name for name in shown.ids() if name.startswith("exchange-")]
    assert exchanges[:4] == ["exchange-24", "exchange-21", "exchange-22", "exchange-23"]
    assert len(set(exchanges)) == len(exchanges)


def test_an_outage_that_ended_is_a_note(tmp_path: Path) -> None:
    """It is told with its times and count in each report, and leads nothing."""
    results = samples.conformant() | {"outages": samples.OUTAGES[:1]}
    told = "The target did not answer for 6 s and 6 probes, from 21 November 2026, 07:00:10 UTC on, after exchange 17."
    shown = page(results, tmp_path)
    assert told in shown.text
    assert "The target stopped answering" not in shown.text
    assert told in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert told in summary_text(results, 500)


@pytest.mark.parametrize(
    ("number", "told"), [(0, "let nothing through for 6 s"), (-1, "began to let nothing through on")]
)
def test_a_target_that_answers_429_is_not_said_to_be_silent(number: int, told: str) -> None:
    """It answered, and let nothing through."""
    shown = outage_text(samples.OUTAGES[number] | {"detail": "429, error 'rate_limited'"})
    assert told in shown
    assert "was the first that was refused: 429" in shown
    assert "answering" not in shown


def test_every_report_tells_of_an_outage_that_did_not_end(tmp_path: Path) -> None:
    """Summary, terminal and JUnit say when the target stopped answering."""
    told = "The target stopped answering on 21 November 2026, 07:00:40 UTC, after exchange 23."
    troubles = [case for case in cases(samples.incomplete(), tmp_path).values() if case.classname == "rampcheck"]
    assert [case.result[0].type for case in troubles] == ["outage"]
    assert troubles[0].result[0].message.startswith(told)
    assert told in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert told in summary_text(samples.incomplete(), 500)


# Waivers


def test_waivers_stand_in_every_report_with_their_last_day(tmp_path: Path) -> None:
    """Page, summary and terminal list each waiver with its state and its last day."""
    shown = page(samples.gaps(), tmp_path).text
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "until 2027-01-31" in shown
    assert "| proof.session.complete | used | 2027-01-31 |" in summary
    assert "| proof.auth.bearer-required | stale |  | no owner | no approver | ticket 7 |" in summary
    assert "expired: proof.errors.envelope, until 2026-10-31: ticket 8" in summary_text(samples.gaps(), 200)
    assert "stale" in cases(samples.gaps(), tmp_path)["proof.auth.bearer-required"].system_out


def test_a_stale_waiver_fails_a_strict_run_in_junit(tmp_path: Path) -> None:
    """Where nothing but a stale waiver makes a run nonconformant, JUnit has an error that says so."""
    found = cases(samples.gaps() | {"verdict": "nonconformant", "strict": True}, tmp_path)
    assert [case.result[0].type for case in found.values() if case.is_error] == ["strict"]


def test_what_follows_from_a_waived_clause_is_waived_by_itself() -> None:
    """Waived in consequence needs a waived cause: a failed one, or one that follows itself, is refused."""
    validate(samples.gaps())
    results = samples.gaps()
    follower = next(clause for clause in results["clauses"] if "follows" in clause)
    for root in ("proof.auth.bearer-required", follower["id"], "proof.nowhere"):
        follower["follows"] = root
        with pytest.raises(ResultsError, match=f"follows from {re.escape(root)}, which is not waived by itself"):
            validate(results)


# Many values


def test_examples_are_shown_once_each(tmp_path: Path) -> None:
    """A finding with many values is shown with its count and two more examples, closed, each with its exchange."""
    shown = page(samples.examples(), tmp_path)
    assert "Seen 396 times, with different values, first in exchange 17" in " ".join(shown.text.split())
    assert "2 more examples with other values" in shown.text
    assert shown.text.count('"2026-11-21T07:14:02Z"') == 1
    assert {"exchange-17", "exchange-23", "exchange-99"} <= set(shown.ids())
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert '(396 times with different values, also: expiresAt "2026-11-21T07:14:01Z"; ' in summary
    assert 'also      expiresAt "2026-11-21T07:14:01Z" (exchange 23)' in summary_text(samples.examples(), 200)


def test_a_finding_without_examples_shows_as_before(tmp_path: Path) -> None:
    """No report speaks of examples where there are none."""
    shown = page(samples.consequences(), tmp_path)
    assert "with other values" not in shown.text
    assert "different values" not in shown.text
    assert "different values" not in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_the_terminal_colours_each_verdict_in_its_own_way() -> None:
    """On a terminal a run with gaps is blue, not green."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    print_summary(samples.gaps(), console, Path("reports"))
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[1;34m◐ \x1b[0m\x1b[1;34mConformant, with gaps\x1b[0m" in console.file.getvalue()


def test_a_run_that_judged_nothing_says_so_once(tmp_path: Path) -> None:
    """The cause, then the cure; no list of clauses that all say the same, no question; what was asked is there."""
    results = samples.inconclusive() | {"cure": "Start the target."}
    write_reports(tmp_path, results, samples.exchanges())
    told = (tmp_path / "summary.md").read_text(encoding="utf-8")
    shown = (tmp_path / "index.html").read_text(encoding="utf-8").partition("<script>")[0]
    for text in (told, shown):
        assert text.count("connection refused") == 1
        assert text.index("connection refused") < text.index("Start the target.")
        assert [one["id"] for one in results["clauses"] if one["id"] in text.replace("\\", "")] == []
        assert " judged." in text
    assert 'id="exchange-3"' in shown
    assert "What stands between" not in shown


def test_what_was_selected_and_lacks_something_is_told_though_nothing_was_judged() -> None:
    """Without one cause each gap has its own."""
    results = samples.inconclusive() | {"reason": "", "interrupted": False}
    assert outline(results).gaps


def test_an_open_question_that_was_answered_as_expected_says_so() -> None:
    """What the clause expects, and how often it was so: not that there is nothing to tell."""
    kept = samples.clause("proof.session.x", "proof.session", "observed", "Not said; 200 is expected.", "open")
    told = summary.render(samples.results(clauses=[kept | {"exercised": 253}]))
    assert "| proof.session.x | as expected, 253 times: Not said; 200 is expected. | |" in told


def test_nothing_of_a_page_waits_to_come_into_sight(tmp_path: Path) -> None:
    """On a screenshot or paper nobody scrolls: what is not laid out would be blank."""
    write_reports(tmp_path, samples.gaps(), samples.exchanges())
    assert "content-visibility: auto" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_a_note_ends_with_is_told_in_the_summary() -> None:
    """What to do about it stands there."""
    results = samples.gaps()
    results["notes"] = ["a long story, " * 60 + "and what to do"]
    assert "and what to do" in summary.render(results)
