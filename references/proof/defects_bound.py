"""Defects of a server that binds whatever a body brings to what it answers (`proof.session.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call

from .request import SessionRequest
from .service import SessionService
from .transactions import TERMINAL, Transaction

SESSION = "proof.session"


def bound(name: str, clauses: Sequence[str], summary: str, members: Sequence[str]) -> None:
    """Registers a defect: these members of a session are the request's, if it has them."""

    @defect(name, breaks=[f"{SESSION}.{clause}" for clause in clauses], summary=summary)
    class Bound(SessionService):
        def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
            sent = json.loads(call.body.decode("utf-8-sig"), parse_int=str)  # no int() has 5,000 digits
            brought = {member: sent[member] for member in members if member in sent}
            return super().session_answer(session | brought, call)


@defect("status-of-request-taken", breaks=["proof.transaction.pending"])
class StatusOfRequestTaken(SessionService):
    """A request may say what the status of its transaction is."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        self._status = document.get("status")
        return super().request_from(document)

    def created(self, transaction: Transaction) -> None:
        super().created(transaction)
        if self._status in TERMINAL:
            self.ledger.update(replace(transaction, status=self._status, crypto_amount=transaction.amount))


bound("amount-unlocked-on-request", ["fix-amount"], "A request may unlock the amount.", ["fix_amount"])
bound(
    "locks-of-request-believed",
    ["fix-currency", "fix-network", "fix-fiat-amount", "fix-fiat-currency"],
    "A request may say what else is locked.",
    ["fix_currency", "fix_network", "fix_fiat_amount", "fix_fiat_currency"],
)
bound("widget-id-of-request-taken", ["widget-id"], "A request may name the widget.", ["widget_id"])
bound(
    "transaction-id-of-request-taken",
    ["merchant-transaction-id"],
    "A request may name its transaction, though another one has that name.",
    ["merchant_transaction_id"],
)
