"""The tiers of the tests: what is quick is not heavy, and each name in the tables is a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import HEAVY, QUICK

FILES = {path.stem: path for path in Path(__file__).parent.rglob("test_*.py")}


def test_each_tier_names_files_that_are_there() -> None:
    """A file that was renamed would fall out of its tier unnoticed."""
    assert (HEAVY | QUICK) - FILES.keys() == set()


def test_nothing_is_quick_and_heavy() -> None:
    """`-m quick` on the command line takes the place of `-m 'not heavy'`, so that it would run both."""
    assert HEAVY.isdisjoint(QUICK)
    marked = re.compile(r"pytest\.mark\.heavy")
    assert [name for name in sorted(QUICK) if marked.search(FILES[name].read_text(encoding="utf-8"))] == []


def test_this_file_is_quick(request: pytest.FixtureRequest) -> None:
    """A table marks all tests of a file."""
    marks = {mark.name for mark in request.node.iter_markers()}
    assert "quick" in marks
    assert "heavy" not in marks
