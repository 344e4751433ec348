"""The help teaches by example; what may be meant is said; a shell completes what is known."""

from __future__ import annotations

import re
import shlex
from collections import Counter

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from rampcheck import guide
from rampcheck.cli import main
from rampcheck.contract import register
from rampcheck.errors import UsageError


def test_every_command_is_in_one_group_and_has_examples() -> None:
    """Nothing is left out, named twice, or names what is no command."""
    grouped = Counter(name for names in guide.GROUPS.values() for name in names)
    assert set(grouped.values()) == {1}
    assert set(grouped) == set(main.commands)
    assert set(guide.EXAMPLES) == set(main.commands)


@pytest.mark.parametrize("line", [line for lines in guide.EXAMPLES.values() for line, _ in lines])
def test_every_example_can_be_typed(line: str) -> None:
    """Its command, options and arguments exist; a folder of a pack need not."""
    program, name, *words = shlex.split(line)
    assert program == "rampcheck"
    command = main.commands[name]
    given = [word for pair in zip([*words, ""], ["", *words], strict=True) for word in pair[:1] if pair[1] != "--pack"]
    context = command.make_context(name, [word for word in given if word not in ("", "--pack")])
    assert not [argument for argument in context.args if argument.startswith("-")]


def test_each_help_ends_with_its_examples() -> None:
    """Whole lines, on a narrow terminal too."""
    for name, lines in guide.EXAMPLES.items():
        text = CliRunner().invoke(main.commands[name], ["--help"], terminal_width=40, max_content_width=40).output
        shown = text.partition("Examples:\n")[2].splitlines()
        assert [line.strip() for line in shown] == [part for line in lines for part in line]


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", ["", *main.commands])
def test_nothing_of_a_help_is_cut_or_broken(name: str, width: int) -> None:
    """No sentence ends in dots, and no option, id or path at a hyphen, whatever the width."""
    command = main.commands[name] if name else main
    text = CliRunner().invoke(command, ["--help"], terminal_width=width, max_content_width=width).output
    told = text.partition("\n\n")[2].partition("\nExamples:")[0].partition("\nCompletion in")[0].splitlines()
    assert told
    assert [line for line in told if line.endswith("...") or re.search(r"\w-$", line) or len(line) > width] == []
    assert "\N{NON-BREAKING HYPHEN}" not in text


def test_the_help_shows_the_groups_and_how_a_shell_completes() -> None:
    """A group has its commands below it; a command that no group names comes last."""
    text = CliRunner().invoke(main, ["--help"]).output
    places = [text.index(f"\n{title}:\n") for title in guide.GROUPS]
    assert places == sorted(places)
    assert all(f"\n  {name} " in text for name in main.commands)
    assert "_RAMPCHECK_COMPLETE=bash_source" in text
    assert "\nOthers:" not in text


def test_a_command_that_no_group_names_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown all the same."""
    monkeypatch.setitem(main.commands, "brand-new", click.Command("brand-new", help="Does what is new."))
    text = CliRunner().invoke(main, ["--help"]).output
    assert text.index("Others:\n  brand-new  Does what is new.") > text.index("selftest")


@pytest.mark.parametrize(
    ("words", "meant"), [(["rnu"], "run"), (["run", "--bsae-url=x"], "--base-url"), (["comprae"], "compare")]
)
def test_what_may_be_meant_is_said(words: list[str], meant: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a command and an option."""
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == 4
    assert meant in capfd.readouterr().err.partition("Did you mean")[2]


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("proof.auth.bearer-requierd", "Did you mean proof.auth.bearer-required"),
        ("proof.auht.*", "Did you mean proof.auth.*"),
        ("something-else", "`rampcheck clauses --contract proof`"),
    ],
)
def test_which_clause_may_be_meant_is_said(pattern: str, meant: str) -> None:
    """An id, and a pattern; where nothing is near, how to see all."""
    with pytest.raises(UsageError) as error:
        register.load("proof").selected([pattern])
    assert error.value.cure.startswith(meant)


def completed(*words: str) -> list[str]:
    """Gives what a shell offers in place of the last word."""
    shell = ShellComplete(main, {}, "rampcheck", "_RAMPCHECK_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_a_shell_completes_contracts_and_clauses() -> None:
    """Clauses of the contract that is named, else of all."""
    assert completed("run", "--contract", "pr") == ["proof"]
    assert "proof.auth.bearer-required" in completed("run", "--clause", "proof.auth.")
    assert {found.rpartition(".")[0] for found in completed("clauses", "proof.auth.")} == {"proof.auth"}
    assert completed("run", "--contract", "kryptonim", "--clause", "proof.") == []
    assert "selftest" in completed("self")
