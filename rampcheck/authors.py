"""The commands for those who write a contract: `rampcheck new`, `lint`, `freeze`."""

from __future__ import annotations

from pathlib import Path

import click

from rampcheck.command import Command, pack_option
from rampcheck.display import visible
from rampcheck.errors import ExitCode


@click.command(cls=Command)
@click.argument("name")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path())
def new(name: str, folder: str | None) -> None:
    """Writes a pack that runs: the contract NAME with documents, suite, reference, defects and a test.

    DIR is where it is written; default: a new folder called rampcheck-NAME.
    """
    from rampcheck import pack_template  # noqa: PLC0415 - `--help` does without

    place = Path(folder or f"rampcheck-{name}")
    pack_template.write(name, place)
    click.echo(
        f"{place} holds a pack of the contract {name}. Judge its reference with:\n"
        f"    rampcheck run --pack {place} --contract {name}\n{place / 'README.md'} says what to do next."
    )


@click.command(cls=Command)
@click.argument("pack", required=False, metavar="[PACK]")
def lint(pack: str | None) -> int:
    """Tells all that is wrong with a pack, for those who write one.

    PACK is its folder, or the name of a contract; without it, all that are known are looked at. The exit code is 4 if
    anything is wrong.
    """
    from rampcheck import lint as linter  # noqa: PLC0415 - `--help` does without

    mistakes = 0
    for looked in linter.lint(pack or ""):
        mistakes += len(looked.mistakes)
        for _, mistake in looked.mistakes:
            click.echo(visible(str(mistake)))
        if looked.left_out:
            click.echo(f"{looked.contract}: not looked at until this is mended: {', '.join(looked.left_out)}")
        click.echo(f"{looked.contract}: {len(looked.mistakes) or 'no'} mistake{'s' * (len(looked.mistakes) != 1)}")
    return ExitCode.USAGE if mistakes else ExitCode.CONFORMANT


@click.command(cls=Command)
@pack_option
@click.argument("contract")
def freeze(contract: str) -> None:
    """Keeps what the newest version of a contract promises, for those who release one.

    CONTRACT is its name. From then on its levels and texts stay as they are: `rampcheck lint` and every run see to
    that. A change is a new version, and a profile's `contract_version` still judges by the older one.
    """
    from rampcheck.contract import versions  # noqa: PLC0415 - `--help` does without

    click.echo(f"{versions.freeze(contract)} keeps what this version promises.")
