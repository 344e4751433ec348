"""The partners' programs: short enough to begin from, and enough that are wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rampcheck.contract import register
from tests.partners.changes import CHANGES, Change
from tests.partners.programs import EXAMPLES, OBSERVERS, ROOT, examples, programs, spoken

CONTRACTS = ("proof", "kryptonim")


@pytest.mark.parametrize("example", examples(), ids=spoken)
def test_an_example_is_read_in_five_minutes(example: Path) -> None:
    """It has fewer than 120 lines."""
    assert len(example.read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_clause_of_the_partner_is_broken_in_two_ways(contract: str) -> None:
    """No clause has fewer than two programs that break it, and none is broken that there is not."""
    broken = Counter(clause for program in programs(contract).values() for clause in program.clauses)
    clauses = set(register.partner_side(contract).clauses)
    assert set(broken) == clauses
    assert {clause for clause, times in broken.items() if times < 2} == set()


def test_the_handbook_says_how_many_there_are() -> None:
    """Its numbers are those of the programs."""
    every = [program for contract in CONTRACTS for program in programs(contract).values()]
    wrong = sum(bool(program.clauses) for program in every) + len(CHANGES)
    page = " ".join((ROOT / "docs" / "certify.md").read_text(encoding="utf-8").split())
    assert f"; {wrong} that are wrong in one thing" in page
    assert f"; and {sum(not program.clauses for program in every)} that do something otherwise" in page


@pytest.mark.parametrize(
    "page", [EXAMPLES / "README.md", ROOT / "docs" / "certify.md"], ids=lambda page: page.parent.name
)
def test_the_observer_of_a_page_is_the_one_that_is_tried(page: Path) -> None:
    """Who copies it asks the books as the tests do."""
    text = page.read_text(encoding="utf-8")
    assert [observer for observer in OBSERVERS.values() if f'--observer "{observer}"' not in text] == []


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_is_changed_in_an_example_stands_there(change: Change, tmp_path: Path) -> None:
    """Once, on any machine, whether it has what runs the example or not; and the clause is one."""
    change.command(tmp_path)
    assert change.clauses <= set(register.partner_side(change.contract).clauses)
