"""Files and folders that cannot be made, written or read, and streams that are closed: each its own end, never 1."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.ended import BRIEF, Ended, environment, program, shell
from tests.runs import Completed

REPORTS = ("index.html", "results.json", "junit.xml", "summary.md", "journal.jsonl")


def is_one_message(ended: Ended) -> bool:
    """Whether an end is told in a line, with a second one that says how to mend it at most."""
    return "Traceback" not in ended.said and 1 <= len(ended.err.strip().splitlines()) <= 2


@pytest.mark.parametrize("output", ["file/below", "file", "/proc/nowhere", "n" * 300])
def test_an_output_folder_that_cannot_be_made_is_a_mistake(output: str, tmp_path: Path) -> None:
    """Below a file, a file, in no file system, too long: exit code 4, one message, and nothing was sent."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    ended = program(*BRIEF, "--output", output, current=tmp_path)
    assert ended.code == 4, ended.said
    assert is_one_message(ended) or "Error: " in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("output", ["file/below", "n" * 300])
def test_plain_pytest_tells_it_the_same_way(output: str, tmp_path: Path) -> None:
    """Where pytest is started by hand, the same ends have the same codes and messages."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    suites = Path(__file__).parents[2] / "suites" / "kryptonim"
    ended = shell(
        f"{sys.executable} -m pytest -q -p no:cacheprovider {suites} --rampcheck-contract kryptonim "
        f"--rampcheck-output {output}",
        tmp_path,
    )
    assert ended.code == 4, ended.said
    assert "Traceback" not in ended.said
    assert "cannot be written" in ended.err


@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        ("| true", 0),
        (">&-", 0),
        ("2>&-", 0),
        (">&- 2>&- <&-", 0),
        ("> /dev/full", 3),
        ("> /dev/full 2>&1", 3),
    ],
)
@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_the_streams_are_not_the_run(redirection: str, code: int, buffered: str, tmp_path: Path) -> None:
    """Nobody reads, or nothing can be written there: the run comes to its end, and its reports are whole."""
    ended = shell(
        f"$rampcheck {' '.join(BRIEF)} --output run {redirection}; exit ${{PIPESTATUS[0]}}",
        tmp_path,
        environment(PYTHONUNBUFFERED=buffered),
    )
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    assert all((tmp_path / "run" / name).stat().st_size for name in REPORTS)
    assert not list(tmp_path.rglob("rampcheck-fault-*"))


def test_a_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where the output is what was asked for, losing it is a fault; a reader who has enough is none."""
    full = shell("$rampcheck clauses > /dev/full", tmp_path)
    assert (full.code, full.err) == (3, "rampcheck: standard output cannot be written: No space left on device\n")
    head = shell("$rampcheck clauses | head -1 > /dev/null; exit ${PIPESTATUS[0]}", tmp_path)
    assert (head.code, head.err) == (0, "")


def test_a_current_folder_that_is_gone_is_a_mistake(tmp_path: Path) -> None:
    """Exit code 4, and one message."""
    ended = shell("mkdir gone; cd gone; rmdir ../gone; exec $rampcheck run", tmp_path)
    assert ended.code == 4
    assert "the current folder cannot be used" in ended.err
    assert is_one_message(ended)


@pytest.mark.parametrize("name", ["nowhere/profile.yaml", "there.yaml"])
def test_serve_writes_its_profile_only_where_none_is(name: str, tmp_path: Path) -> None:
    """Into no folder, or over a file: exit code 4, and the file is as it was."""
    (tmp_path / "there.yaml").write_text("mine", encoding="utf-8")
    ended = program("serve", "--port", "0", "--write-profile", name, current=tmp_path)
    assert ended.code == 4, ended.said
    assert is_one_message(ended)
    assert name in ended.err
    assert (tmp_path / "there.yaml").read_text(encoding="utf-8") == "mine"


def test_what_nobody_thought_of_is_told_in_one_line(tmp_path: Path) -> None:
    """A fault outside of any scenario: exit code 3, one line, the traceback in a file, no secret in either."""
    for arguments in ("clauses", "run --contract kryptonim --output run"):
        planted = (
            "import os, rampcheck.contract.register as c; from rampcheck.cli import main\n"
            "def fail(*_): raise ZeroDivisionError('planted ' + os.environ['MY_TOKEN'])\n"
            f"c.load = fail; main({arguments.split()!r})"
        )
        ended = shell(f'exec {sys.executable} -c "{planted}"', tmp_path, environment(MY_TOKEN="fb6-sekret-098"))
        assert ended.code == 3, ended.said
        assert len(ended.err.splitlines()) == 1
        assert "ZeroDivisionError: planted" in ended.err
        told = Path(ended.err.strip().rpartition("its traceback: ")[2])
        assert "in fail" in told.read_text(encoding="utf-8")
        assert "sekret" not in ended.said + told.read_text(encoding="utf-8")


def test_a_fault_inside_pytest_is_told_in_one_line(tmp_path: Path) -> None:
    """Where a hook of pytest fails, its report is one line, the traceback is in the run's folder, and reports are."""
    planted = (
        "import rampcheck.running.order as o; from rampcheck.cli import main\n"
        "def fail(*_): raise ZeroDivisionError('planted')\n"
        "o.ordered = fail; main(['run', '--contract', 'kryptonim', '--output', 'run'])"
    )
    ended = shell(f'exec {sys.executable} -c "{planted}"', tmp_path)
    assert ended.code == 3, ended.said
    assert "Traceback" not in ended.said
    assert "File" not in ended.said
    assert list((tmp_path / "run").glob("rampcheck-fault-*"))
    assert (tmp_path / "run" / "index.html").exists()


def small_file() -> None:
    """Lets no file of a process grow beyond what the first half of a run takes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


def test_a_full_disk_ends_a_run_with_what_was_judged(tmp_path: Path) -> None:
    """The journal takes no more: exit code 3, the verdict and the failures on the terminal, the way out."""
    command = [
        sys.executable,
        "-m",
        "rampcheck.cli",
        "run",
        "--contract",
        "proof",
        "--defect",
        "fix-amount-false",  # which the first session shows, in whatever order scenarios come
        "--examples",
        "2",
        "--output",
        "run",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=small_file,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "cannot be written: File too large" in done.stdout.replace("\n  ", " ")
    assert "--output" in done.stdout
    assert "Failed: " in done.stdout
    assert "proof.session.fix-amount" in done.stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_folder_that_vanishes_takes_nothing_with_it(workers: str, tmp_path: Path) -> None:
    """The folder is removed in mid-run: what was judged is written anew, every exchange too, and the code is 3."""
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "rampcheck.cli",
        "run",
        "--contract",
        "proof",
        "--latency",
        "0.02",
        "--examples",
        "2",
        "-n",
        workers,
        "--output",
        str(folder),
    ]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        journal = folder / ("journal.jsonl" if workers == "1" else "journal.1.jsonl")
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > 20_000):
            time.sleep(0.02)
        lines = journal.read_text(encoding="utf-8").splitlines()[:-1]
        before = max(json.loads(line).get("number", 0) for line in lines)
        folder.rename(tmp_path / "away")
        printed, _ = process.communicate(timeout=120)
    done = Completed(process.returncode, printed, folder)
    assert done.code == 3, printed
    assert "it is gone" in printed
    assert "Traceback" not in printed
    assert done.results["verdict"] == "incomplete"
    assert not done.results["interrupted"]
    assert done.verdicts("passed")
    assert before in {record["number"] for record in done.records("exchange")}
