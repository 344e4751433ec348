"""The command over a partner's integration: `rampcheck certify`."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rampcheck.command import Command, Finite, complete_contract, pack_option
from rampcheck.display import visible
from rampcheck.errors import ExitCode, UsageError, writing

if TYPE_CHECKING:
    from rampcheck.certification.certifying import Buy
    from rampcheck.certification.integration import End
    from rampcheck.certification.script import Step
    from rampcheck.contract.profile import Profile

# What a profile says of the target alone.
OF_TARGETS = {"waivers", "webhook", "egress", "triggers", "tls", "headers", "limits", "second_partner"}
WORST_FIRST = (ExitCode.FAULT, ExitCode.INTERRUPTED, ExitCode.NONCONFORMANT, ExitCode.INCONCLUSIVE)  # of two
BEFORE = "Write -- before it: rampcheck certify --contract NAME -- python purchase.py"
NOBODY = "http://127.0.0.1:9"  # a base URL that nothing is sent to


class CertifyCommand(Command):
    """Takes PROFILE before `--`, and a command after it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments into `ctx`."""
        own, command = args, []
        if "--" in args:
            place = args.index("--")
            own, command = args[:place], args[place + 1 :]
            if not command:
                raise UsageError("after -- stands no command", "Name the partner's own test command there.")
        ctx.meta["command"] = command
        try:
            return super().parse_args(ctx, own)
        except click.UsageError as error:
            if command or "extra argument" not in error.message:
                raise
            raise UsageError("a command stands among the options", BEFORE) from None


@click.command(cls=CertifyCommand, options_metavar="[OPTIONS] [PROFILE] -- COMMAND...")
@pack_option
@click.argument("profile", required=False, metavar="", type=click.Path())
@click.option("--contract", metavar="NAME", help="Without a profile: the contract.", shell_complete=complete_contract)
@click.option("--script", metavar="FILE", type=click.Path(), help="The steps; default: the contract's own.")
@click.option("--step", "steps", multiple=True, metavar="NAME", help="This step only. May be given several times.")
@click.option("--interactive", is_flag=True, help="No command: tell what to do in each step, and wait for Enter.")
@click.option(
    "--observer", metavar="COMMAND|URL", help="Says how often a webhook was processed: {id} {status} stand in it."
)
@click.option("--webhook-url", metavar="URL", help="Where the integration listens for webhooks; default: a free port.")
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:0", help="Where the sandbox listens; default: a free port."
)
@click.option(
    "--step-seconds",
    type=Finite(min=0, min_open=True, max=3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="After so long a step is ended.",
)
@click.option(
    "--linger",
    type=Finite(0, 3600),
    default=0.0,
    metavar="SECONDS",
    help="How long a step stays open after the command has ended.",
)
@click.option(
    "--time-scale",
    type=Finite(min=0, min_open=True, max=10),
    default=1.0,
    show_default=True,
    metavar="FACTOR",
    help="What every time is multiplied by, of the sandbox's and of what is expected.",
)
@click.option("--output", metavar="DIR", help="Where to write; default: reports/<contract>-partner-<UTC time>.")
@click.option("--strict", is_flag=True, help="Count a broken `should` as a failure.")
@click.pass_context
def certify(  # noqa: PLR0913, PLR0917 - each is an option
    context: click.Context,
    profile: str | None,
    contract: str | None,
    script: str | None,
    steps: tuple[str, ...],
    observer: str | None,
    webhook_url: str | None,
    listen: str,
    step_seconds: float,
    linger: float,
    time_scale: float,
    output: str | None,
    *,
    interactive: bool,
    strict: bool,
) -> int:
    """Judges a partner's integration by what it does towards a sandbox that misbehaves.

    COMMAND makes one purchase. It is run anew for each step of a script, and finds in its environment where the sandbox
    is and what to buy; docs/certify.md says how. PROFILE tells what onboarding agreed on; it is not needed.

    The report is written as that of a run. The exit code is 0 where nothing failed, 1 where a `must` of the partner's
    is broken, 4 for a mistake in the call, 5 where a `must` was put to no test, or nothing came at all.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does without

    from rampcheck.certification import integration, sandbox  # noqa: PLC0415 - as above
    from rampcheck.certification import script as scripts  # noqa: PLC0415 - as above
    from rampcheck.certification.certifying import Certification, Settings  # noqa: PLC0415 - as above
    from rampcheck.contract import register  # noqa: PLC0415 - as above
    from rampcheck.report.terminal import print_summary  # noqa: PLC0415 - as above
    from rampcheck.running import conclusion, folder, termination  # noqa: PLC0415 - as above
    from rampcheck.sandbox.webhooks import listening_address  # noqa: PLC0415 - as above

    command: list[str] = context.meta["command"]
    if profile and contract:
        is_profile = Path(profile).suffix in {".yaml", ".yml"}
        cure = "Leave out --contract." if is_profile else BEFORE
        raise UsageError(f"{profile} would be a profile, which names its own contract", cure)
    if bool(command) == interactive:
        raise UsageError(
            "--interactive needs no command" if command else "no command says how a purchase is made",
            "Leave out one of them." if command else "Write -- and the partner's test command, or --interactive.",
        )
    if command:
        integration.demand(command)
    known = _profile(profile, contract)
    register.partner_side(known.contract)
    sandbox.demand(known.contract)
    told = scripts.read(Path(script), known.contract) if script else scripts.built_in(known.contract)
    told.chosen(steps)
    host, port = _address(listen)
    if webhook_url:
        listening_address(webhook_url)
    settings = Settings(
        steps,
        step_seconds,
        linger,
        time_scale,
        observer or "",
        webhook_url or f"http://127.0.0.1:{_free_port()}/webhook",
        host,
        port,
        strict,
    )
    place = folder.claimed(output, f"{known.contract}-partner")
    console = Console(stderr=True)
    with termination.as_interruption(), writing(place, "Name another folder with --output."):
        certification = Certification(told, known, settings, place)
        console.print(f"The sandbox is at {certification.base_url}", highlight=False)
        buy = _by_hand if interactive else _by(command, (lambda: None) if linger else certification.over)
        certification.run(buy, lambda line: console.print(line, highlight=False, markup=False))
        with termination.put_off():  # every step was taken, or the end was asked for already
            concluded = conclusion.conclude(place)
    print_summary(concluded.results, Console(), place)
    return concluded.code


def _profile(path: str | None, contract: str | None) -> Profile:
    """Gives what is known of the partner, with the credentials of the environment, or new ones where it has none."""
    from rampcheck.contract import descriptor  # noqa: PLC0415 - as in `certify`
    from rampcheck.contract import profile as profiles  # noqa: PLC0415 - as in `certify`

    name = (profiles.contract_of(Path(path)) if path else contract) or ""
    if not (name or path):
        raise UsageError(
            "nothing says which contract the integration is of",
            f"Name it with --contract, or a profile; known contracts: {', '.join(descriptor.contracts())}.",
        )
    required = (
        {one: known for one, known in descriptor.load(name).credentials.items() if known.required} if name else {}
    )
    made_up = {known.variable: secrets.token_hex(24) for known in required.values()}
    environ = {**made_up, **{variable: value for variable, value in os.environ.items() if value}}
    if path:
        known = profiles.load(Path(path), environ)
    else:
        credentials = {one: f"${{{credential.variable}}}" for one, credential in required.items()}
        environment = descriptor.load(name).environments[0]
        given = {"contract": name, "base_url": NOBODY, "environment": environment, "credentials": credentials}
        known = profiles.from_mapping(given, environ, "command line")
    # Another partner's credentials, and what was agreed on about the target, are no matter of the integration.
    credentials = {one: known.credentials[one] for one in required}
    kept = {one: value for one, value in known.given.items() if one not in OF_TARGETS}
    return replace(
        known,
        credentials=type(known.credentials)(credentials),
        waivers=(),
        webhook=None,
        triggers={},
        given={**kept, "credentials": credentials},
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen {text!r} is no address", "Write it as 127.0.0.1:8081; port 0 takes a free one.")
    return host.strip("[]"), int(port)


def _free_port() -> int:
    from rampcheck.wire.receiver import free_port  # noqa: PLC0415 - as in `certify`

    return free_port()


def _by(command: list[str], over: Callable[[], None]) -> Buy:
    from rampcheck.certification import integration  # noqa: PLC0415 - as in `certify`

    return lambda _, environment, seconds: integration.run(command, environment, seconds, over)


def _by_hand(step: Step, environment: Mapping[str, str], _: float) -> End:
    """Asks somebody at the terminal to make the purchase."""
    from rampcheck.certification.integration import End  # noqa: PLC0415 - as in `certify`

    click.echo(f"\nStep {step.name}: {step.tells}", err=True)
    for name, value in environment.items():
        click.echo(f"    export {name}={shlex.quote(value)}", err=True)
    try:
        click.prompt("Make a purchase now, and press Enter when it is over", default="", show_default=False, err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
    return End()


@click.command(cls=Command)
@pack_option
@click.option("--output", metavar="DIR", required=True, help="Where to write: a new folder, or an empty one.")
@click.argument("target", metavar="TARGET", type=click.Path())
@click.argument("partner", metavar="PARTNER", type=click.Path())
def bind(target: str, partner: str, output: str) -> int:
    """Binds both sides of a contract into one report.

    TARGET is the folder of a run of the vendor's server, PARTNER that of a certification. Both are copied below
    --output, signatures included, and a page tells both verdicts. The exit code is the worse one of the two.
    """
    from rampcheck.certification import binding  # noqa: PLC0415 - as in `certify`
    from rampcheck.running import conclusion  # noqa: PLC0415 - as in `certify`

    with writing(output, "Name another folder with --output."):
        found = binding.bind(Path(target), Path(partner), Path(output))
    codes = [conclusion.exit_code(results) for results in found.values()]
    click.echo(binding.sentence(found))
    for side in found:
        click.echo(visible(f"{side}: {binding.signed(Path(output), side)}"))
    click.echo(f"Report: {Path(output) / binding.PAGE}")
    return next((code for code in WORST_FIRST if code in codes), ExitCode.CONFORMANT)
