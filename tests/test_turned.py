"""A target that refuses all of a sudden what it accepted: it is asked again, and the run ends with what that means."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from rampcheck.contract import profile
from rampcheck.errors import RunOver, TargetGone, Unjudged
from rampcheck.judging.demands import Rejection
from rampcheck.judging.findings import LONGEST_TEXT, shortened
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.running.scenario import Target
from rampcheck.sandbox import server
from tests.answering import SESSION, answer
from tests.runs import rampcheck
from tests.scripted import Respond, scripted

JSON, HTML = "Content-Type: application/json", "Content-Type: text/html"
REVOKED = answer(401, JSON, body='{"error":"unauthorised","code":"invalid_token","message":"Not valid."}')
UNKNOWN = REVOKED.replace(JSON.encode(), JSON.encode() + b"\r\nX-Request-Id: r")
FORBIDDEN = answer(403, JSON, body='{"error":"forbidden","code":"ip_not_allowed","message":"Not from here."}')
FULL = answer(400, JSON, body='{"error":"invalid_request","code":"quota","message":"No more sessions."}')
REFUSAL = answer(
    400, JSON, "X-Request-Id: r", body='{"error":"invalid_request","code":"validation_error","message":"z"}'
)
LOGIN = answer(200, HTML, body="<title>Log in</title><input type=password>")
PORTAL = answer(302, "Location: https://sso.example/login")
CLAUSE = "proof.session.request.required.amount"

Open = Callable[[str], Target]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Open:
    """Opens a run against a base URL and gives its target; next to nothing is waited for."""
    monkeypatch.setattr("rampcheck.wire.client.time.sleep", lambda _: None)
    monkeypatch.setattr("rampcheck.running.recovery.EVERY", 0.01)
    monkeypatch.setattr("rampcheck.running.recovery.SECOND_LOOK", 0.0)

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


def records(target: Target, kind: str) -> list[dict[str, Any]]:
    """Gives the journal's records of a kind."""
    target.judge.settle()
    lines = target.judge._journal.path.read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def found(target: Target) -> list[str]:
    """Gives the clauses that something but the schema found broken: the session of these servers has few members."""
    return [record["clause"] for record in records(target, "finding") if record["judge"] != "schema"]


def after(good: int, *answers: bytes, then: bytes) -> Respond:
    """Makes the server that accepts so many requests, gives these answers, and then the same to all."""
    waiting = [*[SESSION] * good, *answers]
    return lambda _: waiting.pop(0) if waiting else then


def violate(target: Target) -> None:
    """Sends a request that is accepted, and another that is to be refused with 400."""
    target.judge.begin("scenario", [CLAUSE])
    target.accepted().without("amount").is_refused(Rejection([400]))


@pytest.mark.parametrize(
    ("refusal", "cause", "cure"),
    [
        (REVOKED, "credentials that it accepted before are refused", "revoked"),
        (FORBIDDEN, "forbidden now", "allowlist"),
        (FULL, "refused now", "limit of the sandbox"),
        (LOGIN, "a login page answers", "own address"),
        (PORTAL, "sends everybody to a login: https://sso.example/login", "let through"),
    ],
    ids=["revoked", "forbidden", "full", "login page", "portal"],
)
@pytest.mark.parametrize("good", [0, 1], ids=["the control", "what is judged"])
def test_a_run_ends_where_everything_is_refused(refusal: bytes, cause: str, cure: str, good: int, opened: Open) -> None:
    """Whichever request meets it first: nothing is found broken, nothing more is sent, and the cause is told."""
    with scripted(after(good, then=refusal)) as (base_url, bodies):
        target = opened(base_url)
        with pytest.raises(TargetGone, match="began to refuse everything") as ended:
            violate(target)
        asked = len(bodies)
        with pytest.raises(RunOver):
            target.accepted()
    assert len(bodies) == asked
    assert cause in str(ended.value).lower()
    assert cure in str(ended.value)
    assert found(target) == []
    (outage,) = records(target, "outage")
    assert (outage["ended"], outage["refuses"]) == (None, True)
    assert cause in outage["cause"].lower()


def test_a_header_that_is_needed_all_of_a_sudden_is_found(tmp_path: Path) -> None:
    """Refused without an Origin once one was seen, accepted with it, and refused without it again."""
    with server.start("proof", ["origin-required-once-seen"]) as running:
        told = running.profile()
        described = profile.from_mapping({**told, "limits": {**told["limits"], "recovery_seconds": 0.2}}, {})
        target = Run(described, Settings("run", bytes(32), folder.claimed(str(tmp_path / "run"), "proof"))).target(0)
        control = target.accepted()
        assert control.with_header("Origin", told["partner"]["origins"][0]).send().accepted
        with pytest.raises(TargetGone, match="With a registered `Origin` it accepts what it refuses without"):
            target.accepted()
    assert found(target) == ["proof.auth.origin-optional"]


def test_who_is_counted_by_the_address_is_not_blamed_for_it(opened: Open) -> None:
    """A limit for the calling address, which is taken where none is sent, refuses no other address."""
    seen: list[dict[str, Any]] = []

    def respond(body: dict[str, Any]) -> bytes:
        seen.append(body)
        return SESSION if len(seen) == 1 or "client_ip" in body else FULL

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        target.accepted()
        with pytest.raises(TargetGone):
            target.accepted()
    assert found(target) == []


@pytest.mark.parametrize("refusal", [REVOKED, LOGIN], ids=["revoked", "login page"])
def test_a_run_goes_on_where_it_was_in_passing(refusal: bytes, opened: Open) -> None:
    """What is accepted again after a while was an outage, told as such, and no reason to end."""
    with scripted(after(1, *[refusal] * 7, then=SESSION)) as (base_url, _):
        target = opened(base_url)
        target.accepted()
        with suppress(Unjudged):
            target.accepted()
        target.accepted()
    (outage,) = records(target, "outage")
    assert outage["ended"] is not None
    assert outage["refuses"] is True
    assert outage["cause"] == ""
    assert found(target) == []


def test_one_request_that_is_refused_ends_nothing(opened: Open) -> None:
    """As long as a plain one is accepted, it is that request's affair."""

    def respond(body: dict[str, Any]) -> bytes:
        return REVOKED if body["amount"] == "77" else SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        with pytest.raises(Unjudged, match="refused the request that it accepts otherwise"):
            target.accepted(amount="77")
        target.accepted()
    assert records(target, "outage") == []


def locking(locks: Callable[[dict[str, Any], int], bool], lasts: int, refusal: bytes = FORBIDDEN) -> Respond:
    """Makes the server that refuses the next `lasts` requests after one that `locks` it; it is told their number."""
    came, left = count(1), [0]

    def respond(body: dict[str, Any]) -> bytes:
        if left[0]:
            left[0] -= 1
            return refusal
        if locks(body, next(came)):
            left[0] = lasts
            return REFUSAL
        return SESSION

    return respond


def test_what_locks_a_target_each_time_is_found(opened: Open) -> None:
    """A request after which everything is refused, whenever it is sent, breaks what is promised of good ones."""
    with scripted(locking(lambda body, _: "amount" not in body, 6)) as (base_url, _):
        target = opened(base_url)
        violate(target)
        with suppress(Unjudged):
            target.accepted()
        target.accepted()
    blamed = [record for record in records(target, "finding") if "refused everything right after" in record["actual"]]
    assert [record["clause"] for record in blamed] == ["proof.session.request.client-ip-optional"]
    assert any("again when it was repeated" in outage["cause"] for outage in records(target, "outage"))


def test_what_is_locked_by_many_requests_blames_none(opened: Open) -> None:
    """Where plain requests lock it as well, it is their number."""
    with scripted(locking(lambda _, number: number % 4 == 0, 6)) as (base_url, _):
        target = opened(base_url)
        for _ in range(6):
            with suppress(Unjudged):
                target.accepted()
    assert records(target, "outage")
    assert found(target) == []


def test_who_sends_wrong_credentials_may_be_locked_out(opened: Open) -> None:
    """No clause forbids a lock on that, also where it comes each time: it is waited for."""
    with scripted(locking(lambda body, _: body["amount"] == "66", 6, UNKNOWN)) as (base_url, _):
        target = opened(base_url)
        wrong = target.plain().but(amount="66").with_header("Authorization", None)
        target.accepted()
        target.ask(wrong)
        with suppress(Unjudged):
            target.accepted()
        target.accepted()
    assert records(target, "outage")
    assert found(target) == []


@pytest.mark.parametrize("refusal", [REVOKED, FORBIDDEN, FULL], ids=["revoked", "forbidden", "full"])
def test_a_lock_after_wrong_credentials_is_told_as_one(refusal: bytes, opened: Open) -> None:
    """What was accepted last, what came then, and what to do, are told; nobody is blamed."""
    with scripted(after(2, UNKNOWN, then=refusal)) as (base_url, _):
        target = opened(base_url)
        target.accepted()
        accepted = target.accepted()
        target.ask(accepted.request.with_header("Authorization", None))
        with pytest.raises(TargetGone) as ended:
            target.accepted()
    told = str(ended.value)
    assert "with the same credentials it accepted exchange 2, then came exchanges 3, 4" in told
    assert "A lock on who sends wrong credentials, as clauses ask for (exchange 3)" in told
    assert "`limits.recovery_seconds`" in told
    assert len(told) < LONGEST_TEXT
    assert found(target) == []


@pytest.mark.parametrize("refusal", [FORBIDDEN, FULL], ids=["forbidden", "full"])
def test_a_lock_after_one_request_names_it(refusal: bytes, opened: Open) -> None:
    """What came right before is told, with what was special about it, before the network is suspected."""
    with scripted(after(1, REFUSAL, then=refusal)) as (base_url, _):
        target = opened(base_url)
        with suppress(Unjudged):
            target.accepted().but(amount="-1").is_refused(Rejection([400]), clause=CLAUSE)
        with pytest.raises(TargetGone) as ended:
            target.accepted()
    told = str(ended.value)
    assert "exchange 2 was one with `amount` = " in told
    assert "Did exchange 2 lock the partner out?" in told
    assert len(told) < LONGEST_TEXT


def test_nothing_of_why_a_run_ends_is_lost(opened: Open) -> None:
    """However long what the target says is: the cure stands whole at the end, and each record tells the same."""
    words = "No session from here. " * 24
    outside = answer(403, JSON, body=json.dumps({"error": "forbidden", "code": "ip_not_allowed", "message": words}))
    with scripted(after(2, UNKNOWN, then=outside)) as (base_url, _):
        target = opened(base_url)
        target.accepted()
        accepted = target.accepted()
        target.ask(accepted.request.with_header("Authorization", None))
        with pytest.raises(TargetGone) as ended:
            target.accepted()
        target.judge.unjudged(CLAUSE, str(ended.value))
    (unjudged,), (outage,) = records(target, "unjudged"), records(target, "outage")
    assert len(str(ended.value)) > LONGEST_TEXT
    assert unjudged["reason"] == str(ended.value)
    assert outage["cause"].endswith("Ask the vendor, and run again.")
    assert unjudged["reason"].endswith(outage["cause"])


def test_what_is_cut_is_cut_once() -> None:
    """A reason is passed on from one scenario to the next: it stays the same, and is told of all clauses at once."""
    cut = shortened("x" * 2 * LONGEST_TEXT)
    assert cut.endswith("… (1200 characters)")
    assert shortened(cut) == cut
    assert shortened(f"{cut} and more") != f"{cut} and more"


# A defect of the reference that begins after a hundred requests, how many workers, and what the run says of it.
IN_MID_RUN = (
    ("revoked-in-mid-run", "1", "he credentials that it accepted before are refused"),
    ("login-page-in-mid-run", "2", "login page answers"),
)


@pytest.mark.parametrize(("defect", "workers", "cause"), IN_MID_RUN)
def test_what_was_verified_stays_so(defect: str, workers: str, cause: str, tmp_path: Path) -> None:
    """The rest is not verified for that one reason, nothing failed, and every report tells cause and cure."""
    with server.start("kryptonim", [defect]) as running:
        described = running.profile()
        described["limits"]["recovery_seconds"] = 1
        (tmp_path / "profile.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
        done = rampcheck(str(tmp_path / "profile.yaml"), "-n", workers, folder=tmp_path / "run")
    assert (done.code, done.results["verdict"]) == (5, "incomplete")
    assert done.verdicts("failed") == {}
    # Two workers begin with the scenarios that take longest, and have ended few others by then.
    assert done.verdicts("passed") or workers == "2"
    assert done.results["requests"] < 150
    reasons = [clause["reason"] for clause in done.results["clauses"] if clause.get("gap") == "unexpected"]
    told = [reason for reason in reasons if "began to refuse everything" in reason]
    assert [reason for reason in told if cause not in reason] == []
    assert len(told) > len(reasons) / 2
    for report in ("index.html", "summary.md", "junit.xml", "results.json"):
        assert cause in (done.folder / report).read_text(encoding="utf-8").replace("\\", ""), report
    assert cause in " ".join(done.printed.split())
