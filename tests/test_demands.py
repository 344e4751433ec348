"""What a scenario demands is data: it says the same after it stood in a journal, and each kind can be broken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rampcheck.judging import suite as suites
from rampcheck.judging.demands import (
    Acceptance,
    Declined,
    Demand,
    Due,
    EitherRejection,
    Holds,
    Rejection,
    Silence,
    Survival,
    recalled,
)
from rampcheck.wire.exchanges import Exchange, Failure, Message, Response, Sent

NOT_FOUND = Rejection([404], {"error": ["not_found"]})
INVALID = Rejection([400], {"error": ["invalid", "wrong"]})
INSIDE = Rejection([401], {"error.code": ["key"]})


def answered(status: int, body: dict[str, Any] | None = None, *messages: Message, **members: Any) -> Exchange:
    """An exchange with this answer."""
    response = Response(status, (("content-type", "application/json"),), json.dumps(body or {}).encode())
    request = Sent("POST", "http://target/one", (), b"{}")
    return Exchange(1, "s", request, response, 0.0, 0.1, "/one", messages=messages, **members)


UNANSWERED = replace(answered(404), response=None, failure=Failure("timeout", "no answer"))


def upgraded(*messages: Message) -> Exchange:
    """A WebSocket that was opened."""
    return answered(101, None, *messages, protocol="websocket")


CLOSED = Message("incoming", 0.0, b"1000", "close")
EVENT = Message("incoming", 0.0, b"{}")
ERROR = Message("incoming", 0.0, b'{"error":"unauthorised","code":"invalid_token","message":"","status":401}')
FAILED = Message("incoming", 0.0, b'{"event":"tx.update","status":"failed","error":"declined"}')


@pytest.mark.parametrize(
    ("due", "right", "wrong", "about"),
    [
        (Rejection(), answered(418), answered(200), ("status",)),
        (Rejection([401, 403]), answered(403), answered(404), ("status",)),
        (NOT_FOUND, answered(404, {"error": "not_found"}), answered(404, {"error": "gone"}), ("body.error",)),
        (INSIDE, answered(401, {"error": {"code": "key"}}), answered(401, {"error": "key"}), ("body.error.code",)),
        (EitherRejection.of(NOT_FOUND, INVALID), answered(400, {"error": "wrong"}), answered(401), None),
        (Acceptance(), answered(201), answered(400), ("status",)),
        (Survival(), answered(422), answered(500), ("status", "body")),
        (Declined(), answered(404), answered(200), ("status",)),
        (Declined(), answered(404), UNANSWERED, ("status",)),
        (Silence(), upgraded(CLOSED), upgraded(EVENT, CLOSED), ("status",)),
        (Silence(), upgraded(ERROR, CLOSED), upgraded(ERROR), ("status",)),
        (Silence(), upgraded(ERROR, CLOSED), upgraded(FAILED, CLOSED), ("status",)),
        (Holds("type", "sell"), answered(200, {"type": "sell"}), answered(200, {"type": "buy"}), ("body.type",)),
        (Holds("type", None), answered(200), answered(200, {"type": 1}), ("body.type",)),
        (Holds("type", "buy", not_so=True), answered(200), answered(200, {"type": "buy"}), ("body.type",)),
        (Holds("type", "buy"), answered(200, {"type": "buy"}), answered(400), ("status",)),
    ],
)
def test_a_demand_says_the_same_after_the_journal(
    due: Due, right: Exchange, wrong: Exchange, about: tuple[str, ...] | None
) -> None:
    """The right answer meets it, the wrong one breaks it, before it was written and after."""
    suite = suites.load("proof")
    again = recalled(json.loads(json.dumps(due.data())))
    assert str(again) == str(due)
    for one in (due, again):
        assert Demand("a.clause", one, "for this").broken(right, suite) is None
        problem = Demand("a.clause", one, "for this").broken(wrong, suite)
        assert problem is not None
        assert problem.expected == f"{due} for this"
        assert about is None or problem.about == about


@pytest.mark.parametrize(
    "data", [{}, {"is": "unheard_of"}, {"is": "holds"}, {"is": "refused_as_any", "of": []}, {"is": []}, "refused", None]
)
def test_what_is_no_demand_is_told(data: Any) -> None:
    """A journal that was changed by hand ends in no traceback of another kind."""
    with pytest.raises(ValueError, match="nothing that a scenario demands"):
        recalled(data)


def test_right_credentials_that_are_refused_break_another_clause() -> None:
    """Where a suite has a clause for it, their refusal does not break what was demanded."""
    suite = suites.load("kryptonim")
    assert Acceptance().broken(answered(401, authenticated=True), suite) is None
    assert Acceptance().broken(answered(401), suite) is not None


def test_only_a_refusal_that_names_its_status_foresees_it() -> None:
    """Of any 4xx that is due, a firewall's 403 is not the API's."""
    assert [Rejection([403]).foresees(403), Rejection().foresees(403), Acceptance().foresees(403)] == [
        True,
        False,
        False,
    ]
