"""Allure says what the verdict says: a clause is a test, what judged it is its evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rampcheck.report import allure_evidence
from tests import samples
from tests.runs import rampcheck


def written(results: dict[str, Any], folder: Path, *records: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tests of an Allure report, by name."""
    allure_evidence.write(folder, results, [*samples.exchanges().values(), *records])
    tests = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-result.json")]
    assert len({test["name"] for test in tests}) == len(tests)
    return {test["name"]: test for test in tests}


def labels(test: dict[str, Any], name: str) -> list[str]:
    """The values of a test's labels of one name."""
    return [label["value"] for label in test["labels"] if label["name"] == name]


def test_a_clause_is_a_test_with_its_verdict(tmp_path: Path) -> None:
    """Every clause is one test; failed fails, waived and not verified are skipped, all else passes."""
    tests = written(samples.results(), tmp_path)
    wanted = {"failed": "failed", "waived": "skipped", "not_verified": "skipped"}
    for clause in samples.clauses():
        assert tests[clause["id"]]["status"] == wanted.get(clause["verdict"], "passed"), clause["id"]
    assert "ticket 123" in tests["proof.session.complete"]["statusDetails"]["message"]


def test_a_gap_that_nobody_expected_is_broken(tmp_path: Path) -> None:
    """An unexpected gap is a broken test, a declared one and what was not selected are skipped."""
    lost = written(samples.incomplete(), tmp_path / "a")
    assert lost["proof.session.fix-network"]["status"] == "broken"
    assert lost["proof.auth.inactive-token"]["status"] == "skipped"
    part = written(samples.partial(), tmp_path / "b")
    assert {test["status"] for test in part.values()} == {"passed", "skipped"}


def test_a_test_says_where_the_promise_stands(tmp_path: Path) -> None:
    """Contract, section, level and source of a clause are labels and a link."""
    test = written(samples.results(), tmp_path)["proof.auth.unknown-token"]
    assert labels(test, "epic") == ["Proof On/Off Ramp partner API"]
    assert labels(test, "feature") == ["Authentication and access"]
    assert labels(test, "severity") == ["critical"]
    assert "must" in labels(test, "tag")
    assert test["links"][0]["url"] == "https://docs.example/onboarding"


def test_the_evidence_is_attached(tmp_path: Path) -> None:
    """The scenarios that judged a clause are steps with what came of them, and so are the exchanges of its findings."""
    clause = "proof.auth.unknown-token"
    records = [
        {"kind": "held", "clause": clause, "scenario": "one", "exchange": 3},
        {"kind": "finding", "clause": clause, "scenario": "two", "exchange": 9},
        {"kind": "held", "clause": clause, "scenario": "two", "exchange": 17},
        {"kind": "unjudged", "clause": clause, "scenario": "three", "reason": "no answer"},
        {"kind": "demand", "clause": clause, "exchange": 4711, "held": True},  # of an exchange that is not there
    ]
    steps = {step["name"]: step for step in written(samples.results(), tmp_path, *records)[clause]["steps"]}
    assert {name: step["status"] for name, step in steps.items()} == {
        "one": "passed",
        "two": "failed",
        "three": "broken",
        "exchange 9": "failed",
        "exchange 24": "failed",
    }
    source = steps["exchange 9"]["attachments"][0]["source"]
    assert json.loads((tmp_path / source).read_text())["number"] == 9


def test_examples_are_evidence_too(tmp_path: Path) -> None:
    """Of a finding with examples, up to three exchanges are attached."""
    test = written(samples.examples(), tmp_path)["proof.session.expires"]
    assert [step["name"] for step in test["steps"]] == ["exchange 17", "exchange 23", "exchange 99"]


@pytest.mark.parametrize(
    ("results", "name", "status"),
    [
        (samples.results(), "a fault of rampcheck", "broken"),
        (samples.incomplete(), "the target stopped answering", "broken"),
        (samples.inconclusive(), "inconclusive", "broken"),
        (samples.results(interrupted=True), "the end of the run", "broken"),
        (samples.gaps() | {"verdict": "nonconformant", "strict": True}, "a strict run", "failed"),
    ],
)
def test_what_is_wrong_with_the_run_is_a_test(results: dict[str, Any], name: str, status: str, tmp_path: Path) -> None:
    """What keeps a run from being trusted, or fails it besides its clauses, does not pass."""
    assert written(results, tmp_path)[name]["status"] == status


def test_a_conformant_run_is_green(tmp_path: Path) -> None:
    """Nothing but passed tests comes of a conformant run."""
    assert {test["status"] for test in written(samples.conformant(), tmp_path).values()} == {"passed"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_finding_of_the_whole_run_fails_a_test(workers: str, tmp_path: Path) -> None:
    """What only the history of a run shows fails its clause in Allure, whatever the scenarios that provoked it did."""
    done = rampcheck(
        "--contract",
        "proof",
        "--defect",
        "token-in-error-message",
        "-k",
        "issued",
        "-n",
        workers,
        folder=tmp_path / "run",
    )
    assert done.code == 1, done.printed
    folder = tmp_path / "run/allure-results"
    tests = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-result.json")]
    assert {test["name"] for test in tests if test["status"] == "failed"} == set(done.verdicts("failed"))
    assert len(tests) == len(done.results["clauses"])
