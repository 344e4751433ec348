"""A pack's reference of one contract: which modules make it, and what the conditions of all references need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from rampcheck.contract import descriptor, packs
from rampcheck.errors import ContractError, UsageError


@dataclass(frozen=True)
class Payloads:
    """What silence, absence and gateways, which befall any server, are provoked by and break.

    `email` and `address` are the members of a session's request that hold an e-mail address and the client's IP
    address; `accepted_for` and `refused_for` are clauses for which a good and a wrong request is sent; `revoked` is the
    error (its error, code and message) of credentials that are refused.
    """

    email: str
    address: str
    accepted_for: tuple[str, ...]
    refused_for: tuple[str, ...]
    revoked: tuple[str, str, str]


@dataclass(frozen=True)
class Reference:
    """What `references/<contract>/__init__.py` says of itself under the name `reference`.

    Beside it, the module `app` gives `create_app(classes, environment, latency, webhook_url)`, an ASGI application, and
    `profile` gives `profile(base_url, environment, webhook_url)`, the profile that describes it. `certification`, where
    there is one, makes it the sandbox of `rampcheck certify`: `service(credentials, partner)` gives one of the classes,
    `purchase(partner)` what is bought, `SETTINGS` and `BEHAVIOURS` are what a script may name. `defects` and
    `variants` are the modules whose import registers them. `error(error, code, message)` gives the body of an error.
    `without` names what befalls any server, but is no defect, or no variant, of this one.
    `unverified_on_ipv6` names the clauses that cannot be tried where there is one address only. Without `payloads`,
    what befalls any server for what it is sent, or in mid-run, is not tried.
    """

    contract: str
    defects: tuple[str, ...]
    variants: tuple[str, ...]
    error: Callable[[str, str, str], Mapping[str, str]]
    without: tuple[str, ...] = ()
    unverified_on_ipv6: tuple[str, ...] = ()
    payloads: Payloads | None = None

    @property
    def environment(self) -> str:
        """The environment that it is unless told otherwise."""
        return descriptor.load(self.contract).environments[0]

    def module(self, name: str) -> ModuleType:
        """Gives one of its modules."""
        return packs.module(packs.of(self.contract).reference(self.contract), name)


def exists(contract: str) -> bool:
    """Whether the pack of a contract has a reference of it."""
    return packs.of(contract).reference(contract).is_dir()


def references() -> tuple[str, ...]:
    """Gives the names of the contracts that have one, in the order of a run of all."""
    with_one = {name for pack in packs.packs() for name in pack.contracts if pack.reference(name).is_dir()}
    return tuple(name for name in descriptor.contracts() if name in with_one)


@cache
def load(contract: str) -> Reference:
    """Gives the reference of a contract.

    Raises `UsageError` where there is no such contract, or it has none, `ContractError` where its folder names none.
    """
    if not exists(contract):
        raise UsageError(
            f"the pack of the contract {contract} has no reference",
            "A target can be judged by it, with a profile; there is nothing to serve, or to try.",
        )
    folder = packs.of(contract).reference(contract)
    found = getattr(packs.module(folder), "reference", None)
    if not isinstance(found, Reference):
        raise ContractError(f"{folder}/__init__.py defines no `reference`")
    return found
