"""The commands for those who write a contract: `rampcheck new`, `lint`, `freeze`, `selftest`."""

from __future__ import annotations

from pathlib import Path

import click

from rampcheck.command import Command, complete_clause, complete_contract, pack_option
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
@click.argument("contract", shell_complete=complete_contract)
def freeze(contract: str) -> None:
    """Keeps what the newest version of a contract promises, for those who release one.

    CONTRACT is its name. From then on its levels and texts stay as they are: `rampcheck lint` and every run see to
    that. A change is a new version, and a profile's `contract_version` still judges by the older one.
    """
    from rampcheck.contract import versions  # noqa: PLC0415 - `--help` does without

    click.echo(f"{versions.freeze(contract)} keeps what this version promises.")


@click.command(cls=Command)
@pack_option
@click.option("--contract", metavar="NAME", help="Of this contract only.", shell_complete=complete_contract)
@click.option(
    "--defect", "defects", multiple=True, metavar="NAME", help="Try only this defect, and what else is named."
)
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="Try only this variant, and what else is named."
)
@click.option(
    "--clause",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    shell_complete=complete_clause,
    help="Try only the defects of these clauses, for example 'NAME.auth.*', and what else is named.",
)
@click.option(
    "--seed",
    "seeds",
    type=int,
    multiple=True,
    default=(1,),
    show_default=True,
    help="Of the generated requests. May be given several times: each trial is made with each.",
)
@click.option(
    "-n",
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="WORKERS",
    help="How many processes of one run send requests at the same time.",
)
@click.option("--jobs", type=click.IntRange(1, 64), help="Trials at the same time; default: two a processor.")
@click.option(
    "--examples",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Generated requests for each property test.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Where to write; default: reports/selftest-<UTC time>.",
)
@click.option("--keep", is_flag=True, help="Keep what every run wrote, not only of those that are not as required.")
@click.option(
    "--quick",
    is_flag=True,
    help="Try each defect with the scenarios of its own clauses, and with all only "
    "where these miss it; eight variants at once, and each by itself only "
    "where that fails. Says less of unrelated clauses.",
)
@click.option(
    "--write-worth",
    is_flag=True,
    help="Write what each scenario found and cost into the suites' folders (worth.json): by it, runs are put in order.",
)
@click.option(
    "--peer",
    type=click.Choice(["schemathesis"]),
    help="Try the same servers with this, too, by the same OpenAPI document, and print both side by side.",
)
def selftest(  # noqa: PLR0913, PLR0917 - each is an option
    contract: str | None,
    defects: tuple[str, ...],
    variants: tuple[str, ...],
    patterns: tuple[str, ...],
    seeds: tuple[int, ...],
    workers: int,
    jobs: int | None,
    examples: int,
    output: str | None,
    keep: bool,
    quick: bool,
    write_worth: bool,
    peer: str | None,
) -> int:
    """Tries the suite itself: on every defect of the reference, and on every variant.

    Each is a whole run, unless --quick is given. The exit code is 0 if every defect is caught by a clause of its own,
    no unrelated clause fails and no conforming server is falsely failed, else 1; 2 after an interruption, 3 for a
    fault in a trial. What --peer finds does not change it.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does without

    from rampcheck.running import folder as folders  # noqa: PLC0415 - `--help` does without
    from rampcheck.sandbox import reference  # noqa: PLC0415 - `--help` does without
    from rampcheck.selftest import Conditions, Selection, print_matrix, prove  # noqa: PLC0415 - `--help` does without

    selection = Selection([contract] if contract else reference.references(), defects, variants, patterns, seeds)
    folder = Path(output) if output else folders.new("selftest")
    matrix = prove(
        selection,
        Conditions(workers, examples, quick=quick),
        folder,
        jobs=jobs,
        keep=keep,
        measure=write_worth,
        progress=Console(stderr=True),
    )
    print_matrix(matrix, Console(), folder)
    if peer and not matrix["interrupted"]:
        from rampcheck.selftest import peer as peers  # noqa: PLC0415 - most do without

        peers.compare(selection, matrix, folder, jobs=jobs, keep=keep, console=Console())
    return int(matrix["exit_code"])
