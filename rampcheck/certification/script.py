"""The script of a certification: what the sandbox does, step by step."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from rampcheck import resources
from rampcheck.contract import packs
from rampcheck.contract.yaml_file import UNREADABLE
from rampcheck.errors import UsageError, nearest

UNIQUE = "{unique}"
FORMAT = "`rampcheck schema script` has the format; the built-in one is openapi/NAME/script.yaml."


@dataclass(frozen=True)
class Answers:
    """How sessions are answered in the sandbox's place: the first `times`, all where that is None."""

    status: int
    times: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Webhooks:
    """How webhooks come: how many `times` each, after how many seconds of `delay`.

    Where they are `swapped`, the first of a transaction comes after the second.
    """

    times: int = 1
    delay: float = 0.0
    swapped: bool = False


@dataclass(frozen=True)
class Step:
    """One step; the fields are those of `schemas/script.schema.json`, where each is explained."""

    name: str
    tells: str
    provokes: tuple[str, ...]
    answers: Answers | None = None
    slow: float = 0.0
    settings: Mapping[str, float] = field(default_factory=dict)
    behaviours: tuple[str, ...] = ()
    webhooks: Webhooks = Webhooks()
    messages: int | None = None
    expired: int = 0
    purchase: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """The steps of a contract.

    `sessions` is the path to which sessions are posted, `id` the member that names a transaction, `status` the member
    of a webhook that tells its status.
    """

    contract: str
    sessions: str
    id: str
    steps: tuple[Step, ...]
    status: str = ""

    def chosen(self, names: Sequence[str]) -> tuple[Step, ...]:
        """Gives the steps of these names, all where there are none. Raises `UsageError` for one that is not there."""
        known = [step.name for step in self.steps]
        for name in names:
            if name not in known:
                near = nearest(name, known)
                raise UsageError(
                    f"the script has no step {name!r}",
                    f"Did you mean {near}?" if near else f"It has: {', '.join(known)}.",
                )
        return tuple(step for step in self.steps if not names or step.name in names)


def built_in(contract: str) -> Script:
    """Gives the script that comes with a contract. Raises `UsageError` where there is none."""
    path = packs.of(contract).document(contract, "script")
    if not path.is_file():
        raise UsageError(f"the contract {contract} has no script of a certification", "Name one with --script.")
    return read(path, contract)


def read(path: Path, contract: str) -> Script:
    """Reads a script of a contract. Raises `UsageError` where it cannot be read, is none, or another contract's."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise UsageError(f"{path} cannot be read as YAML: {error}", FORMAT) from error
    schema = json.loads(resources.schema("script").read_text(encoding="utf-8"))
    mistake = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(content))
    if mistake is not None:
        raise UsageError(f"{path}{mistake.json_path[1:]}: {mistake.message[:200]}", FORMAT)
    if content["contract"] != contract:
        raise UsageError(
            f"{path} is a script of {content['contract']}, not of {contract}", "Name one of this contract."
        )
    steps = tuple(_step(told) for told in content["steps"])
    names = [step.name for step in steps]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"{path} has two steps {twice[0]}", "Give each a name of its own.")
    return Script(contract, content["sessions"], content["id"], steps, content.get("status", ""))


def _step(told: Mapping[str, Any]) -> Step:
    given = {name: value for name, value in told.items() if name not in {"sockets", "widget"}}
    given["provokes"] = tuple(told["provokes"])
    given["behaviours"] = tuple(told.get("behaviours", ()))
    if "answers" in told:
        given["answers"] = Answers(**told["answers"])
    if "webhooks" in told:
        given["webhooks"] = Webhooks(**told["webhooks"])
    messages = told.get("sockets", {}).get("messages")
    return Step(**given, messages=messages, expired=told.get("widget", {}).get("expired", 0))


def unique(text: str) -> str:
    """Gives a text with something new in place of each `{unique}`."""
    return text.replace(UNIQUE, secrets.token_hex(8))
