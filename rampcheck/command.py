"""What the commands of the command line have in common."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from rampcheck import guide, options
from rampcheck.contract import descriptor, packs, register
from rampcheck.errors import UsageError

LONGEST_SENTENCE = 1000  # characters of what a command does; all of it is shown
# Options that other commands have, by the command that has none such, and what it has in their place.
ELSEWHERE = {("init", "--output"): ": the file stands by itself, as in `rampcheck init sandbox.yaml`."}
_HYPHEN = re.compile(r"(?<=[\w-])-(?=\w)|-(?=-)")
_WRITTEN = re.compile(r"(.+?) is (?:not|no) ", re.DOTALL)
_UNBREAKABLE = "\N{NON-BREAKING HYPHEN}"


class Finite(click.FloatRange):
    """A number within bounds; `nan`, which is neither below nor above any, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Gives the number. Raises `click.BadParameter` where it is none, or out of bounds."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number", param, ctx)
        return number


class Formatter(click.HelpFormatter):
    """Writes help in which no option, id or path is broken over lines at a hyphen."""

    def write_text(self, text: str) -> None:
        """Writes a paragraph or several."""
        super().write_text(_HYPHEN.sub(_UNBREAKABLE, text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Writes a list of terms and what they are."""
        super().write_dl([(term, _HYPHEN.sub(_UNBREAKABLE, told)) for term, told in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """Gives what was written."""
        return super().getvalue().replace(_UNBREAKABLE, "-")


class Context(click.Context):
    """The context of every command here."""

    formatter_class = Formatter


class Command(click.Command):
    """A command that takes no empty text: whoever writes "$UNSET" does not mean the default. Its help has examples."""

    context_class = Context

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples that `guide` has of it."""
        super().format_epilog(ctx, formatter)
        write_lines(formatter, "Examples", guide.EXAMPLES.get(self.name or "", ()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments into `ctx`."""
        rest = super().parse_args(ctx, args)
        for parameter in self.params:
            value = ctx.params.get(parameter.name or "")
            texts = value if isinstance(value, tuple) else [value]
            if any(isinstance(text, str) and not text.strip() for text in texts):
                raise UsageError(f"{parameter.get_error_hint(ctx)} is empty", options.EMPTY)
        return rest


class Group(click.Group):
    """The commands in the groups that `guide` has; those that it does not name come last."""

    command_class = Command
    context_class = Context

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the groups, a line for each command."""
        named = {name for names in guide.GROUPS.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in named]
        widest = max(map(len, self.commands))
        for title, names in (*guide.GROUPS.items(), ("Others", others)):
            told = [(f"{name:<{widest}}", self.commands[name]) for name in names if name in self.commands]
            if told:
                with formatter.section(title):
                    formatter.write_dl([(name, command.get_short_help_str(LONGEST_SENTENCE)) for name, command in told])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes how a shell completes commands, options, contracts and clauses."""
        super().format_epilog(ctx, formatter)
        write_lines(formatter, "Completion in a shell", guide.COMPLETION)


def plainly(error: click.ClickException) -> click.ClickException:
    """Gives what click says of a mistake in the words of its own help: what a parameter takes, and what was written."""
    if isinstance(error, click.MissingParameter) and error.param is not None:
        told = f"{_named(error.param, error.ctx)} is missing"
        text = getattr(error.param, "help", None)
        return click.UsageError(f"{told}: {text}" if text else f"{told}.", error.ctx)
    if isinstance(error, click.BadParameter) and error.param is not None:
        taken, written = _taken(error.param.type), _WRITTEN.match(error.message)
        if taken and written:
            hint = error.message[written.end() :].partition(": ")[2]
            told = f"{_named(error.param, error.ctx)} takes {taken}, not {written[1]}{hint and f': {hint}'}."
            return click.UsageError(told, error.ctx)
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        instead = ELSEWHERE.get((error.ctx.info_name or "", error.option_name))
        return (
            click.UsageError(f"there is no option {error.option_name} here{instead}", error.ctx) if instead else error
        )
    return error


def _named(parameter: click.Parameter, context: click.Context | None) -> str:
    if isinstance(parameter, click.Argument) and isinstance(parameter.type, click.Choice):
        return (parameter.name or "").upper()
    return parameter.get_error_hint(context).replace("'", "")


def _taken(kind: click.ParamType[Any]) -> str:
    """Says what a kind of parameter takes; "" where its own message says it."""
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(map(str, kind.choices))}"
    if not isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return ""
    what = "a whole number" if isinstance(kind, click.types.IntParamType) else "a number"
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is None:
        return what
    above = f"above {low:g}" if getattr(kind, "min_open", False) else f"from {low:g}"
    return f"{what} {above} on" if high is None else f"{what} {above} to {high:,}"


def write_lines(formatter: click.HelpFormatter, title: str, lines: Sequence[tuple[str, str]]) -> None:
    """Writes lines for a shell, none of them broken, and below each what it does."""
    if lines:
        with formatter.section(title):
            for line, does in lines:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n{'':>{formatter.current_indent}}    {does}\n")


def complete_contract(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Gives the contracts whose names begin so, for a shell."""
    return [described.name for described in descriptor.readable() if described.name.startswith(incomplete)]


def complete_clause(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Gives the clauses whose ids begin so, for a shell: of the contract that is named, or of all."""
    named = context.params.get("contract")
    return [
        clause
        for described in descriptor.readable()
        if named in (None, described.name)
        for clause in register.load(described.name).clauses
        if clause.startswith(incomplete)
    ]


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
