"""What all operations of the Proof server share: the answer to a refusal, and what is remembered."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .access import Access
from .partners import Partner
from .refusals import Refusal, Refused
from .transactions import Ledger, Transaction

logger = logging.getLogger(__name__)


class BaseService(Access):
    """A Proof server without an operation: it takes a call, gives its answer, and never raises."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()

    def unknown_path(self, call: Call) -> Answer:
        """Any path that is not served: 404."""
        return self.answered(call, self.refuse_path)

    def refuse_path(self, call: Call) -> Answer:
        """Nothing is served here: raises `Refusal`."""
        raise Refusal(refusals.PATH)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        """What the operation gives, or the envelope of the refusal it raises; always with a request id."""
        try:
            answer = operation(call)
        except Refusal as refusal:
            answer = self.error_answer(refusal.refused, call)
        except Exception:
            logger.exception("the reference failed on %s %s", call.method, call.path)
            answer = self.error_answer(refusals.INTERNAL, call)
        return self.identified(answer, call)

    # Transactions.

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def timestamp(self, moment: datetime) -> str:
        """A time as it is written everywhere: RFC 3339, with milliseconds and Z."""
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def created(self, transaction: Transaction) -> None:
        """A session has been created. Nothing follows from it but what another service adds."""

    def polled(self, transaction: Transaction) -> None:
        """A partner is about to be told of a transaction. As with `created`."""

    def find_transaction(self, partner: Partner, transaction_id: str) -> Transaction:
        """The partner's transaction with this id (transaction page).

        Raises `Refusal` for an unknown one, as another partner's is.
        """
        transaction = self.ledger.transaction(partner, transaction_id)
        if transaction is None:
            raise Refusal(refusals.TRANSACTION)
        return transaction

    def described(self, transaction: Transaction) -> dict[str, Any]:
        """What the poll and the webhook both say of a transaction (transaction page, webhook page)."""
        return {
            "merchant_transaction_id": transaction.id,
            "type": transaction.type,
            "status": transaction.status,
            "currency": transaction.currency,
            "network": transaction.network,
            "crypto_amount": transaction.crypto_amount,
            "fiat_currency": transaction.fiat_currency,
            "fiat_amount": transaction.fiat_amount,
            "created_at": self.timestamp(transaction.created_at),
            "updated_at": self.timestamp(transaction.updated_at),
        }

    # Errors.

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        """The status with the envelope."""
        answer = json_answer(refused.status, self.envelope(refused, call))
        return answer.with_headers(**refusals.HEADERS.get(refused, {}))

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        """The body of an error: `error`, `code` and `message`."""
        return {"error": refused.error, "code": refused.code, "message": refused.message}

    def identified(self, answer: Answer, call: Call) -> Answer:
        """The answer with its `X-Request-Id`."""
        return answer.with_headers(x_request_id=self.request_id(answer, call))

    def request_id(self, answer: Answer, call: Call) -> str:
        """A new id for every request."""
        return uuid.uuid4().hex
