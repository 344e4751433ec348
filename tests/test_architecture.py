"""The engine's modules stand in the order of the flow, as ARCHITECTURE.md lists them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "rampcheck"
LONGEST = 500


def listed() -> list[str]:
    """The modules in the order of ARCHITECTURE.md's table."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def imported(module: str) -> set[str]:
    """The engine's modules that a module or package imports where it is loaded."""
    path = ENGINE / f"{module}.py"
    files = [path] if path.exists() else sorted((ENGINE / module).rglob("*.py"))
    found: set[str] = set()
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module == "rampcheck":
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rampcheck."):
                found.add(str(node.module).split(".")[1])
    return found & set(listed()) - {module}


def test_every_module_is_listed() -> None:
    """The table names each module and package of the engine, and no other."""
    there = {path.stem for path in ENGINE.glob("*.py")} | {path.parent.name for path in ENGINE.glob("*/__init__.py")}
    assert set(listed()) == there - {"__init__"}


def test_modules_import_only_what_stands_above_them() -> None:
    """No module imports one that comes later in the flow."""
    order = listed()
    wrong = [(module, name) for module in order for name in imported(module) if order.index(name) > order.index(module)]
    assert wrong == []


def test_no_module_is_long() -> None:
    """A module near 500 lines is two modules."""
    files = [*ENGINE.rglob("*.py"), *(ROOT / "suites").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    long = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}
