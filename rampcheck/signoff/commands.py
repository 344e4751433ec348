"""The commands `keygen`, `sign` and `verify`; what they do is loaded when one of them is called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rampcheck.command import Command, pack_option
from rampcheck.display import visible
from rampcheck.errors import ExitCode, RampcheckError
from rampcheck.options import SIDES

if TYPE_CHECKING:
    from rampcheck.signoff.attestation import Signed
    from rampcheck.signoff.checks import Check
    from rampcheck.signoff.verification import Verification

OTHER = dict(zip(SIDES, reversed(SIDES), strict=True))


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False))
def keygen(file: str) -> None:
    """Makes a key to sign runs with: the private one in FILE, the public one in FILE.pub.

    The private key (Ed25519) can be read by you alone; where RAMPCHECK_KEY_PASSPHRASE is set, it is encrypted with
    that. Give the public one to the other side, on a way on which it knows that it is yours.
    """
    from rampcheck.signoff import keys  # noqa: PLC0415 - the libraries that sign take a third of a second

    key = keys.generate(Path(file), os.environ)
    click.echo(
        f"{file} holds the private key: keep it to yourself, and out of the folders of runs.\n"
        f"{file}.pub holds the public one, for the other side. Its fingerprint:\n    {key.keyid}"
    )


@click.command(cls=Command)
@pack_option
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("--key", required=True, metavar="FILE", type=click.Path(), help="The private key, from `keygen`.")
@click.option("--as", "side", required=True, type=click.Choice(SIDES), help="For which side.")
@click.option("--name", required=True, metavar="NAME", help="Who signs.")
@click.option("--role", required=True, metavar="ROLE", help="In which role, such as 'Head of QA'.")
@click.option("--url", metavar="URL", help="Where the run can be looked at; is signed, too.")
def sign(folder: str, key: str, side: str, name: str, role: str, url: str | None) -> None:  # noqa: PLR0913, PLR0917 - options
    """Signs the run in DIR: its results, its journal, its report and its profile.

    Both sides sign, each with a key of its own; the signatures stand in attestation.json and in the report. Only a
    conforming run can be signed. The passphrase of an encrypted key is taken from RAMPCHECK_KEY_PASSPHRASE.
    """
    from rampcheck.signoff import contents, scope, signing  # noqa: PLC0415 - as in `keygen`

    who = signing.Signatory(side, name, role, Path(key), url or "")
    signed = signing.sign(Path(folder), who, os.environ)
    run = contents.read(Path(folder))
    click.echo(visible(scope.described(run.results)))
    _tell_signed(folder, side, signed)
    _tell_covered(scope.reservations(run.results))


def _tell_covered(reservations: Iterable[str]) -> None:
    for number, line in enumerate(reservations):
        if number == 0:
            click.echo("\nWhat a signature of this run covers, too:")
        click.echo(f"  {visible(line)}")


def _tell_signed(folder: str, side: str, signed: Iterable[Signed]) -> None:
    by_side = {one.signing.side: one for one in signed}
    click.echo(f"Signed for the {side} by {visible(by_side[side].signing.who)}.")
    if OTHER[side] in by_side:
        click.echo(f"Both sides have signed. To verify: rampcheck verify {folder} --trust FILE.pub --trust OTHER.pub")
    else:
        click.echo(
            f"Now the {OTHER[side]}, who has to be handed all of {folder}:\n"
            f"    rampcheck sign {folder} --key FILE --as {OTHER[side]} --name NAME --role ROLE"
        )


@click.command(cls=Command)
@pack_option
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--trust",
    "named",
    multiple=True,
    metavar="[SIDE=]PUBKEY",
    help="A public key that you know to be a side's, such as partner=them.pub. May be given several times.",
)
@click.option("--rejudge", is_flag=True, help="Judge the run again from its journal, too, and compare the verdicts.")
def verify(folder: str, named: tuple[str, ...], *, rejudge: bool) -> int:
    """Tells whether the run in DIR is signed by both sides, unchanged, and still valid; needs no network.

    The exit code is 0 where all of that is so, and every key is one that --trust names; else 5: look before you
    believe. (1 is a target that does not conform, and says nothing of signatures.)
    """
    from rampcheck.signoff import contents, scope, verification  # noqa: PLC0415 - as in `keygen`

    trust = verification.trusted(named)
    run = contents.read(Path(folder))
    found = verification.verify(run, trust, datetime.now(UTC).date())
    if run.readable:
        click.echo(visible(scope.described(run.readable)))
    if rejudge:
        found = replace(found, checks=(*found.checks, *_judged_again(Path(folder))))
    for check in found.checks:
        click.echo(f"{check.state.value} {visible(check.text)}")
    if run.readable:
        _tell_covered(scope.reservations(run.readable))
    click.echo(f"\n{_concluded(found, named)}")
    return ExitCode.CONFORMANT if found.is_verified else ExitCode.INCONCLUSIVE


def _judged_again(folder: Path) -> Iterator[Check]:
    """Gives a check for what comes out otherwise, or is attested by the live run only, and one for all the rest."""
    from rampcheck.running import rejudgement  # noqa: PLC0415 - as in `keygen`
    from rampcheck.signoff.checks import Check, State  # noqa: PLC0415 - as in `keygen`

    try:
        again = rejudgement.rejudged(folder)
    except RampcheckError as error:
        yield Check("rejudged", State.FAILS, f"It cannot be judged again: {error.message}")
        return
    *told, total = again.lines()
    for line in told:
        attested = line.startswith(rejudgement.ATTESTED_BY)
        yield Check("rejudged", State.NOTED if attested else State.FAILS, line)
    yield Check("rejudged", State.HOLDS if again.holds else State.FAILS, total)


def _concluded(found: Verification, named: tuple[str, ...]) -> str:
    if found.is_verified:
        return "Verified: signed by both sides, unchanged since, and valid."
    if found.lacks_only_trust and named:
        return "Not verified: all holds together, but the keys that --trust names are not those of both sides."
    if found.lacks_only_trust:
        return (
            "Not verified yet: all holds together, but whose keys these are, nobody else can tell you. Get each side's "
            "public key\nfrom that side itself, and name it with --trust."
        )
    number = len(found.failing)
    return f"NOT verified: {number} of these {'does' if number == 1 else 'do'} not hold (✗)."
