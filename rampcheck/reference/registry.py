"""Named ways to behave otherwise, by contract: what the registries of defects and of variants have in common."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from rampcheck.errors import UsageError
from rampcheck.reference.contracts import check_contract


class Named(Protocol):
    """What can be registered: it has a name that is the only one of its contract."""

    @property
    def name(self) -> str:
        """What the command line calls it."""

    @property
    def contract(self) -> str:
        """The contract to whose server it belongs."""


Entry = TypeVar("Entry", bound=Named)


class Registry(Generic[Entry]):
    """Holds entries of one `kind`, a word for messages.

    `modules` gives for each contract the modules, relative to `rampcheck.reference`, whose import registers its
    entries.
    """

    def __init__(self, kind: str, modules: Mapping[str, Sequence[str]]) -> None:
        self._kind = kind
        self._modules = modules
        self._entries: dict[str, dict[str, Entry]] = {contract: {} for contract in modules}

    def add(self, entry: Entry) -> None:
        """Registers an entry. Raises ValueError if the name is taken."""
        if entry.name in self._entries[entry.contract]:
            raise ValueError(f"there are two {self._kind}s named {entry.name}")
        self._entries[entry.contract][entry.name] = entry

    def all(self, contract: str) -> tuple[Entry, ...]:
        """Every entry of a contract, module by module. Raises `UsageError` for an unknown contract."""
        check_contract(contract)
        for module in self._modules[contract]:
            importlib.import_module(f"rampcheck.reference.{module}")
        return tuple(self._entries[contract].values())

    def find(self, contract: str, names: Iterable[str]) -> tuple[Entry, ...]:
        """The entries of these names, in this order. Raises `UsageError`, with near names, for an unknown one."""
        check_contract(contract)
        names = tuple(names)
        # A plain server, which most are, does without the modules that change it.
        known = {found.name: found for found in self.all(contract)} if names else {}
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
                cure = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
                raise UsageError(f"there is no {self._kind} {name!r} of {contract}", cure)
        return tuple(known[name] for name in names)
