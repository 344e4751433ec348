"""Starting pytest over the suites, with no plugin and no option but our own."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rampcheck import options, outlets, resources
from rampcheck.contract import packs, register
from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Contract
from rampcheck.errors import ContractError, ExitCode, NothingChosen, UsageError
from rampcheck.running import budgets, order, shards, termination, worth
from rampcheck.running.marks import needed, verified
from rampcheck.running.shards import Dealt, Shard

CONFIGURATION = str(resources.PACKAGE / "pytest.ini")
# Without what a run has no use for and pays for each time: the assertions of a suite are not rewritten, because no
# traceback is shown, and the heap is not swept for exceptions that nobody raised, which takes a quarter of a second.
UNUSED = ("cacheprovider", "unraisableexception", "threadexception", "doctest", "unittest", "pastebin", "junitxml")
PLAIN = ("-c", CONFIGURATION, "--assert=plain", *(f"-pno:{name}" for name in UNUSED))
PLUGIN = ("-p", "rampcheck.running.plugin")
OURS = (*PLUGIN, *PLAIN)


def _over(contract: str) -> list[str]:
    """Gives pytest's arguments for the suite of a contract."""
    pack = packs.of(contract)
    return [f"--rootdir={pack.folder}", str(pack.suite(contract))]


def run(contract: str, given: Mapping[str, Any], *, workers: int = 1, keyword: str = "") -> int:
    """Runs a contract's suite in this process, with what is `given` for `rampcheck.options`; gives the exit code.

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
            return int(pytest.main([*arguments, *_over(contract)]))
        except KeyboardInterrupt:  # while the run was concluded, or had not begun
            outlets.say("rampcheck: interrupted")
            return ExitCode.INTERRUPTED


@dataclass(frozen=True)
class Listed:
    """A scenario as pytest collects it: its name, its file and line, and the clauses that it is marked to verify.

    `key` tells it from all others on this machine, `is_long` whether it is marked so, `only_creates` whether it does
    nothing but to create sessions. `given` are the texts that it is made with, which may name a credential. What the
    clauses `needs_of` need, it needs besides.
    """

    name: str
    path: Path
    line: int
    clauses: tuple[str, ...]
    key: str = ""
    is_long: bool = False
    only_creates: bool = False
    given: frozenset[str] = frozenset()
    needs_of: frozenset[str] = frozenset()


class Listing:
    """A pytest plugin that notes which scenarios are collected, and the files that cannot be: why, as an exception."""

    def __init__(self) -> None:
        self.scenarios: list[Listed] = []
        self.failures: list[tuple[Path, BaseException]] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Notes the scenarios."""
        self.scenarios = [
            Listed(
                item.name,
                item.path,
                (item.location[1] or 0) + 1,
                verified(item),
                key(item),
                order.is_long(item),
                item.get_closest_marker("creates_sessions") is not None,
                _texts(item),
                needed(item),
            )
            for item in session.items
        ]

    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]) -> None:
        """Notes what could not be collected."""
        if call.excinfo is not None:
            self.failures.append((node.path, call.excinfo.value))


def _texts(item: pytest.Item) -> frozenset[str]:
    """Gives the texts with which a scenario is made."""
    made_with = getattr(item, "callspec", None)
    return (
        frozenset(value for value in made_with.params.values() if isinstance(value, str)) if made_with else frozenset()
    )


def listed(contract: str) -> Listing:
    """Gives the scenarios of a contract's suite, right or wrong: our own plugin would not take a wrong one."""
    folder = packs.of(contract).suite(contract)
    without = ["-p", "no:rampcheck.running.plugin", f"--confcutdir={folder}"]
    listing, code, printed = _collected([*without, *_over(contract)])
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        listing.failures.append((folder / "conftest.py", ContractError(printed.strip().rpartition("\n")[2])))
    return listing


def _collected(arguments: Sequence[str]) -> tuple[Listing, int, str]:
    """Gives what pytest collects with these arguments, its exit code, and what it printed."""
    listing, printed = Listing(), io.StringIO()
    quiet = [*PLAIN, "-p", "no:terminal", "--collect-only"]
    with _only_own_plugins(), redirect_stdout(printed), redirect_stderr(printed):
        code = pytest.main([*quiet, *arguments], plugins=[listing])
    _forget(path for path, _ in listing.failures)
    return listing, int(code), printed.getvalue()


def _forget(paths: Iterable[Path]) -> None:
    """Forgets modules of which the import failed: pytest leaves them half made, and would find them again so."""
    files = {str(path) for path in paths}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in files:
            del sys.modules[name]


def key(item: pytest.Item) -> str:
    """Gives what tells a scenario from all others, whatever pytest was asked to collect."""
    return f"{item.path}::{item.nodeid.partition('::')[2]}"


class Chosen(NamedTuple):
    """What a run sets out to try: `clauses`, and the keys of `scenarios`; None: all that verify one of the clauses.

    It sends `at_most` so many requests, if that is given. Where the scenarios were chosen for this `budget`, `note`
    says what that leaves out.
    """

    clauses: frozenset[str]
    scenarios: frozenset[str] | None = None
    note: str = ""
    budget: int | None = None
    at_most: int | None = None


def within(profile: Profile, patterns: Sequence[str], keyword: str, requests: int) -> Chosen:
    """Gives what a run sets out to try for which so many requests are enough: the scenarios that show the most.

    First each clause gets one that verifies it, if that fits; then what finds the most. Where all of them fit, that is
    no choice. Sends nothing. Raises as `chosen` does, and `UsageError` where not one scenario fits.
    """
    contract = register.of(profile)
    clauses = chosen(contract, patterns, keyword)
    known = worth.of_suite(contract.name)
    those = able(profile, clauses, keyword)

    def value(scenario: Listed) -> worth.Worth:
        of_all = known.of(scenario.key, scenario.clauses)
        return replace(of_all, tries=of_all.tries & clauses)

    taken = worth.within(those, value, requests, known.first)
    if those and not taken:
        raise UsageError(
            f"{requests} requests are too few for any scenario",
            f"Give it more: --budget {budgets.FOR_REMOTE} is usual.",
        )
    if len(taken) == len(those):
        return Chosen(clauses, at_most=requests)
    note = budgets.unseen(contract, map(value, those), map(value, taken), requests)
    return Chosen(clauses, frozenset(one.key for one in taken), note, budget=requests, at_most=requests)


def able(profile: Profile, clauses: Collection[str], keyword: str) -> list[Listed]:
    """Gives the scenarios of these clauses that the profile lets be tried: none for a credential that it lacks."""
    contract = register.of(profile)
    lacked = profile.described.credentials.keys() - profile.credentials.keys()
    unmet = {name for name, clause in contract.clauses.items() if clause.unmet(profile)}
    return [
        one
        for one in scenarios(contract, keyword)
        if not {*one.clauses}.isdisjoint(clauses)
        and not unmet.issuperset(one.clauses)
        and unmet.isdisjoint(one.needs_of)
        and lacked.isdisjoint(one.given)
        and (profile.environment != "production" or one.only_creates)
    ]


def expected(profile: Profile, chosen: Chosen, keyword: str) -> int:
    """Gives about how many requests the scenarios take that a run chose; 0 where the suite was not measured."""
    known = worth.of_suite(profile.contract)
    if not known.scenarios:
        return 0
    those = able(profile, chosen.clauses, keyword)
    taken = [one for one in those if chosen.scenarios is None or one.key in chosen.scenarios]
    return known.first.requests + sum(known.of(one.key, one.clauses).requests for one in taken)


def share(contract: Contract, patterns: Sequence[str], keyword: str, shard: Shard) -> Chosen:
    """Gives what one shard of a run sets out to try; see `shards.share`. Sends nothing.

    Raises as `chosen` does, and `UsageError` where there are more shards than scenarios.
    """
    among = chosen(contract, patterns, keyword)
    own = {one.key: one for one in scenarios(contract, keyword) if among.intersection(one.clauses)}
    taken = shards.share((_dealt(contract, one) for one in own.values()), shard)
    if not taken:
        raise UsageError(
            f"--shard {shard}: {len(own)} scenarios are too few for {shard.of} shards", "Take fewer shards."
        )
    return Chosen(among & _clauses_of(own[one] for one in taken), frozenset(taken))


def _dealt(contract: Contract, scenario: Listed) -> Dealt:
    needs = [need for clause in scenario.clauses for need in contract.clauses[clause].needs]
    awaits_webhooks = any(isinstance(need, str) and need.startswith("webhook.") for need in needs)
    return Dealt(scenario.key, scenario.is_long, awaits_webhooks)


def chosen(contract: Contract, patterns: Sequence[str], keyword: str) -> frozenset[str]:
    """Gives the clauses that a run sets out to try, with these `patterns` of clauses and this `keyword` of scenarios.

    Sends nothing. Raises `NothingChosen` where these are none, `UsageError` where the keyword is no expression or a
    pattern matches no clause.
    """
    selected = contract.selected(patterns)
    if not keyword:
        if all(contract.clauses[clause].untestable for clause in selected):
            raise NothingChosen(
                f"nothing can test from outside: {', '.join(sorted(selected))}",
                f"`rampcheck clauses --contract {contract.name}` says what can be tested.",
            )
        return selected
    found = selected & _clauses_of(scenarios(contract, keyword))
    if not found:
        among = f" for {', '.join(patterns)}" if patterns else ""
        raise NothingChosen(
            f"-k {keyword!r} chooses no scenario of the contract {contract.name}{among}",
            "It is compared with the names of scenarios and their files, as in pytest; every report "
            "names those that found something.",
        )
    return found


def scenarios(contract: Contract, keyword: str) -> Sequence[Listed]:
    """Gives the scenarios of a contract that a `keyword` chooses, all by "".

    Raises `UsageError` where it is no expression.
    """
    return _scenarios(tuple(_over(contract.name)), keyword)


@cache  # a process runs the suite that it has imported, and to collect it takes a quarter of a second
def _scenarios(suite: Sequence[str], keyword: str) -> Sequence[Listed]:
    listing, code, printed = _collected([*PLUGIN, *(["-k", keyword] if keyword else ()), *suite])
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UsageError(printed.strip().removeprefix("ERROR: "), "For example: -k 'origin and not websocket'.")
    return tuple(listing.scenarios)


def _clauses_of(scenarios: Iterable[Listed]) -> set[str]:
    return {clause for scenario in scenarios for clause in scenario.clauses}


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
