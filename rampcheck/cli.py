"""The command line: runs, sandboxes, what is promised; the other commands have modules of their own."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from rampcheck import __version__, options, outlets
from rampcheck.authors import freeze, lint, new, selftest
from rampcheck.certification.commands import bind, certify
from rampcheck.command import (
    Finite,
    Group,
    complete_clause,
    complete_contract,
    contract_of_environment,
    pack_option,
    plainly,
)
from rampcheck.comparison.commands import compare, history
from rampcheck.contract import descriptor
from rampcheck.display import visible
from rampcheck.doctor.commands import doctor
from rampcheck.errors import ExitCode, NothingChosen, RampcheckError, UsageError, writing
from rampcheck.init.commands import init
from rampcheck.recorded.commands import judge
from rampcheck.running import incidents, termination
from rampcheck.serving import serve
from rampcheck.signoff.commands import keygen, sign, verify

# Of several runs, the exit code that says most: a fault of rampcheck, a mistake of the user, and so on.
WORST_FIRST = (ExitCode.FAULT, ExitCode.USAGE, ExitCode.INTERRUPTED, ExitCode.NONCONFORMANT, ExitCode.INCONCLUSIVE)
FOLDERS = ("output", "baseline")
COMPLETED = {"contract": complete_contract, "clause": complete_clause}  # options whose values a shell completes
SCHEMAS = (
    "profile",
    "results",
    "journal",
    "attestation",
    "compare",
    "doctor",
    "contract",
    "clauses",
    "script",
    "traffic",
)


class Commands(Group):
    """A group whose every end has its exit code and one message: see `ExitCode`."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command that the arguments name and ends the process."""
        outlets.keep()
        _ignore_warnings()
        code = self._code(*args, **kwargs)
        if reason := outlets.loss():
            outlets.say(f"rampcheck: standard output cannot be written: {reason}")
            code = ExitCode.FAULT
        sys.exit(code)

    def _code(self, *args: Any, **kwargs: Any) -> int:
        def command() -> int:
            _demand_current_folder()
            return super(Commands, self).main(*args, **{**kwargs, "standalone_mode": False}) or 0

        return _ended(command)


def _ended(command: Callable[[], int]) -> int:
    """Gives the exit code of what a command does, however it ends; what there is to say of that is said."""
    try:
        return command()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        plainly(error).show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        outlets.say("rampcheck: interrupted")
        return ExitCode.INTERRUPTED
    except RampcheckError as error:
        outlets.say(f"rampcheck: {visible(str(error))}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and never the exit code 1
        incidents.tell(error)
        return ExitCode.FAULT


def _ignore_warnings() -> None:
    """Keeps what the environment wants of warnings out, of this process and of those that it starts."""
    os.environ.pop("PYTHONWARNINGS", None)
    sys.warnoptions.clear()
    warnings.resetwarnings()
    warnings.simplefilter("ignore")


def _demand_current_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current folder cannot be used: {error.strerror}", "Change to one that is there."
        ) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rampcheck")
def main() -> None:
    """Tells, clause by clause, whether a running server keeps the promises of its documentation."""


class Alone(click.IntRange):
    """A number that may be left out, which takes whatever comes after it, a profile, for the number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Gives the number."""
        if not str(value).isdecimal():
            self.fail(f"{value!r} is no number: a profile stands before the option", param, ctx)
        return super().convert(value, param, ctx)


def _options_of_a_run(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed([option for option in options.OPTIONS if option.command]):
        kind: Any = Finite(0) if option.kind is float else option.kind
        kind = (Alone if option.alone else click.IntRange)(1, option.most) if option.most else kind
        more: dict[str, Any] = (
            {"is_flag": True}
            if option.kind is bool
            else {
                "type": kind,
                "metavar": option.metavar,
                "multiple": option.many,
                "default": option.default or None,
                "show_default": bool(option.default),
                **({} if option.alone is None else {"is_flag": False, "flag_value": option.alone}),
            }
        )
        hidden = option.command == "hidden"
        more["shell_complete"] = COMPLETED.get(option.name)
        command = click.option(f"--{option.name}", option.member, help=option.help, hidden=hidden, **more)(command)
    return command


@main.command()
@click.argument("profile", required=False, type=click.Path())
@click.option(
    "-n",
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="WORKERS",
    help="How many processes send requests at the same time.",
)
@click.option("-k", "keyword", metavar="EXPRESSION", help="Run only the scenarios whose names match, as in pytest.")
@pack_option
@_options_of_a_run
def run(profile: str | None, **given: Any) -> int:
    """Judges a target and writes the reports.

    PROFILE is a YAML file that describes the target. Without it, and without --base-url, the embedded reference is
    judged. The exit code is 0 for a conforming target, or where all that was selected held, 1 for one that does not
    conform, 2 after an interruption, 3 for a fault of rampcheck, 4 for a mistake in the command, the profile or a
    contract, 5 where the run is incomplete or nothing could be judged.
    """
    if profile and (given["base_url"] or given["contract"]):
        raise UsageError("a profile names its own contract and base URL", "Leave out --contract and --base-url.")
    if given["ca_bundle"] and not (profile or given["base_url"]):
        raise UsageError("--ca-bundle is for a target", "The embedded references need none: name a profile.")
    if (given["defect"] or given["variant"]) and (profile or given["base_url"]):
        raise UsageError(
            "--defect and --variant change the embedded reference only", "Leave out the profile and --base-url."
        )
    with termination.as_interruption():  # Between the runs, too.
        if profile:
            return _run({**given, "profile": profile})
        if given["base_url"]:
            return _run({**given, "contract": given["contract"] or contract_of_environment()})
        return _run_references(given)


def _run_references(given: dict[str, Any]) -> int:
    from rampcheck.sandbox import reference  # noqa: PLC0415 - as in `_run`

    contracts = [given["contract"]] if given["contract"] else list(_contracts_of(given["clause"]))
    if len(contracts) > 1:  # What cannot be judged without a profile is left out; asked for alone, it says so.
        contracts = [name for name in contracts if reference.exists(name)]
    if given["keyword"] and len(contracts) > 1:
        contracts = _with_scenarios(contracts, given["clause"], given["keyword"])
    named = Path(given["baseline"] or "")
    if given["baseline"] and len(contracts) > 1 and (named.is_file() or (named / "results.json").is_file()):
        raise UsageError(
            f"--baseline {named} is one run, and {' and '.join(contracts)} would be judged", "Name its --contract."
        )
    if given["har"] and len(contracts) > 1:
        raise UsageError(f"--har is one file, and {' and '.join(contracts)} would be judged", "Name a --contract.")
    alone = len(contracts) == 1
    # A folder that is named holds one of each, where several are judged.
    each = {
        name: {**given, "contract": name, **{one: _folder(given[one], name, alone=alone) for one in FOLDERS}}
        for name in contracts
    }
    codes = _side_by_side(each) if not alone and given["workers"] == 1 else _one_by_one(each)
    killed = any(code < 0 for code in codes)
    return ExitCode.FAULT if killed else next((code for code in WORST_FIRST if code in codes), ExitCode.CONFORMANT)


def _one_by_one(each: Mapping[str, dict[str, Any]]) -> list[int]:
    codes: list[int] = []
    for given in each.values():
        codes.append(_run(given))
        if codes[-1] == ExitCode.INTERRUPTED:
            break
        if termination.was_asked() and len(codes) < len(each):  # while the reports were written
            codes.append(ExitCode.INTERRUPTED)
            break
    return codes


def _side_by_side(each: Mapping[str, dict[str, Any]]) -> list[int]:
    """Judges references at the same time, as many as there are processors; gives the exit codes.

    Each is told of as if they were judged one by one.
    """
    from rampcheck.running.beside import Beside, room  # noqa: PLC0415 - as in `_run`

    others = {name: Beside(partial(_ended, partial(_run, given))) for name, given in [*each.items()][1 : room()]}
    codes: list[int] = []
    try:
        for name, given in each.items():
            codes.append(others[name].end() if name in others else _run(given))
            others.pop(name, None)  # not before: this, too, may be interrupted
            if codes[-1] == ExitCode.INTERRUPTED or termination.was_asked():
                break
    finally:
        for other in others.values():
            other.stop()
        codes += [other.end() for other in others.values()]
    return codes


def _contracts_of(patterns: tuple[str, ...]) -> Iterator[str]:
    """Gives the contracts that clause patterns speak of, all where there are none."""
    prefixes = {pattern.partition(".")[0] for pattern in patterns}
    for contract in descriptor.contracts():
        if not patterns or contract in prefixes or not prefixes <= set(descriptor.contracts()):
            yield contract


def _with_scenarios(contracts: list[str], patterns: tuple[str, ...], keyword: str) -> list[str]:
    """Gives the contracts of which a keyword chooses a scenario. Raises `UsageError` where it chooses none."""
    from rampcheck.contract import register  # noqa: PLC0415 - as in `_run`
    from rampcheck.running import launch  # noqa: PLC0415 - as in `_run`

    chosen = []
    for name in contracts:
        try:
            launch.chosen(register.load(name), patterns, keyword)
        except NothingChosen as error:
            cure = error.cure
        else:
            chosen.append(name)
    if not chosen:
        raise NothingChosen(f"-k {keyword!r} chooses no scenario of {' or '.join(contracts)}", cure)
    return chosen


def _folder(output: str | None, contract: str, *, alone: bool) -> str | None:
    return output if output is None or alone else str(Path(output) / contract)


def _run(given: dict[str, Any]) -> int:
    from rampcheck.contract.profile import contract_of  # noqa: PLC0415 - as `launch`
    from rampcheck.running import launch  # noqa: PLC0415 - `--help` and `clauses` do without pytest

    profile = given.get("profile")
    contract = given["contract"] or (contract_of(Path(profile)) if profile else "") or descriptor.contracts()[0]
    given = {**given, "progress": True}
    return launch.run(contract, given, workers=given["workers"], keyword=given["keyword"] or "")


@main.command()
@pack_option
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@click.option("--output", metavar="DIR", help="Where to put shards together; default: reports/<contract>-<UTC time>.")
@click.option("--har", "archive", metavar="FILE", help="Write its exchanges there, too, as an HTTP Archive (HAR 1.2).")
def report(folders: tuple[str, ...], output: str | None, archive: str | None) -> int:
    """Judges again what a run has left in its folder DIR, and writes the reports again.

    Of a run that was killed, that is what it had seen: its verdict is `incomplete`, unless something failed.

    Of several folders, the shards of one run (`rampcheck run --shard`), it makes one: all that they saw is judged
    together, and written to a folder of its own. Where a shard is missing, or did not come to its end, the run is
    `incomplete`. The exit code is that of a run with this verdict.
    """
    from rich.console import Console  # noqa: PLC0415 - as in `run`

    from rampcheck.report import har  # noqa: PLC0415 - as in `run`
    from rampcheck.report.terminal import print_summary  # noqa: PLC0415 - as in `run`
    from rampcheck.running import conclusion, merging  # noqa: PLC0415 - as in `run`
    from rampcheck.running import folder as runs  # noqa: PLC0415 - as in `run`

    folder = Path(folders[0])
    if len(folders) > 1 or output:
        folder = merging.merge([Path(one) for one in folders], output)
    concluded = conclusion.conclude(folder)
    if archive:
        with writing(archive, "Name another file with --har."):
            har.write(Path(archive), runs.exchanges(folder))
    print_summary(concluded.results, Console(), folder)
    for line in concluded.differs:
        click.echo(f"Not as it stood there: {line}")
    return concluded.code


@main.command()
@pack_option
@click.argument("folder", metavar="DIR", type=click.Path())
@click.argument("number", metavar="EXCHANGE", type=click.IntRange(0))
@click.option("--profile", metavar="FILE", type=click.Path(), help="Send it to the target of this profile.")
@click.option(
    "--ca-bundle",
    metavar="FILE",
    help="A PEM file of the authorities that vouch for the target; goes before the profile's `tls.ca`.",
)
@click.option("--allow-production", is_flag=True, help="Let it touch production, with an exchange of a run made there.")
def replay(folder: str, number: int, profile: str | None, ca_bundle: str | None, *, allow_production: bool) -> int:
    """Sends an exchange of a run again, and says what it breaks now.

    DIR is the run's folder, EXCHANGE the number by which its report names the exchange. The same request goes to the
    target of the run: signed anew, with a session made before where it asks for one, with another e-mail address in
    the place of one. Credentials come from the environment variables that the contract names, or from --profile.

    The exit code is 1 where a `must` is seen broken, again or for the first time, 0 where none is, 4 where the exchange
    cannot be made again, 5 where the target does not answer, or one exchange cannot show what the whole run showed.
    """
    from rich.console import Console  # noqa: PLC0415 - as in `run`

    from rampcheck.report.replayed import print_replay  # noqa: PLC0415 - as in `run`
    from rampcheck.running import replay as replays  # noqa: PLC0415 - as in `run`

    chosen = Path(profile) if profile else None
    replayed = replays.replay(Path(folder), number, chosen, ca_bundle, allow_production=allow_production)
    print_replay(replayed.before, replayed.now, replayed.session, replayed.told, Console())
    return replayed.code


@main.command()
@pack_option
@click.option("--contract", metavar="NAME", help="Of this contract only.", shell_complete=complete_contract)
@click.option(
    "--side", type=click.Choice(["target", "partner"]), default="target", help="Whose; default: the target's."
)
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...", shell_complete=complete_clause)
def clauses(contract: str | None, side: str, patterns: tuple[str, ...]) -> None:
    """Lists the promises: id, level, what the profile must hold for them, and the text.

    PATTERN chooses some, for example 'NAME.auth.*'.
    """
    from rampcheck.contract.register import load, need_text, partner_side  # noqa: PLC0415 - as in `run`

    for name in [contract] if contract else _contracts_of(patterns):
        loaded = load(name) if side == "target" else partner_side(name)
        selected = loaded.selected(patterns)
        for clause in loaded.clauses.values():
            if clause.id in selected:
                needs = f"; needs {'; '.join(map(need_text, clause.needs))}" if clause.needs else ""
                since = f"; since {clause.since}" if clause.since else ""
                click.echo(f"{clause.id}  ({clause.level}{since}{needs})")
                click.echo(f"    {clause.text}  [{clause.source.document}, {clause.source.section}]")


@main.command()
@pack_option
@click.argument(
    "name",
    type=click.Choice(SCHEMAS),
)
def schema(name: str) -> None:
    """Prints a JSON Schema.

    Of any contract's profile, of results.json, of a line of journal.jsonl, of attestation.json, of compare.json, of
    what `doctor --json` prints, of a pack's contract.yaml, clauses.yaml or partner.yaml (which is as
    clauses.yaml is), of the script of `certify`, of a line of recorded traffic.
    """
    import json  # noqa: PLC0415 - nothing else of the command line needs it

    from rampcheck import resources  # noqa: PLC0415 - as in `run`
    from rampcheck.contract import profile_schema  # noqa: PLC0415 - as in `run`

    if name == "profile":
        click.echo(json.dumps(profile_schema.whole(), indent=2, ensure_ascii=False))
    else:
        click.echo(resources.schema(name).read_text(encoding="utf-8"), nl=False)


for command in (
    init,
    doctor,
    serve,
    certify,
    bind,
    judge,
    compare,
    history,
    keygen,
    sign,
    verify,
    selftest,
    new,
    lint,
    freeze,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
