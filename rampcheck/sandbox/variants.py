"""The registry of variants: named ways for the reference to behave otherwise and still keep every promise.

They keep the suite honest from the other side than defects do: whoever fails a variant asks for more than was
promised. A variant is a small class that overrides one method of a contract's service, registered by a decorator:

    @variant("tinyramp", "session-address")
    class SessionAddress(SessionService):
        '''Every session has an address of its own.'''

Several of a kind are registered by what `variants` gives.

What no service can say (how an answer is spelled on the wire, where the server listens) is a `Variant` with a `wrap`,
registered by `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.types import ASGIApp

from rampcheck.sandbox.overriding import Otherwise, changed, overriding
from rampcheck.sandbox.registry import Registry

# Takes an ASGI application and gives the one to be served in its place.
Wrap = Callable[[ASGIApp], ASGIApp]
Profile = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """A named way for the server of one contract to behave otherwise and still conform.

    `summary` says in a sentence what differs. `service` is the class that overrides a part of the contract's
    service, `wrap` goes around the application, `host` is where to listen, `serving` holds options of uvicorn.
    `profile` changes the profile that describes the server, where another one is true of it; `unverified` names the
    clauses that a run can then no longer exercise.
    """

    name: str
    contract: str
    summary: str
    service: type | None = None
    wrap: Wrap | None = None
    host: str | None = None
    serving: Mapping[str, Any] = field(default_factory=dict)
    profile: Callable[[Profile], Profile] | None = None
    unverified: tuple[str, ...] = ()


_registry: Registry[Variant] = Registry(
    "variant", ("variants_wire", "variants_server", "variants_conditions"), lambda reference: reference.variants
)
register = _registry.add
register_for_all = _registry.add_for_all

Service = TypeVar("Service", bound=type)


def variant(  # noqa: PLR0913 - each is a field of `Variant`
    contract: str,
    name: str,
    *,
    profile: Callable[[Profile], Profile] | None = None,
    unverified: Sequence[str] = (),
    wrap: Wrap | None = None,
    serving: Mapping[str, Any] | None = None,
    summary: str = "",
) -> Callable[[Service], Service]:
    """Registers the decorated class as the variant `name`; the rest is as in `Variant`.

    `summary` is the class's docstring unless given. Raises ValueError if the name is taken.
    """

    def registered(service: Service) -> Service:
        register(
            Variant(
                name,
                contract,
                summary or service.__doc__ or "",
                service,
                wrap,
                serving=serving or {},
                profile=profile,
                unverified=tuple(unverified),
            )
        )
        return service

    return registered


def variants(
    contract: str, service: type, method: str, otherwise: Otherwise = changed, **same: Any
) -> Callable[..., None]:
    """Gives what registers variants of one kind, in which a `method` of the service is otherwise, as `overriding` says.

    It takes a name, a summary, and the values by which one differs from the others; what is the `same` for all of them
    is as in `variant`.
    """

    def registered(name: str, summary: str, *values: Any) -> None:
        variant(contract, name, summary=summary, **same)(overriding(service, method, otherwise, values))

    return registered


def all_variants(contract: str) -> tuple[Variant, ...]:
    """Every variant of a contract, those of all contracts first. Raises `UsageError` without any."""
    return _registry.all(contract)


def find_variants(contract: str, names: Iterable[str]) -> tuple[Variant, ...]:
    """The variants of these names, in this order. Raises `UsageError`, with near names, for an unknown one."""
    return _registry.find(contract, names)
