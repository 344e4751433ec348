"""`rampcheck init`: the first profile of a target, written."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rampcheck.command import Command, complete_contract, pack_option
from rampcheck.display import visible
from rampcheck.doctor.commands import doctor as diagnosis
from rampcheck.errors import ExitCode, UsageError, writing

if TYPE_CHECKING:
    from rampcheck.contract.descriptor import Descriptor
    from rampcheck.init.commented import Known


@click.command(cls=Command)
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(dir_okay=False))
@click.option("--contract", metavar="NAME", help="Whose API the target is.", shell_complete=complete_contract)
@click.option("--base-url", metavar="URL", help="Where the API is.")
@click.option("--allow-http", is_flag=True, help="Let it be http to another machine of a private network.")
@click.option("--environment", metavar="NAME", help="Which environment it is; left out, it is not stated.")
@click.option(
    "--credential",
    "credentials",
    multiple=True,
    metavar="NAME=VARIABLE",
    help="The environment variable that holds a credential; default: the one that the contract names. May be given "
    "several times. Never the credential itself.",
)
@click.option(
    "--from-response",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Take what a session's response tells: a file with its body, or what `curl -i` shows of it; - reads it here.",
)
@click.option(
    "--from-run",
    metavar="DIR",
    type=click.Path(),
    help="Take the profile of a finished run, and mark what its gaps ask for.",
)
@click.option("--doctor/--no-doctor", default=None, help="Run `rampcheck doctor` with it, or do not ask.")
@pack_option
def init(  # noqa: PLR0913, PLR0917 - each is an option
    file: str | None,
    contract: str | None,
    base_url: str | None,
    allow_http: bool,
    environment: str | None,
    credentials: tuple[str, ...],
    from_response: str | None,
    from_run: str | None,
    doctor: bool | None,
) -> int:
    """Writes the profile of a target, in which every field that is left out is explained.

    FILE is where it is written; default: CONTRACT.yaml. A file that is there is not overwritten. On a terminal, what no
    option tells is asked. Elsewhere --base-url is needed, and --contract where no credential in the environment tells
    it. No secret is written: a profile names the environment variables that hold them.
    """
    from rampcheck.contract import descriptor  # noqa: PLC0415 - `--help` does without
    from rampcheck.init import answers, commented, gathering, sources  # noqa: PLC0415 - as above
    from rampcheck.report.additions import CAVEAT  # noqa: PLC0415 - as above
    from rampcheck.report.text import plural  # noqa: PLC0415 - as above

    if file:
        _demand_name(file)
        _demand_none(Path(file))
    may_ask = answers.on_terminal() and from_response != "-"
    options = gathering.Options(contract or "", base_url or "", environment or "", credentials, allow_http)
    told = [sources.run(Path(from_run))] if from_run else []
    if from_response:
        origin = "standard input" if from_response == "-" else from_response
        named = told[0].contract if told else answers.contract(contract) if contract else ""
        told.append(sources.response(_text(from_response, sources.LARGEST), origin, named))
        places = list(told[-1].places) or ["nothing; its API's sessions do not tell more"]
        click.echo(f"Taken from {origin}: {', '.join(places)}.")
    described = descriptor.load(gathering.contract(options, told, may_ask=may_ask))
    path = Path(file or f"{described.name}.yaml")
    _demand_none(path)
    known = gathering.known(described, options, told, os.environ, may_ask=may_ask)
    schema = path.with_name(f"rampcheck-{described.name}.schema.json")
    content = commented.profile(described, known, schema.name)
    gathering.demand_no_secret(content, described, known.given, os.environ)
    with writing(f"{path}, or {schema.name} beside it,"):
        _write_schema(schema, described)
    with writing(path), path.open("x", encoding="utf-8") as made:
        made.write(content)
    click.echo(f"{path} is written, and {schema.name} beside it, by which editors know its fields.")
    for line in [line for source in told for line in source.left_out]:
        click.echo(f"Left out: {visible(line)}")
    missing = gathering.unset(known.given, os.environ)
    if known.wanted:
        fields = plural(len(known.wanted), "field")
        click.echo(f"The gaps of the run ask for {fields}: `# for … clauses` stands behind each.\n{CAVEAT}")
    if doctor is None and may_ask and not missing and known.given.get("environment") != "production":
        doctor = click.confirm("Look now at what a run would trip over (rampcheck doctor)?", default=True)
    if doctor:
        return int(click.get_current_context().invoke(diagnosis, profile=str(path)))
    _tell_next(path, known, missing)
    return ExitCode.CONFORMANT


def _text(file: str, most: int) -> str:
    try:
        if Path(file).is_fifo():  # nobody may ever write into it
            cure = "Name a file, or lead it here: `… | rampcheck init --from-response -`."
            raise UsageError(f"{file} is a named pipe", cure)
        with click.open_file(file, "rb") as opened:
            return str(opened.read(most), "utf-8-sig", "replace")
    except OSError as error:
        cure = "Name a file that holds a session's response, or - for standard input."
        raise UsageError(f"{file} cannot be read: {error.strerror}", cure) from error


def _demand_name(file: str) -> None:
    from rampcheck.contract import profile_text  # noqa: PLC0415 - as above

    if profile_text.is_url(file):  # not shown: it may hold a login
        raise UsageError(
            "command line: a URL stands where the name of the file that is written is expected",
            "Write --base-url before it; the file is called after the contract then.",
        )


def _demand_none(path: Path) -> None:
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already", "It is not touched: name another file, or move that one away.")


def _write_schema(path: Path, described: Descriptor) -> None:
    """Writes the schema for editors; one of before makes room for it, another file does not. Raises `OSError`."""
    from rampcheck.contract import profile_schema  # noqa: PLC0415 - as above

    schema = profile_schema.for_editors(described)
    if os.path.lexists(path):
        # A link leads to somebody's file, and nobody may ever write into a named pipe.
        if path.is_symlink() or not path.is_file():
            raise UsageError(f"{path} is there already, and is no regular file", "Move it away.")
        try:
            is_one = json.loads(path.read_text(encoding="utf-8"))["$id"] == schema["$id"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            is_one = False
        if not is_one:
            raise UsageError(f"{path} is there already, and is no schema of a profile", "Move it away.")
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _tell_next(path: Path, known: Known, missing: Sequence[str]) -> None:
    from rampcheck.contract import packs  # noqa: PLC0415 - as above

    named = [folder for folder in os.environ.get(packs.VARIABLE, "").split(os.pathsep) if folder]
    pack = "".join(f" --pack {shlex.quote(folder)}" for folder in named)
    allowed = " --allow-production" if known.given.get("environment") == "production" else ""
    click.echo("Next:")
    for variable in missing:
        click.echo(f"    export {variable}=…")
    for command in ("doctor", "run"):
        click.echo(f"    rampcheck {command}{pack} {shlex.quote(str(path))}{allowed}")
