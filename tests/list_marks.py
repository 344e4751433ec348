"""A pytest plugin that prints which clauses each collected scenario verifies, for `test_coverage.py`."""

from __future__ import annotations

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prints a line for each clause of each scenario."""
    for item in session.items:
        for mark in item.iter_markers("verifies"):
            for clause in mark.args:
                print(f"\nverifies {clause} {item.nodeid}")  # noqa: T201
