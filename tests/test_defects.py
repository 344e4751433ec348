"""Defects of the reference are convicted and every variant is cleared, each in a run over real sockets.

It is tried quickly here: a defect by the scenarios of its own clauses, the variants a few at once. `rampcheck selftest`
tries each by itself and with the whole suite, and so sees more of the clauses that have nothing to do with a defect.
Each clause has a defect tried whenever the tests are run; all of them are heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import pytest

from rampcheck.contract import descriptor
from rampcheck.sandbox import Defect, all_defects, all_variants
from rampcheck.selftest import Conditions, Selection, planned, prove
from rampcheck.selftest.page import remark

pytestmark = pytest.mark.xdist_group("matrix")  # one process has what all of these tests share


def everything() -> Selection:
    """Every defect and every variant."""
    return Selection(descriptor.contracts())


def one_of_each_clause() -> Selection:
    """Every variant, and a defect of each clause."""
    contracts = descriptor.contracts()
    variants = [variant.name for contract in contracts for variant in all_variants(contract)]
    return Selection(contracts, defects=[*map(str, chosen(contracts))], variants=variants)


def chosen(contracts: list[str]) -> Iterator[str]:
    """Gives names of defects, until each clause that any breaks has one."""
    known = [defect for contract in contracts for defect in all_defects(contract)]
    tried: set[str] = set()
    for defect in sorted(known, key=_shuffled):
        if not defect.clauses or not tried.issuperset(defect.clauses):
            tried.update(defect.clauses)
            yield defect.name


def _shuffled(defect: Defect) -> bytes:
    return blake2b(f"{defect.contract} {defect.name}".encode()).digest()


@pytest.fixture(
    scope="module",
    params=[one_of_each_clause, pytest.param(everything, marks=pytest.mark.heavy)],
    ids=["one of each clause", "everything"],
)
def selection(request: pytest.FixtureRequest) -> Selection:
    """What is tried."""
    chosen: Selection = request.param()
    return chosen


@pytest.fixture(scope="module")
def matrix(selection: Selection, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of it."""
    return prove(selection, Conditions(quick=True), tmp_path_factory.mktemp("selftest") / "everything")


def told(matrix: dict[str, Any], **wanted: Any) -> dict[str, str]:
    """Gives the trials whose entries are as `wanted`, with what is wrong with them."""
    return {
        f"{entry['contract']}-{entry['name']}": remark(entry)
        for entry in matrix["trials"]
        if all(entry[key] == value for key, value in wanted.items())
    }


def test_everything_was_tried(selection: Selection, matrix: dict[str, Any]) -> None:
    """The matrix has each defect, each variant and each plain reference, and none came to no judgement."""
    assert {(entry["contract"], name) for entry in matrix["trials"] for name in entry["parts"] or [entry["name"]]} == {
        (trial.contract, trial.name) for trial in planned(selection)
    }
    assert told(matrix, result="fault") == {}


def test_each_clause_has_a_defect_tried() -> None:
    """Whatever is left out for time, no clause is without a defect that was tried, nor any variant."""
    some, all_of_them = planned(one_of_each_clause()), planned(everything())
    tried, known = ({clause for trial in trials for clause in trial.clauses} for trials in (some, all_of_them))
    assert known - tried == set()
    assert {trial.name for trial in all_of_them if trial.kind != "defect"} == {
        trial.name for trial in some if trial.kind != "defect"
    }
    assert len(some) < len(all_of_them)


def test_no_defect_is_missed(matrix: dict[str, Any]) -> None:
    """Each defect is convicted by a finding against one of its own clauses, which says what is wrong."""
    assert told(matrix, result="missed") == {}
    findings = [found for entry in matrix["trials"] for found in entry["convictions"]]
    assert [found for found in findings if not found["expected"] or not found["actual"]] == []


def test_no_unrelated_clause_fails(matrix: dict[str, Any]) -> None:
    """A defect fails no `must` clause but its own, those that follow from them, and those that it foresees."""
    blamed = {
        entry["name"]: [found["clause"] for found in entry["unrelated"]]
        for entry in matrix["trials"]
        if entry["kind"] == "defect" and entry["unrelated"]
    }
    assert blamed == {}


def test_no_variant_is_accused(matrix: dict[str, Any]) -> None:
    """A server that conforms is found conforming, and everything is verified that is with the plain reference."""
    assert told(matrix, result="accused") == {}
    gaps = {entry["name"]: entry["gaps"] for entry in matrix["trials"] if entry["kind"] != "defect" and entry["gaps"]}
    assert gaps == {}
