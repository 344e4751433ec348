"""Starting pytest over the suites, with no plugin and no option but our own."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import pytest

from rampcheck import options, outlets, resources, termination
from rampcheck.contract import Contract
from rampcheck.errors import ExitCode, NothingChosen, UsageError

OURS = ("-p", "rampcheck.plugin", "-c", str(resources.PACKAGE / "pytest.ini"),
        "--rootdir", str(resources.suites().parent), "-p", "no:cacheprovider")


def judge(given: Mapping[str, Any], *, workers: int = 1, keyword: str = "") -> int:
    """Runs the suites in this process, with what is `given` for `rampcheck.options`; gives the exit code.

    With more than one of `workers`, as many processes of their own do the work. `keyword` chooses scenarios.
    """
    # Twice -q: the last word is the verdict, not how many scenarios "passed".
    arguments = [*OURS, "-qq", "--tb=no", "-rN", "--no-header", *options.arguments(given)]
    if keyword:
        arguments += ["-k", keyword]
    if workers > 1:
        arguments += ["-p", "xdist.plugin", "-n", str(workers), "--dist", "worksteal"]
    with _only_own_plugins(), termination.as_interruption():  # what was judged is written
        try:
            return int(pytest.main([*arguments, str(resources.suites())]))
        except KeyboardInterrupt:  # while the run was concluded, or had not begun
            outlets.say("rampcheck: interrupted")
            return ExitCode.INTERRUPTED


class _Listing:
    """A pytest plugin that notes which clauses the collected scenarios are marked to verify."""

    def __init__(self) -> None:
        self.clauses: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Notes the clauses."""
        for item in session.items:
            for mark in item.iter_markers("verifies"):
                self.clauses.update(mark.args)


def chosen(contract: Contract, patterns: Sequence[str], keyword: str) -> frozenset[str]:
    """Gives the clauses that a run sets out to try, with these `patterns` of clauses and this `keyword` of scenarios.

    Sends nothing. Raises `NothingChosen` where these are none, `UsageError` where the keyword is no expression or a
    pattern matches no clause.
    """
    selected = contract.selected(patterns)
    if not keyword:
        if all(contract.clauses[clause].untestable for clause in selected):
            raise NothingChosen(f"nothing can test from outside: {', '.join(sorted(selected))}",
                                f"`rampcheck clauses --contract {contract.name}` says what can be tested.")
        return selected
    verified = selected & _verified_by(contract, keyword)
    if not verified:
        among = f" for {', '.join(patterns)}" if patterns else ""
        raise NothingChosen(f"-k {keyword!r} chooses no scenario of the contract {contract.name}{among}",
                            "It is compared with the names of scenarios and their files, as in pytest; every report "
                            "names those that found something.")
    return verified


def _verified_by(contract: Contract, keyword: str) -> set[str]:
    listing, printed = _Listing(), io.StringIO()
    arguments = [*OURS, "-p", "no:terminal", "--collect-only", "-k", keyword, str(resources.suites() / contract.name)]
    with _only_own_plugins(), redirect_stdout(printed), redirect_stderr(printed):
        code = pytest.main(arguments, plugins=[listing])
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UsageError(printed.getvalue().strip().removeprefix("ERROR: "),
                         "For example: -k 'origin and not websocket'.")
    return listing.clauses


@contextmanager
def _only_own_plugins() -> Iterator[None]:
    """Keeps pytest plugins and options of the user's own environment out: they could change what is sent."""
    given = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    given["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in given.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
