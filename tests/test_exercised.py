"""What counts as exercised: only what could have failed in the very exchange."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rampcheck.contract import register
from rampcheck.contract.profile import Profile, from_mapping
from rampcheck.judging import suite as suites
from rampcheck.judging.schema import SchemaJudge
from rampcheck.judging.suite import Broken
from rampcheck.judging.whole import judge_history
from rampcheck.wire.exchanges import Exchange, Message, Response, Sent
from rampcheck.wire.journal import Journal, from_record
from rampcheck.wire.redaction import Redactor
from tests import samples
from tests.runs import rampcheck

PATHS = {"proof": "/widget/session", "kryptonim": "/v1/widget-sessions"}
CREDENTIALS = {
    "proof": {"client_token": "token-of-nobody-1"},
    "kryptonim": {"api_key": "key-of-nobody-1", "signature_secret": "secret-of-nobody-1"},
}
REQUEST = {
    "partner_user_id": "u",
    "user_email": "u@example.com",
    "network": "TRC20",
    "currency": "USDT",
    "amount": "1",
    "client_ip": "203.0.113.42",
    "fiatAmount": 15,
    "fiatCurrency": "EUR",
    "cryptoCurrency": "USDC",
    "destinationAddress": "0x0",
}
LOGIN = Response(200, (("content-type", "text/html"),), b"<!doctype html><title>Log in</title>")


def profile(name: str) -> Profile:
    """A profile of the contract."""
    return from_mapping({"contract": name, "base_url": "http://127.0.0.1:9", "credentials": CREDENTIALS[name]}, {})


def asked(name: str, response: Response, number: int = 1, **changes: Any) -> Exchange:
    """A request for a session and this answer."""
    credential = next(iter(CREDENTIALS[name]))
    headers = (("authorization", "Bearer x"), ("x-request-signature", "0"), ("content-type", "application/json"))
    sent = Sent("POST", f"http://127.0.0.1:9{PATHS[name]}", headers, json.dumps({**REQUEST, **changes}).encode())
    return Exchange(number, "test", sent, response, float(number), 0.01, PATHS[name], credential=credential)


def answered(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, (("content-type", "application/json"),), json.dumps(value).encode())


def exercised(name: str, *exchanges: Exchange) -> tuple[set[str], set[str]]:
    """The clauses that were seen to hold in any of these exchanges, and those that were seen broken."""
    suite, judge, held, broken = suites.load(name), SchemaJudge(register.load(name)), set(), set()
    for exchange in exchanges:
        seen, violations = judge.judge(exchange)
        broken |= {violation.clause for violation in violations}
        for invariant in suite.invariants:
            if invariant.when(exchange, profile(name).partner):
                found = invariant.judge(exchange, profile(name).partner)
                if isinstance(found, Broken):
                    broken.add(invariant.clause)
                elif invariant.exercises:
                    seen.add(invariant.clause)
        held |= seen
    findings, times = judge_history(exchanges, suite, profile(name))
    return (
        (held | {clause for clause, count in times.items() if count}) - broken,
        broken | {finding.clause for finding in findings},
    )


@pytest.mark.parametrize("name", PATHS)
def test_a_login_page_exercises_nothing_of_a_session(name: str) -> None:
    """A page with 200 is no session: nothing that is promised of one holds in it, however often it comes."""
    held, broken = exercised(name, *(asked(name, LOGIN, number) for number in range(1, 9)))
    assert held == set()
    assert broken <= {f"{name}.session.json", f"{name}.session.complete"}
    assert broken


@pytest.mark.parametrize("value", [{}, [], "session", None, {"status": "ok"}], ids=repr)
def test_json_that_is_no_session_exercises_no_member(value: Any) -> None:
    """What is promised of a member is exercised by that member only."""
    held, _ = exercised("proof", *(asked("proof", answered(value), number) for number in (1, 2, 3)))
    assert held <= {"proof.session.json", "proof.auth.token-secrecy"}


def times(*sessions: dict[str, Any], **changes: Any) -> Counter[str]:
    """How often the invariants of a whole run were exercised by these sessions."""
    exchanges = [asked("proof", answered(session), number, **changes) for number, session in enumerate(sessions, 1)]
    return judge_history(exchanges, suites.load("proof"), profile("proof"))[1]


def test_one_value_cannot_repeat() -> None:
    """That something never repeats, or never changes, is seen from the second one on."""
    one, other = ({**samples.SESSION, "merchant_transaction_id": name, "init_token": name} for name in "ab")
    without = {name: value for name, value in other.items() if name not in ("init_token", "widget_id")}
    clauses = ("merchant-transaction-id", "init-token", "config-stable", "widget-id")
    assert [times(one)[f"proof.session.{clause}"] for clause in clauses] == [0, 0, 0, 0]
    assert [times(one, other)[f"proof.session.{clause}"] for clause in clauses] == [1, 1, 1, 1]
    assert [times(one, without)[f"proof.session.{clause}"] for clause in clauses] == [1, 0, 1, 0]


def test_one_address_shows_nothing_of_the_signature() -> None:
    """Only sessions that differ in `client_ip` can show whether the signature depends on it."""
    clause = "proof.session.signature-mixes-ip"
    first, second = (answered({**samples.SESSION, "signature": mark}) for mark in ("v2:a", "v2:b"))
    same = [asked("proof", first, 1), asked("proof", second, 2)]
    apart = [same[0], asked("proof", second, 2, client_ip="203.0.113.43")]
    suite, described = suites.load("proof"), profile("proof")
    assert judge_history(same, suite, described)[1][clause] == 0
    assert judge_history(apart, suite, described)[1][clause] == 1
    alike = [same[0], replace(apart[1], response=first)]
    findings, count = judge_history(alike, suite, described)
    assert [finding.clause for finding in findings if finding.clause == clause] == [clause]
    assert count[clause] == 0


@pytest.mark.parametrize(
    ("address", "is_broken"),
    [("203.0.113.42", True), ("2001:db8::68", True), ("198.18.0.1", False), ("nowhere", False)],
)
def test_no_address_is_none_that_nobody_calls_from(address: str, is_broken: bool) -> None:
    """Where none is sent a target may sign the caller's own, but not one of the documentation's."""
    session = answered({**samples.SESSION, "signature": "v2:a"})
    without, told = asked("proof", session, 1), asked("proof", session, 2, client_ip=address)
    body = json.dumps({name: value for name, value in without.request.json.items() if name != "client_ip"})
    without = replace(without, request=replace(without.request, body=body.encode()))
    findings, _ = judge_history([without, told], suites.load("proof"), profile("proof"))
    clause = "proof.session.signature-mixes-ip"
    assert [finding.clause for finding in findings if finding.clause == clause] == [clause] * is_broken


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:DB8:0:0:0:0:0:1"),
        ("203.0.113.42", "::ffff:203.0.113.42"),
        ("::ffff:203.0.113.42", "::ffff:cb00:712a"),
    ],
)
def test_another_spelling_is_no_other_address(one: str, other: str) -> None:
    """A signature that does not change with it is that of the same address."""
    session = answered({**samples.SESSION, "signature": "v2:a"})
    alike = [asked("proof", session, number, client_ip=text) for number, text in ((1, one), (2, other))]
    findings, count = judge_history(alike, suites.load("proof"), profile("proof"))
    clause = "proof.session.signature-mixes-ip"
    assert clause not in {finding.clause for finding in findings}
    assert count[clause] == 0


def test_a_page_does_not_show_that_secrets_are_kept() -> None:
    """What something in front of the API answers says nothing of it, unless the secret stands there."""
    clause = "proof.auth.token-secrecy"
    suite, described = suites.load("proof"), profile("proof")
    page = asked("proof", replace(LOGIN, status=403))
    leak = replace(page, response=replace(LOGIN, body=b"<p>[redacted client_token 0123abcd]</p>"))
    assert judge_history([page], suite, described)[1][clause] == 0
    assert [finding.clause for finding in judge_history([leak], suite, described)[0]] == [clause]
    assert judge_history([asked("proof", answered({}, 400))], suite, described)[1][clause] == 1


def test_a_secret_in_the_reason_of_a_close_is_seen(tmp_path: Path) -> None:
    """It is written as a mark, and found there as in any message."""
    clause, token = "proof.auth.token-secrecy", "tok_4f9a2c51d07b8e63"
    suite, described = suites.load("proof"), profile("proof")
    upgrade = asked("proof", Response(101, (), b""))
    close = Message("incoming", 1.0, f"1008 no {token}".encode(), "close")
    socket = replace(upgrade, protocol="websocket", messages=(close,))
    redactor = Redactor(bytes(32))
    redactor.add("client_token", token)
    written = from_record(Journal(tmp_path / "journal.jsonl", redactor, ()).exchange(socket))
    assert token.encode() not in written.messages[0].body
    (finding,) = judge_history([written], suite, described)[0]
    assert (finding.clause, finding.actual) == (clause, "client_token stands in the reason of the close")


@pytest.mark.parametrize("documented", ["200", "201"])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_is_judged_whatever_its_documented_status(documented: str, status: int) -> None:
    """By the schema of its own status, or where that is not documented, of the success that is."""
    schema = {"type": "object", "x-clause": "x.complete", "required": ["id"]}
    operation = {"responses": {"400": {}, documented: {"content": {"application/json": {"schema": schema}}}}}
    document = {"paths": {PATHS["proof"]: {"post": operation}}}
    judge = SchemaJudge(register.Contract("x", "X", "1", (), {}, document))
    held, violations = judge.judge(asked("proof", answered({"id": "1"}, status)))
    assert (held, violations) == ({"x.complete"}, [])
    held, violations = judge.judge(asked("proof", answered({}, status)))
    assert (held, [violation.clause for violation in violations]) == (set(), ["x.complete"])


def test_what_takes_no_effect_shows_nothing_of_what_follows_it(tmp_path: Path) -> None:
    """That a `redirect_url` is gone in the next session is seen only where it was there in its own."""
    done = rampcheck(
        "--contract", "proof", "--defect", "redirect-url-ignored", "-k", "redirect", folder=tmp_path / "run"
    )
    assert done.clause("proof.session.request.redirect-override")["verdict"] == "failed"
    once = done.clause("proof.session.request.redirect-once")
    assert once["verdict"] == "not_verified"
    assert "took no effect" in once["reason"]
