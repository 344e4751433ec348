"""A target that takes no signed request twice is sent none twice, and nothing is held against it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rampcheck.contract import profile
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.running.scenario import Target
from rampcheck.sandbox import server
from rampcheck.wire.exchanges import Request

NOTE = "refuses the very same signed body"


def target_of(running: server.RunningReference, output: Path) -> Target:
    """Gives the target of a run of one process."""
    described = profile.from_mapping(running.profile() | {"limits": {"recovery_seconds": 1}}, {})
    return Run(described, Settings("run", bytes(32), folder.claimed(str(output), "kryptonim"))).target(0)


def records(target: Target, kind: str) -> list[dict[str, object]]:
    """Gives the journal's records of a kind."""
    target.judge.settle()
    lines = target.judge._journal.path.read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


@pytest.mark.parametrize("variant", ["replays-refused", "replays-are-conflicts"])
def test_what_is_refused_as_a_repetition_is_sent_otherwise(variant: str, tmp_path: Path) -> None:
    """It is told once; the same request again is another body that means the same."""
    with server.start("kryptonim", variants=[variant]) as running:
        target = target_of(running, tmp_path / "run")
        for _ in range(3):
            target.accepted().unchanged().is_accepted(clause="kryptonim.session.request.optional")
    assert [NOTE in str(note["text"]) for note in records(target, "note")] == [True]
    assert not records(target, "finding") + records(target, "doubt")


def test_what_takes_a_body_twice_is_sent_it_twice(tmp_path: Path) -> None:
    """Of a target that refuses nothing, nothing is tried."""
    with server.start("kryptonim") as running:
        target = target_of(running, tmp_path / "run")
        bodies = {target.accepted().request.body for _ in range(2)}
    assert not records(target, "note")
    assert bodies == {record["request"]["body"].encode() for record in records(target, "exchange")}  # type: ignore[index]


def test_a_fresh_body_means_the_same() -> None:
    """White space after JSON; what is no JSON stays as it is."""
    request = Request("POST", "/", body=b'{"a": 1}')
    first, second = request.freshened(), request.freshened()
    assert first.body != second.body
    assert first.json == second.json == request.json
    assert Request("POST", "/", body=b"{").freshened().body == b"{"
