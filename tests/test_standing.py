"""Every format tells a pipeline the same: red exactly where the exit code says so, and nothing unverified is green."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import junitparser
import pytest
from markdown_it import MarkdownIt

from rampcheck.judging import durations
from rampcheck.judging.evidence import collect
from rampcheck.report import allure_evidence, github, standing, summary
from rampcheck.report.files import write_reports
from rampcheck.report.results import validate
from rampcheck.running.conclusion import exit_code
from tests import samples
from tests.hostile.test_pipelines import COMMANDS, OBEYED
from tests.test_allure import written

Results = dict[str, Any]


def lost(level: str, verdict: str) -> Results:
    """A run in which nothing is wrong but a gap that nobody expected, in a clause of this level."""
    gap = samples.clause(
        "proof.session.x", "proof.session", "not_verified", "It holds.", level, reason="no answer", gap="unexpected"
    )
    return {**samples.conformant(), "verdict": verdict, "clauses": [*samples.conformant()["clauses"], gap]}


def counted(results: Results) -> Results:
    """The results, with true counts."""
    changes = {name: value for name, value in results.items() if name != "counts"}
    return samples.results(**changes)


def advisory(**changes: Any) -> Results:
    """A run in which a recommendation was broken, and nothing else."""
    kept = [clause for clause in samples.clauses() if clause["verdict"] in {"passed", "advisory"}]
    return samples.results(**{"verdict": "conformant", "clauses": kept, "faults": [], "notes": [], **changes})


RUNS: dict[str, Callable[[], Results]] = {
    "conformant": samples.conformant,
    "conformant, a recommendation broken": advisory,
    "conformant, a recommendation lost": lambda: lost("should", "conformant"),
    "with gaps": samples.gaps,
    "with gaps, all required": lambda: {**samples.gaps(), "require_complete": True},
    "partial": samples.partial,
    "incomplete by an outage": samples.incomplete,
    "incomplete by a lost promise": lambda: lost("must", "incomplete"),
    "incomplete, all required": lambda: {**samples.incomplete(), "require_complete": True},
    "incomplete, no promise lost": lambda: {**samples.conformant(), "verdict": "incomplete"},
    "cut short": lambda: {**samples.conformant(), "verdict": "incomplete", "reason": "its time was used up"},
    "killed": lambda: {**samples.conformant(), "verdict": "incomplete", "reason": "killed", "unfinished": True},
    "interrupted": lambda: {**samples.conformant(), "verdict": "incomplete", "interrupted": True},
    "a fault": lambda: {**samples.conformant(), "verdict": "incomplete", "faults": ["it raised ValueError"]},
    "nonconformant": lambda: {**samples.results(), "faults": []},
    "nonconformant by a fault, too": samples.results,
    "nonconformant in consequence": samples.consequences,
    "strict, a recommendation broken": lambda: advisory(verdict="nonconformant", strict=True),
    "strict, a waiver stale": lambda: {**samples.gaps(), "verdict": "nonconformant", "strict": True},
    "inconclusive": samples.inconclusive,
    "inconclusive by itself": lambda: {**samples.inconclusive(), "interrupted": False, "faults": []},
}


def run(name: str) -> Results:
    """One of the runs, valid."""
    results = counted(RUNS[name]())
    validate(results)
    return results


def junit(folder: Path) -> tuple[bool, set[str]]:
    """Whether the xUnit page is red, and the clauses that are green on it."""
    document = junitparser.JUnitXml.fromfile(str(folder / "junit.xml"))
    cases = [case for suite in document for case in suite]
    return bool(document.failures or document.errors), {case.name for case in cases if case.is_passed}


def ctrf(folder: Path) -> tuple[bool, set[str]]:
    """Whether CTRF is red, and what is green in it."""
    results = json.loads((folder / "ctrf.json").read_bytes())["results"]
    assert results["environment"]["healthy"] is not bool(results["summary"]["failed"])
    assert (
        sum(results["summary"][status] for status in ("passed", "failed", "skipped", "pending", "other"))
        == (results["summary"]["tests"])
    )
    return bool(results["summary"]["failed"]), {test["name"] for test in results["tests"] if test["status"] == "passed"}


def sarif(folder: Path) -> tuple[bool, set[str]]:
    """Whether SARIF has an error that stands, and the rules of which nothing is told."""
    (log,) = json.loads((folder / "rampcheck.sarif").read_bytes())["runs"]
    (invocation,) = log["invocations"]
    notified = invocation["toolExecutionNotifications"]
    told = {notification.get("associatedRule", {}).get("id") for notification in notified}
    told |= {result["ruleId"] for result in log["results"]}
    standing_ones = [result for result in log["results"] if not result.get("suppressions")]
    errors = [one for one in (*standing_ones, *notified) if one["level"] == "error"]
    return bool(errors), {rule["id"] for rule in log["tool"]["driver"]["rules"]} - told


def allure(results: Results, folder: Path) -> tuple[bool, set[str]]:
    """Whether Allure has a failed or broken test, and what passed there."""
    tests = written(results, folder / "allure-results")
    return any(test["status"] in ("failed", "broken") for test in tests.values()), {
        name for name, test in tests.items() if test["status"] == "passed"
    }


def annotated(folder: Path) -> bool:
    """Whether GitHub is given an error."""
    return "::error " in (folder / "annotations.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RUNS)
def test_a_pipeline_is_red_exactly_where_the_exit_code_says_so(name: str, tmp_path: Path) -> None:
    """In every format, and by the verdict; what was not verified, or was seen broken, is green in none."""
    results = run(name)
    write_reports(tmp_path, results, samples.exchanges())
    red = exit_code(results) != 0
    assert standing.is_red(results) is red
    assert annotated(tmp_path) is red
    for is_red, green in (junit(tmp_path), ctrf(tmp_path), sarif(tmp_path), allure(results, tmp_path)):
        assert is_red is red
        for clause in results["clauses"]:
            if clause["verdict"] in ("failed", "not_verified", "waived"):
                assert clause["id"] not in green
            elif clause["verdict"] == "passed":
                assert clause["id"] in green


def test_what_was_only_recommended_is_no_error_where_it_was_lost(tmp_path: Path) -> None:
    """A gap in a `should` that nobody expected is told, and leaves the exit code 0."""
    write_reports(tmp_path, run("conformant, a recommendation lost"), {})
    document = junitparser.JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    case = next(case for suite in document for case in suite if case.name == "proof.session.x")
    assert case.is_skipped
    assert "::warning title=Not verified" in (tmp_path / "annotations.txt").read_text(encoding="utf-8")


def test_a_waived_finding_is_suppressed_with_its_reason(tmp_path: Path) -> None:
    """SARIF has what is waived as a result that somebody has accepted."""
    write_reports(tmp_path, samples.gaps(), samples.exchanges())
    (log,) = json.loads((tmp_path / "rampcheck.sarif").read_bytes())["runs"]
    assert {result["ruleId"]: result["suppressions"][0]["justification"] for result in log["results"]} == {
        "proof.session.complete": "ticket 123, agreed until the next release",
        "proof.session.echo": "in consequence of proof.session.complete, which is waived: ticket 123",
    }


def test_a_message_of_sarif_holds_neither_link_nor_argument(tmp_path: Path) -> None:
    """Whatever a target sends: no `[text](target)`, and braces only in pairs."""
    write_reports(tmp_path, samples.results(), samples.exchanges())
    text = (tmp_path / "rampcheck.sarif").read_text(encoding="utf-8")
    texts = [message["text"] for message in _messages(json.loads(text))]
    assert any("evil.example" in one for one in texts)
    for one in texts:
        assert "](" not in one
        assert not re.search(r"[{}]", one.replace("{{", "").replace("}}", "")), one


def _messages(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if isinstance(value.get("text"), str) else []
        return own + [message for inner in value.values() for message in _messages(inner)]
    return [message for inner in value for message in _messages(inner)] if isinstance(value, list) else []


def test_no_target_annotates() -> None:
    """Each line is one command of ours, whatever a finding holds, and none more than GitHub shows."""
    foreign = "\n".join(COMMANDS) + "%0A::error::x\r\n::warning::y"
    finding = samples.finding(foreign, foreign, 17)
    clauses = [
        samples.clause(f"proof.session.c{number}", "proof.session", "failed", foreign, findings=[finding])
        for number in range(40)
    ]
    text = github.render(samples.results(clauses=clauses, faults=[foreign], title=foreign))
    lines = text.splitlines()
    assert len(lines) == github.SHOWN + 1
    assert lines[-1] == "32 more annotations not shown: see the summary."
    assert "%250A::error" not in text
    assert "%250A\\u003a:error" in text
    for line in lines[:-1]:
        kind, title, message = re.fullmatch(r"::(\w+) title=([^:,]*)::(.*)", line).groups()  # type: ignore[union-attr]
        assert kind == "error"
        for part in (title, message):
            assert not OBEYED.search(part)
            assert not re.search(r"%(?!25|0A|3A|2C)", part)


@pytest.mark.parametrize("name", RUNS)
def test_no_table_of_the_summary_is_empty(name: str, tmp_path: Path) -> None:
    """Each table has a row, in whatever run."""
    write_reports(tmp_path, run(name), {})
    demand_rows((tmp_path / "summary.md").read_text(encoding="utf-8"))


def demand_rows(text: str) -> None:
    """Fails for a table without a row."""
    tokens = [token.type for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text)]
    assert tokens.count("table_open") == tokens.count("tbody_open") > 0


def test_a_summary_is_never_too_long_for_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much was found, it stays below 1 MiB, ends between two lines, and says that it was cut."""
    value = "\u20ac*" * 500
    clauses = [
        samples.clause(
            f"proof.session.c{one}", "proof.session", "failed", "x", findings=[samples.finding(value, value, 17)] * 10
        )
        for one in range(90)
    ]
    text = summary.render(samples.results(clauses=clauses))
    assert 900_000 < len(text.encode()) <= summary.LONGEST < 2**20
    assert text.endswith("has all of it.**\n")
    demand_rows(text)
    for longest in range(600, 2_400, 67):
        monkeypatch.setattr(summary, "LONGEST", longest)
        demand_rows(cut := summary.render(samples.gaps()))
        assert len(cut.encode()) <= longest


def test_one_reason_for_ten_thousand_clauses() -> None:
    """A single row that is longer than all there may be is left out, and the table with it."""
    gaps = [
        samples.clause(f"proof.{'x' * 100}{one}", "proof.session", "not_verified", "x", reason="why", gap="declared")
        for one in range(10_000)
    ]
    text = summary.render(samples.results(clauses=gaps, faults=[], verdict="conformant_with_gaps"))
    assert len(text.encode()) <= summary.LONGEST
    assert "shortened" in text
    demand_rows(text)


def test_an_exchange_is_shared_out_among_the_clauses_that_it_judged() -> None:
    """The times of all clauses are what was waited for; an exchange that judged nothing counts for none."""

    def exchanged(number: int, elapsed: float, *held: str) -> dict[str, Any]:
        return samples.exchange(number, elapsed_ms=elapsed, held=list(held))

    records = [
        exchanged(1, 30.0, "a", "b"),
        exchanged(2, 8.0),
        exchanged(3, 5.0),
        {"kind": "held", "clause": "c", "exchange": 1, "scenario": "s"},
        {"kind": "demand", "clause": "c", "exchange": 2, "control": 1, "due": {}, "change": "", "held": True},
        {"kind": "observation", "clause": "a", "exchange": None, "actual": "x", "scenario": "s"},
    ]
    assert durations.by_clause(collect(records)) == {"a": 10.0, "b": 10.0, "c": 18.0}


def test_every_case_has_its_time(tmp_path: Path) -> None:
    """In JUnit in seconds, in CTRF in milliseconds; a suite has the sum."""
    clauses = [{**clause, "elapsed_ms": 41.4 * place} for place, clause in enumerate(samples.clauses())]
    write_reports(tmp_path, samples.results(clauses=clauses), {})
    document = junitparser.JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    cases = [case for suite in document for case in suite]
    assert cases[2].time == pytest.approx(0.083)
    assert all(case.time is not None for case in cases)
    assert document.time == pytest.approx(sum(case.time for case in cases))
    tests = json.loads((tmp_path / "ctrf.json").read_bytes())["results"]["tests"]
    assert tests[2]["duration"] == 83


def test_allure_is_told_the_same(tmp_path: Path) -> None:
    """What only was recommended and lost is skipped there, too."""
    tests = written(run("conformant, a recommendation lost"), tmp_path)
    assert tests["proof.session.x"]["status"] == "skipped"
    assert allure_evidence.STATUSES["lost"] == "broken"
