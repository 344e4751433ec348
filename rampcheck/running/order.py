"""The order of a run's scenarios: the long ones last; with workers, the longest ones first."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def ordered(items: Iterable[pytest.Item], workers: int) -> list[pytest.Item]:
    """Gives the scenarios in the order in which this many worker processes, 0 for none, should take them."""
    items = sorted(items, key=is_long)
    return _spread(items, workers) if workers else items


def is_long(item: pytest.Item) -> bool:
    """Whether a scenario sends many requests."""
    return item.get_closest_marker("long") is not None


def _spread(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Deals the long scenarios out over the workers, each to the beginning of a share.

    xdist hands out equal runs of the list and lets idle workers steal from their ends.
    """
    long = [item for item in items if is_long(item)]
    spread = [item for item in items if item not in long]
    for index, item in enumerate(long):
        spread.insert(index % workers * -(-len(items) // workers), item)
    return spread
