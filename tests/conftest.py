"""Which tests are heavy: they take long, or much of the machine, and `pytest -m heavy` runs them."""

from __future__ import annotations

import pytest

HEAVY = frozenset(
    {
        "test_answers_hostile",
        "test_channel_hostile",
        "test_receiver_hostile",
        "test_killed",
        "test_expressions",
    }
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of these files."""
    for item in items:
        if item.path.stem in HEAVY:
            item.add_marker("heavy")
