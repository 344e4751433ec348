"""What a run shows while it goes on: read from its journals, by a clock that the test moves."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rampcheck.contract import register
from rampcheck.contract.profile import from_mapping
from rampcheck.judging.suite import Broken
from rampcheck.running import following
from rampcheck.running.folder import SHARED, claimed, journal_of
from rampcheck.running.forecast import forecast
from rampcheck.running.progress import LONG_WAIT, MOST_BROKEN, Progress, beginning
from rampcheck.running.run import Run, Settings
from rampcheck.wire.exchanges import Exchange, Response, Sent

TOKEN = "a-token-that-must-not-be-shown"
CLAUSE, OTHER = "proof.auth.bearer-required", "proof.auth.unknown-token"
REQUEST = Sent("POST", "https://sandbox.example/widget/session", (), b"{}")


@dataclass
class World:
    """A run in a folder, what is shown of it, and the clock, which only the test moves."""

    run: Run
    now: float = 100.0
    out: io.StringIO = field(default_factory=io.StringIO)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    def progress(self, *, live: bool = False, width: int = 100) -> Progress:
        """Gives what shows the run, without a thread of its own."""
        console = Console(file=self.out, width=width, force_terminal=live, color_system=None, highlight=False)
        return Progress(self.run, console, live=live, clock=lambda: self.now)

    def answered(self, status: int = 200, wait: str = "", *, final: bool = True, times: int = 1) -> Exchange:
        """Writes exchanges to the run's journal, and gives the last."""
        headers = (("retry-after", wait),) if wait else ()
        for _ in range(times):
            exchange = Exchange(
                number=next(self.numbers),
                scenario="x",
                request=REQUEST,
                path="/widget/session",
                response=Response(status, headers, b"{}"),
                started=0.0,
                elapsed=0.0,
                final=final,
            )
            self.run.journal.exchange(exchange)
        return exchange

    def broken(self, clause: str, expected: str = "a 401") -> None:
        """Writes that a clause is broken in the next exchange."""
        finding = self.run.judge.suspected(clause, Broken(expected, "a 200"), self.answered())
        self.run.judge.record([finding])

    def shown(self) -> list[str]:
        """Gives the lines that were shown since the last call."""
        lines = self.out.getvalue().splitlines()
        self.out.seek(0)
        self.out.truncate()
        return lines


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a run, of all clauses or of some, by a profile with these sections."""
    runs: list[Run] = []

    def made(chosen: frozenset[str] | None = None, **sections: Any) -> World:
        data = {"contract": "proof", "base_url": "https://sandbox.example", "credentials": {"client_token": "${T}"}}
        profile = from_mapping({**data, **sections}, {"T": TOKEN})
        patterns = tuple(sorted(chosen or ()))
        folder, all_chosen = claimed(str(tmp_path / "run"), "proof"), register.load("proof").selected(patterns)
        runs.append(Run(profile, Settings("run", bytes(32), folder, patterns=patterns, chosen=all_chosen)))
        return World(runs[-1])

    yield made
    for run in runs:
        run.close()


def test_a_run_says_what_it_sets_out_to_do(make: Callable[..., World]) -> None:
    """The target, the contract, how many clauses of how many, what the profile lacks, requests and time."""
    world = make(environment="sandbox", limits={"requests_per_second": 2})
    run = world.run
    ahead = forecast(run.profile, run.contract, run.settings.chosen)
    target, clauses, size = beginning(run, ahead)
    assert target == f"{run.contract.title} {run.contract.version} at https://sandbox.example (sandbox)"
    assert f"It tries {len(ahead.verified)} of {len(run.contract.clauses)} clauses" in clauses
    assert f"For {len(ahead.gaps)} clauses the profile lacks something." in clauses
    assert f"about {ahead.requests} requests, and takes about {round(ahead.requests / 2 / 60)} min" in size


def test_a_part_is_told_as_one(make: Callable[..., World]) -> None:
    """Of one clause, one is tried, with its share of the requests."""
    run = make(frozenset({CLAUSE})).run
    ahead = forecast(run.profile, run.contract, run.settings.chosen)
    assert ahead.verified == (CLAUSE,)
    assert ahead.requests == 10
    assert "It tries 1 of" in list(beginning(run, ahead))[1]
    assert "what its exchanges show of other clauses is judged, too" in list(beginning(run, ahead))[1]


def test_a_log_has_a_line_every_thirty_seconds(make: Callable[..., World]) -> None:
    """Not sooner, and with what happened until then."""
    world = make()
    progress = world.progress()
    about = forecast(world.run.profile, world.run.contract).requests
    world.answered(times=10)
    world.now += 29
    progress.look()
    assert world.shown() == []
    progress.pytest_xdist_node_collection_finished(["a", "b", "c"])
    progress.pytest_runtest_logfinish()
    world.answered(times=10)
    world.now += 1
    progress.look()
    (line,) = world.shown()
    assert line.startswith(f"After 30 s: 1/3 scenarios, 20 of about {about} requests")
    world.now += 29
    progress.look()
    assert world.shown() == []
    world.now += 1
    progress.look()
    assert world.shown()[0].startswith("After 60 s: 1/3 scenarios, 20 of")


def test_the_rate_and_the_time_left_are_those_of_the_last_seconds(make: Callable[..., World]) -> None:
    """Ten requests a second, and what is left at that."""
    world = make()
    progress = world.progress()
    about = forecast(world.run.profile, world.run.contract).requests
    for _ in range(31):
        world.now += 1
        world.answered(times=10)
        progress.look()
    left = -(-(about - 300) // 10)
    expected = f"{left} s left, 10.0/s" if left < 120 else f"{round(left / 60)} min left, 10.0/s"
    assert world.shown()[0].endswith(expected)


def test_the_time_left_does_not_jump_with_the_speed_of_a_scenario(make: Callable[..., World]) -> None:
    """Nothing is said in the first seconds; then a scenario of a tenth of the speed changes it by little at a time."""
    world = make(limits={"requests_per_second": 0})
    progress = world.progress()
    for _ in range(9):
        world.now += 1
        world.answered(times=20)
        progress.look()
        assert progress._rest is None
    told = []
    for speed in (*[20] * 6, *[2] * 10, *[40] * 4):
        world.now += 1
        world.answered(times=speed)
        progress.look()
        told.append(progress._rest or 0)
    assert max(abs(later - earlier) for earlier, later in pairwise(told)) < 3
    assert told[0] > 1


def test_the_time_left_does_not_jump_while_events_are_waited_for(make: Callable[..., World]) -> None:
    """A run in which half a minute nothing is sent takes no other time for the rest than before."""
    world = make()
    progress = world.progress()
    for _ in range(29):
        world.now += 1
        world.answered(times=10)
        progress.look()
    for _ in range(30):
        world.now += 1
        progress.look()
    lines = world.shown()
    left = [re.search(r"(\d+) s left", line) for line in [*lines, *world.shown()]]
    about = forecast(world.run.profile, world.run.contract).requests
    assert [int(found[1]) for found in left if found] == [round((about - 290) / 10)]


def test_more_than_was_expected_is_no_end(make: Callable[..., World]) -> None:
    """While scenarios are to come, more requests are expected than were sent."""
    world = make(frozenset({CLAUSE}))
    progress = world.progress()
    progress.pytest_xdist_node_collection_finished(["a", "b", "c"])
    world.answered(times=12)
    world.now += 30
    progress.look()
    assert "0/3 scenarios, 12 of about 15 requests" in world.shown()[0]


def test_a_live_line_is_cut_at_the_width(make: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal, too, it is one line."""
    monkeypatch.setenv("COLUMNS", "20")
    world = make()
    progress = world.progress(live=True, width=20)
    progress.begin()
    world.shown()
    progress.pytest_xdist_node_collection_finished(["a"] * 100)
    world.answered(times=3)
    progress.look()
    progress.stop()
    lines = [re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", line.rpartition("\x1b[2K")[2]) for line in world.shown()]
    assert any(line.startswith("0/100 scenarios, 3 o") for line in lines), lines
    assert max(map(len, lines)) <= 20


def test_what_is_broken_is_told_once_as_it_is_found(make: Callable[..., World]) -> None:
    """The first finding of each clause, and how many clauses there are; by its level, and with a waiver."""
    world = make(waivers=[{"clause": OTHER, "reason": "ticket 1"}])
    progress = world.progress()
    world.broken(CLAUSE)
    world.broken(CLAUSE)
    progress.look()
    assert world.shown() == [f"✗ {CLAUSE}: expected a 401; actual a 200 (exchange 1)"]
    world.broken(OTHER)
    world.now += 30
    progress.look()
    told, line = world.shown()
    assert told.startswith(f"≈ {OTHER}: ")
    assert "2 clauses broken" in line


def test_of_very_many_broken_clauses_the_first_are_told(make: Callable[..., World]) -> None:
    """The others are counted."""
    world = make()
    progress = world.progress()
    musts = [clause.id for clause in world.run.contract.clauses.values() if clause.level == "must"]
    for clause in musts[: MOST_BROKEN + 5]:
        world.broken(clause)
    world.now += 30
    progress.look()
    lines = world.shown()
    assert len([line for line in lines if line.startswith("✗ ")]) == MOST_BROKEN
    assert "only counted" in lines[-2]
    assert f"{MOST_BROKEN + 5} clauses broken" in lines[-1]


def test_no_secret_and_no_command_is_shown(make: Callable[..., World]) -> None:
    """What a finding holds has passed the redactor, and is made visible."""
    world = make()
    progress = world.progress(width=400)
    world.broken(CLAUSE, f"{TOKEN} \x1b[2J ##vso[task.x]y")
    progress.look()
    (line,) = world.shown()
    assert TOKEN not in line
    assert "[redacted client_token" in line
    assert "\x1b" not in line
    assert "##vso[" not in line


def test_a_wait_that_the_target_asks_for_is_told_with_its_length(make: Callable[..., World]) -> None:
    """A long one at once and one at a time, a short one not; a line says how much of it is left."""
    world = make()
    progress = world.progress()
    world.answered(429, f"{LONG_WAIT - 1:.0f}", final=False)
    progress.look()
    assert world.shown() == []
    world.now += LONG_WAIT
    world.answered(429, "40", final=False)
    world.answered(503, "40", final=False)
    progress.look()
    assert world.shown() == ["The target answers 429 and asks to wait 40 s (Retry-After): the run waits."]
    world.now += 30
    progress.look()
    assert "After 35 s: waiting 10 s as the target asks, 3 of" in world.shown()[0]
    world.now += 30
    progress.look()
    assert "waiting" not in world.shown()[0]


def test_an_answer_that_is_not_asked_for_again_is_no_wait(make: Callable[..., World]) -> None:
    """The last of the attempts."""
    world = make()
    progress = world.progress()
    world.answered(429, "40", final=True)
    progress.look()
    assert world.shown() == []


def test_workers_are_followed_too(make: Callable[..., World]) -> None:
    """Their journals count, and what they have to tell is told."""
    world = make()
    folder = world.run.settings.output
    progress = world.progress()
    world.answered(times=2)
    own = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    journal_of(folder, 1).write_bytes(own[-1])
    (folder / SHARED).mkdir()
    following.tell(folder, "The target does not answer.")
    world.now += 30
    progress.look()
    told, line = world.shown()
    assert told == "The target does not answer."
    assert ": 3 of about" in line


def test_where_nothing_comes_that_is_told(make: Callable[..., World]) -> None:
    """A worker that hangs, say: within seconds the line says for how long, until something comes again."""
    world = make()
    progress = world.progress()
    for elapsed, is_quiet in ((29, False), (2, False), (30, True)):
        if not is_quiet:
            world.answered()
        world.now += elapsed
        progress.look()
        world.now += 1
        progress.look()
    (before, after) = world.shown()
    assert "nothing came" not in before
    assert "nothing came for 3" in after


def test_a_line_that_is_not_whole_waits_for_its_rest(tmp_path: Path) -> None:
    """What a process is just writing is read when it is there, once."""
    journal = tmp_path / "journal.jsonl"
    line = json.dumps({"kind": "note", "text": "ä"}, ensure_ascii=False).encode() + b"\n"
    read = following.Following(tmp_path)
    assert list(read.records()) == []
    journal.write_bytes(line[:-5])
    assert list(read.records()) == []
    journal.write_bytes(line + line[:3])
    assert list(read.records()) == [{"kind": "note", "text": "ä"}]
    assert list(read.records()) == []


def test_what_cannot_be_told_stops_nothing(tmp_path: Path) -> None:
    """The folder is gone: neither who tells nor who reads notices."""
    following.tell(tmp_path / "gone", "text")
    assert following.Following(tmp_path / "gone").told() == []
