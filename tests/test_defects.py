"""Every defect of the reference is convicted and every variant is cleared, each in a run over real sockets.

It is tried quickly here: a defect by the scenarios of its own clauses, the variants a few at once. `rampcheck selftest`
tries each by itself and with the whole suite, and so sees more of the clauses that have nothing to do with a defect.
"""

from __future__ import annotations

from typing import Any

import pytest

from rampcheck.contract import descriptor
from rampcheck.sandbox import all_defects, all_variants
from rampcheck.selftest import Conditions, Selection, prove
from rampcheck.selftest.page import remark

pytestmark = pytest.mark.xdist_group("matrix")  # one process has what all of these tests share


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every defect and every variant of every contract."""
    folder = tmp_path_factory.mktemp("selftest") / "everything"
    return prove(Selection(descriptor.contracts()), Conditions(quick=True), folder)


def told(matrix: dict[str, Any], **wanted: Any) -> dict[str, str]:
    """Gives the trials whose entries are as `wanted`, with what is wrong with them."""
    return {
        f"{entry['contract']}-{entry['name']}": remark(entry)
        for entry in matrix["trials"]
        if all(entry[key] == value for key, value in wanted.items())
    }


def test_everything_was_tried(matrix: dict[str, Any]) -> None:
    """The matrix has each defect, each variant and each plain reference, and none came to no judgement."""
    contracts = descriptor.contracts()
    names = {(defect.contract, defect.name) for contract in contracts for defect in all_defects(contract)}
    names |= {(variant.contract, variant.name) for contract in contracts for variant in all_variants(contract)}
    assert {
        (entry["contract"], name) for entry in matrix["trials"] for name in entry["parts"] or [entry["name"]]
    } == names | {(contract, "plain") for contract in contracts}
    assert told(matrix, result="fault") == {}


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
