"""Traffic that several processes look at: the same comes of it as of one, whatever becomes of them."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rampcheck.errors import ExitCode
from rampcheck.recorded import judgement, processes
from rampcheck.recorded.sight import Sight
from tests.runs import Completed
from tests.test_recorded import archive, judged, profile

TIMES = re.compile(r'"(started|finished)":("[^"]*"|[0-9.]+)')
KEY = b"the same in each"


@pytest.fixture(scope="module", params=["proof", "kryptonim"])
def run(request: pytest.FixtureRequest, conforming: Callable[[str], Completed]) -> Completed:
    """A run of a reference."""
    return conforming(request.param)


@pytest.fixture(scope="module")
def proof(conforming: Callable[[str], Completed]) -> Completed:
    """A run of one reference, where another would show the same."""
    return conforming("proof")


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path, Path, int], str]:
    """Judges a file in so many other processes, a few exchanges at once, and gives the journal without its times."""
    monkeypatch.setattr(judgement.secrets, "token_bytes", lambda _: KEY)
    monkeypatch.setattr(judgement.secrets, "token_hex", lambda _: "0badcafe")
    monkeypatch.setattr(processes, "CHUNK", 7)

    def written(source: Path, profile: Path, count: int) -> str:
        monkeypatch.setattr(judgement, "worth", lambda _: count)
        done = judged(source, profile, tmp_path / f"out-{count}-{source.name}")
        assert done.code in {ExitCode.CONFORMANT, ExitCode.NONCONFORMANT}
        text = (done.folder / "journal.jsonl").read_text(encoding="utf-8")
        head, _, rest = text.partition("\n")
        return TIMES.sub("", head) + rest.rpartition('{"kind":"end"')[0]

    return written


def traffic(run: Completed, folder: Path, text: str = "") -> Path:
    """A run as somebody else has recorded it; in the last answer stands `text`."""
    content = archive(run)
    if text:
        content["log"]["entries"][-1]["response"]["content"] = {"text": json.dumps({"error": text})}
    path = folder / "traffic.har"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_several_processes_find_what_one_does(
    run: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Callable[[Path, Path, int], str]
) -> None:
    """To the byte: of a run's own HAR with its marks, messages and webhooks, and of somebody else's with a secret."""
    told: list[Any] = []
    answer = processes.Helper.answer
    monkeypatch.setattr(processes.Helper, "answer", lambda helper: (told.append(answer(helper)), told[-1])[1])
    for source in (run.folder.parent / "run.har", traffic(run, tmp_path, "made-up-client_token-0123456789")):
        told.clear()
        assert journal(source, profile(run), 2) == journal(source, profile(run), 0)
        assert len(told) > 3
        assert None not in told, "they did not look"


def test_what_a_process_that_was_killed_has_not_found_is_found_all_the_same(
    proof: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Callable[[Path, Path, int], str]
) -> None:
    """Whichever it is, and when all are."""
    source, asked = traffic(proof, tmp_path), iter(range(100))
    one = journal(source, profile(proof), 0)
    answer = processes.Helper.answer

    def killed(helper: Any) -> Any:
        if next(asked) >= 3:
            helper.process.kill()
            helper.process.join(10)
        return answer(helper)

    monkeypatch.setattr(processes.Helper, "answer", killed)
    assert journal(source, profile(proof), 2) == one
    assert next(asked) > 5


def test_nothing_is_waited_for_without_an_end() -> None:
    """Who was stopped does not read what is sent, and has perhaps sent a part of what is awaited."""
    ours, theirs = multiprocessing.Pipe()
    processes.bound(ours, 0.1)
    with ours, theirs:
        with pytest.raises(BlockingIOError):
            ours.send(bytes(1 << 24))
        os.write(theirs.fileno(), b"\0")
        with pytest.raises(BlockingIOError):
            ours.recv()


def test_where_processes_cannot_look_this_one_does(
    proof: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Callable[[Path, Path, int], str]
) -> None:
    """They are given something that they cannot look with."""
    source = traffic(proof, tmp_path)
    one = journal(source, profile(proof), 0)
    start = processes.Helper.__init__
    monkeypatch.setattr(processes.Helper, "__init__", lambda helper, setting: start(helper, setting[:2]))
    assert journal(source, profile(proof), 2) == one


def test_a_fault_is_told_as_that_of_one_process_and_no_process_stays(
    proof: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is raised while the exchanges are taken, here or by somebody who presses Ctrl-C, ends the others."""
    source = traffic(proof, tmp_path)
    monkeypatch.chdir(tmp_path)  # where the traceback of a fault is written
    monkeypatch.setattr(judgement, "worth", lambda _: 2)
    monkeypatch.setattr(processes, "CHUNK", 7)
    for error, code in ((KeyboardInterrupt(), ExitCode.INTERRUPTED), (ArithmeticError("made up"), ExitCode.FAULT)):

        def fail(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(judgement.Judgement, "_judged", fail)
        assert judged(source, profile(proof), tmp_path / type(error).__name__).code == code
        assert multiprocessing.active_children() == []


def test_few_exchanges_are_not_worth_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are many where there is one processor."""
    monkeypatch.setattr(processes, "processors", lambda: 8)
    assert [processes.worth(count) for count in (1, processes.FEWEST - 1)] == [0, 0]
    assert processes.worth(processes.FEWEST) == processes.MOST_PROCESSES
    monkeypatch.setattr(processes, "processors", lambda: 1)
    assert processes.worth(1_000_000) == 0


def test_looking_again_shows_the_same(proof: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever order: what an exchange shows depends on no other one."""
    seen: list[Any] = []

    def twice(sight: Sight, recording: Any) -> Any:
        seen.append((recording, look(sight, recording)))
        return seen[-1][1]

    look = Sight.seen
    monkeypatch.setattr(Sight, "seen", twice)
    kept: list[Sight] = []
    start = Sight.__init__
    monkeypatch.setattr(Sight, "__init__", lambda sight, setting: (kept.append(sight), start(sight, setting))[1])
    judged(proof.folder.parent / "run.har", profile(proof), tmp_path / "out")
    assert len(seen) > 100
    for recording, shown in reversed(seen):
        again = look(kept[0], recording)
        assert again.examined == shown.examined
        assert (again.bodies is None) == (shown.bodies is None)
