"""A server that fails now and then is not accused of it, one that fails whenever it is asked is; over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from rampcheck.contract import profile
from rampcheck.errors import Unjudged
from rampcheck.judging.demands import Rejection
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.running.scenario import Accepted, Target
from tests.answering import SESSION, answer, answering

SURVIVES = "proof.session.request.no-server-error"
ENVELOPE = '{"error":"x","code":"y","message":"z"}'
FAILED = answer(500, body=ENVELOPE)  # twice in a row, it has outlived the one retry


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Run]:
    """Opens a run against a base URL; the waits before retries are skipped."""
    monkeypatch.setattr("rampcheck.wire.client.time.sleep", lambda _: None)
    monkeypatch.setattr("rampcheck.running.recovery.EVERY", 0.01)
    numbers = count(1)

    def open_run(base_url: str) -> Run:
        described = profile.from_mapping(
            {
                "contract": "proof",
                "base_url": base_url,
                "credentials": {"client_token": "a-token-of-some-length"},
                "partner": {"pairs": [["USDT", "TRC20"]]},
                "limits": {"recovery_seconds": 0},
            },
            {},
        )
        output = folder.claimed(str(tmp_path / str(next(numbers))), "proof")
        return Run(described, Settings("run", bytes(32), output))

    return open_run


def broken_by(target: Target) -> set[str]:
    """Gives the clauses with a finding that a scenario made."""
    return {finding.clause for finding in target.judge.findings if finding.judge == "scenario"}


@pytest.mark.parametrize(
    ("answers", "convicted"),
    [
        ([FAILED, SESSION], False),
        ([FAILED, FAILED, SESSION, SESSION], False),
        ([FAILED, FAILED, FAILED, FAILED, SESSION, SESSION, SESSION], False),
        ([FAILED, FAILED, SESSION, FAILED, answer(400, body=ENVELOPE)], False),
        ([FAILED, FAILED, SESSION, FAILED, FAILED], True),
        ([answer(502, body=ENVELOPE)] * 4 + [SESSION] + [answer(502, body=ENVELOPE)] * 4, True),
        ([FAILED, FAILED, *[FAILED] * 4], False),  # what is accepted otherwise fails as well: the server is ill
    ],
)
def test_a_server_error_counts_if_it_comes_again(
    opened: Callable[[str], Run],
    answers: list[bytes],
    convicted: bool,
) -> None:
    """A 5xx is a finding only where the control is accepted in between, and the request fails once more."""
    with answering(SESSION, *answers) as base_url:
        target = opened(base_url).target(0)
        attempt = target.accepted().but(partner_user_id="another")
        with suppress(Unjudged):
            attempt.is_survived(clause=SURVIVES)
    assert (SURVIVES in broken_by(target)) == convicted


def test_a_smaller_example_is_not_doubted(opened: Callable[[str], Run]) -> None:
    """Once a generated request has failed again, the next that fails is not sent a second time."""
    twice = [FAILED, FAILED, SESSION, FAILED, FAILED]
    with answering(SESSION, *twice, FAILED, answer(400, body=ENVELOPE)) as base_url:
        target = opened(base_url).target(0)
        accepted = target.accepted()
        with target.judge.shrinking():
            statuses = [accepted.but(partner_user_id=name).is_survived(clause=SURVIVES).status for name in "abc"]
    assert statuses == [500, 500, 400]


def test_a_refusal_after_a_passing_failure_is_the_one_that_was_asked_for(opened: Callable[[str], Run]) -> None:
    """What is judged is the answer that came once the server was well again."""
    with answering(SESSION, FAILED, FAILED, SESSION, answer(400, body=ENVELOPE)) as base_url:
        target = opened(base_url).target(0)
        exchange = target.accepted().without("amount").is_refused(Rejection([400]), clause=SURVIVES)
    assert (exchange.status, broken_by(target)) == (400, set())


def test_a_control_may_fail_in_passing(opened: Callable[[str], Run]) -> None:
    """A control whose 5xx outlived the retry is sent once more after another one, and no more than that."""
    with answering(FAILED, FAILED, SESSION, SESSION, FAILED, FAILED, SESSION, FAILED, FAILED) as base_url:
        target = opened(base_url).target(0)
        assert isinstance(target.accepted(), Accepted)
        with pytest.raises(Unjudged, match="refused the request that it accepts otherwise"):
            target.accepted()


@pytest.mark.parametrize(
    ("answers", "convicted"),
    [
        ([FAILED, FAILED, SESSION, SESSION], False),
        ([FAILED, FAILED, SESSION, FAILED, FAILED], True),
        ([answer(400, body=ENVELOPE), SESSION], True),
    ],
)
def test_an_optional_field_is_not_blamed_for_a_passing_failure(
    opened: Callable[[str], Run],
    answers: list[bytes],
    convicted: bool,
) -> None:
    """The first request of a run meets a 5xx, the second has an optional field more and is accepted."""
    with answering(*answers) as base_url:
        run = opened(base_url)
        candidates = list(run.suite.candidates(run.profile))
        assert [len(candidate.added) for candidate in candidates[:2]] == [0, 1]
        found = run.find_baseline()
    assert (found, bool(broken_by(run.target(0)))) == ((1, True) if convicted else (0, False))
