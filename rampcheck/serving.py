"""The command that serves a reference: `rampcheck serve`."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path

import click

from rampcheck.command import Command, complete_contract, pack_option
from rampcheck.contract import descriptor
from rampcheck.errors import UsageError, writing

LISTENING = "http://127.0.0.1:8099"  # Where a run with a written profile takes the webhooks of a reference.


@click.command(cls=Command)
@pack_option
@click.option(
    "--contract", metavar="NAME", help="Which API to serve; default: the first.", shell_complete=complete_contract
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free one.")
@click.option(
    "--defect", "defects", multiple=True, metavar="NAME", help="Break one promise. May be given several times."
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Do something otherwise that still conforms. May be given several times.",
)
@click.option("--list-defects", is_flag=True, help="Name the defects and the clauses they break, and serve nothing.")
@click.option("--list-variants", is_flag=True, help="Name the variants, and serve nothing.")
@click.option(
    "--write-profile",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the profile that describes this server, where no file is yet.",
)
@click.option(
    "--webhook-url",
    metavar="URL",
    help="Where it sends webhooks, if it does; a run with the written profile"
    f" listens there. Default: {LISTENING}, at the contract's path.",
)
def serve(  # noqa: PLR0913, PLR0917 - each is an option
    contract: str | None,
    host: str,
    port: int,
    defects: tuple[str, ...],
    variants: tuple[str, ...],
    list_defects: bool,
    list_variants: bool,
    write_profile: str | None,
    webhook_url: str | None,
) -> None:
    """Serves the embedded reference as a local sandbox, until Ctrl-C."""
    from rampcheck.sandbox import all_defects, all_variants, builtin_profile, server  # noqa: PLC0415 - `--help` does without

    contract = contract or descriptor.contracts()[0]
    described = descriptor.load(contract)
    webhook_url = webhook_url or LISTENING + described.webhook
    if list_defects:
        for defect in all_defects(contract):
            broken = ", ".join(defect.clauses) or f"no clause: such a run ends {defect.ends}"
            click.echo(f"{defect.name}\n    {defect.summary}\n    breaks {broken}")
        return
    if list_variants:
        for variant in all_variants(contract):
            click.echo(f"{variant.name}\n    {variant.summary}")
        return

    if write_profile and os.path.lexists(write_profile):
        raise UsageError(
            f"{write_profile} is there already", "It is not touched: name another file, or move that one away."
        )

    def announce(base_url: str) -> None:
        profile = builtin_profile(contract, base_url, webhook_url=webhook_url, variants=variants)
        click.echo(f"{contract} reference at {base_url}; Ctrl-C stops it.")
        if write_profile:
            import yaml  # noqa: PLC0415 - `--help` does without

            with writing(write_profile), Path(write_profile).open("x", encoding="utf-8") as file:
                yaml.safe_dump(profile, file, sort_keys=False)
            click.echo(f"Judge it with: rampcheck run {write_profile}")
        else:
            click.echo("Judge it from another terminal, with its credentials, which are for this machine only:")
            for name, value in profile["credentials"].items():
                click.echo(f"    export {described.credentials[name].variable}={shlex.quote(value)}")
            click.echo(f"    rampcheck run --contract {contract} --base-url {base_url}")
            click.echo("With --write-profile there is a profile, by which a run verifies more.")

    with suppress(KeyboardInterrupt):  # that is how it is meant to end
        server.serve(
            contract,
            host=host,
            port=port,
            defects=defects,
            variants=variants,
            webhook_url=webhook_url,
            until_input_ends=False,
            announce=announce,
        )
