"""What the command line says of a mistake: what is taken, and what was written, in the words of its help."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.errors import ExitCode

TAKES_NONE = "no-number-and-no-choice"


def _bounded() -> Iterator[tuple[str, click.Parameter]]:
    for name, command in main.commands.items():
        for parameter in command.params:
            if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType | click.Choice):
                yield name, parameter


BOUNDED = [
    pytest.param(name, one, id=f"{name} {one.name}") for name, one in _bounded() if isinstance(one, click.Option)
]


@pytest.mark.parametrize(("command", "option"), BOUNDED)
def test_a_wrong_value_is_told_with_what_is_taken(command: str, option: click.Option) -> None:
    """Never in words of a library's types."""
    done = CliRunner().invoke(main, [command, option.opts[-1], TAKES_NONE])
    assert done.exit_code == ExitCode.USAGE
    told = " ".join(done.output.split())
    assert f"Error: {' / '.join(option.opts)} takes " in told
    assert f"not '{TAKES_NONE}'" in told
    assert "range" not in told.partition("Error:")[2]
    assert "Invalid value" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "-n", "0"], "-n / --workers takes a whole number from 1 to 64, not 0."),
        (["run", "--budget", "profile.yaml"], "not 'profile.yaml': a profile stands before the option."),
        (["certify", "--time-scale", "0"], "--time-scale takes a number above 0 to 10, not 0"),
        (["certify", "--time-scale", "nan"], "--time-scale takes a number above 0 to 10, not nan"),
        (["certify", "--linger", "NaN"], "--linger takes a number from 0 to 3,600, not NaN"),
        (["certify", "--step-seconds", "nan"], "--step-seconds takes a number above 0 to 3,600, not nan"),
        (["run", "--latency", "nan"], "--latency takes a number from 0 on, not nan"),
        (["run", "--latency", "inf"], "--latency takes a number from 0 on, not inf"),
        (["replay", "reports", "first"], "EXCHANGE takes a whole number from 0 on, not 'first'."),
        (["schema", "profiles"], "NAME takes one of profile, results, "),
        (["sign", "reports"], "--key is missing: The private key, from `keygen`."),
        (["report"], "DIR... is missing."),
        (["init", "--output", "x.yaml"], "there is no option --output here: the file stands by itself, as in"),
    ],
)
def test_a_mistake_is_told_in_plain_words(words: list[str], told: str) -> None:
    """Bounds, choices, what is missing, and for what."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == ExitCode.USAGE
    assert told in " ".join(done.output.split())
