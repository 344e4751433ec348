"""Every clause is judged by something, and nothing judges a clause that does not exist."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rampcheck import contract, resources
from rampcheck.contract import clause_ids

CONTRACTS = resources.contracts()


@pytest.fixture(scope="module", params=CONTRACTS)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a contract."""
    return str(request.param)


@pytest.fixture(scope="module")
def verified(name: str) -> dict[str, set[str]]:
    """The clauses that the scenarios of a contract are marked with, each with them, as pytest collects them."""
    listing = Path(__file__).with_name("list_marks.py")
    printed = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "rampcheck.plugin", "-p", "tests.list_marks", "--import-mode=importlib",
         "-q", "--collect-only", str(resources.suites() / name)],
        capture_output=True, text=True, check=False, cwd=listing.parents[1],
    ).stdout
    marks: dict[str, set[str]] = {}
    for line in printed.splitlines():
        if line.startswith("verifies "):
            _, clause, scenario = line.split(" ", 2)
            marks.setdefault(clause, set()).add(scenario)
    assert marks, printed
    return marks


def test_every_clause_is_judged_by_something(name: str, verified: dict[str, set[str]]) -> None:
    """Each clause has a scenario that provokes it, or says why nothing can test it."""
    clauses = contract.load(name).clauses.values()
    assert [clause.id for clause in clauses if clause.id not in verified and not clause.untestable] == []
    assert [clause.id for clause in clauses if clause.id in verified and clause.untestable] == []


def test_every_clause_that_is_named_exists(name: str, verified: dict[str, set[str]]) -> None:
    """Marks, schema nodes, invariants and literals in the suites name clauses of the register only."""
    loaded = contract.load(name)
    suite = resources.suite(name)
    named = set(verified) | set(clause_ids(loaded.document)) | set(suite.no_server_error.values())
    named |= {invariant.clause for invariant in [*suite.invariants, *suite.history]}
    for path in (resources.suites() / name).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(f"{name}."):
                named.add(node.value)
    families = {clause.rpartition(".")[0] for clause in loaded.clauses}
    prefixes = {clause.rstrip(".") for clause in named if clause.endswith(".")}
    assert sorted(named - set(loaded.clauses) - families - {f"{prefix}." for prefix in prefixes}) == []
