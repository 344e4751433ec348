"""`rampcheck doctor`: what a run would trip over."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rampcheck.command import Command, complete_contract, contract_of_environment, pack_option
from rampcheck.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rampcheck.contract.profile import Profile


@click.command(cls=Command)
@click.argument("profile", required=False, type=click.Path())
@click.option(
    "--contract",
    metavar="NAME",
    help="Without a profile: the contract of the target.",
    shell_complete=complete_contract,
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Without a profile: the target; credentials come from the environment variables that the contract names.",
)
@click.option("--environment", metavar="NAME", help="Without a profile: which environment the target is.")
@click.option(
    "--ca-bundle",
    metavar="FILE",
    help="A PEM file of the authorities that vouch for the target; goes before the profile's `tls.ca`.",
)
@click.option(
    "--output", metavar="DIR", help="Where its journal is written; default: reports/doctor-<contract>-<UTC time>."
)
@click.option("--allow-production", is_flag=True, help="Let it create sessions in production.")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON, and nothing else.")
@pack_option
def doctor(  # noqa: PLR0913, PLR0917 - each is an option
    profile: str | None,
    contract: str | None,
    base_url: str | None,
    environment: str | None,
    ca_bundle: str | None,
    output: str | None,
    allow_production: bool,
    as_json: bool,
) -> int:
    """Looks at what a run with PROFILE would trip over, in at most 25 requests, and says what to do.

    The way to the target, its address, the credentials, what the profile says of the partner, webhooks, limits: a line
    for each. Then what a run will verify, what not, how much it asks and how long it takes. The exit code is 0 where a
    run can begin, 1 where it would trip over something, 4 for a mistake in the profile itself.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does without

    from rampcheck.doctor import telling  # noqa: PLC0415 - as above
    from rampcheck.doctor.asking import Asking  # noqa: PLC0415 - as above
    from rampcheck.doctor.diagnosis import diagnose  # noqa: PLC0415 - as above
    from rampcheck.running import folder  # noqa: PLC0415 - as above

    target = _target(profile, contract, base_url, environment)
    target = target.with_authorities(ca_bundle) if ca_bundle else target
    _check(target, allow_production=allow_production)
    place = folder.claimed(output, f"doctor-{target.contract}")
    with Asking(target, place) as asking:
        told = telling.document(diagnose(asking), asking)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        telling.show(told, Console(), has_file=bool(profile))
    return ExitCode.CONFORMANT if told["ready"] else ExitCode.NONCONFORMANT


def _target(profile: str | None, contract: str | None, base_url: str | None, environment: str | None) -> Profile:
    from rampcheck.contract import profile as profiles  # noqa: PLC0415 - `--help` does without

    if profile and (contract or base_url or environment):
        raise UsageError(
            "a profile names its own contract, base URL and environment",
            "Leave out --contract, --base-url and --environment.",
        )
    if profile:
        return profiles.load(Path(profile), os.environ)
    if not base_url:
        raise UsageError(
            "nothing is named to look at",
            "Name a profile, or a --base-url and its --contract; the embedded references need no doctor.",
        )
    return profiles.from_environment(contract or contract_of_environment(), base_url, os.environ, environment)


def _check(target: Profile, *, allow_production: bool) -> None:
    """Raises `UsageError` for what `run` tells before it sends anything."""
    from rampcheck.contract import register  # noqa: PLC0415 - as above
    from rampcheck.judging import waivers  # noqa: PLC0415 - as above
    from rampcheck.wire import receiver, transport  # noqa: PLC0415 - as above

    if target.environment == "production" and not allow_production:
        raise UsageError("the profile says `environment: production`", "Only --allow-production lets it be touched.")
    waivers.check(target.waivers, register.of(target))
    transport.way_of(target)
    if target.webhook is not None:
        receiver.check(target.webhook)
