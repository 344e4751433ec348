"""A target whose sessions are shaped otherwise than documented breaks its contract: it is not taken for another API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rampcheck.doctor.asking import Asking
from rampcheck.doctor.diagnosis import diagnose
from rampcheck.errors import Inconclusive
from rampcheck.running import baseline
from rampcheck.running.conclusion import judged
from rampcheck.running.run import Run, Settings
from tests.misconfigured import TOKENS, alone, loaded
from tests.test_not_explained_away import serving

TOKEN = TOKENS["proof"]["client_token"]
REFUSED = {"error": "unauthorised", "code": "invalid_token", "message": "No such token."}
LOGIN = "<html><title>Log in</title><input type=password></html>"
SESSION = {"merchant_transaction_id": "m-1", "widget_id": "w", "init_token": "t-1", "init_token_type": "x"}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of this machine stands between."""
    alone(monkeypatch)
    monkeypatch.setattr(baseline, "PAUSE", 0.01)


class Target:
    """Answers what `answers` says next to whom it knows, and refuses a wrong token unless it is `open`."""

    def __init__(self, answers: Iterator[str], refused: Mapping[str, str] | None = None, kind: str = "json") -> None:
        self._answers = answers
        self._refused = refused
        self._kind = "application/json" if kind == "json" else "text/html"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        asked = Request(scope, receive)
        await asked.body()
        answer = Response(next(self._answers), media_type=self._kind)
        if asked.url.path != "/widget/session":
            answer = Response('{"detail": "Not Found"}', 404, media_type="application/json")
        elif self._refused is not None and asked.headers.get("authorization") != f"Bearer {TOKEN}":
            answer = Response(json.dumps(self._refused), 401, media_type="application/json")
        await answer(scope, receive, send)


def always(value: Any) -> Iterator[str]:
    """Gives the same answer again and again."""
    return (json.dumps(value) for _ in count())


def begun(target: Target, folder: Path) -> Run:
    """Gives a run against a target whose baseline was looked for."""
    with serving(target) as base_url:
        profile = loaded({"contract": "proof", "base_url": base_url, "credentials": TOKENS["proof"]})
        run = Run(profile, Settings("run", b"0" * 32, folder, allure=False))
        with closing(run):
            run.find_baseline()
    return run


def results(run: Run) -> Any:
    """Gives what the journal of a run comes to."""
    lines = (run.settings.output / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    end = {"kind": "end", "finished": "2026-11-26T00:00:00.000000Z", "interrupted": False, "reason": ""}
    return judged(run.settings.output, [*map(json.loads, lines), end]).results  # type: ignore[list-item]


@pytest.mark.parametrize(
    "value",
    [{}, {"merchantTransactionId": "m", "signature": "s"}, {"status": "created"}, [], None, "created", [{"id": 1}]],
)
def test_what_a_good_request_is_always_answered_with_has_to_be_a_session(value: Any, tmp_path: Path) -> None:
    """Other credentials are refused as documented: so it is this API, and its sessions are broken."""
    run = begun(Target(always(value), REFUSED), tmp_path)
    assert "what it answers to a good request is no session" in run.presence.ended
    came = results(run)
    broken = {clause["id"] for clause in came["clauses"] if clause["verdict"] == "failed"}
    assert came["verdict"] == "nonconformant"
    assert broken & {"proof.session.complete", "proof.session.json"}


@pytest.mark.parametrize("value", [{"data": SESSION}, {"result": {"sessions": [SESSION]}}, [SESSION]])
def test_a_session_inside_something_else_is_judged_as_one(value: Any, tmp_path: Path) -> None:
    """It is this API's answer as it stands there, and the run goes on."""
    run = begun(Target(always(value), REFUSED), tmp_path)
    assert not run.presence.ended
    assert results(run)["verdict"] == "nonconformant"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target(always({"status": "ok"})), "another API answers"),
        (Target(always({"status": "ok"}), {"detail": "no"}), "another API answers"),
        (Target((LOGIN for _ in count()), REFUSED, "html"), "a login page answers"),
    ],
    ids=["whoever asks", "refused in other words", "a login page"],
)
def test_what_may_be_anybodys_is_no_finding(target: Target, told: str, tmp_path: Path) -> None:
    """Where nothing shows that it is this API, the run is inconclusive."""
    with pytest.raises(Inconclusive, match=told):
        begun(target, tmp_path)


def test_a_notice_in_passing_is_no_finding(tmp_path: Path) -> None:
    """What is answered otherwise when it is asked again is a session after all."""
    notices = iter([{"notice": "maintenance"}, {"notice": "maintenance"}])
    answers = (json.dumps(next(notices, SESSION)) for _ in count())
    assert not begun(Target(answers, REFUSED), tmp_path).presence.ended


def test_a_diagnosis_says_whose_it_is(tmp_path: Path) -> None:
    """The doctor does not ask for another address, and does not blame the profile."""
    with serving(Target(always({"id": 1}), REFUSED)) as base_url:
        profile = loaded({"contract": "proof", "base_url": base_url, "credentials": TOKENS["proof"]})
        with Asking(profile, tmp_path) as asking:
            wrong = [seen for seen in diagnose(asking).observations if seen.severity == "wrong"]
    assert [seen.whose for seen in wrong] == ["target"]
    assert "no session: 200, with the members id" in wrong[0].found
