"""The marks of scenarios: which clauses each verifies, and what else it needs."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cache
from pathlib import Path

import pytest

from rampcheck.contract import packs, register
from rampcheck.contract.register import Clause

# What a scenario may be marked with, and what for, as `docs/contract.md` has it, too.
MARKS: Mapping[str, str] = {
    "verifies(*clauses)": "the clauses that a scenario verifies",
    "needs_of(*clauses)": "not tried where the profile lacks what these clauses need",
    "creates_sessions": "the scenario only creates sessions, as a partner would, and may do so in production",
    "long": "the scenario sends many requests",
}


def verified(item: pytest.Item) -> tuple[str, ...]:
    """Gives the clauses that a scenario is marked to verify."""
    return tuple(clause for mark in item.iter_markers("verifies") for clause in mark.args)


def needed(item: pytest.Item) -> frozenset[str]:
    """Gives the clauses without whose needs a scenario is not tried, besides those of what it verifies."""
    return frozenset(clause for mark in item.iter_markers("needs_of") for clause in mark.args)


class Guard:
    """A pytest plugin that keeps a suite from being collected in which a scenario verifies nothing, or no clause."""

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makeitem(
        self,
        collector: pytest.Collector,
    ) -> Generator[None, object, object]:
        """Raises pytest's `CollectError` for such a scenario: no run would start it, and nobody would miss it."""
        made = yield
        for item in made if isinstance(made, list) else ():
            known = _clauses(item.path)
            if not known:
                continue
            if not verified(item):
                raise collector.CollectError(f"{item.name} verifies no clause: mark it with @pytest.mark.verifies")
            for does, clauses in (("verifies", verified(item)), ("needs what is needed by", needed(item))):
                for clause in clauses:
                    if clause not in known:
                        raise collector.CollectError(f"{item.name} {does} {clause!r}, which is no clause")
        return made


@cache
def _clauses(path: Path) -> Mapping[str, Clause]:
    """Gives the clauses of the contract whose suite holds a file; none where no suite does."""
    for pack in packs.packs():
        for name in pack.contracts:
            if path.resolve().is_relative_to(pack.suite(name)):
                return register.load(name).clauses
    return {}
