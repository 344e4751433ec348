"""A hostile target crashes no run, holds none up, fills no memory, and is convicted of nothing but what it broke."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rampcheck.exchanges import DEEPEST, NOT_JSON, parse_json
from rampcheck.reference import builtin_profile, server
from rampcheck.report import load, write_reports
from tests import hostile_target
from tests.hostile_target import BROKEN, LARGE, ODD, REFUSED, STRANGE, UNANSWERED, Behaviour
from tests.runs import Completed

COMPLETE = "kryptonim.session.complete"
ONE_SCENARIO = ("-k", "small_and_large")
MOST_MEMORY = 300 * 1000 * 1000
HUNG = 120  # seconds after which a run is taken for one that never ends
# What the child does: it runs the program, writes its peak memory to a file, and ends with its exit code.
MEASURED = """
import pathlib, resource, subprocess, sys
done = subprocess.run(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
pathlib.Path(sys.argv[1]).write_text(str(peak * (1 if sys.platform == "darwin" else 1024)))
sys.exit(done.returncode)
"""


def run(base_url: str, folder: Path, *options: str, requests: int = 60) -> Completed:
    """Runs Kryptonim's suite and checks what holds of every run: it ends, in bounds, with a verdict and reports."""
    profile = builtin_profile("kryptonim", base_url) | {
        "limits": {"timeout_seconds": 1, "requests_per_second": 0, "max_requests": requests},
    }
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    command = [sys.executable, "-m", "rampcheck.cli", "run", str(folder / "profile.yaml"), "--output",
               str(folder / "run"), *options]
    done = subprocess.run([sys.executable, "-c", MEASURED, str(folder / "peak"), *command], capture_output=True,
                          text=True, check=False, timeout=HUNG)
    completed = Completed(done.returncode, done.stdout + done.stderr, folder / "run")
    assert completed.code in {0, 1, 5}, completed.printed
    assert completed.results["faults"] == []
    assert int((folder / "peak").read_text()) < MOST_MEMORY
    assert completed.records("exchange")
    assert len(completed.records("end")) == 1
    assert (folder / "run" / "index.html").stat().st_size > 0
    return completed


def against(behaviour: Behaviour, folder: Path, requests: int = 60) -> Completed:
    """Runs one scenario against a target that behaves in this way from the first request on."""
    with hostile_target.serve(behaviour) as base_url:
        return run(base_url, folder, *ONE_SCENARIO, requests=requests)


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The base URL of a conforming server."""
    with server.start("kryptonim") as running:
        yield running.base_url


NO_SESSION = UNANSWERED | REFUSED | STRANGE


@pytest.mark.parametrize("behaviour", NO_SESSION.values(), ids=list(NO_SESSION))
def test_what_gives_no_session_is_inconclusive(behaviour: Behaviour, tmp_path: Path) -> None:
    """A target that never gave anything like a session is not judged, and the reason is written down."""
    completed = against(behaviour, tmp_path)
    assert (completed.code, completed.results["verdict"]) == (5, "inconclusive")
    assert "127.0.0.1" in completed.results["reason"]
    assert completed.verdicts("failed", "advisory") == {}


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=list(BROKEN))
def test_what_is_no_session_is_a_finding(behaviour: Behaviour, tmp_path: Path) -> None:
    """A 2xx that no JSON parser reads as a session breaks that promise and no other `must`."""
    completed = against(behaviour, tmp_path)
    assert completed.code == 1
    assert set(completed.verdicts("failed")) == {COMPLETE}


@pytest.mark.parametrize("behaviour", ODD.values(), ids=list(ODD))
def test_an_odd_session_is_a_session(behaviour: Behaviour, tmp_path: Path) -> None:
    """What the documentation does not speak of is no finding, however strange."""
    completed = against(behaviour, tmp_path, requests=400)  # which also says how much is read
    assert completed.code == 0
    assert completed.clause(COMPLETE)["verdict"] == "passed"


def test_a_conforming_target_that_falls_silent_is_not_convicted(reference: str, tmp_path: Path) -> None:
    """Where hostile answers of every kind come between good ones, what they hit is not judged, and nothing fails."""
    with hostile_target.serve(*UNANSWERED.values(), upstream=reference, good=3) as base_url:
        completed = run(base_url, tmp_path, "--examples", "2", requests=1000)
    assert (completed.code, completed.results["verdict"]) == (5, "incomplete"), completed.verdicts("failed")
    failures = [record["failure"]["kind"] for record in completed.records("exchange") if record["failure"]]
    assert len(failures) >= len(UNANSWERED) - 1  # one of them is sent again, and the network may repeat that
    assert set(failures) >= {"too_large", "timeout", "truncated", "encoding"}
    assert completed.clause(COMPLETE)["verdict"] == "passed"


def test_a_target_that_turns_hostile_is_judged_to_the_end(reference: str, tmp_path: Path) -> None:
    """Broken and odd answers among good ones: findings, a verdict, and reports that can be made again."""
    behaviours = [*BROKEN.values(), *ODD.values(), *REFUSED.values()] * 2
    with hostile_target.serve(*behaviours, upstream=reference, good=3) as base_url:
        completed = run(base_url, tmp_path, "--examples", "2", requests=1000)
    assert completed.code == 1
    assert completed.clause(COMPLETE)["verdict"] == "failed"
    exchanges = {record["number"]: record for record in completed.records("exchange")}
    write_reports(tmp_path / "again", load(completed.folder), exchanges)
    assert (tmp_path / "again" / "index.html").read_bytes() == (completed.folder / "index.html").read_bytes()


def test_large_answers_fill_no_memory(tmp_path: Path) -> None:
    """Answers as large as may be, to every request of a long run, end in what a run reads altogether."""
    with hostile_target.serve(LARGE) as base_url:
        completed = run(base_url, tmp_path, "--examples", "2", requests=1000)
    kinds = {record["failure"]["kind"] for record in completed.records("exchange") if record["failure"]}
    assert kinds == {"too_large"}


@pytest.mark.parametrize(("levels", "is_json"), [(DEEPEST, True), (DEEPEST + 1, False), (1_000_000, False)])
@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_nesting_is_read_to_a_depth(levels: int, is_json: bool, opened: bytes, closed: bytes) -> None:
    """As deep as documents are, whatever Python's own limit is; brackets in a string do not count."""
    body = opened * levels + b'"[[[{{{"' + closed * levels
    assert (parse_json(body) is not NOT_JSON) is is_json


def test_brackets_side_by_side_are_not_deep() -> None:
    """Many arrays, and a string full of brackets, are flat."""
    assert parse_json(b"[" + b"[]," * 1000 + b'"' + b"[{" * 1000 + b'\\"["]') is not NOT_JSON
