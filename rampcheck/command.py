"""What the commands of the command line have in common."""

from __future__ import annotations

import os
from pathlib import Path

import click

from rampcheck import options
from rampcheck.contract import descriptor, packs
from rampcheck.errors import UsageError


class Command(click.Command):
    """A command that takes no empty text: whoever writes "$UNSET" does not mean the default."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments into `ctx`."""
        rest = super().parse_args(ctx, args)
        for parameter in self.params:
            value = ctx.params.get(parameter.name or "")
            texts = value if isinstance(value, tuple) else [value]
            if any(isinstance(text, str) and not text.strip() for text in texts):
                raise UsageError(f"{parameter.get_error_hint(ctx)} is empty", options.EMPTY)
        return rest


def _add_packs(_context: click.Context, _option: click.Parameter, folders: tuple[str, ...]) -> None:
    for folder in folders:
        packs.add(Path(folder))


def contract_of_environment() -> str:
    """Gives the contract whose credentials the environment holds. Raises `UsageError` where it is not just one."""
    found = [
        described.name
        for described in descriptor.readable()
        if any(os.environ.get(known.variable) for known in described.credentials.values())
    ]
    if len(found) == 1:
        return found[0]
    known = f"known contracts: {', '.join(descriptor.contracts())}"
    if found:
        raise UsageError(
            f"the environment has the credentials of {' and '.join(found)}", f"Name one with --contract; {known}."
        )
    required = [
        credential.variable
        for described in descriptor.readable()
        for credential in described.credentials.values()
        if credential.required
    ]
    raise UsageError(
        f"--base-url needs --contract, or credentials in the environment; it has none of {', '.join(required)}",
        f"Set those of the API that is to be judged; {known}.",
    )


pack_option = click.option(
    "--pack",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    expose_value=False,
    is_eager=True,
    callback=_add_packs,
    help="A folder that brings contracts of its own (openapi/, suites/, references/). May be given several times.",
)
