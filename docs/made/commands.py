"""The reference of the commands, from click, and that of the exit codes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from docs.made.markdown import code, plain, table
from rampcheck import guide
from rampcheck.cli import main
from rampcheck.errors import EXIT_CODES


def known(group: click.Group = main, before: str = "rampcheck") -> Iterator[tuple[str, click.Command]]:
    """Gives each command with its whole name, by the alphabet; those of a group below it, too."""
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        whole = f"{before} {name}"
        yield whole, command
        if isinstance(command, click.Group):
            yield from known(command, whole)


def options(command: click.Command) -> list[click.Option]:
    """Gives the options of a command that its help shows."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def reference() -> str:
    """Gives a section for each command: how it is called, what it does, examples, its options; then completion."""
    sections = "\n".join(_section(name, command) for name, command in known())
    completion = table(("shell", "line"), [(plain(shell), code(line)) for line, shell in guide.COMPLETION])
    return f"{sections}\n## Completion\n\nA shell completes commands, options, contracts and clauses:\n\n{completion}"


def exit_codes() -> str:
    """Gives the table of exit codes."""
    return table(("exit code", "meaning"), [(code(str(number)), plain(text)) for number, text in EXIT_CODES.items()])


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    helped = inspect.cleandoc(command.help or "").replace("\b\n", "")
    rows = [(_names(option, context), plain(_help(option, context))) for option in options(command)]
    shown = [(code(line), plain(told)) for line, told in guide.EXAMPLES.get(name.partition(" ")[2], ())]
    examples = table(("for example", ""), shown)
    return "\n".join(
        (f"## {code(name)}", "", "```text", usage, "```", "", plain(helped), "", examples, table(_HEAD, rows))
    )


_HEAD = ("option", "what it does")


def _names(option: click.Option, context: click.Context) -> str:
    metavar = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    return code(", ".join([*option.opts, *option.secondary_opts]) + metavar)


def _help(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    return record[1] if record else ""
