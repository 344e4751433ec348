"""The main job, from the command line to the reports, against the embedded reference."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from rampcheck.contract import descriptor, register
from rampcheck.running import launch
from rampcheck.sandbox import all_defects, server
from tests.runs import Completed, rampcheck

CONTRACTS = descriptor.contracts()


@pytest.fixture(scope="module")
def reference() -> Iterator[server.RunningReference]:
    """A conforming Proof reference that runs apart from the program."""
    with server.start("proof") as running:
        yield running


def profile_file(folder: Path, content: object) -> Path:
    """Writes a profile and gives its path."""
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def scarce(reference: server.RunningReference, tmp_path: Path) -> Path:
    """A profile with nothing but a base URL and a token."""
    token = reference.profile()["credentials"]["client_token"]
    return profile_file(
        tmp_path,
        {
            "contract": "proof",
            "base_url": reference.base_url,
            "credentials": {"client_token": token},
            "limits": {"requests_per_second": 0},
        },
    )


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--seed", "2", "-n", "2"],
        pytest.param(["--seed", "2", "-n", "4"], marks=pytest.mark.heavy),
        *(pytest.param(["--seed", seed], marks=pytest.mark.heavy) for seed in ("3", "4", "5")),
    ],
    ids=lambda arguments: " ".join(arguments) or "as it is",
)
def test_the_reference_conforms(name: str, arguments: list[str], conforming: Callable[..., Completed]) -> None:
    """Every must clause passes on the embedded reference, whatever the seed and the number of workers."""
    done = conforming(name, *arguments)
    assert done.code == 0, done.printed
    assert done.results["verdict"] in {"conformant", "conformant_with_gaps"}
    wanted = {clause.id for clause in register.load(name).clauses.values() if clause.level == "must"}
    assert {clause for clause in done.verdicts("passed") if clause in wanted} == wanted
    assert not done.verdicts("failed", "advisory")


def test_what_is_looked_back_at_belongs_to_the_scenario_that_followed_it(conforming: Callable[..., Completed]) -> None:
    """A transaction that is polled once more when all is over is that scenario's: its cost, and what is found then."""
    polls: dict[str, list[str]] = {}
    for record in conforming("proof").records("exchange"):
        if record["path"].startswith("/widget/transactions/"):
            polls.setdefault(record["path"], []).append(record["scenario"])
    followed = [scenarios for scenarios in polls.values() if "test_following.py" in "".join(scenarios)]
    assert len(followed) > 1
    assert [scenarios for scenarios in followed if len(set(scenarios)) > 1] == []


def test_a_run_without_a_profile_judges_every_contract(tmp_path: Path) -> None:
    """Without a profile each contract is judged and has a folder of its own."""
    done = rampcheck("-k", "twice or signature", folder=tmp_path / "run")
    assert done.code == 0, done.printed
    folders = [tmp_path / "run" / name for name in CONTRACTS] if len(CONTRACTS) > 1 else [tmp_path / "run"]
    assert all((folder / "results.json").exists() for folder in folders)


def test_a_scarce_profile_fails_nothing_and_says_what_to_add(scarce: Path, tmp_path: Path) -> None:
    """With a token only, nothing fails, and each clause that was not verified names what to add."""
    done = rampcheck(str(scarce), folder=tmp_path / "run")
    assert done.code == 0, done.printed
    assert done.results["verdict"] == "conformant_with_gaps"
    gaps = done.verdicts("not_verified")
    assert "proof.auth.inactive-token" in gaps
    for clause in gaps:
        assert "`" in done.clause(clause)["reason"], f"{clause}: {done.clause(clause)['reason']}"
        assert done.clause(clause)["gap"] == "declared"
    part = ("--clause", "proof.auth.*")
    assert rampcheck(str(scarce), *part, "--require-complete", folder=tmp_path / "complete").code == 1


def test_a_second_token_takes_nothing_from_the_first_partner(
    reference: server.RunningReference,
    tmp_path: Path,
) -> None:
    """Where the profile tells nothing of the second partner, what is tried with both is tried with the first one."""
    told = {name: value for name, value in reference.profile().items() if name != "second_partner"}
    done = rampcheck(str(profile_file(tmp_path, told)), "-k", "pair_without or redirect_url", folder=tmp_path / "run")
    for name in ("wallet-provisioned", "redirect-once"):
        assert done.clause(f"proof.session.request.{name}")["verdict"] == "passed"


@pytest.mark.parametrize("secret", ["made-up-secret-of-nobody", None])
def test_a_second_partner_who_is_none_shows_nothing(tmp_path: Path, secret: str | None) -> None:
    """That another partner's secret is refused is seen only where that partner's own request is accepted."""
    with server.start("kryptonim") as running:
        profile = running.profile()
        credentials = {**profile["credentials"], "second_signature_secret": secret}
        told = {name: value for name, value in credentials.items() if value is not None}
        path = profile_file(tmp_path, {**profile, "credentials": told})
        done = rampcheck(str(path), "-k", "own_key_only", folder=tmp_path / "run")
    clause = done.clause("kryptonim.auth.signature-secret")
    assert clause["verdict"] == "not_verified"
    assert "`credentials.second_signature_secret`" in clause["reason"]
    assert clause["gap"] == ("unexpected" if secret else "declared")


def test_without_a_second_address_one_clause_is_not_verified(
    reference: server.RunningReference,
    tmp_path: Path,
) -> None:
    """Where the machine lacks the outside address, the allowlist alone is not verified, and the reason says so."""
    path = profile_file(tmp_path, {**reference.profile(), "egress": {"outside_source_address": "192.0.2.1"}})
    done = rampcheck(str(path), "--clause", "proof.auth.*", folder=tmp_path / "run")
    assert done.code == 5, done.printed
    assert done.results["verdict"] == "incomplete"
    assert done.clause("proof.auth.ip-allowlist")["gap"] == "unexpected"
    assert "no address" in done.clause("proof.auth.ip-allowlist")["reason"]
    assert not {clause for clause in done.verdicts("not_verified") if clause.startswith("proof.auth")} - {
        "proof.auth.ip-allowlist"
    }


def test_the_same_seed_sends_the_same_requests(tmp_path: Path) -> None:
    """Two runs with one seed generate the same bodies; another seed generates others."""

    def bodies(seed: str, folder: str) -> list[str]:
        done = rampcheck("--contract", "proof", "-k", "generated_invalid", "--seed", seed, folder=tmp_path / folder)
        # E-mail addresses are marked under a key that each run makes for itself.
        return [
            re.sub(r"\[redacted \w+ \w+\]", "", record["request"]["body"])
            for record in done.records("exchange")
            if "generated" in record["scenario"] and "rampcheck-" not in record["request"]["body"]
        ]

    first = bodies("7", "first")
    assert first
    assert first == bodies("7", "again")
    assert first != bodies("8", "other")


def test_a_wrong_token_is_said_once(reference: server.RunningReference, tmp_path: Path) -> None:
    """A refused credential makes the run inconclusive, in one message, after each optional part was tried once."""
    path = profile_file(
        tmp_path,
        {
            "contract": "proof",
            "base_url": reference.base_url,
            "credentials": {"client_token": "a-token-that-nobody-issued"},
        },
    )
    done = rampcheck(str(path), folder=tmp_path / "run")
    assert done.code == 5
    assert done.results["verdict"] == "inconclusive"
    assert done.results["requests"] <= 6
    assert done.verdicts("failed") == {}
    assert done.printed.count("refuses the credentials") == 1
    assert "a-token-that-nobody-issued" not in done.printed


def test_an_unreachable_target_is_inconclusive(tmp_path: Path) -> None:
    """Nobody listens: exit code 5, one clear message, and a report that says so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}"
    path = profile_file(
        tmp_path, {"contract": "proof", "base_url": base_url, "credentials": {"client_token": "a-token-for-no-server"}}
    )
    for workers in ("1", "2"):
        done = rampcheck(str(path), "-n", workers, folder=tmp_path / workers)
        assert done.code == 5
        assert "refused the connection" in done.printed
        assert "Traceback" not in done.printed
        assert done.results["verdict"] == "inconclusive"
        assert "refused the connection" in done.results["reason"]


@pytest.fixture
def heeded_sigint() -> Iterator[None]:
    """A shell starts what it puts in the background with SIGINT ignored, which is inherited; a handler is not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_sigint")
@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGINT, "1"),
        (signal.SIGINT, "2"),
        (signal.SIGTERM, "1"),
        (signal.SIGTERM, "2"),
        (signal.SIGHUP, "1"),
        pytest.param(signal.SIGHUP, "2", marks=pytest.mark.heavy),  # what handles SIGTERM handles it
    ],
    ids=lambda given: given.name if isinstance(given, signal.Signals) else given,
)
def test_an_interrupted_run_keeps_what_was_judged(number: signal.Signals, workers: str, tmp_path: Path) -> None:
    """Ctrl-C, or a pipeline's SIGTERM: what was judged so far is written, and the exit code is 2."""
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rampcheck.cli",
            "run",
            "--contract",
            "proof",
            "--latency",
            "0.02",
            "-n",
            workers,
            "--output",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    journal = folder / ("journal.jsonl" if workers == "1" else "journal.1.jsonl")
    while not journal.exists() or journal.stat().st_size < 20_000:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail(f"the run ended by itself: {process.communicate()[0]}")
    os.killpg(process.pid, number) if number is signal.SIGINT else process.send_signal(number)
    printed, _ = process.communicate()
    done = Completed(process.returncode, printed, folder)
    assert done.code == 2, printed
    assert done.results["interrupted"]
    assert done.verdicts("passed")
    assert "the run was interrupted" in {clause["reason"][:23] for clause in done.results["clauses"]}
    assert (folder / "index.html").exists()
    assert not list(folder.glob("journal.*.jsonl"))


@pytest.mark.usefixtures("heeded_sigint")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_whoever_asks_twice_for_the_end_gets_what_was_judged(workers: str, tmp_path: Path) -> None:
    """Ctrl-C, at once another, then SIGTERM: the reports are whole, and the exit code is still 2."""
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rampcheck.cli",
            "run",
            "--contract",
            "proof",
            "--latency",
            "0.02",
            "-n",
            workers,
            "--output",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    journal = folder / ("journal.jsonl" if workers == "1" else "journal.1.jsonl")
    while not journal.exists() or journal.stat().st_size < 20_000:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail(f"the run ended by itself: {process.communicate()[0]}")
    os.killpg(process.pid, signal.SIGINT)
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired, ProcessLookupError):
            process.wait(0.1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
            process.send_signal(signal.SIGTERM)
    done = Completed(process.returncode, process.communicate()[0], folder)
    assert "Traceback" not in done.printed
    assert done.results["interrupted"]
    assert done.results["verdict"] == "incomplete"
    assert (folder / "index.html").exists()
    assert not list(folder.glob("journal.*.jsonl"))
    # After the last report is written, a signal ends the process as it ends any other.
    assert done.code in {2, -signal.SIGTERM, -signal.SIGINT}, done.printed


def test_an_interruption_while_the_workers_start_is_one(tmp_path: Path) -> None:
    """SIGTERM before any scenario began: there is a report all the same, and the exit code is 2."""
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "rampcheck.cli", "run", "--contract", "kryptonim", "-n", "2", "--output", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    journal = folder / "journal.jsonl"
    while not journal.exists() or not journal.stat().st_size:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            pytest.fail(f"the run ended by itself: {process.communicate()[0]}")
    process.terminate()
    done = Completed(process.wait(), process.communicate()[0], folder)
    assert done.code == 2, done.printed
    assert done.results["interrupted"]
    assert not list(folder.glob("journal.*.jsonl"))


def children(process: int) -> list[int]:
    """Gives the child processes of a process (Linux: proc(5), /proc/pid/task/tid/children)."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="tells the worker processes from /proc")
def test_a_worker_that_dies_is_a_fault_of_the_run(tmp_path: Path) -> None:
    """A killed worker makes the exit code 3, whatever the others saw; what it had judged is kept."""
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rampcheck.cli",
            "run",
            "--contract",
            "proof",
            "--clause",
            "proof.auth.*",
            "--latency",
            "0.02",
            "-n",
            "2",
            "--output",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    journal = folder / "journal.1.jsonl"
    while not journal.exists() or journal.stat().st_size < 20_000:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail(f"the run ended by itself: {process.communicate()[0]}")
    worker = next(
        child
        for child in children(process.pid)
        if b"rampcheck.sandbox" not in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    os.kill(worker, signal.SIGKILL)
    done = Completed(process.wait(), process.communicate()[0], folder)
    assert done.code == 3, done.printed
    assert "ended before its work was done" in done.results["faults"][0]
    sent = [record for record in done.records("exchange") if record["direction"] == "outgoing"]
    assert len(sent) == done.results["requests"]
    assert not list(folder.glob("journal.*.jsonl"))


def test_a_part_of_a_run_judges_its_clauses_only(tmp_path: Path) -> None:
    """With a clause pattern only those scenarios run; the others are not verified and say why."""
    done = rampcheck("--contract", "proof", "--clause", "proof.auth.*", folder=tmp_path / "run")
    assert done.code == 0, done.printed
    assert "proof.auth.unknown-token" in done.verdicts("passed")
    assert done.clause("proof.session.request.amount-decimal")["reason"] == "not selected for this run"
    by_keyword = rampcheck("--contract", "proof", "-k", "twice", folder=tmp_path / "keyword")
    assert by_keyword.clause("proof.auth.unknown-token")["reason"] == "not selected for this run"
    asked = {record["scenario"].rpartition("/")[2] for record in done.records("exchange")} - {"baseline", "controls"}
    chosen = {
        f"{known.path.name}::{known.name}"
        for known in launch.listed("proof").scenarios
        if any(clause.startswith("proof.auth.") for clause in known.clauses)
    }
    assert asked == chosen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--clause", "proof.nothing.*"], "no clause of the contract"),
        (["--defect", "no-such-defect"], "no-such-defect"),
        (["no-such-file.yaml"], "no-such-file.yaml"),
        (["--base-url", "http://example.com"], "https"),
    ],
)
def test_a_mistake_in_the_command_is_said_without_a_request(
    arguments: list[str],
    message: str,
    tmp_path: Path,
) -> None:
    """A mistake of the user gives one message, exit code 4, and no traceback."""
    extra = [] if arguments[0].endswith(".yaml") else ["--contract", "proof"]
    done = rampcheck(
        *extra,
        *arguments,
        folder=tmp_path / "run",
        environment={**os.environ, "PROOF_CLIENT_TOKEN": "a-token-of-some-length"},
    )
    assert done.code == 4, done.printed
    assert message in done.printed
    assert "Traceback" not in done.printed
    assert not (tmp_path / "run" / "journal.jsonl").exists()


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    """A second run into the same folder is refused, and the first one stays as it was."""
    first = rampcheck("--contract", "proof", "--clause", "proof.auth.origin-optional", folder=tmp_path / "run")
    before = (tmp_path / "run" / "results.json").read_bytes()
    assert first.code == 0
    assert rampcheck("--contract", "proof", folder=tmp_path / "run").code == 4
    assert (tmp_path / "run" / "results.json").read_bytes() == before


def test_production_is_not_touched_unasked(reference: server.RunningReference, tmp_path: Path) -> None:
    """A production profile needs --allow-production, and then only sessions are created."""
    path = profile_file(tmp_path, {**reference.profile(), "environment": "production"})
    refused = rampcheck(str(path), folder=tmp_path / "refused")
    assert refused.code == 4
    assert "--allow-production" in refused.printed
    done = rampcheck(str(path), "--allow-production", folder=tmp_path / "run")
    assert done.code == 0, done.printed
    assert {record["response"]["status"] for record in done.records("exchange")} <= {200, 400}
    refusals = [record for record in done.records("exchange") if record["response"]["status"] == 400]
    assert all("generated" in record["scenario"] or "amount" in record["scenario"] for record in refusals)
    assert done.clause("proof.auth.unknown-token")["verdict"] == "not_verified"


def test_a_waiver_covers_a_broken_clause_until_its_day(tmp_path: Path) -> None:
    """A waived finding does not fail the run; after the waiver's last day it does again, and a note says why."""
    with server.start("proof", [_defect_of("proof.session.fix-amount")]) as broken:

        def run(until: str, folder: str) -> Completed:
            waiver = {"clause": "proof.session.fix-amount", "reason": "ticket 123", "until": until}
            path = profile_file(tmp_path, {**broken.profile(), "waivers": [waiver]})
            return rampcheck(str(path), "-k", "every_two_choices", folder=tmp_path / folder)

        waived, expired = run("2999-12-31", "waived"), run("2020-01-01", "expired")
    assert waived.clause("proof.session.fix-amount")["verdict"] == "waived"
    assert waived.clause("proof.session.fix-amount")["reason"] == "ticket 123"
    assert waived.code == 0, waived.printed
    assert [waiver["state"] for waiver in waived.results["waivers"]] == ["used"]
    assert expired.code == 1
    assert "ended on 2020-01-01" in expired.results["notes"][0]
    assert [waiver["state"] for waiver in expired.results["waivers"]] == ["expired"]


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 1)])
def test_a_waiver_that_covers_nothing_is_stale(
    options: list[str],
    code: int,
    reference: server.RunningReference,
    tmp_path: Path,
) -> None:
    """A waiver whose clause held is called stale, and fails a strict run."""
    waiver = {"clause": "proof.session.fix-amount", "reason": "ticket 123"}
    path = profile_file(tmp_path, {**reference.profile(), "waivers": [waiver]})
    done = rampcheck(str(path), "-k", "every_two_choices", *options, folder=tmp_path / "run")
    assert done.code == code, done.printed
    assert done.results["waivers"] == [waiver | {"until": None, "owner": "", "approver": "", "state": "stale"}]
    assert "the waiver of proof.session.fix-amount is stale" in " ".join(done.printed.split())


def _defect_of(clause: str) -> str:
    return next(defect.name for defect in all_defects("proof") if defect.clauses == (clause,))
