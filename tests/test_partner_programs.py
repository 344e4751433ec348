"""The partners' programs: short enough to begin from, and enough that are wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rampcheck.contract import register
from tests.partners.programs import EXAMPLES, programs

CONTRACTS = ("proof", "kryptonim")


@pytest.mark.parametrize(
    "example", sorted(EXAMPLES.glob("*/purchase.*")), ids=lambda file: f"{file.parent.name}-{file.name}"
)
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
