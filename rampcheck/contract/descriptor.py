"""What is one vendor's alone, as data: `openapi/<contract>/contract.yaml`, read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema_rs

from rampcheck import resources
from rampcheck.contract import packs
from rampcheck.contract.yaml_file import LONGEST, mistake, read_formatted
from rampcheck.errors import RampcheckError

LAST = 1_000_000  # the place of a contract that names none


@dataclass(frozen=True)
class Credential:
    """A secret that a target asks for: the `variable` of the environment that holds it where there is no profile.

    `header` carries it, or what it `signs`; `description` says what it is.
    """

    variable: str
    description: str
    required: bool = False
    header: str = ""
    signs: str = ""


@dataclass(frozen=True)
class Retry:
    """How often a request is sent again after an answer, and the first wait in seconds, doubled each time."""

    times: int
    wait: float


@dataclass(frozen=True)
class Descriptor:
    """A contract's `contract.yaml`; the fields are those of `schemas/contract.schema.json`, where each is explained."""

    name: str
    environments: tuple[str, ...]
    credentials: Mapping[str, Credential]
    envelope: tuple[str, ...]
    known_by: Mapping[str, frozenset[str]]
    no_server_error: Mapping[str, str]
    accepts: Mapping[str, str]
    gateway: str
    order: int = LAST
    requests: int = 0
    credentials_refused: tuple[int, str] = (401, "")
    secret_members: frozenset[str] = frozenset()
    session_tells: Mapping[str, Any] = field(default_factory=dict)
    named_by: str = ""
    webhook: str = ""
    websockets: tuple[str, ...] = ()
    retries: Mapping[int, Retry] = field(default_factory=dict)
    advice: str = "Tell more in the profile."
    profile: Mapping[str, Any] = field(default_factory=dict)
    contradictions: tuple[tuple[str, str], ...] = ()
    requires: Mapping[str, str] = field(default_factory=dict)

    @property
    def credential(self) -> str:
        """The credential that a scenario uses unless it says otherwise."""
        return next(iter(self.credentials))

    @property
    def secret_headers(self) -> frozenset[str]:
        """The headers that carry a credential."""
        return frozenset(known.header for known in self.credentials.values() if known.header)

    @property
    def computed_headers(self) -> frozenset[str]:
        """The headers that carry what is made with a credential, another value for each request."""
        return frozenset(known.signs for known in self.credentials.values() if known.signs)


@cache
def load(contract: str) -> Descriptor:
    """Reads a contract's `contract.yaml`.

    Raises `UsageError` where there is no such contract and `ContractError` where the file does not have the format.
    """
    described = read(contract)
    try:
        jsonschema_rs.Draft202012Validator(_profile_part(described))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, TypeError, ValueError) as error:
        told = str(error).partition("\n")[0][:LONGEST]
        cure = "Its `properties` and `$defs` are those of a JSON Schema; a `$ref` leads to one of the `$defs`."
        path = packs.of(contract).document(contract, "contract")
        raise mistake(path, "contract", f"the profile's part is no JSON Schema: {told}", cure, "profile") from error
    return described


def read(contract: str) -> Descriptor:
    """Reads a contract's `contract.yaml`, whose part of the profile may be no JSON Schema. Raises as `load`."""
    content = read_formatted(packs.of(contract).document(contract, "contract"), "contract")
    refused = content.get("credentials_refused", {})
    convert: dict[str, Any] = {
        "environments": tuple(content["environments"]),
        "envelope": tuple(content["envelope"]),
        "credentials": {name: Credential(**told) for name, told in content["credentials"].items()},
        "known_by": {template: frozenset(members) for template, members in content["known_by"].items()},
        "secret_members": frozenset(content.get("secret_members", ())),
        "websockets": tuple(content.get("websockets", ())),
        "credentials_refused": (refused.get("status", 401), refused.get("clause", "")),
        "retries": {int(status): Retry(**told) for status, told in content.get("retries", {}).items()},
        "contradictions": tuple((told["value"], told["among"]) for told in content.get("contradictions", ())),
    }
    return Descriptor(contract, **{**content, **convert})


def _profile_part(described: Descriptor) -> dict[str, Any]:
    """Gives the contract's part of a profile's schema, with the definitions of the engine's that it may refer to."""
    known = json.loads(resources.schema("profile").read_text(encoding="utf-8"))["$defs"]
    own = described.profile
    return {"properties": own.get("properties", {}), "$defs": {**known, **own.get("$defs", {})}}


def contracts() -> tuple[str, ...]:
    """Gives the names of all contracts, in the order of a run of all; those that cannot be read come last."""
    sound = [described.name for described in readable()]
    return (*sound, *(name for name in packs.contracts() if name not in sound))


def readable() -> tuple[Descriptor, ...]:
    """Gives what can be read, of all contracts, in the order of a run of all: one broken pack spoils no other."""
    found = []
    for name in packs.contracts():
        with suppress(RampcheckError):
            found.append(load(name))
    return tuple(sorted(found, key=lambda described: (described.order, described.name)))
