"""A hostile target crashes no run, holds none up, fills no memory, and is convicted of nothing but what it broke."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rampcheck.report.files import write_reports
from rampcheck.report.results import load
from rampcheck.sandbox import builtin_profile, server
from rampcheck.wire.json_text import DEEPEST, NOT_JSON, parse_json
from tests.hostile import bounded
from tests.hostile import target as hostile_target
from tests.hostile.bounded import Bounded
from tests.hostile.target import (
    BROKEN,
    LARGE,
    ODD,
    REFUSED,
    STRANGE,
    UNANSWERED,
    Behaviour,
    answering,
    noted,
    session,
    whole,
)

COMPLETE = "kryptonim.session.complete"
ONE_SCENARIO = ("-k", "small_and_large")


def run(base_url: str, folder: Path, *options: str, requests: int = 60) -> Bounded:
    """Runs Kryptonim's suite within its bounds."""
    profile = builtin_profile("kryptonim", base_url) | {
        "limits": {"timeout_seconds": 1, "requests_per_second": 0, "max_requests": requests},
    }
    return bounded.run(profile, folder, *options, codes=frozenset({0, 1, 5}))


def against(behaviour: Behaviour, folder: Path, requests: int = 60) -> Bounded:
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


# As large as this client reads, and each the most that a byte can become: of memory, in the journal, before redaction.
SWOLLEN: dict[str, Behaviour] = {
    "letters of two bytes": LARGE,
    "one letter of four bytes": answering(lambda: whole(noted('"{}\U0001f4b8"'.format("x" * 240_000).encode()))),
    # With something of a session: what is anybody's is an absence, and ends a run much sooner.
    "control characters": answering(lambda: whole(b'"sessionId"' + b"\x01" * 240_000)),
    "bytes that are no UTF-8": answering(lambda: whole(b'"sessionId"' + b"\xff" * 240_000)),
    "secrets": answering(lambda: whole(noted(b'{"email":"s3cret-0","b":"%s"}' % (b"s3cret-0 " * 26_000)))),
    "headers": answering(lambda: whole(session(), *[f"X-{n}: x" for n in range(8_000)])),
    "small members": answering(lambda: whole(b"[" + b"{}," * 80_000 + session() + b"]")),
}


@pytest.mark.parametrize("behaviour", SWOLLEN.values(), ids=list(SWOLLEN))
def test_large_answers_fill_no_memory(behaviour: Behaviour, reference: str, tmp_path: Path) -> None:
    """Answers as large as may be, to every request of a long run, end in what a run keeps altogether."""
    with hostile_target.serve(*[behaviour] * 1000, upstream=reference, good=3) as base_url:
        completed = run(base_url, tmp_path, "--examples", "20", requests=1000)
    assert "MiB that a run keeps" in " ".join(clause["reason"] for clause in completed.results["clauses"])


@pytest.mark.parametrize(("levels", "is_json"), [(DEEPEST, True), (DEEPEST + 1, False), (1_000_000, False)])
@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_nesting_is_read_to_a_depth(levels: int, is_json: bool, opened: bytes, closed: bytes) -> None:
    """As deep as documents are, whatever Python's own limit is; brackets in a string do not count."""
    body = opened * levels + b'"[[[{{{"' + closed * levels
    assert (parse_json(body) is not NOT_JSON) is is_json


def test_brackets_side_by_side_are_not_deep() -> None:
    """Many arrays, and a string full of brackets, are flat."""
    assert parse_json(b"[" + b"[]," * 1000 + b'"' + b"[{" * 1000 + b'\\"["]') is not NOT_JSON
