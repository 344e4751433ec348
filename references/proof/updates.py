"""How a transaction of the Proof server goes on, and who is told: WebSockets and the partner's webhook."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from weakref import WeakSet

from rampcheck.sandbox.webhooks import Webhooks
from rampcheck.sandbox.websocket import Channel, Upgraded
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .base import BaseService
from .partners import Partner
from .refusals import Refusal
from .transactions import Transaction

COMPLETE_PREFIX = "auto-complete-"
STEP_SECONDS = 0.15
UNSEEN_SECONDS = 1.0  # a transaction stays pending for its first poll, at most


class UpdateService(BaseService):
    """Status changes, one method a step, and their publication (WebSocket page, webhook page).

    `webhooks` is None where there is nowhere to send them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.step_seconds = STEP_SECONDS
        self.unseen_seconds = UNSEEN_SECONDS
        self.unseen: dict[tuple[str, str], float] = {}  # until when the first poll of a transaction is waited for
        self.webhooks: Webhooks | None = None
        # A channel leaves of itself when its WebSocket ends.
        self.channels: dict[tuple[str, str], WeakSet[Channel]] = {}

    # The operations, as the routes call them.

    def get_updates(self, call: Call) -> Answer:
        """GET /ws?tx_id=…, as a WebSocket."""
        return self.answered(call, self.subscribe)

    def get_without_upgrade(self, call: Call) -> Answer:
        """Any request to /ws that does not ask for a WebSocket."""
        return self.answered(call, self.demand_upgrade)

    # Subscribing.

    def subscribe(self, call: Call) -> Answer:
        """The order of decisions: caller, parameter, transaction."""
        partner = self.authenticate(call)
        transaction = self.subscribed(partner, self.tx_id(call))
        return Upgraded(101, b"", channel=self.channel(transaction))

    def demand_upgrade(self, call: Call) -> Answer:
        """Raises `Refusal`: whoever may call is told that only a WebSocket is served."""
        self.authenticate(call)
        raise Refusal(refusals.UPGRADE)

    def tx_id(self, call: Call) -> str:
        """The query parameter `tx_id`. Raises `Refusal` where it is absent or empty."""
        tx_id = call.argument("tx_id")
        if not tx_id:
            raise Refusal(refusals.TX_ID)
        return tx_id

    def subscribed(self, partner: Partner, tx_id: str) -> Transaction:
        """The transaction whose changes are asked for; raises `Refusal` as `find_transaction` does."""
        return self.find_transaction(partner, tx_id)

    def channel(self, transaction: Transaction) -> Channel:
        """A new channel to this transaction's changes, closed at once if there can be none any more."""
        channel = Channel()
        if transaction.is_terminal:
            self.end(channel)
        else:
            self.channels.setdefault(transaction.key, WeakSet()).add(channel)
        return channel

    # The steps of a transaction.

    def created(self, transaction: Transaction) -> None:
        """The trigger: for a user named `auto-complete-…` the transaction goes to its good end without them."""
        if transaction.partner_user_id.startswith(COMPLETE_PREFIX):
            self.unseen[transaction.key] = time.monotonic() + self.unseen_seconds
            self.schedule(self.begin, transaction)

    def polled(self, transaction: Transaction) -> None:
        """The partner has seen how it began."""
        self.unseen.pop(transaction.key, None)

    def begin(self, transaction: Transaction) -> None:
        """Processes a transaction that was polled, or that nobody polls: on a busy machine, none ends unwatched."""
        if self.unseen.get(transaction.key, 0.0) > time.monotonic():
            self.schedule(self.begin, transaction)
            return
        self.unseen.pop(transaction.key, None)
        self.process(transaction)

    def schedule(self, step: Callable[[Transaction], None], transaction: Transaction) -> None:
        """Takes a step with this transaction some time later."""
        asyncio.get_running_loop().call_later(self.step_seconds, step, transaction)

    def process(self, transaction: Transaction) -> None:
        """The user has chosen how to pay: from pending to processing."""
        processing = self.changed(
            transaction, status="processing", crypto_amount=transaction.amount, payment_method="card"
        )
        self.schedule(self.complete, processing)

    def complete(self, transaction: Transaction) -> None:
        """The money has arrived: from processing to completed."""
        self.ledger.verify(transaction)
        self.changed(transaction, status="completed")

    def changed(self, transaction: Transaction, **changes: Any) -> Transaction:
        """The transaction with these changes, remembered and published."""
        # The clock of a machine may be set back, a transaction's not.
        updated_at = max(self.now(), transaction.updated_at)
        changed = replace(transaction, **changes, updated_at=updated_at)
        self.ledger.update(changed)
        self.publish(changed)
        return changed

    # Who is told.

    def publish(self, transaction: Transaction) -> None:
        """Tells whoever has subscribed to the transaction, and the partner."""
        self.publish_message(transaction)
        self.publish_webhook(transaction)

    def publish_message(self, transaction: Transaction) -> None:
        """One text message to each subscriber; a terminal status is the last."""
        text = self.message_text(transaction)
        for channel in self.subscribers(transaction):
            channel.send(text)
            if transaction.is_terminal:
                self.end(channel)

    def end(self, channel: Channel) -> None:
        """Closes a channel over which nothing will come any more."""
        channel.close()

    def subscribers(self, transaction: Transaction) -> Iterable[Channel]:
        """The channels to this transaction's changes."""
        return tuple(self.channels.get(transaction.key, ()))

    def message_text(self, transaction: Transaction) -> str:
        """The event of a status change, as it is sent."""
        return json.dumps(self.message(transaction))

    def message(self, transaction: Transaction) -> dict[str, Any]:
        """The event of a status change; `payment_method` only where it is known."""
        message = {
            "event": "tx.update",
            "merchant_transaction_id": transaction.id,
            "type": transaction.type,
            "status": transaction.status,
            "currency": transaction.currency,
            "fiat_currency": transaction.fiat_currency,
            "fiat_amount": transaction.fiat_amount,
            "crypto_amount": transaction.crypto_amount,
            "occurred_at": self.timestamp(transaction.updated_at),
        }
        if transaction.payment_method is not None:
            message["payment_method"] = transaction.payment_method
        return message

    def publish_webhook(self, transaction: Transaction) -> None:
        """One POST to the partner, if there is anywhere to send it."""
        if self.webhooks is not None and self.has_webhook(transaction.partner):
            self.send_webhook(self.webhooks, transaction, self.webhook_body(transaction))

    def send_webhook(self, webhooks: Webhooks, transaction: Transaction, body: bytes) -> None:
        """Sends a webhook after those of the same transaction before."""
        webhooks.post(transaction.key, self.webhook_headers(transaction), body)

    def has_webhook(self, partner: Partner) -> bool:
        """Whether the partner has a webhook: only the first one has."""
        return partner is self.partners[0]

    def webhook_body(self, transaction: Transaction) -> bytes:
        """The body of a webhook, as it is sent."""
        return json.dumps(self.webhook(transaction)).encode("ascii")

    def webhook(self, transaction: Transaction) -> dict[str, Any]:
        """The document in a webhook."""
        return self.described(transaction)

    def webhook_headers(self, transaction: Transaction) -> dict[str, str]:  # noqa: ARG002 - for who overrides it
        """The headers of a webhook, beside those of every POST."""
        return {"content-type": "application/json", "user-agent": "proof-webhook"}
