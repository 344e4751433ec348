"""Two runs that did not ask for the same: what one saw broken, and the other did not look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rampcheck.comparison import differences, pairs, saved, words
from tests.samples import exchange
from tests.test_compare import beginning, clause, results, run, written

WHOLE, PART = {"clauses": [], "keyword": ""}, {"clauses": [], "keyword": "", "budget": 250}


def found(scenario: str, judge: str = "scenario") -> dict[str, Any]:
    """A finding."""
    members = {"expected": "401", "actual": "200, accepted", "exchange": 1, "times": 1, "about": [], "answers": {}}
    return {**members, "scenario": scenario, "judge": judge}


def saved_run(
    folder: Path, verdict: str, scenarios: list[str], selection: dict[str, Any], *findings: dict[str, Any]
) -> saved.Saved:
    """A run of these scenarios, in which a clause has this verdict."""
    content = results(clause(verdict, findings=list(findings)), selection=selection)
    sent = [{**exchange(number), "scenario": scenario} for number, scenario in enumerate(scenarios, start=1)]
    return saved.load(written(folder, content, beginning(), *sent))


@pytest.mark.parametrize(
    ("scenarios", "findings", "asked"),
    [
        (["a", "b"], [found("a")], True),
        (["b"], [found("a")], False),
        (["a"], [found("a"), found("b")], False),  # it may be broken in b still
        (["b"], [found("a"), found("b", "invariant")], False),
        (["b"], [found("a", "schema"), found("b", "invariant")], True),  # it holds for every exchange
        (["c"], [found("a", "history"), found("b", "invariant")], False),
        (["c"], [found("", "history")], True),  # in no scenario: nobody knows
        (["c"], [], True),
    ],
)
def test_what_a_run_asked_for(scenarios: list[str], findings: list[dict[str, Any]], asked: bool) -> None:
    """A scenario's own demand is met in that scenario alone."""
    assert pairs.is_asked(clause("failed", findings=findings), scenarios) is asked


@pytest.mark.parametrize(
    ("then", "now", "kind"), [(WHOLE, PART, "not_seen_again"), (WHOLE, WHOLE, "fixed"), (PART, PART, "fixed")]
)
def test_what_was_not_asked_for_again_is_not_fixed(
    then: dict[str, Any], now: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    """A smaller run sends less; of two alike, a scenario that is not there any more has another name."""
    before = saved_run(tmp_path / "a", "failed", ["odd", "plain"], then, found("odd"))
    after = saved_run(tmp_path / "b", "passed", ["plain"], now)
    comparison = differences.compare(before, after)
    differences.validate(comparison)
    assert [told["kind"] for told in comparison["clauses"]] == [kind]
    assert words.outcome(comparison).symbol == ("?" if kind == "not_seen_again" else "✓")


@pytest.mark.parametrize(
    ("then", "now", "kind"), [(PART, WHOLE, "unasked_before"), (PART, PART, "regressed"), (WHOLE, WHOLE, "regressed")]
)
def test_what_was_not_asked_for_before_did_not_regress(
    then: dict[str, Any], now: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    """It is told as broken, with what was seen."""
    before = saved_run(tmp_path / "a", "passed", ["plain"], then)
    after = saved_run(tmp_path / "b", "failed", ["odd", "plain"], now, found("odd"))
    comparison = differences.compare(before, after)
    differences.validate(comparison)
    (told,) = comparison["clauses"]
    assert (told["kind"], told["regression"], len(told["findings"])) == (kind, kind == "regressed", 1)


def test_what_a_journal_alone_tells_is_not_known_without_it() -> None:
    """Of results.json alone the verdicts are compared."""
    before = run(clause("passed"), selection=PART)
    after = run(clause("failed", findings=[found("odd")]), selection=WHOLE)
    assert [told["kind"] for told in differences.compare(before, after)["clauses"]] == ["regressed"]


def test_runs_that_seem_to_be_swapped_are_asked_about() -> None:
    """First of all, where anything differs: what is told as fixed may have regressed."""
    earlier = run(clause("passed"), started="2026-11-20T07:00:00Z")
    later = run(clause("failed", findings=[found("odd")]), started="2026-11-21T07:00:00Z")
    outcome = words.outcome(differences.compare(later, earlier))
    assert (outcome.word, outcome.symbol) == ("Swapped?", "?")
    assert outcome.sentence.startswith("The run that is named first is the later one")
    assert words.outcome(differences.compare(earlier, later)).word == "Regressed"
    assert words.outcome(differences.compare(earlier, earlier)).word == "No difference"
