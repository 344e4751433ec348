"""Where contracts come from: a pack is a folder with `openapi/`, `suites/` and perhaps `references/`.

The first is rampcheck's own; others are distributions with an entry point of the group `rampcheck.packs`, which names
a package that is such a folder (or, in an editable install, stands in one), or folders that are named on the command
line (`--pack`). One that is broken is told of by who asks for its contracts, and by nobody else.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from rampcheck import resources
from rampcheck.errors import ContractError, UsageError, nearest

GROUP = "rampcheck.packs"
# Of two threads that want the same package, the second one waits until the first has imported all of it. Again by the
# same thread: a suite may load what is beside it.
_importing = threading.RLock()
# Tells the processes of a run which folders were named: one each, as in PATH.
VARIABLE = "RAMPCHECK_PACKS"
REFERENCES = "references"


@dataclass(frozen=True)
class Pack:
    """One folder of contracts."""

    folder: Path

    @property
    def contracts(self) -> tuple[str, ...]:
        """The names of its contracts, each of which has documents and a suite."""
        described = (path.parent.name for path in (self.folder / "openapi").glob("*/contract.yaml"))
        return tuple(sorted(name for name in described if self.suite(name).is_dir()))

    def document(self, contract: str, name: str) -> Path:
        """Gives the path of one of a contract's documents: `contract`, `clauses` or `openapi`."""
        return self.folder / "openapi" / contract / f"{name}.yaml"

    def suite(self, contract: str) -> Path:
        """Gives the folder of a contract's suite."""
        return self.folder / "suites" / contract

    def reference(self, contract: str) -> Path:
        """Gives the folder of a contract's reference, which need not be there."""
        return self.folder / REFERENCES / contract


def packs() -> tuple[Pack, ...]:
    """Gives every pack that can be found, rampcheck's own first."""
    return _packs(os.environ.get(VARIABLE, ""))


@cache
def _packs(named: str) -> tuple[Pack, ...]:
    folders = [resources.root(), *_installed(), *map(Path, filter(None, named.split(os.pathsep)))]
    return tuple(Pack(folder) for folder in dict.fromkeys(folder.resolve() for folder in folders))


def _installed() -> Iterator[Path]:
    for point in sorted(entry_points(group=GROUP)):
        try:
            spec = importlib.util.find_spec(point.module)
        except ImportError:  # of a package around it
            continue
        for place in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
            yield place if (place / "openapi").is_dir() else place.parent


def add(folder: Path) -> None:
    """Makes a folder a pack, for this process and those that it starts. Raises `UsageError` where it is none."""
    folder = folder.resolve()
    if os.pathsep in str(folder):
        raise UsageError(f"the path of a pack holds {os.pathsep!r}: {folder}", "Move or rename it.")
    if not Pack(folder).contracts:
        raise UsageError(
            f"{folder} is no pack: it holds no contract",
            "A pack has openapi/NAME/contract.yaml and suites/NAME; `rampcheck new` writes one.",
        )
    known = [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*known, str(folder)]))


def of(contract: str) -> Pack:
    """Gives the pack of a contract. Raises `UsageError` where there is none of that name, or more than one."""
    found = [pack for pack in packs() if contract in pack.contracts]
    if len(found) > 1:
        raise UsageError(
            f"two packs bring a contract {contract}: {found[0].folder} and {found[1].folder}",
            "Leave out --pack, or uninstall one of them.",
        )
    if not found:
        raise UsageError(f"there is no contract {contract!r}", cure(contract))
    return found[0]


def cure(contract: str) -> str:
    """Says what may be meant by a contract that is not known: one of another spelling, or one of a pack in a folder."""
    known = f"Known: {', '.join(contracts())}."
    if near := nearest(contract, contracts()):
        return f"Did you mean {near}? {known}"
    if folder := unnamed(contract):
        return f"{folder} is a pack that brings it: add --pack {folder}. {known}"
    return f"{known} A pack that is not installed is named with --pack DIR."


def unnamed(contract: str) -> str:
    """Gives the folder of a pack with this contract that nobody named: the current folder, or one in it; else ""."""
    if not re.fullmatch(r"\w+", contract):
        return ""
    here = Path()
    return next((str(folder) for folder in (here, *sorted(here.glob("*/"))) if contract in Pack(folder).contracts), "")


def contracts() -> tuple[str, ...]:
    """Gives the names of the contracts of all packs, in alphabetical order."""
    return tuple(sorted({name for pack in packs() for name in pack.contracts}))


def module(folder: Path, name: str = "") -> ModuleType:
    """Imports the package in `folder`, or its module `name` (dotted), by path.

    It is called what pytest calls it, by the `__init__.py` files around it, so that both get the same one, and its
    modules import each other relatively. Raises `ContractError` where it cannot be imported. Source: pytest's
    documentation, "importlib" import mode.
    """
    try:
        with _importing:
            package = _package(folder)
        return package if not name else importlib.import_module(f"{package.__name__}.{name}")
    except ContractError:
        raise
    except Exception as error:
        raise ContractError(
            f"{folder / name.replace('.', os.sep)} cannot be imported: {type(error).__name__}: {error}",
            "Is the pack installed with what it depends on?",
        ) from error


def _package(folder: Path) -> ModuleType:
    init = folder / "__init__.py"
    parent = _package(folder.parent) if (folder.parent / "__init__.py").is_file() else None
    # A reference, which pytest does not know, is not called like a suite, or like what its vendor publishes.
    around = parent.__name__ if parent else folder.parent.name if folder.parent.name == REFERENCES else ""
    name = f"{around}.{folder.name}" if around else folder.name
    if around and parent is None and around not in sys.modules:
        # Import looks for the package around one that it imports from; here, several folders share one.
        sys.modules[around] = ModuleType(around)
        sys.modules[around].__path__ = []
    known = sys.modules.get(name)
    if known is not None and known.__spec__ is not None and known.__spec__.origin == str(init):
        return known
    spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
    assert spec is not None  # noqa: S101 - a .py file has a loader
    assert spec.loader is not None  # noqa: S101 - a .py file has a loader
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[name]
        raise
    if parent is not None:
        setattr(parent, folder.name, package)
    return package
