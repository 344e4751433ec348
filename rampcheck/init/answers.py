"""What the user tells: by flags, or, on a terminal, as answers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import click

from rampcheck.contract import descriptor
from rampcheck.contract.descriptor import Descriptor
from rampcheck.errors import UsageError, nearest

_VARIABLE = re.compile(r"\$?([A-Za-z_]\w*)", re.ASCII)
_REFERENCE = re.compile(r"\$\{[A-Za-z_]\w*\}", re.ASCII)
Answer = TypeVar("Answer")


def on_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str, accepted: Callable[[str], Answer], default: str | None = None) -> Answer:
    """Asks until the answer is `accepted`, which raises `UsageError` otherwise, and gives what that makes of it."""
    while True:
        try:
            return accepted(
                click.prompt(question, default=default, show_default=bool(default), prompt_suffix=" ").strip()
            )
        except UsageError as error:
            click.echo(f"  {error}")


def contract(name: str) -> str:
    """Gives a contract's name. Raises `UsageError` where there is none of that name; what was written is not shown."""
    if name not in (known := descriptor.contracts()):
        near = nearest(name, known)
        raise UsageError("there is no contract of that name", f"Did you mean {near}?" if near else _known(known))
    return name


def _known(contracts: Sequence[str]) -> str:
    return f"Known: {', '.join(contracts)}. One of a pack that is not installed needs --pack DIR."


def environment(described: Descriptor) -> Callable[[str], str]:
    """Gives what accepts the name of one of a contract's environments, or nothing.

    It raises `UsageError` for any other text, which is not shown.
    """

    def accepted(name: str) -> str:
        if name and name not in described.environments:
            raise UsageError("there is no environment of that name", f"Known: {', '.join(described.environments)}.")
        return name

    return accepted


def reference(described: Descriptor, name: str, environ: Mapping[str, str]) -> Callable[[str], str]:
    """Gives what accepts the variable that holds a credential: `${NAME}`, the contract's own, or one that is set.

    It raises `UsageError` for anything else: that may be the secret itself, so it is neither shown nor written.
    """

    def accepted(text: str) -> str:
        if _REFERENCE.fullmatch(text):
            return text
        variable, usual = _VARIABLE.fullmatch(text), described.credentials[name].variable
        if variable is None or (variable[1] != usual and not environ.get(variable[1])):
            raise UsageError(
                f"credentials.{name}: that is not the name of a variable that is set (not shown, not written)",
                f"A profile holds no secret. Put it into the environment, `export {usual}=…`, and give the "
                "variable's name, or ${NAME} for one that is not set yet.",
            )
        return f"${{{variable[1]}}}"

    return accepted


def credentials(given: Sequence[str], described: Descriptor, environ: Mapping[str, str]) -> dict[str, str]:
    """Gives the references of the option --credential, each NAME=VARIABLE. Raises `UsageError`; shows no value."""
    references = {}
    for text in given:
        name, is_pair, variable = text.partition("=")
        if not is_pair or name not in described.credentials:
            raise UsageError(
                f"--credential names no credential of {described.name} (not shown, it may be a secret)",
                f"Write NAME=VARIABLE; the names are {', '.join(described.credentials)}.",
            )
        references[name] = reference(described, name, environ)(variable)
    return references
