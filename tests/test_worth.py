"""The worth of scenarios: the order that finds the most for a request, what fits into a budget, the file of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rampcheck.contract import packs, register
from rampcheck.errors import ContractError
from rampcheck.running import launch, worth
from rampcheck.running.worth import Known, Worth

NOTHING = Worth(0)
CONTRACTS = ("proof", "kryptonim")


def worths(**each: tuple[int, str, str]) -> Mapping[str, Worth]:
    """Gives the worth of scenarios: requests, and a letter for each defect that it finds and clause that it tries."""
    return {name: Worth(cost, frozenset(finds), frozenset(tries)) for name, (cost, finds, tries) in each.items()}


def test_what_finds_the_most_for_a_request_comes_first() -> None:
    """Of equal ones the cheaper, then the first one; what shows nothing new comes last."""
    known = worths(
        long=(10, "abcdefgh", ""), short=(2, "ab", ""), same=(2, "ab", ""), none=(1, "", ""), one=(1, "a", "")
    )
    assert worth.ranked([*known], known.__getitem__, NOTHING) == ["one", "long", "none", "short", "same"]


def test_what_was_shown_before_counts_no_more() -> None:
    """Neither a defect that the first request finds nor a clause that it tries."""
    known = worths(first=(1, "ab", "x"), second=(1, "c", ""))
    assert worth.ranked([*known], known.__getitem__, NOTHING) == ["first", "second"]
    assert worth.ranked([*known], known.__getitem__, Worth(1, frozenset("ab"), frozenset("x"))) == ["second", "first"]


def test_a_budget_sees_every_clause_before_what_finds_more() -> None:
    """As long as that leaves it anything; what does not fit is passed over for what does."""
    known = worths(
        rich=(20, "abcdefghijklmnopqrstuvwxyz", "x"), rare=(30, "", "y"), small=(5, "A", "x"), late=(60, "B", "")
    )
    assert worth.within([*known], known.__getitem__, 70, NOTHING) == ["rich", "rare", "small"]
    assert worth.within([*known], known.__getitem__, 42, NOTHING) == ["small", "rare"]
    assert worth.within([*known], known.__getitem__, 35, NOTHING) == ["rich", "small"]
    assert worth.within([*known], known.__getitem__, 4, NOTHING) == []


def test_what_others_try_is_not_tried_for_its_clauses() -> None:
    """A scenario that came early, and is needless by those that came later, makes room for what finds more."""
    known = worths(early=(4, "a", "xyuv"), one=(4, "bc", "xuz"), two=(4, "de", "yvw"), more=(4, "fg", ""))
    assert set(worth.within([*known], known.__getitem__, 14, NOTHING)) == {"one", "two", "more"}


def test_what_nobody_saw_tried_is_tried_by_who_verifies_it() -> None:
    """A clause that is judged by the whole run stands in no scenario's exchanges."""
    known = Known(worths(**{"test_a.py::one": (1, "", "x"), "test_a.py::two": (1, "", "")}), {})
    assert known.of("suites/test_a.py::one", ["x", "whole"]).tries == {"x", "whole"}
    assert known.of("suites/test_a.py::two", ["x"]).tries == set()
    assert known.of("suites/test_a.py::new", ["new"]) == Worth(tries=frozenset({"new"}))


@pytest.mark.parametrize(
    ("places", "requests", "expected"),
    [([1, 1], 10, 0.95), ([10, 10], 10, 0.05), ([1, None], 10, 0.45), ([], 10, None), ([1], 0, None)],
)
def test_apfd(places: list[int | None], requests: int, expected: float | None) -> None:
    """All at the first request is the best that there is; what is missed counts as found after the end."""
    found = worth.apfd(places, requests)
    assert found == (expected if expected is None else pytest.approx(expected))


def test_names_stand_once_in_the_file() -> None:
    """Of the clauses that the first request tries, the others say nothing."""
    written = worth.written(
        {"wrong": ["test_a.py::one"], "missed": []},
        {"wrong": "c.one", "missed": "c.two"},
        {"baseline": 1, "test_a.py::one": 2},
        {"baseline": {"c.one"}, "test_a.py::one": {"c.one", "c.two"}},
    )
    assert written["defects"] == ["missed", "wrong"]
    assert written["breaks"] == ["c.two", "c.one"]
    assert written["scenarios"] == {
        "baseline": {"requests": 1, "finds": [], "tries": [0]},
        "test_a.py::one": {"requests": 2, "finds": [1], "tries": [1]},
    }


def test_a_file_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what makes it anew."""
    monkeypatch.setattr(worth.json, "loads", lambda _: {"schema": 1})
    worth.of_suite.cache_clear()
    try:
        with pytest.raises(ContractError, match="selftest --write-worth"):
            worth.of_suite("proof")
    finally:
        worth.of_suite.cache_clear()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_is_known_is_of_this_suite(contract: str) -> None:
    """A scenario that is gone, or was never measured, makes the order a guess: few may be."""
    known = worth.of_suite(contract).scenarios.keys() - {worth.FIRST}
    there = {worth.key(scenario.key) for scenario in launch.scenarios(register.load(contract), "")}
    assert (packs.of(contract).suite(contract) / worth.FILE_NAME).is_file()
    assert len(known - there) <= len(there) / 10, "`rampcheck selftest --quick --write-worth` measures it anew"
    assert len(there - known) <= len(there) / 10, "`rampcheck selftest --quick --write-worth` measures it anew"
