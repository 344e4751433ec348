"""Which scenarios a keyword chooses, found out before anything is sent."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from rampcheck import resources
from rampcheck.errors import ExitCode, UsageError


class _Collected:
    """A pytest plugin that keeps the clauses which the collected scenarios are marked to verify."""

    def __init__(self) -> None:
        self.clauses: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for mark in item.iter_markers("verifies"):
                self.clauses.update(mark.args)


def clauses_of(keyword: str, contract: str) -> frozenset[str]:
    """Gives the clauses that the scenarios whose names match `keyword` verify.

    `keyword` is an expression as pytest's `-k` takes it. Raises `UsageError` where it is none, or matches no scenario.
    """
    collected, told = _Collected(), io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        code = pytest.main([
            "-c", str(resources.PACKAGE / "pytest.ini"), "--rootdir", str(resources.suites().parent),
            "-p", "rampcheck.plugin", "-p", "no:cacheprovider", "--collect-only", "-q", "--no-header", "-k", keyword,
            str(resources.suites() / contract),
        ], plugins=[collected])
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError(f"no scenario of {contract} matches -k {keyword!r}",
                         "`pytest --collect-only -q suites` names them all; words are joined by and, or, not.")
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UsageError(f"-k {keyword!r} is no expression",
                         "Write words that stand in the scenarios' names, joined by and, or, not.")
    if code != ExitCode.CONFORMANT:
        raise UsageError(f"the scenarios of {contract} cannot be collected: {told.getvalue().strip()[-600:]}")
    return frozenset(collected.clauses)
