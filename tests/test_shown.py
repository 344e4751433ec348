"""What a whole run shows: on a terminal, in a log, on a narrow console; what else a new user is told."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rampcheck.errors import UsageError
from rampcheck.running import conclusion
from rampcheck.running.folder import LOOKED
from tests.hostile.ended import BRIEF, environment, program
from tests.journals import BEGINNING

PROGRAM = [sys.executable, "-m", "rampcheck.cli"]
LIVE = re.compile(r"\d+/\d+ scenarios, \d+ of about \d+ requests")


@dataclass(frozen=True)
class Shown:
    """A run: its exit code, what was shown of it, its folder."""

    code: int
    text: str
    folder: Path


@pytest.fixture(scope="module")
def on_a_terminal(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A run with two workers, its standard output a terminal."""
    current = tmp_path_factory.mktemp("terminal")
    ours, its = pty.openpty()
    env = environment(TERM="xterm", COLUMNS="100")
    command = [*PROGRAM, *BRIEF, "-n", "2", "--latency", "0.3", "--output", "run"]
    with subprocess.Popen(command, stdout=its, stderr=its, stdin=its, cwd=current, env=env) as process:
        os.close(its)
        told = b""
        try:
            while part := os.read(ours, 65536):
                told += part
        except OSError:
            pass  # Linux tells so that nobody writes any more.
        os.close(ours)
    return Shown(process.returncode, told.decode(), current / "run")


@pytest.fixture(scope="module")
def in_a_log(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A run whose standard output is a pipe in a narrow encoding, where colour was asked for."""
    current = tmp_path_factory.mktemp("log")
    env = environment(PYTHONIOENCODING="cp1252", FORCE_COLOR="1")
    ended = program(*BRIEF, "--output", "run", current=current, env=env)
    return Shown(ended.code, ended.said, current / "run")


def test_a_terminal_has_a_live_line(on_a_terminal: Shown) -> None:
    """Of all workers; it is taken away before the results, no letters stand beside it, and the cursor is back."""
    assert on_a_terminal.code == 0, on_a_terminal.text
    lines = LIVE.findall(on_a_terminal.text)
    assert lines
    assert len(set(lines)) > 1
    assert on_a_terminal.text.index("It tries") < on_a_terminal.text.index(lines[0])
    assert not LIVE.search(on_a_terminal.text[on_a_terminal.text.index("Reports: ") :])
    assert on_a_terminal.text.rindex("\x1b[?25h") > on_a_terminal.text.rindex("\x1b[?25l")
    assert "bringing up nodes" not in on_a_terminal.text
    assert not re.search(r"^[.sF]+\s*$", on_a_terminal.text, re.MULTILINE)


def test_a_log_has_no_live_line(in_a_log: Shown) -> None:
    """Colour may stand there, since it was asked for; nothing moves the cursor, and what is lacking is plain."""
    assert in_a_log.code == 0, in_a_log.text
    assert "It tries 1 of" in in_a_log.text
    assert not LIVE.search(in_a_log.text)
    assert set(re.findall(r"\x1b\[[\d;?]*([A-Za-z])", in_a_log.text)) == {"m"}
    assert "\\u" not in in_a_log.text


def test_what_is_shown_changes_no_result(on_a_terminal: Shown, in_a_log: Shown) -> None:
    """The same verdicts, whoever looks; what is shown leaves nothing in the folder."""
    assert verdicts(on_a_terminal.folder) == verdicts(in_a_log.folder)
    assert names(on_a_terminal.folder) == names(in_a_log.folder)


def verdicts(folder: Path) -> dict[str, str]:
    """Gives the verdict of each clause."""
    return {clause["id"]: clause["verdict"] for clause in results(folder)["clauses"]}


def names(folder: Path) -> set[str]:
    """Gives what lies in a run's folder."""
    return {path.name for path in folder.iterdir()}


def results(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Gives the content of results.json."""
    content: dict[str, list[dict[str, str]]] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return content


def test_how_to_run_it_again_is_what_was_typed(in_a_log: Shown) -> None:
    """No profile is named where there was none."""
    summary = (in_a_log.folder / "summary.md").read_text(encoding="utf-8")
    assert "rampcheck run --contract kryptonim --seed 1 --clause kryptonim.auth.signature-required" in summary
    assert "PROFILE.yaml" not in summary


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[str]]:
    """The lines for a shell with which `rampcheck serve` says how to judge it."""
    command = [*PROGRAM, "serve", "--contract", "kryptonim", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment()) as process:
        try:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(8)]
            yield [line.strip() for line in told if line.startswith("    ")]
        finally:
            process.terminate()


def test_what_serve_says_can_be_pasted(served: list[str], tmp_path: Path) -> None:
    """Its lines judge it, and the report says how to do that again."""
    assert {line.split()[0] for line in served[:-1]} == {"export"}
    script = "\n".join(served).replace("rampcheck run", f"exec {sys.executable} -m rampcheck.cli run")
    script += " --clause kryptonim.auth.signature-required --output run"
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = (tmp_path / "run" / "summary.md").read_text(encoding="utf-8").replace("\\:", ":")
    assert f"{served[-1]} --seed 1" in summary


def test_what_doctor_wrote_is_no_run(tmp_path: Path) -> None:
    """`rampcheck report` says so, and writes nothing."""
    end = {"kind": "end", "finished": "2026-11-21T07:00:01.000000Z", "interrupted": False, "reason": LOOKED}
    journal = "".join(f"{json.dumps(record)}\n" for record in (BEGINNING, end))
    (tmp_path / "journal.jsonl").write_text(journal, encoding="utf-8")
    with pytest.raises(UsageError, match="is no run: `rampcheck doctor` asked") as error:
        conclusion.conclude(tmp_path)
    assert "`rampcheck run`" in error.value.cure
    assert names(tmp_path) == {"journal.jsonl"}
