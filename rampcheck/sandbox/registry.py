"""Named ways to behave otherwise, by contract: what the registries of defects and of variants have in common."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from rampcheck.errors import UsageError
from rampcheck.sandbox.reference import Reference, load


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

    `shared` are the modules, relative to `rampcheck.sandbox`, whose import registers what any reference has; `own`
    gives the modules of one reference.
    """

    def __init__(self, kind: str, shared: Sequence[str], own: Callable[[Reference], Sequence[str]]) -> None:
        self._kind = kind
        self._shared = shared
        self._own = own
        self._makers: list[Callable[[Reference], Iterable[Entry]]] = []
        self._entries: dict[str, dict[str, Entry]] = {}
        self._whole: set[str] = set()

    def add(self, entry: Entry) -> None:
        """Registers an entry. Raises ValueError if the name is taken."""
        known = self._entries.setdefault(entry.contract, {})
        if entry.name in known:
            raise ValueError(f"there are two {self._kind}s named {entry.name}")
        known[entry.name] = entry

    def add_for_all(
        self,
        make: Callable[[Reference], Iterable[Entry]],
    ) -> Callable[[Reference], Iterable[Entry]]:
        """Registers what makes entries of any reference, and gives it back."""
        self._makers.append(make)
        return make

    def all(self, contract: str) -> tuple[Entry, ...]:
        """Every entry of a contract, module by module. Raises `UsageError` for a contract without a reference."""
        reference = load(contract)
        if contract not in self._whole:
            for name in self._shared:
                importlib.import_module(f"rampcheck.sandbox.{name}")
            for make in self._makers:
                for entry in make(reference):
                    if entry.name not in reference.without:
                        self.add(entry)
            for name in self._own(reference):
                reference.module(name)
            self._whole.add(contract)
        return tuple(self._entries.get(contract, {}).values())

    def find(self, contract: str, names: Iterable[str]) -> tuple[Entry, ...]:
        """The entries of these names, in this order. Raises `UsageError`, with near names, for an unknown one."""
        load(contract)
        names = tuple(names)
        # A plain server, which most are, does without the modules that change it.
        known = {found.name: found for found in self.all(contract)} if names else {}
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
                cure = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
                raise UsageError(f"there is no {self._kind} {name!r} of {contract}", cure)
        return tuple(known[name] for name in names)
