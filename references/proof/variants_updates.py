"""Variants of how a change is told: over the WebSocket, to whom, and how others are refused it; by webhook."""

# ruff: noqa: ARG005, D102 - a variant's class says what it does otherwise, in signatures it cannot choose.

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from typing import Any

from rampcheck.sandbox.variants import Variant, register, variant
from rampcheck.sandbox.webhooks import Webhooks
from rampcheck.sandbox.websocket import Channel, Upgraded
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .refusals import Refusal, Refused
from .transactions import Transaction
from .updates import UpdateService

own = partial(variant, "proof")

# Members that are not documented, and strings outside ASCII.
BESIDE: dict[str, Any] = {"id": 7, "note": "💶 zapłacono", "previous_status": None, "fees": [{"amount": 1.5}]}


def _written_otherwise(document: dict[str, Any]) -> str:
    """The document in JSON with more members, in the opposite order, indented, and with nothing escaped."""
    members = reversed([*BESIDE.items(), *document.items()])
    return f"\n{json.dumps(dict(members), ensure_ascii=False, indent=2)}\n"


# Messages.


@own("events-written-otherwise")
class EventsWrittenOtherwise(UpdateService):
    """Events have more members than are documented, in another order, indented, and with nothing escaped."""

    def message_text(self, transaction: Transaction) -> str:
        return _written_otherwise(self.message(transaction))


@own("events-without-payment-method")
class EventsWithoutPaymentMethod(UpdateService):
    """No event names a payment method."""

    def message(self, transaction: Transaction) -> dict[str, Any]:
        message = super().message(transaction)
        message.pop("payment_method", None)
        return message


@own("state-at-subscription")
class StateAtSubscription(UpdateService):
    """Whoever subscribes is told the present status at once, unless it is final."""

    def channel(self, transaction: Transaction) -> Channel:
        channel = super().channel(transaction)
        channel.send(self.message_text(transaction))
        return channel


@own("told-late")
class ToldLate(UpdateService):
    """Events and webhooks come half a second after the change; events say when they were sent."""

    def publish(self, transaction: Transaction) -> None:
        asyncio.get_running_loop().call_later(0.5, super().publish, transaction)

    def message(self, transaction: Transaction) -> dict[str, Any]:
        return super().message(transaction) | {"sent_at": time.time()}


# Frames (RFC 6455 §5.4 and §5.5) and the end of a connection (§7.4.1).


register(
    Variant(
        "ws-pings",
        "proof",
        "A WebSocket is pinged all the time.",
        serving={"ws_ping_interval": 0.02},
    )
)
register(
    Variant(
        "ws-fragments",
        "proof",
        "Every message is sent in fragments of 50 bytes, with a ping before each of them.",
        serving={"ws": "rampcheck.sandbox.ws_protocols:Fragmenting"},
    )
)


@own("ws-goes-away")
class WsGoesAway(UpdateService):
    """After the last event the WebSocket is closed with 1001."""

    def end(self, channel: Channel) -> None:
        channel.close(1001, "bye")


@own("ws-stays-open")
class WsStaysOpen(UpdateService):
    """After the last event the WebSocket stays open, and so does one to a transaction that is at its end."""

    def end(self, channel: Channel) -> None:
        """Leaves it to the other side."""


# Refusals: what they look like is not documented.

Otherwise = Callable[[Refused], Answer]
EVERY = (refusals.TOKEN, refusals.TX_ID, refusals.TRANSACTION)


def _instead(name: str, summary: str, meant: Collection[Refused], otherwise: Otherwise) -> None:
    """Registers a variant: upgrades that are refused in one of these ways are answered otherwise, without an id."""

    @own(name, summary=summary)
    class AnsweredOtherwise(UpdateService):
        def subscribe(self, call: Call) -> Answer:
            try:
                return super().subscribe(call)
            except Refusal as refusal:
                if refusal.refused not in meant:
                    raise
                return otherwise(refusal.refused)

        def identified(self, answer: Answer, call: Call) -> Answer:
            return answer if call.path == "/ws" else super().identified(answer, call)


def _refused(status: int) -> Otherwise:
    return lambda refused: Answer(status, b"")


def _opened(close: int | None) -> Otherwise:
    """Makes WebSockets over which nothing comes, or at once a close with this code."""

    def opened(refused: Refused) -> Answer:
        channel = Channel()
        if close is not None:
            channel.close(close, refused.code)
        return Upgraded(101, b"", channel=channel)

    return opened


PAGE = b"<!doctype html>\n<title>Forbidden</title>\n"

_instead(
    "ws-refused-without-body",
    "A refused upgrade has no body.",
    EVERY,
    lambda refused: Answer(refused.status, b""),
)
_instead(
    "ws-refused-by-gateway",
    "Every refusal of an upgrade is a 403 with a page of HTML.",
    EVERY,
    lambda refused: Answer(403, PAGE, {"content-type": "text/html"}),
)
_instead(
    "ws-strangers-forbidden",
    "An upgrade for a transaction that is not one's own is refused with 403.",
    [refusals.TRANSACTION],
    _refused(403),
)
_instead(
    "ws-strangers-unauthorised",
    "An upgrade for a transaction that is not one's own is refused with 401.",
    [refusals.TRANSACTION],
    _refused(401),
)
_instead(
    "ws-strangers-ignored",
    "An upgrade for a transaction that is not one's own succeeds, and nothing comes.",
    [refusals.TRANSACTION],
    _opened(None),
)
_instead(
    "ws-strangers-sent-away",
    "An upgrade for a transaction that is not one's own succeeds, and is closed at once with 1008.",
    [refusals.TRANSACTION],
    _opened(1008),
)
_instead(
    "ws-without-tx-id-unprocessable",
    "An upgrade without tx_id is refused with 422.",
    [refusals.TX_ID],
    _refused(422),
)
_instead(
    "ws-without-tx-id-sent-away",
    "An upgrade without tx_id succeeds, and is closed at once with 1008.",
    [refusals.TX_ID],
    _opened(1008),
)

# Webhooks: when they come. They are best effort, and the same one may come twice.


@own("webhooks-twice")
class WebhooksTwice(UpdateService):
    """Every webhook comes twice."""

    def send_webhook(self, webhooks: Webhooks, transaction: Transaction, body: bytes) -> None:
        super().send_webhook(webhooks, transaction, body)
        super().send_webhook(webhooks, transaction, body)


@own("webhooks-last-first")
class WebhooksLastFirst(UpdateService):
    """The webhook of a final status comes first, those of the statuses before it follow."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[tuple[str, str], list[tuple[Transaction, bytes]]] = {}

    def send_webhook(self, webhooks: Webhooks, transaction: Transaction, body: bytes) -> None:
        held = self._held.setdefault(transaction.key, [])
        held.insert(0, (transaction, body))
        if transaction.is_terminal:
            for before in self._held.pop(transaction.key):
                super().send_webhook(webhooks, *before)


@own("webhooks-of-creation")
class WebhooksOfCreation(UpdateService):
    """A webhook tells of the creation of a transaction, too."""

    def created(self, transaction: Transaction) -> None:
        self.publish_webhook(transaction)
        super().created(transaction)


# Webhooks: what they look like.


@own("webhooks-written-otherwise")
class WebhooksWrittenOtherwise(UpdateService):
    """Webhooks have more members than are documented, in another order, indented, and with nothing escaped."""

    def webhook_body(self, transaction: Transaction) -> bytes:
        return _written_otherwise(self.webhook(transaction)).encode()


@own("webhooks-in-chunks")
class WebhooksInChunks(UpdateService):
    """Webhooks are sent in chunks, and their Content-Type has a charset parameter and capitals."""

    def send_webhook(self, webhooks: Webhooks, transaction: Transaction, body: bytes) -> None:
        webhooks.post(transaction.key, self.webhook_headers(transaction), _pieces(body))

    def webhook_headers(self, transaction: Transaction) -> dict[str, str]:
        return super().webhook_headers(transaction) | {"content-type": 'Application/JSON; charset="UTF-8"'}


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 200):
        yield body[start : start + 200]


@own("webhooks-signed")
class WebhooksSigned(UpdateService):
    """Webhooks are authorised by a token of their own, and signed in a header in the form of a session's signature."""

    def __init__(self) -> None:
        super().__init__()
        self._token = secrets.token_urlsafe(32)

    def webhook_headers(self, transaction: Transaction) -> dict[str, str]:
        digest = hmac.digest(self._token.encode(), self.webhook_body(transaction), "sha512")
        return super().webhook_headers(transaction) | {
            "Authorization": f"Bearer {self._token}",
            "Signature": f"v2:{digest.hex()}",
            "Idempotency-Key": f"{secrets.token_hex(8)}-{transaction.status}",
            "X-Attempt": "",
        }


@own("webhooks-one-by-one")
class WebhooksOneByOne(UpdateService):
    """Every webhook has a connection of its own."""

    def webhook_headers(self, transaction: Transaction) -> dict[str, str]:
        return super().webhook_headers(transaction) | {"connection": "close"}


@own("webhooks-among-probes")
class WebhooksAmongProbes(UpdateService):
    """Others, too, ask at the webhook's address: GET, HEAD, OPTIONS, and a POST of nothing."""

    def send_webhook(self, webhooks: Webhooks, transaction: Transaction, body: bytes) -> None:
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            webhooks.post(transaction.key, {"user-agent": "health-check"}, b"", method)
        super().send_webhook(webhooks, transaction, body)
