"""The order of a run's scenarios: what finds the most for the fewest requests first; for workers, the longest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rampcheck.running import worth
from rampcheck.running.marks import verified


def ordered(items: Sequence[pytest.Item], workers: int, contract: str) -> list[pytest.Item]:
    """Gives the scenarios of a contract's suite in the order in which so many worker processes, 0 for none, take them.

    A suite that was not measured keeps its own order, the long scenarios last.
    """
    known = worth.of_suite(contract)
    if known.scenarios:
        items = worth.ranked(items, lambda item: known.of(item.nodeid, verified(item)), known.first)
    else:
        items = sorted(items, key=is_long)
    return _spread(items, workers) if workers else items


def is_long(item: pytest.Item) -> bool:
    """Whether a scenario sends many requests."""
    return item.get_closest_marker("long") is not None


def _spread(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Deals the scenarios out over the workers, to each the long ones of its share first.

    xdist hands out equal runs of the list and lets idle workers steal from their ends.
    """
    long = [item for item in items if is_long(item)]
    others = [item for item in items if not is_long(item)]
    shares = [[*long[index::workers], *others[index::workers]] for index in range(workers)]
    return [item for share in shares for item in share]
