"""The registry of defects: named ways to make the reference break a promise.

A defect is a small class that overrides one method of a contract's service, registered by a decorator:

    @defect("unknown-token-accepted", breaks=["tinyramp.auth.unknown-token"])
    class UnknownTokenAccepted(SessionService):
        '''A token nobody issued is taken for the first partner's.'''

Several of a kind are registered by what `defects` gives.

What no service can do (not to answer, to go away, to be another server altogether) is a `Defect` with a `wrap`,
registered by `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rampcheck.sandbox.overriding import Otherwise, changed, overriding
from rampcheck.sandbox.registry import Registry
from rampcheck.sandbox.variants import Wrap


@dataclass(frozen=True)
class Defect:
    """A named way to break promises of one contract.

    `clauses` are the ids of the promises it breaks; `may_break` holds ids, or beginnings of ids, of promises
    that may fall with them, depending on what is sent and how it is judged. `summary` is one sentence on what
    the server does wrong, `service` the class that does it, `wrap` what goes around the application for it. `ends` is
    the verdict of a run in which it cannot be held against a clause: the server is gone, or it is another one.
    """

    name: str
    contract: str
    clauses: tuple[str, ...]
    summary: str
    service: type | None = None
    may_break: tuple[str, ...] = ()
    wrap: Wrap | None = None
    ends: str = ""


_registry: Registry[Defect] = Registry("defect", ("defects_conditions",), lambda reference: reference.defects)
register = _registry.add
register_for_all = _registry.add_for_all

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

    def registered(service: Service) -> Service:
        register(Defect(name, contract, tuple(breaks), summary or service.__doc__ or "", service, tuple(may_break)))
        return service

    return registered


def defects(  # noqa: PLR0913 - what all of a kind have in common
    service: type,
    method: str,
    otherwise: Otherwise = changed,
    *,
    section: str = "",
    breaks: Sequence[str] = (),
    may_break: Sequence[str] = (),
) -> Callable[..., None]:
    """Gives what registers defects of one kind, in which a `method` of the service is otherwise, as `overriding` says.

        also_a_token = defects(
            SessionService,
            "is_token",
            lambda accepted, _, inherited, token: inherited(token) or accepted(token),
            breaks=["tinyramp.auth.unknown-token"],
        )
        also_a_token("empty-token-accepted", "No token is as good as any.", lambda token: not token)

    It takes a name, the clauses that are broken (unless `breaks` says so for all of the kind), a summary, the values by
    which one differs from the others, and perhaps `may_break`. Clauses may be written without their `section`.
    """

    def full(clauses: Sequence[str]) -> list[str]:
        contract = section.partition(".")[0]
        return [name if not section or name.startswith(f"{contract}.") else f"{section}.{name}" for name in clauses]

    def registered(name: str, *rest: Any, may_break: Sequence[str] = may_break) -> None:
        broken, summary, *values = (breaks, *rest) if breaks else rest
        made = overriding(service, method, otherwise, values)
        defect(name, breaks=full(broken), may_break=full(may_break), summary=summary)(made)

    return registered


def all_defects(contract: str) -> tuple[Defect, ...]:
    """Every defect of a contract: what befalls any server, then section by section. Raises `UsageError` without any."""
    return _registry.all(contract)


def find_defects(contract: str, names: Iterable[str]) -> tuple[Defect, ...]:
    """The defects of these names, in this order. Raises `UsageError`, with near names, for an unknown one."""
    return _registry.find(contract, names)
