"""What the Proof server says when it is asked: a transaction's status and a user's identity check."""

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .base import BaseService
from .partners import Partner
from .refusals import Refusal
from .transactions import Transaction


class StatusService(BaseService):
    """The two questions (transaction page, KYC page); asking changes nothing. What is not told raises `Refusal`."""

    # The operations, as the routes call them.

    def get_transaction(self, call: Call) -> Answer:
        """GET /widget/transactions/{merchant_transaction_id}."""
        return self.answered(call, self.show_transaction)

    def get_kyc_status(self, call: Call) -> Answer:
        """GET /widget/users/{partner_user_id}/kyc-status."""
        return self.answered(call, self.show_kyc_status)

    # A transaction.

    def show_transaction(self, call: Call) -> Answer:
        """The order of decisions: caller, method, transaction."""
        partner = self.authenticate(call)
        self.check_get(call)
        transaction = self.find_transaction(partner, call.parameter)
        self.polled(transaction)
        return json_answer(200, self.transaction_document(transaction))

    def check_get(self, call: Call) -> None:
        """Only GET."""
        if call.method != "GET":
            raise Refusal(refusals.NOT_GET)

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        """All fields of a transaction."""
        return {**self.described(transaction), "partner_user_id": transaction.partner_user_id}

    # A user.

    def show_kyc_status(self, call: Call) -> Answer:
        """The order of decisions: caller, method, user."""
        partner = self.authenticate(call)
        self.check_get(call)
        self.check_user(partner, call.parameter)
        return json_answer(200, self.kyc_document(partner, call.parameter))

    def check_user(self, partner: Partner, user: str) -> None:
        """A user is known to a partner who has created a session for them, and to no other."""
        if not self.ledger.knows(partner, user):
            raise Refusal(refusals.USER)

    def kyc_document(self, partner: Partner, user: str) -> dict[str, Any]:
        """Both fields of a user's identity check."""
        return {"partner_user_id": user, "status": self.kyc_status(partner, user)}

    def kyc_status(self, partner: Partner, user: str) -> str:
        """`verified` once a transaction of the user is completed, before that `not_started`."""
        return "verified" if self.ledger.is_verified(partner, user) else "not_started"
