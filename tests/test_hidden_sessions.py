"""What an error of Proof must not hold of any session, however deep, and what only looks like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rampcheck.contract.profile import Partner
from rampcheck.judging import suite
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange, Response, Sent

CLAUSE = "proof.errors.no-session"
SIGNATURE = f"v2:{'0123456789abcdef' * 8}"
SENT = {"note": "init-token-of-the-request", "signature": SIGNATURE}


def found(**members: Any) -> list[str]:
    """What is found in an error with these members."""
    body = json.dumps({"error": "invalid_request", "code": "validation_error", "message": "no", **members})
    sent = Sent("POST", "https://sandbox.example/widget/session", (), json.dumps(SENT).encode())
    response = Response(400, (("content-type", "application/json"),), body.encode())
    exchange = Exchange(1, "test", sent, response, 0.0, 0.0, "/widget/session")
    judged = [
        invariant.judge(exchange, Partner())
        for invariant in suite.load("proof").invariants
        if invariant.clause == CLAUSE and invariant.when(exchange, Partner())
    ]
    assert judged
    return [broken.actual for broken in judged if isinstance(broken, Broken)]


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"details": {"session": {"init_token": "eyJhbGciOi"}}}, "one in `details`"),
        ({"details": [[{"signature": "v2:a1"}]]}, "one in `details`"),
        ({"message": f"computed v2:{'fedcba9876543210' * 8} for you"}, "one in `message`"),
    ],
)
def test_a_session_is_found_however_deep(members: dict[str, Any], where: str) -> None:
    """A member of its name anywhere, and a signature in any text."""
    assert found(**members) == [where]


@pytest.mark.parametrize(
    "members",
    [
        {"details": {"session": None, "init_token": "", "signature": None}},
        {"details": {"required": ["signature", "init_token"], "format": "v2:<128 hexadecimal digits>"}},
        {"received": SENT},
    ],
)
def test_what_holds_no_session_is_not_accused(members: dict[str, Any]) -> None:
    """Names alone, what is empty, and what the request itself brought."""
    assert found(**members) == []
