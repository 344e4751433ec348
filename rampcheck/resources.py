"""Where the data and the suites are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import rampcheck

if TYPE_CHECKING:
    from rampcheck.suite import Suite

PACKAGE = Path(__file__).parent

if not (PACKAGE / "suites").is_dir():
    # A checkout: `suites` stands beside the package. The import system then finds it under the same name as in
    # the wheel, `rampcheck.suites`, so that a suite's modules import each other alike in both.
    rampcheck.__path__.append(str(PACKAGE.parent))


def _directory(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def openapi() -> Path:
    """Gives the folder of the OpenAPI documents and clause registers."""
    return _directory("openapi")


def suites() -> Path:
    """Gives the folder of the suites, one folder a contract."""
    return _directory("suites")


def schema(name: str) -> Path:
    """Gives the path of the JSON Schema called `name` (`profile`, `clauses`, `results`)."""
    return PACKAGE / "schemas" / f"{name}.schema.json"


@cache
def contracts() -> tuple[str, ...]:
    """Gives the names of the contracts that have a register and a suite, in the order of a default run."""
    known = [path.name.removesuffix(".clauses.yaml") for path in openapi().glob("*.clauses.yaml")]
    complete = (name for name in known if (suites() / name).is_dir())
    return tuple(sorted(complete, key=lambda name: (name != "proof", name)))


def suite(contract: str) -> Suite:
    """Gives the `Suite` that `suites/<contract>/__init__.py` defines under the name `suite`."""
    module = importlib.import_module(f"rampcheck.suites.{contract}")
    found: Suite = module.suite
    return found
