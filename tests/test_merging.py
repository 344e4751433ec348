"""The shards of a run over real sockets: together they come to what a whole run comes to, or it is told why not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from rampcheck.running.shards import VARIABLE
from rampcheck.sandbox import server
from rampcheck.signoff import contents, keys, signing
from rampcheck.signoff.signing import Signatory
from rampcheck.wire.receiver import free_port
from tests.runs import Completed, commanded, rampcheck

ENVIRONMENT = {**os.environ, VARIABLE: "a secret of the pipeline, and its run 4711"}
FEW = ("--examples", "5")


def report(*arguments: str | Path) -> Completed:
    """Runs `rampcheck report`; the folder is the one named last."""
    return Completed(*commanded("report", *map(str, arguments)), Path(arguments[-1]))


@contextmanager
def reference(contract: str, folder: Path) -> Iterator[Path]:
    """Gives the profile of a reference that is there for several runs."""
    with server.start(contract, webhook_url=f"http://127.0.0.1:{free_port()}/webhooks") as running:
        path = folder / f"{contract}.yaml"
        path.write_text(yaml.safe_dump(running.profile()), encoding="utf-8")
        yield path


def sharded(profile: Path, of: int, folder: Path, *options: str, at_once: int = 2) -> list[Completed]:
    """Runs all shards of a run, so many at a time."""

    def one(index: int) -> Completed:
        where = folder / f"{index}of{of}"
        return rampcheck(str(profile), "--shard", f"{index}/{of}", *options, folder=where, environment=ENVIRONMENT)

    with ThreadPoolExecutor(at_once) as machines:
        return list(machines.map(one, range(1, of + 1)))


def merged(shards: Sequence[Completed], output: Path) -> Completed:
    """Puts shards together."""
    return report(*(shard.folder for shard in shards), "--output", output)


@dataclass(frozen=True)
class Runs:
    """The same target, judged at once and in shards."""

    whole: Completed
    two: list[Completed]
    four: list[Completed]


@pytest.fixture(scope="module", params=["proof", "kryptonim"])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Whole runs of a reference."""
    folder = tmp_path_factory.mktemp(request.param)
    with reference(request.param, folder) as profile:
        whole = rampcheck(str(profile), *FEW, "-n", "2", folder=folder / "whole")
        return Runs(whole, sharded(profile, 2, folder, *FEW, "-n", "2"), sharded(profile, 4, folder, *FEW))


@pytest.mark.parametrize("of", ["two", "four"])
def test_shards_come_to_what_the_whole_run_comes_to(runs: Runs, of: str, tmp_path: Path) -> None:
    """Each holds for its part and cannot be signed; together they have the whole run's verdicts, and can be."""
    shards: list[Completed] = getattr(runs, of)
    assert [(shard.code, shard.results["verdict"]) for shard in shards] == [(0, "partial")] * len(shards)
    assert [shard.results["selection"]["shard"][0] for shard in shards] == [str(n + 1) for n in range(len(shards))]
    made = merged(shards, tmp_path / "merged")
    results, whole = made.results, runs.whole.results
    assert (made.code, results["verdict"]) == (runs.whole.code, whole["verdict"]) == (0, "conformant"), made.printed
    assert {c["id"]: c["verdict"] for c in results["clauses"]} == {c["id"]: c["verdict"] for c in whole["clauses"]}
    assert "shard" not in results["selection"]
    numbers = [record["number"] for record in made.records("exchange")]
    assert len(set(numbers)) == len(numbers) == sum(len(shard.records("exchange")) for shard in shards)
    assert results["requests"] == sum(shard.results["requests"] for shard in shards)
    for clause in results["clauses"]:  # The history of all may hold more than the histories of each.
        assert clause["exercised"] >= sum(shard.clause(clause["id"])["exercised"] for shard in shards)
    _can_be_signed(made.folder, shards[0].folder, tmp_path / "key.pem")
    again = report(made.folder)
    assert (again.code, "Not as it stood" in again.printed) == (0, False)


def _can_be_signed(folder: Path, shard: Path, key: Path) -> None:
    keys.generate(key, {})
    who = Signatory("provider", "Ms Provider", "Head of QA", key)
    signing.sign(folder, who, {})
    assert contents.read(folder).unlike_results() == []
    with pytest.raises(Exception, match="there is nothing to sign"):
        signing.sign(shard, who, {})


@pytest.mark.parametrize("command", ["compare", "verify"])
def test_a_run_of_shards_is_a_run_like_any(runs: Runs, tmp_path: Path, command: str) -> None:
    """It does not differ from the whole run, and comes to the same when it is judged again."""
    made = merged(runs.two, tmp_path / "merged")
    arguments = [runs.whole.folder, made.folder] if command == "compare" else [made.folder, "--rejudge"]
    asked = [sys.executable, "-m", "rampcheck.cli", command, *map(str, arguments)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if command == "compare":
        assert (done.returncode, "No difference" in done.stdout) == (0, True), done.stdout
    else:
        assert "judged again with the same verdict" in done.stdout
        assert "✗" not in "".join(line for line in done.stdout.splitlines() if "judged" in line), done.stdout


def test_the_same_secret_has_the_same_mark_in_all_shards(runs: Runs) -> None:
    """So that what must not be repeated can be compared over shards."""
    marks = [
        {
            tuple(pair)
            for record in shard.records("exchange")
            for pair in record["request"]["headers"]
            if pair[0].lower() in {"authorization", "x-api-key"} and record["authenticated"]
        }
        for shard in runs.two
    ]
    assert marks[0] & marks[1]
    assert all("[redacted" in value for name, value in marks[0] & marks[1])


# What shows only where shards are put together

Rewriting = Callable[[dict[str, Any], int], None]


class Between(ThreadingHTTPServer):
    """Stands before a target, and changes the sessions that it gives; counts them from 1 after each `restart`."""

    daemon_threads = True

    def __init__(self, target: str, rewrite: Rewriting) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rewrite = rewrite
        self.target = target
        self.restart()

    def restart(self) -> None:
        """Begins to count again."""
        self.numbers = count(1)


class _Handler(BaseHTTPRequestHandler):
    server: Between
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = [(name, value) for name, value in self.headers.items() if name.lower() != "host"]
        answer = httpx.request(self.command, self.server.target + self.path, headers=headers, content=body)
        content = answer.content
        if answer.is_success:
            session = answer.json()
            self.server.rewrite(session, next(self.server.numbers))
            content = json.dumps(session).encode()
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        """Says nothing."""


def _token_again(session: dict[str, Any], number: int) -> None:
    session["init_token"] = f"q7Zk2mWv9rXc4Lt8-token-{number:06}-Hs5Bn1Yd"


def _session_again(session: dict[str, Any], number: int) -> None:
    session["sessionId"] = f"0193f3a2-7c1e-7b4d-9a51-{number:012x}"


@pytest.mark.parametrize(
    ("contract", "clause", "rewrite"),
    [
        # Of a token the journal holds marks: they are compared.
        ("proof", "proof.session.init-token", _token_again),
        ("kryptonim", "kryptonim.session.session-id", _session_again),
    ],
)
def test_what_repeats_in_another_shard_is_found(tmp_path: Path, contract: str, clause: str, rewrite: Rewriting) -> None:
    """A target hands out in the second shard what it handed out in the first: neither can see it, the run does."""
    with server.start(contract) as running, Between(running.base_url, rewrite) as between:
        threading.Thread(target=between.serve_forever, daemon=True).start()
        profile = tmp_path / "profile.yaml"
        described = {**running.profile(), "base_url": f"http://127.0.0.1:{between.server_port}"}
        profile.write_text(yaml.safe_dump(described), encoding="utf-8")
        shards = []
        for index in (1, 2):
            between.restart()
            options = ["--shard", f"{index}/2", "--clause", clause]
            shards.append(rampcheck(str(profile), *options, folder=tmp_path / str(index), environment=ENVIRONMENT))
        between.shutdown()
    assert [(shard.code, shard.results["verdict"]) for shard in shards] == [(0, "partial")] * 2
    made = merged(shards, tmp_path / "merged")
    assert (made.code, made.results["verdict"]) == (1, "nonconformant"), made.printed
    finding = made.clause(clause)["findings"][0]
    told = {record["number"]: record for record in made.records("exchange")}
    earlier = int(finding["actual"].rpartition(" ")[2])
    assert finding["exchange"] in told
    assert {finding["exchange"] % 2, earlier % 2} == {0, 1}


# What people name that is no run


CLAUSE = ("--clause", "kryptonim.session.session-id", "--clause", "kryptonim.session.widget-url*")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[Completed]:
    """The shards of a small run."""
    folder = tmp_path_factory.mktemp("small")
    with reference("kryptonim", folder) as profile:
        return sharded(profile, 2, folder, *CLAUSE)


@pytest.fixture
def copies(small: list[Completed], tmp_path: Path) -> list[Path]:
    """Copies of what they left."""
    return [Path(shutil.copytree(one.folder, tmp_path / name)) for one, name in zip(small, "AB", strict=True)]


def edited(folder: Path, edit: Callable[[list[dict[str, Any]]], None]) -> None:
    """Changes the records of a journal."""
    path = folder / "journal.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    edit(records)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def test_a_selection_in_shards_is_that_selection(copies: list[Path], tmp_path: Path) -> None:
    """What was selected, and no more, is what the run says that it tried."""
    made = report(*copies, "--output", tmp_path / "merged")
    assert (made.code, made.results["verdict"]) == (0, "partial"), made.printed
    assert made.results["selection"] == {"clauses": list(CLAUSE[1::2]), "keyword": ""}


def test_a_missing_shard_is_named(copies: list[Path], tmp_path: Path) -> None:
    """The run is incomplete for that reason; so is what only that shard would have tried; and so again."""
    made = report(copies[0], "--output", tmp_path / "merged")
    assert (made.code, made.results["verdict"]) == (5, "incomplete"), made.printed
    assert "shard 2/2 is missing" in made.results["reason"]
    assert "shard 2/2 is missing" in made.printed
    again = report(made.folder)
    assert (again.code, "Not as it stood" in again.printed) == (5, False)


def _interrupted(records: list[dict[str, Any]]) -> None:
    records[-1].update(interrupted=True, reason="stopped by the user")


def _judged_nothing(records: list[dict[str, Any]]) -> None:
    records[-1].update(reason="the target refuses the credentials")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (list.pop, "shard 2/2 has no end"),
        (_interrupted, "shard 2/2 was interrupted"),
        (_judged_nothing, "shard 2/2 judged nothing: the target refuses the credentials"),
    ],
)
def test_a_shard_that_did_not_come_to_its_end_is_named(
    copies: list[Path], tmp_path: Path, edit: Callable[[list[dict[str, Any]]], None], told: str
) -> None:
    """Killed, interrupted, or before a target that lets nobody in: the run is incomplete."""
    edited(copies[1], edit)
    made = report(*copies, "--output", tmp_path / "merged")
    assert (made.code, made.results["verdict"], made.results["reason"][: len(told)]) == (5, "incomplete", told)


def test_where_no_shard_judged_anything_the_run_is_inconclusive(copies: list[Path], tmp_path: Path) -> None:
    """For the reason that they all had."""
    for copy in copies:
        edited(copy, _judged_nothing)
    made = report(*copies, "--output", tmp_path / "merged")
    assert (made.code, made.results["verdict"]) == (5, "inconclusive"), made.printed
    assert made.results["reason"] == "the target refuses the credentials"


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("seed", 7, "seed (1 and 7)"),
        ("rampcheck", "0.0.1", "rampcheck ("),
        ("contract", "proof", "contract (kryptonim and proof)"),
        ("contract_version", "2020-01", "contract version ("),
        ("strict", True, "--strict"),
        ("run", "0badcafe", VARIABLE),
        ("selection", {"clauses": ["kryptonim.auth.*"], "keyword": "", "shard": "2/2"}, "selection"),
        ("selection", {"clauses": list(CLAUSE[1::2]), "keyword": "", "shard": "2/3"}, "number of shards (1/2 and 2/3)"),
        ("profile", "environment", "profile (environment)"),
    ],
)
def test_shards_of_different_runs_are_refused(
    copies: list[Path], tmp_path: Path, member: str, value: Any, told: str
) -> None:
    """It is told in what they differ, with exit code 4, and nothing is written."""

    def edit(records: list[dict[str, Any]]) -> None:
        if member == "profile":
            records[0]["profile"][value] = "production"
        else:
            records[0][member] = value

    edited(copies[1], edit)
    refused(told, *copies, "--output", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def refused(told: str, *arguments: str | Path) -> None:
    """Asserts that `rampcheck report` takes these arguments for a mistake, and says so."""
    done = report(*arguments)
    assert (done.code, told in done.printed) == (4, True), done.printed


def test_what_can_never_be_one_run_is_refused(copies: list[Path], tmp_path: Path) -> None:
    """A shard twice, a whole run, no run, numbers that are another shard's, a folder that is not empty."""
    one, other = copies
    output = ("--output", tmp_path / "merged")
    refused("are both shard 1/2", one, other, shutil.copytree(one, tmp_path / "C"), *output)
    refused("are both shard 1/2", one, one, *output)
    refused("is no folder", one, tmp_path / "nowhere", *output)
    refused("holds a run already", one, other, "--output", one)
    made = report(one, other, *output)
    refused("no shard of a run, but a run", one, made.folder, "--output", tmp_path / "again")
    refused("no shard of a run, but a run", made.folder, "--output", tmp_path / "again")

    def renumber(records: list[dict[str, Any]]) -> None:
        for record in records:
            if record["kind"] == "exchange":
                record["number"] += 1

    edited(other, renumber)
    refused("is none of shard 2/2", one, other, "--output", tmp_path / "again")
    assert not (tmp_path / "again").exists()
