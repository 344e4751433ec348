"""What `rampcheck certify` says of partners' programs: those that are wrong are found, no other one is accused."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from rampcheck.running.rejudgement import rejudged
from tests.partners.changes import CHANGES, Change
from tests.partners.programs import COMMANDS, OBSERVERS, Program, contract_of, examples, missing, programs, spoken
from tests.runs import Completed

CONTRACTS = ("proof", "kryptonim")
POLLING_ALONE = {".sh", ".php"}  # they do not listen for webhooks
WEBHOOKS = {"proof.partner.webhook-answers", "proof.partner.webhook-idempotent"}
# What nobody outside can see, and what the examples never do.
ATTESTED = {"proof.partner.backend-only"}
UNTRIED = {"kryptonim.partner.minimal-unlocked"}
HURRY = 0.1
PROGRAMS = [program for contract in CONTRACTS for program in programs(contract).values()]


def certified(
    contract: str,
    command: Sequence[str],
    folder: Path,
    *steps: str,
    time_scale: float = HURRY,
    patience: float = 300,
) -> Completed:
    """A certification of a command, in a folder of its own; all steps, or these, within so many seconds.

    Whatever it comes to, it comes to the same when its journal is judged again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "report"
    chosen = [word for step in steps for word in ("--step", step)]
    # The time that a step may take is that of a busy machine: it does not go by the scale.
    options = ["--contract", contract, "--time-scale", str(time_scale), "--step-seconds", str(60 / time_scale)]
    asks = ["--observer", OBSERVERS[contract], "--output", str(output)]
    done = subprocess.run(
        [sys.executable, "-m", "rampcheck.cli", "certify", *options, *chosen, *asks, "--", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=patience,
    )
    assert output.is_dir(), f"{shlex.join(command)}: {done.stdout}{done.stderr}"
    again = rejudged(output)
    assert again.holds, again.lines()
    return Completed(done.returncode, done.stdout + done.stderr, output)


@pytest.mark.parametrize("example", examples(), ids=spoken)
def test_an_example_keeps_all_that_a_partner_promises(example: Path, tmp_path: Path) -> None:
    """It is accused of nothing, and every clause that it can be judged by holds."""
    if why := missing(example):
        pytest.skip(why)
    contract = contract_of(example)
    done = certified(contract, [*COMMANDS[example.suffix], str(example)], tmp_path)
    assert done.verdicts("failed", "advisory") == {}, done.printed
    untried = UNTRIED | (WEBHOOKS if example.suffix in POLLING_ALONE else set())
    assert set(done.verdicts("not_verified")) == {clause for clause in untried if clause.startswith(contract)}
    assert set(done.verdicts("attested")) == {clause for clause in ATTESTED if clause.startswith(contract)}


@pytest.mark.parametrize(
    "program", [one for one in PROGRAMS if one.clauses], ids=lambda program: f"{program.contract}-{program.name}"
)
def test_a_flaw_is_found_by_its_clause(program: Program, tmp_path: Path) -> None:
    """The clause is broken, and no other one is but what may fall with it."""
    done = certified(program.contract, program.command, tmp_path, *program.steps)
    broken = set(done.verdicts("failed", "advisory"))
    assert set(program.clauses) <= broken <= {*program.clauses, *program.may_break}, done.printed


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_flaw_in_another_language_is_found_by_its_clause(change: Change, tmp_path: Path) -> None:
    """As above, of the examples in Express and in PHP."""
    if change.missing:
        pytest.skip(change.missing)
    command = change.command(tmp_path / "program")
    done = certified(change.contract, command, tmp_path / "run", *change.steps, time_scale=change.time_scale)
    assert set(done.verdicts("failed", "advisory")) == change.clauses, done.printed


@pytest.mark.parametrize(
    "program", [one for one in PROGRAMS if not one.clauses], ids=lambda program: f"{program.contract}-{program.name}"
)
def test_what_is_otherwise_and_right_is_not_accused(program: Program, tmp_path: Path) -> None:
    """Nothing is broken, and something was judged."""
    done = certified(program.contract, program.command, tmp_path, *program.steps)
    assert done.verdicts("failed", "advisory") == {}, done.printed
    assert done.verdicts("passed"), done.printed
