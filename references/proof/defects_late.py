"""Defects that show some seconds after a transaction's end, on any channel."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.websocket import Channel

from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

AFTERWARDS = 1.5  # seconds


def _since_the_end(service: Any, transaction: Transaction) -> float:
    return (service.now() - transaction.updated_at).total_seconds() if transaction.is_terminal else 0.0


_shown = defects(
    StatusService,
    "transaction_document",
    lambda status, service, inherited, transaction: (
        inherited(transaction) | ({"status": status} if _since_the_end(service, transaction) > AFTERWARDS else {})
    ),
    breaks=["proof.transaction.terminal"],
)
_shown("completed-reverts-later", "Some time after the end a transaction is processing again.", "processing")
_shown("completed-flips-later", "Some time after the end a transaction has failed.", "failed")
_shown("completed-begins-again-later", "Some time after the end a transaction is pending.", "pending")


def _afterwards(name: str, clause: str, summary: str, publish: Any) -> None:
    """Registers a defect: some time after the end of a transaction it is published again, as failed."""

    @defect(name, breaks=[f"proof.{clause}"], may_break=["proof.ws", "proof.webhook"], summary=summary)
    class Afterwards(UpdateService):
        def complete(self, transaction: Transaction) -> None:
            super().complete(transaction)
            asyncio.get_running_loop().call_later(AFTERWARDS, publish, self, replace(transaction, status="failed"))

        def end(self, channel: Channel) -> None:
            """What is told afterwards needs a channel that is open."""


_afterwards(
    "event-of-failure-long-after-the-end",
    "ws.order",
    "Some time after the end an event tells that a transaction has failed.",
    UpdateService.publish_message,
)
_afterwards(
    "webhook-of-failure-long-after-the-end",
    "webhook.agrees",
    "Some time after the end a webhook tells that a transaction has failed.",
    UpdateService.publish_webhook,
)
