"""One accepted request as the control of many changes: what it saves, and that nothing is believed too early."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rampcheck.contract import profile
from rampcheck.errors import RunOver
from rampcheck.judging.demands import Rejection
from rampcheck.running import folder
from rampcheck.running.controls import MOST_REFUSALS
from rampcheck.running.run import Run, Settings
from rampcheck.running.scenario import Target
from tests.answering import SESSION, answer
from tests.scripted import REFUSED, Respond, scripted

CLAUSE = "proof.session.request.required.amount"
LOCKED = answer(
    401, "Content-Type: application/json", body='{"error":"unauthorised","code":"invalid_token","message":"Not valid."}'
)

Open = Callable[[str], Target]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Open:
    """Opens a run against a base URL and gives its target; next to nothing is waited for."""
    monkeypatch.setattr("rampcheck.wire.client.time.sleep", lambda _: None)
    monkeypatch.setattr("rampcheck.running.recovery.EVERY", 0.01)

    def open_target(base_url: str) -> Target:
        described = profile.from_mapping(
            {
                "contract": "proof",
                "base_url": base_url,
                "credentials": {"client_token": "a-token-of-some-length"},
                "limits": {"recovery_seconds": 0.2, "timeout_seconds": 2},
            },
            {},
        )
        return Run(described, Settings("run", bytes(32), folder.claimed(str(tmp_path / "run"), "proof"))).target(0)

    return open_target


def careful(body: dict[str, Any]) -> bytes:
    """The answer of a server that needs an amount."""
    return SESSION if "amount" in body else REFUSED


def records(target: Target, kind: str) -> list[dict[str, Any]]:
    """Gives the journal's records of a kind."""
    target.judge.settle()
    lines = target.judge._journal.path.read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def held(target: Target) -> list[int]:
    """Gives the exchanges that were believed to be what was demanded."""
    return [record["exchange"] for record in records(target, "demand") if record["held"]]


def refuse(target: Target, times: int = 1) -> None:
    """Makes the same change in so many scenarios; it should be refused."""
    for number in range(times):
        target.judge.begin(f"scenario {number}", [CLAUSE])
        target.control().without("amount").is_refused(Rejection([400]))


def test_many_refusals_share_their_controls(opened: Open) -> None:
    """They are believed when the control after them is accepted, which serves the next ones."""
    with scripted(careful) as (base_url, bodies):
        target = opened(base_url)
        refuse(target, 5)
        assert held(target) == []
        target.settle()
        assert len(bodies) == 5 + 2
        target.settle()
        refuse(target, 2)
        target.settle()
    assert len(bodies) == 5 + 2 + 2 + 1
    assert held(target) == [2, 3, 4, 5, 6, 8, 9]
    assert {record["control"] for record in records(target, "demand")} == {1, 7}
    assert records(target, "unjudged") == []


def test_a_control_serves_so_many_refusals_only(opened: Open) -> None:
    """Then the next one is sent, so that not more wait for it."""
    with scripted(careful) as (base_url, bodies):
        target = opened(base_url)
        refuse(target, MOST_REFUSALS + 1)
    assert len(bodies) == MOST_REFUSALS + 3
    assert len(held(target)) == MOST_REFUSALS


def test_an_accepted_change_counts_at_once(opened: Open) -> None:
    """What is accepted says by itself that the target accepts."""
    with scripted(careful) as (base_url, bodies):
        target = opened(base_url)
        target.judge.begin("scenario", [CLAUSE])
        target.control().but(user_email="another@example.com").is_accepted()
        assert held(target) == [2]
        target.settle()
    assert len(bodies) == 2


def locking(*answers: bytes, then: Respond) -> Respond:
    """Makes the server that gives these answers first, whatever it is asked."""
    waiting = [*answers]
    return lambda body: waiting.pop(0) if waiting else then(body)


def test_a_refusal_before_a_refused_control_is_asked_for_again(opened: Open) -> None:
    """A server that was locked refuses what it otherwise takes: that it takes it is found, and its scenario named."""
    locked = locking(SESSION, REFUSED, LOCKED, then=lambda _: SESSION)
    with scripted(locked) as (base_url, _):
        target = opened(base_url)
        refuse(target)
        target.judge.begin("later", [CLAUSE])
        target.settle()
        assert all(finding.judge != "scenario" for finding in target.judge.findings)
    (finding,) = [record for record in records(target, "finding") if record["judge"] == "scenario"]
    assert (finding["clause"], finding["scenario"]) == (CLAUSE, "scenario 0")
    assert finding["change"] == "no `amount`"
    assert held(target) == []


def test_what_is_refused_again_is_believed(opened: Open) -> None:
    """After a control was refused in passing, each refusal counts as it is seen after a control of its own."""
    locked = locking(SESSION, REFUSED, REFUSED, LOCKED, then=careful)
    with scripted(locked) as (base_url, _):
        target = opened(base_url)
        refuse(target, 2)
        target.settle()
    again = [record for record in records(target, "demand") if record["held"]]
    assert len(again) == 2
    assert len({record["control"] for record in again}) == 2
    assert all(record["control"] == record["exchange"] - 1 for record in again)


def test_nothing_is_believed_of_a_target_that_stays_locked(opened: Open) -> None:
    """What was refused before is not verified, with the reason, whichever scenario it was of."""
    with scripted(locking(SESSION, then=lambda _: REFUSED)) as (base_url, _):
        target = opened(base_url)
        refuse(target)
        target.judge.begin("later", [CLAUSE])
        target.settle()
        with pytest.raises(RunOver):
            target.control()
    assert held(target) == []
    (unjudged,) = records(target, "unjudged")
    assert (unjudged["clause"], unjudged["scenario"]) == (CLAUSE, "scenario 0")
    assert "began to refuse everything" in unjudged["reason"]


@pytest.mark.parametrize(
    ("answers", "is_new"),
    [((SESSION, REFUSED), False), ((SESSION, LOCKED, SESSION, LOCKED), True), ((SESSION, SESSION), True)],
    ids=["as demanded", "refused otherwise, twice", "accepted"],
)
def test_a_failure_makes_a_new_control_due(answers: tuple[bytes, ...], is_new: bool, opened: Open) -> None:
    """Only as long as nothing failed is the last one as good as a new one."""
    with scripted(locking(*answers, then=careful)) as (base_url, bodies):
        target = opened(base_url)
        refuse(target)
        before = len(bodies)
        target.control()
    assert (len(bodies) > before) == is_new


def test_a_doubtful_answer_makes_a_new_control_due(opened: Open) -> None:
    """A 5xx, though asked again it does not come again, may be the beginning of something."""
    failed = answer(500, "Content-Type: application/json", body='{"error":"internal","code":"x","message":"y"}')
    with scripted(locking(SESSION, failed, failed, then=careful)) as (base_url, bodies):
        target = opened(base_url)
        refuse(target)
        before = len(bodies)
        target.control()
    assert len(bodies) > before
