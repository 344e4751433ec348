"""What Proof's invariants make of a user who is known and is denied, and of a transaction that is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rampcheck.judging import suite as suites
from rampcheck.judging.whole import judge_history
from rampcheck.wire.exchanges import Exchange
from tests.test_proof_trails import ID, OTHER_ID, profile, recorded

UNKNOWN = {"error": "not_found", "code": "not_found", "message": "x"}
OLDER = "user-0"


def session(seconds: float, user: str, transaction: str = ID, credential: str = "client_token") -> Exchange:
    """A session that was created for a user."""
    answer = {"merchant_transaction_id": transaction, "type": "buy"}
    asked = {"partner_user_id": user, "currency": "USDT", "network": "TRC20"}
    return recorded(seconds, "POST", "/widget/session", answer, asked=asked, credential=credential)


def asked_for(seconds: float, user: str, *, is_known: bool = True, credential: str = "client_token") -> Exchange:
    """A question for the KYC status of a user, with a good token."""
    answer: dict[str, Any] = {"partner_user_id": user, "status": "not_started"} if is_known else UNKNOWN
    path = f"/widget/users/{user}/kyc-status"
    exchange = recorded(seconds, "GET", path, answer, status=200 if is_known else 404, credential=credential)
    return replace(exchange, authenticated=True)


def denied(seconds: float, user: str = "user-1", credential: str = "client_token") -> Exchange:
    """The same, answered as one for a user whom nobody knows."""
    return asked_for(seconds, user, is_known=False, credential=credential)


def broken(*exchanges: Exchange) -> set[str]:
    """The clauses that invariants of the whole run find broken, of those that say that what is known stays known."""
    numbered = [replace(one, number=number) for number, one in enumerate(exchanges, 1)]
    found, _ = judge_history(numbered, suites.load("proof"), profile())[:2]
    stays_known = {"proof.kyc.stable", "proof.transaction.pending", "proof.transaction.terminal"}
    return {finding.clause for finding in found} & stays_known


BEGUN = (session(0.0, "user-1"), asked_for(1.0, "user-1"))
FLAPPING: dict[str, tuple[Sequence[Exchange], set[str]]] = {
    "now and then": ([denied(3), asked_for(4, "user-1"), denied(5), asked_for(6, "user-1")], {"proof.kyc.stable"}),
    "before it was told of": (
        [denied(3), session(4, "user-2", OTHER_ID), denied(5), asked_for(6, "user-1")],
        {"proof.kyc.stable"},
    ),
    "once": ([denied(3), asked_for(4, "user-1")], set()),
    "while it may not be known everywhere": (
        [denied(1.2), asked_for(1.4, "user-1"), denied(1.6), asked_for(1.8, "user-1")],
        set(),
    ),
    "with nothing accepted between": ([denied(3), denied(4), asked_for(5, "user-1")], set()),
    "by a target that has begun anew": ([denied(3), session(4, "user-2", OTHER_ID), denied(5)], set()),
    "to another partner": (
        [
            denied(3, credential="second_client_token"),
            asked_for(4, "user-1"),
            denied(5, credential="second_client_token"),
            asked_for(6, "user-1"),
        ],
        set(),
    ),
    "with a token that is not good": (
        [
            replace(denied(3), authenticated=False),
            asked_for(4, "user-1"),
            replace(denied(5), authenticated=False),
            asked_for(6, "user-1"),
        ],
        set(),
    ),
}


@pytest.mark.parametrize("name", FLAPPING)
def test_a_user_who_is_denied(name: str) -> None:
    """It counts where it comes twice, with something accepted between, and not before a session is known everywhere."""
    exchanges, clauses = FLAPPING[name]
    assert broken(*BEGUN, *exchanges) == clauses


def test_an_older_user_shows_that_the_target_has_not_begun_anew() -> None:
    """A transaction that is forgotten as soon as it is over is so though no transaction is told of afterwards."""
    path = f"/widget/transactions/{ID}"
    completed = {"merchant_transaction_id": ID, "status": "completed"}
    forgotten = [replace(recorded(at, "GET", path, UNKNOWN, status=404), authenticated=True) for at in (5, 7)]
    polls = [
        replace(recorded(3, "GET", path, completed), authenticated=True),
        forgotten[0],
        session(6, "user-2", OTHER_ID),
    ]
    older = session(-1, OLDER, "00000000-0000-4000-8000-000000000001")
    assert broken(older, session(0, "user-1"), *polls, forgotten[1], asked_for(8, OLDER)) == {
        "proof.transaction.terminal"
    }
    assert broken(older, session(0, "user-1"), *polls, forgotten[1]) == set()
