"""Defects of channels that disagree for good: one tells of an end that another denies (`agrees`, `terminal`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect, defects

from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

EVENTS, WEBHOOKS, TERMINAL = "proof.ws.agrees", "proof.webhook.agrees", "proof.transaction.terminal"

# Takes a transaction as it is; gives it as a poll shows it.
View = Callable[[Transaction], Transaction]


# A poll shows a transaction as `view` gives it.
stale = defects(
    StatusService, "transaction_document", lambda view, _, inherited, transaction: inherited(view(transaction))
)


def as_created(transaction: Transaction) -> Transaction:
    """The transaction as it was when its session was created."""
    return replace(transaction, status="pending", crypto_amount="", updated_at=transaction.created_at)


def unfinished(transaction: Transaction) -> Transaction:
    """The transaction, which does not come further than being processed."""
    return replace(transaction, status="processing") if transaction.is_terminal else transaction


stale("poll-stays-pending", [EVENTS, WEBHOOKS], "A poll is answered from a cache that nothing clears.", as_created)
stale("poll-stays-processing", [EVENTS, WEBHOOKS], "A poll does not know of completed.", unfinished)
stale(
    "poll-of-sell-stays-pending",
    [EVENTS],
    "A poll of a sell is answered from a cache that nothing clears.",
    lambda transaction: as_created(transaction) if transaction.type == "sell" else transaction,
)
stale(
    "poll-of-usdc-stays-processing",
    [EVENTS, WEBHOOKS],
    "A poll of a transaction in USDC does not know of completed.",
    lambda transaction: unfinished(transaction) if transaction.currency == "USDC" else transaction,
)


def reverting(name: str, summary: str, back: View, after: int) -> None:
    """Registers a defect: after so many polls have shown the end, the next ones show the transaction `back`."""

    @defect(name, breaks=[TERMINAL], summary=summary)
    class Reverting(StatusService):
        def __init__(self) -> None:
            super().__init__()
            self._ends: Counter[tuple[str, str]] = Counter()

        def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
            self._ends[transaction.key] += transaction.is_terminal
            is_back = self._ends[transaction.key] > after
            return super().transaction_document(back(transaction) if is_back else transaction)


reverting("poll-reverts-after-the-end", "A poll shows completed once, and then processing again.", unfinished, 1)
reverting(
    "poll-fails-after-the-end",
    "A poll shows completed once, and then failed.",
    lambda transaction: replace(transaction, status="failed"),
    1,
)


class Ahead(UpdateService):
    """A transaction is processed for ever, whatever is told of it."""

    def complete(self, transaction: Transaction) -> None:
        self.tell(replace(transaction, status="completed", updated_at=self.now()))

    def tell(self, transaction: Transaction) -> None:
        """Tells of an end that the transaction does not come to."""


@defect("webhook-ahead", breaks=[WEBHOOKS])
class WebhookAhead(Ahead):
    """Only the webhook says that a transaction is completed, which stays processing."""

    def tell(self, transaction: Transaction) -> None:
        self.publish_webhook(transaction)


@defect("websocket-ahead", breaks=[EVENTS])
class WebsocketAhead(Ahead):
    """Only the WebSocket says that a transaction is completed, which stays processing."""

    def tell(self, transaction: Transaction) -> None:
        self.publish_message(transaction)
