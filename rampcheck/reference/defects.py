"""The registry of defects: named ways to make the reference break a promise.

A defect is a small class that overrides one method of a contract's service, registered by a decorator:

    @defect("unknown-token-accepted", breaks=["proof.auth.unknown-token"])
    class UnknownTokenAccepted(SessionService):
        '''A token nobody issued is taken for the first partner's.'''
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rampcheck.errors import UsageError
from rampcheck.reference.contracts import check_contract

# The modules whose import registers the defects of a contract, in the order of the contract's sections.
MODULES = {
    "proof": (
        "defects_auth",
        "defects_fields",
        "defects_json",
        "defects_choice",
        "defects_session",
        "defects_values",
        "defects_errors",
    ),
    "kryptonim": ("defects_auth", "defects_request", "defects_json", "defects_session", "defects_errors"),
}


@dataclass(frozen=True)
class Defect:
    """A named way to break promises of one contract.

    `clauses` are the ids of the promises it breaks; `may_break` holds ids, or beginnings of ids, of promises
    that may fall with them, depending on what is sent and how it is judged. `summary` is one sentence on what
    the server does wrong, `service` the class that does it.
    """

    name: str
    contract: str
    clauses: tuple[str, ...]
    summary: str
    service: type
    may_break: tuple[str, ...] = ()


_registry: dict[str, dict[str, Defect]] = {contract: {} for contract in MODULES}

Service = TypeVar("Service", bound=type)


def defect(
    name: str, *, breaks: Sequence[str], may_break: Sequence[str] = (), summary: str = ""
) -> Callable[[Service], Service]:
    """Registers the decorated class as the defect `name` of the contract its first clause belongs to.

    `summary` is the class's docstring unless given. Raises ValueError if it breaks nothing or the name is
    taken.
    """
    if not breaks:
        raise ValueError(f"the defect {name} breaks nothing")
    contract = breaks[0].partition(".")[0]

    def register(service: Service) -> Service:
        if name in _registry[contract]:
            raise ValueError(f"there are two defects named {name}")
        _registry[contract][name] = Defect(
            name, contract, tuple(breaks), summary or service.__doc__ or "", service, tuple(may_break)
        )
        return service

    return register


def all_defects(contract: str) -> tuple[Defect, ...]:
    """Every defect of a contract, section by section. Raises `UsageError` for an unknown contract."""
    check_contract(contract)
    for module in MODULES[contract]:
        importlib.import_module(f"rampcheck.reference.{contract}.{module}")
    return tuple(_registry[contract].values())


def find_defects(contract: str, names: Iterable[str]) -> tuple[Defect, ...]:
    """The defects of these names, in this order. Raises `UsageError`, with near names, for an unknown one."""
    check_contract(contract)
    names = tuple(names)
    # A conforming server, which most are, does without the modules that break it.
    known = {found.name: found for found in all_defects(contract)} if names else {}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            cure = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
            raise UsageError(f"there is no defect {name!r} of {contract}", cure)
    return tuple(known[name] for name in names)
