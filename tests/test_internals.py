"""What an error of Proof must not reveal, wherever it says it, and what only looks like it."""

from __future__ import annotations

import json

import pytest

from rampcheck.contract.profile import Partner
from rampcheck.judging import suite
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange, Response, Sent

CLAUSE = "proof.errors.no-internals"
PAGE = ("content-type", "text/html")


def judged(body: str, *headers: tuple[str, str], status: int = 400, request: str = "{}") -> str | None:
    """What is found in an error, None where it reveals nothing."""
    sent = Sent("POST", "https://sandbox.example/widget/session", (("X-Sent", "/srv/sent/by.us"),), request.encode())
    response = Response(status, headers or (("content-type", "application/json"),), body.encode())
    exchange = Exchange(1, "test", sent, response, 0.0, 0.0, "/widget/session")
    for invariant in suite.load("proof").invariants:
        if invariant.clause == CLAUSE and invariant.when(exchange, Partner()):
            found = invariant.judge(exchange, Partner())
            return found.expected if isinstance(found, Broken) else None
    raise AssertionError("no invariant applies")


def error(**members: object) -> str:
    """The body of an error with these members."""
    return json.dumps({"error": "invalid_request", "code": "validation_error", "message": "no", **members})


@pytest.mark.parametrize(
    ("place", "body", "headers", "status"),
    [
        ("`message`", error(message="panic: nil pointer"), (), 400),
        ("`details`", error(details={"at": ["/usr/lib/app/x.py"]}), (), 400),
        ("`message`", error(message="SELECT id FROM users"), (), 500),
        ("`message`", error(message="dial tcp http://10.1.2.3:8080/quote failed"), (), 502),
        ("`message`", error(message="Post https://api.provider.example/v2/quotes: timeout"), (), 502),
        ("`message`", error(message="the provider refused sk_live_4eC39HqLyjWDarjtT1zdp7dc"), (), 502),
        ("`details`", error(details=["Authorization: Bearer 2YotnFZFEjr1zCsicMWpAAx8"]), (), 502),
        ("`message`", error(message="api_key=9f86d081884c7d659a2feaa0c55ad015"), (), 502),
        ("`X-Api-Key` in `details`", error(details=[{"X-Api-Key": "9f86d081884c7d659a2feaa0c55ad015"}]), (), 502),
        ("`message`", error(message="connect postgres://ramp:s3cret@db.example/ramp"), (), 500),
        ("its body", "Traceback (most recent call last):", (("content-type", "text/plain"),), 405),
        ("its body", '<pre>File "/srv/app/x.py", line 7</pre>', (PAGE,), 404),
        ("its body", "<p>upstream http://wallets.internal/v1</p>", (PAGE,), 502),
        (
            "the header x-debug",
            error(),
            (("content-type", "application/json"), ("x-debug", "goroutine 7 [running]")),
            401,
        ),
        ("the header x-upstream", error(), (("x-upstream", "http://sessions.svc:9000/"),), 403),
    ],
)
def test_internals_are_found_wherever_they_stand(
    place: str,
    body: str,
    headers: tuple[tuple[str, str], ...],
    status: int,
) -> None:
    """In any member, in a body of any type, in a header; whatever the status is."""
    assert judged(body, *headers, status=status) == f"an error without internals in {place}"


@pytest.mark.parametrize(
    ("body", "headers", "status", "request_body"),
    [
        (error(message="amount is required"), (), 400, "{}"),
        (error(message="see https://docs.proof.community/errors"), (), 502, "{}"),
        (error(help="https://sandbox.example/errors/502"), (), 502, "{}"),
        (error(message="Authorization: Bearer client_token_expected, password: not-configured"), (), 401, "{}"),
        (
            error(details={"authorization": "missing-or-invalid", "secret": None, "key": "amount1234567890123"}),
            (),
            401,
            "{}",
        ),
        (error(details={"secret": "1234567890abcdef1"}), (), 400, '{"secret":"1234567890abcdef1"}'),
        (error(type="https://api.provider.example/problems/x"), (), 400, "{}"),
        (error(message="no such path: /srv/mine/a.txt"), (), 400, '{"amount":"/srv/mine/a.txt"}'),
        (error(message="no such path: /srv/mine/a.txt"), (), 400, '{"amount":"\\/srv\\/mine\\/a.txt"}'),
        (error(message="/srv/sent/by.us is no origin"), (), 403, "{}"),
        ('<link href="/app/main.css"><script src="/srv/app.js"></script>', (PAGE,), 403, "{}"),
        (
            error(),
            (("location", "/app/login"), ("set-cookie", "a=b; Path=/app/x"), ("via", "1.1 http://proxy:8080")),
            401,
            "{}",
        ),
    ],
)
def test_what_reveals_nothing_is_not_accused(
    body: str,
    headers: tuple[tuple[str, str], ...],
    status: int,
    request_body: str,
) -> None:
    """Links to the documentation, what the request itself brought, and the parts of a page are no internals."""
    assert judged(body, *headers, status=status, request=request_body) is None
