"""What bounds a run in time, and the findings of one answer in number."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from rampcheck.contract import register
from rampcheck.contract.profile import Profile, from_mapping
from rampcheck.contract.register import Cause
from rampcheck.errors import BudgetSpent, Inconclusive, RunOver, Throttled
from rampcheck.judging import suite as suites
from rampcheck.judging.causes import follows
from rampcheck.judging.evidence import collect
from rampcheck.judging.findings import MOST_SHOWN, MOST_TOLD, Finding, Judge, listed
from rampcheck.judging.folding import KEPT, folded_findings
from rampcheck.running.baseline import find
from rampcheck.wire import client as clients
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Message, Request
from rampcheck.wire.journal import Journal, from_record, read_records
from rampcheck.wire.limits import Budget, Deadline
from rampcheck.wire.presence import LONGEST_THROTTLED, MOST_LOCKED, MOST_THROTTLED, Presence
from rampcheck.wire.redaction import Redactor
from tests import samples
from tests.answering import OK, answer, answering
from tests.runs import Completed, rampcheck

ROOT = Path(__file__).parents[1]
PROOF = register.load("proof")
PATIENCE = 120  # seconds for a child process that takes one
MISSING = 8  # members of a message that has none of them
DECLARED = {"contract": "proof", "credentials": {"client_token": "token-of-nobody"}}


# Durations are measured by a clock that nobody puts back.

# Where the wall clock is meant: a moment that is told, or compared with what the target says of the same.
MOMENTS = {
    "rampcheck/wire/client.py": 2,  # when an exchange began, and the moment that may be signed
    "rampcheck/running/recovery.py": 2,  # when an outage ended, or was told of
    "rampcheck/wire/channel.py": 2,  # when a message, or a close, came
    "rampcheck/wire/receiver.py": 2,  # when a webhook came and was answered
    "rampcheck/running/folder.py": 1,  # the name of the folder
    "rampcheck/running/replay.py": 1,  # the moment that may be signed
    "rampcheck/running/run.py": 2,  # when a run began and ended
    "rampcheck/running/incidents.py": 1,  # the name of a file
    "rampcheck/certification/certifying.py": 2,  # when a certification began and ended
    "rampcheck/certification/recording.py": 1,  # a moment, once; what goes by after it is measured
    "rampcheck/recorded/judgement.py": 2,  # when traffic was judged, and until when
    "rampcheck/selftest/__init__.py": 2,  # when a selftest began and ended
    "rampcheck/selftest/peer_hooks.py": 1,  # the moment that may be signed
    "rampcheck/doctor/asking.py": 1,  # when a diagnosis ended
    "suites/proof/asking.py": 1,  # how old a session is; of no more than what others took to be known
    "rampcheck/signoff/signing.py": 1,  # when somebody signed
    "rampcheck/signoff/commands.py": 1,  # whether a signed run holds today
    "rampcheck/wire/retries.py": 1,  # a Retry-After that is a date of somebody's wall clock
}
WALL_CLOCKS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def wall_clocks(file: Path) -> int:
    """How often a module reads a clock that may be put back, the modification times of files among them."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return sum(
        node.attr in {"st_mtime", "st_ctime", "getmtime"}
        or (isinstance(node.value, ast.Name) and (node.value.id, node.attr) in WALL_CLOCKS)
        for node in nodes
        if isinstance(node, ast.Attribute)
    )


def test_the_wall_clock_is_read_for_moments_only() -> None:
    """No module of the engine or a suite reads it but those that tell when something was. The reference is a server."""
    files = [*(ROOT / "rampcheck").rglob("*.py"), *(ROOT / "suites").rglob("*.py")]
    read = {file.relative_to(ROOT).as_posix(): wall_clocks(file) for file in files if "sandbox" not in file.parts}
    assert {name: times for name, times in read.items() if times} == MOMENTS


def test_a_wall_clock_that_goes_back_stops_no_one(tmp_path: Path) -> None:
    """After it went back an hour, the limit that workers share lets requests through as before."""
    program = """
import sys, time
from pathlib import Path
from rampcheck.wire.limits import Budget
first, second = (Budget(50, 1000, Path(sys.argv[1])) for _ in range(2))
for _ in range(50):
    first.take()
wall, wall_ns = time.time, time.time_ns
time.time, time.time_ns = lambda: wall() - 3600, lambda: wall_ns() - 3600 * 10**9
import pyrate_limiter.buckets.sqlite_bucket as library
library.time_ns = time.time_ns
for _ in range(60):
    second.take()
print("through")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert done.stdout == "through\n"


# A run comes to its end.


def test_a_deadline_is_one_for_all_processes() -> None:
    """It counts from a moment of the monotonic clock, not from when a process has begun."""
    assert Deadline(1, time.monotonic() - 61).left() == 0
    assert 0 < Deadline(1, time.monotonic() - 30).left() <= 30
    assert Deadline().left() == float("inf")


def test_spent_time_ends_the_run_for_all(tmp_path: Path) -> None:
    """Who meets it tells the others, and nobody sends any more; a run that nobody cut short has not ended."""
    spent, other = Presence(5, tmp_path, Deadline(1, time.monotonic() - 61)), Presence(5, tmp_path)
    assert not spent.ended
    with pytest.raises(RunOver, match=r"limits\.max_minutes"):
        spent.wait()
    with pytest.raises(RunOver, match=r"limits\.max_minutes"):
        other.wait()
    assert "1 minutes" in other.ended


def test_a_wait_for_the_rate_ends_with_the_run() -> None:
    """A request that may go in an hour only is not waited for beyond the run's time."""
    budget = Budget(1 / 3600, 10, deadline=Deadline(0.01))
    budget.take()
    with pytest.raises(RunOver, match=r"limits\.max_minutes"):
        budget.take()


@contextmanager
def refusing(*headers: tuple[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A server that answers each request with 429; gives its base URL and the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(429)
            for name, value in (*headers, ("Content-Length", "0")):
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def profile_of(base_url: str, **limits: float) -> Profile:
    """A profile of a target with these limits."""
    return from_mapping({**DECLARED, "base_url": base_url, "limits": limits}, {})


def client_of(profile: Profile, presence: Presence, seen: list[Exchange]) -> Client:
    """A client without a rate limit."""
    return Client(profile, suites.load("proof").authenticate, Lane("run"), Budget(0, 1000), seen.append, presence)


ASKED = Request("POST", "/widget/session", body=b"{}", credential="client_token")


@pytest.mark.parametrize("shared", [False, True])
def test_what_does_not_fit_uses_nothing_up(shared: bool, tmp_path: Path) -> None:
    """Requests that have to go together need as many; one that goes alone takes what they could not use."""
    budget = Budget(0, 3, tmp_path if shared else None)
    assert budget.take(2) == 2
    with pytest.raises(BudgetSpent, match="the 3 requests"):
        budget.take(2)
    assert budget.take() == 1
    with pytest.raises(BudgetSpent):
        budget.take()


def test_a_target_that_only_answers_429_ends_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After a few refusals though the waits were kept, with what was answered and what to do; for all processes."""
    monkeypatch.setattr(clients.time, "sleep", lambda _: None)
    presence, seen = Presence(5, tmp_path), list[Exchange]()
    with refusing(("Retry-After", "1")) as (base_url, asked):
        client = client_of(profile_of(base_url), presence, seen)
        with pytest.raises(Throttled, match=r"429 .* 4 times in a row and asked to wait 1 s \(Retry-After\)"):
            client.send(ASKED, "one")
        with pytest.raises(RunOver, match=r"lets no request through: .*lower `limits\.requests_per_second`.*ask the v"):
            client.send(ASKED, "two")
        client.close()
    assert len(asked) == MOST_THROTTLED + 2
    assert [exchange.final for exchange in seen if exchange.final] == [True, True]
    with pytest.raises(RunOver, match="lets no request through"):
        Presence(5, tmp_path).wait()


def test_waits_that_add_up_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute asked for again and again is kept a few times, not for hours."""
    waits: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", waits.append)
    with refusing(("Retry-After", "60")) as (base_url, _):
        client = client_of(profile_of(base_url), Presence(5), [])
        with pytest.raises(RunOver, match="lets no request through"):
            client.send(ASKED, "one")
        client.close()
    assert sum(waits) == LONGEST_THROTTLED


def test_who_asks_for_no_wait_and_refuses_again_is_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a target that answers `Retry-After: 0` for good would be asked for all of the run, without a pause."""
    waits: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", waits.append)
    with refusing(("Retry-After", "0")) as (base_url, asked):
        client = client_of(profile_of(base_url), Presence(5), [])
        with pytest.raises(Throttled):
            client.send(ASKED, "one")
        with pytest.raises(RunOver, match="lets no request through"):
            client.send(ASKED, "two")
        client.close()
    assert waits[:3] == [0.0, 1.0, 2.0]
    assert len(asked) <= MOST_THROTTLED + 2


def test_a_lock_that_outlasts_every_wait_ends_the_run() -> None:
    """Who asks for ten minutes is not waited for, nor asked hundreds of times, and is no matter of the rate."""
    presence = Presence(5)
    with refusing(("Retry-After", "600")) as (base_url, asked):
        client = client_of(profile_of(base_url), presence, [])
        for _ in range(MOST_LOCKED - 1):
            with pytest.raises(Throttled, match=r"once and asked to wait 600 s \(Retry-After\); that is .* of a lock"):
                client.send(ASKED, "one")
        with pytest.raises(RunOver, match=r"lets no request through: .* asked to wait 600 s .* run again when"):
            client.send(ASKED, "one")
        client.close()
    assert len(asked) == MOST_LOCKED
    presence.let_through()
    assert not presence.is_throttled


def test_refusals_within_a_moment_do_not_end_a_run() -> None:
    """Where the target asks to wait no time at all, a burst of refusals says nothing of the next minute."""
    presence = Presence(5)
    for _ in range(10 * MOST_THROTTLED):
        presence.throttle(0)
    assert not presence.is_throttled


def test_another_answer_in_between_is_patience(tmp_path: Path) -> None:
    """What was refused before it is forgotten, by all processes."""
    presence, other = Presence(5, tmp_path), Presence(5, tmp_path)
    for _ in range(MOST_THROTTLED):
        presence.throttle(1)
    assert other.is_throttled
    other.let_through()
    assert not presence.is_throttled


def test_a_wait_that_is_longer_than_the_run_is_not_begun() -> None:
    """The answer is the last one, and the run goes on with what time it has."""
    seen: list[Exchange] = []
    with answering(answer(429, "Retry-After: 50"), OK) as base_url:
        client = client_of(profile_of(base_url), Presence(5, deadline=Deadline(0.5)), seen)
        with pytest.raises(Throttled):
            client.send(ASKED, "one")
        assert client.send(ASKED, "two").accepted
        client.close()
    assert [exchange.status for exchange in seen] == [429, 200]


def test_a_baseline_that_meets_nothing_but_429_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No word of the network: what was answered, and what to do."""
    monkeypatch.setattr(clients.time, "sleep", lambda _: None)
    with refusing(("Retry-After", "30")) as (base_url, _):
        profile = profile_of(base_url)
        judge = judge_of(profile, tmp_path)
        client = client_of(profile, Presence(5), [])
        with pytest.raises(Inconclusive, match=r"429 .*wait 30 s \(Retry-After\).*lower `limits\.requests") as refused:
            find(profile, suites.load("proof"), client, judge, "run")
        client.close()
    assert "network" not in str(refused.value)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_a_run_ends_when_its_time_is_spent(workers: list[str], tmp_path: Path) -> None:
    """What was judged counts, the rest is not tried for that one reason, and the reports say so: incomplete, exit 5."""
    (tmp_path / "target.py").write_text(SERVING, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "target.py"), str(tmp_path / "target.json")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as serving:
        assert serving.stdout is not None
        serving.stdout.readline()
        described = json.loads((tmp_path / "target.json").read_text(encoding="utf-8"))
        described["limits"] |= {"max_minutes": 0.15}
        (tmp_path / "profile.json").write_text(json.dumps(described), encoding="utf-8")
        done = rampcheck(str(tmp_path / "profile.json"), *workers, folder=tmp_path / "run")
        serving.communicate(b"\n")
    demand_cut(done)


SERVING = """
import json, sys
from rampcheck.sandbox import server
with server.start("proof", latency=0.2) as running:
    open(sys.argv[1], "w").write(json.dumps(running.profile()))
    print("there", flush=True)
    sys.stdin.readline()
"""


def demand_cut(done: Completed) -> None:
    """What a run says that was cut short by its time."""
    reason = done.results["reason"]
    assert (done.code, done.results["verdict"]) == (5, "incomplete")
    assert "0.15 minutes that a run may take were used up" in reason
    assert {
        clause["reason"].partition("; it held")[0]
        for clause in done.results["clauses"]
        if clause.get("gap") == "unexpected"
    } >= {reason}
    assert f"The run ended early: {reason}." in " ".join(done.printed.split())
    for report in ("summary.md", "index.html", "junit.xml"):
        assert "minutes that a run may take were used up" in (done.folder / report).read_text(encoding="utf-8")


# Thousands of findings in one answer.


def judge_of(profile: Profile, folder: Path) -> Judge:
    """A judge that writes to a folder."""
    journal = Journal(folder / "journal.jsonl", Redactor(b"key"), frozenset())
    return Judge(PROOF, suites.load("proof"), profile, journal)


def test_folding_takes_a_time_that_grows_with_the_findings() -> None:
    """Two hundred thousand findings of one exchange; what compares each with each does not end within the day."""
    program = """
from rampcheck.judging.causes import follows
from rampcheck.contract.register import Cause
from rampcheck.judging.findings import Finding
causes = [Cause("c.json", frozenset({"c.echo", "c.all"})), Cause("c.all", frozenset({"c.echo"}), anywhere=True)]
found = [Finding(clause, str(number), "2", 1, "", "schema", (part,), "changed") for number in range(50_000)
         for clause, part in (("c.json", "body.b"), ("c.all", "body.a"), ("c.echo", "body.a"), ("c.echo", "body.z"))]
print(follows(causes, found, {1: "accepted"}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "{'c.echo': ('c.all',)}\n"


def test_a_flood_of_messages_is_counted_and_a_few_are_kept(tmp_path: Path) -> None:
    """A WebSocket of a thousand messages, each with everything wrong: a few findings a clause, and the count of all."""
    judge = judge_of(profile_of("http://127.0.0.1:9"), tmp_path)
    upgrade = from_record(samples.exchange(1, 101, final=True, protocol="websocket", path="/ws?tx_id=1"))
    messages = tuple(
        Message("incoming", 1.8e9 + number, b'{"event":"tx.update","n":%d}' % number) for number in range(1000)
    )
    asked = replace(upgrade.request, method="GET")
    judge.begin("flood")
    judge.see(replace(upgrade, request=asked, messages=messages))
    judge._journal.close()
    account = collect(read_records(tmp_path / "journal.jsonl"))
    kept = account.clauses["proof.ws.event"].findings
    assert 0 < len(kept) <= KEPT
    assert sum(one["times"] for one in folded_findings(map(asdict, kept))) == 1000 * MISSING


def test_very_many_findings_of_a_run_keep_no_text(tmp_path: Path) -> None:
    """Beyond a number they are written without: what explains them is known, and how many they are."""
    judge = judge_of(profile_of("http://127.0.0.1:9"), tmp_path)
    judge.begin("many")
    judge.record(
        Finding("proof.session.complete", "x" * 500, "y" * 500, number, "many", about=("body.a",))
        for number in range(3 * MOST_TOLD)
    )
    judge._journal.close()
    kept = collect(read_records(tmp_path / "journal.jsonl")).clauses["proof.session.complete"]
    assert [bool(one.actual) for one in kept.findings].count(True) == MOST_TOLD
    assert {one.about for one in kept.findings} == {("body.a",)}
    assert kept.exercised == 3 * MOST_TOLD
    assert [one["times"] for one in folded_findings(map(asdict, kept.findings))] == [3 * MOST_TOLD]
    assert listed(judge.findings).count("\n") == MOST_SHOWN
    assert follows([Cause("c.a", frozenset({"c.b"}))], kept.findings) == {}
