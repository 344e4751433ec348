"""Defects of what comes over the WebSocket (`proof.ws.event`, `.order`, `.times`, `.agrees`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.websocket import Channel

from .following_changes import (
    always,
    as_in_mail,
    in_epoch_seconds,
    in_status,
    local_called_utc,
    respelled,
    shifted,
    told,
    wherever,
    with_offset,
    without,
    without_zone,
)
from .transactions import Transaction
from .updates import UpdateService

SERVICE_RESTART = 1012  # IANA's registry of close codes
EVENT, TIMES, AGREES = ["ws.event"], ["ws.times"], ["ws.agrees"]


def sent(name: str, summary: str, written: Callable[[str], str | bytes]) -> None:
    """Registers a defect: the text of each event is written otherwise."""

    @defect(name, breaks=["proof.ws.event"], summary=summary)
    class Sent(UpdateService):
        def publish_message(self, transaction: Transaction) -> None:
            for channel in self.subscribers(transaction):
                channel.send(written(json.dumps(self.message(transaction))))
                if transaction.is_terminal:
                    channel.close()


def in_turn(
    name: str,
    clause: str,
    summary: str,
    statuses: Callable[[Transaction], Sequence[str]],
    may_break: Sequence[str] = (),
) -> None:
    """Registers a defect: in place of one event there is, in turn, one for each of these statuses."""

    @defect(name, breaks=[f"proof.{clause}"], may_break=[f"proof.{also}" for also in may_break], summary=summary)
    class InTurn(UpdateService):
        def publish_message(self, transaction: Transaction) -> None:
            for channel in self.subscribers(transaction):
                for status in statuses(transaction):
                    channel.send(json.dumps(self.message(replace(transaction, status=status))))
                if transaction.is_terminal:
                    channel.close()


def _only(applies: Callable[[Transaction], bool]) -> Callable[[Transaction], Sequence[str]]:
    return lambda transaction: [transaction.status] if applies(transaction) else []


# The messages.

sent("event-as-binary", "Events are binary messages.", str.encode)
sent("event-in-array", "Each event is the only item of an array.", lambda text: f"[{text}]")
sent("event-encoded-twice", "Each event is JSON in a JSON string.", json.dumps)
sent("event-as-of-server-sent-events", "Each event begins with data:.", lambda text: f"data: {text}\n\n")
in_turn(
    "event-sent-twice",
    "ws.event",
    "Each event is sent twice.",
    lambda transaction: [transaction.status, transaction.status],
)
in_turn(
    "no-event-for-processing",
    "ws.event",
    "That a transaction is processing is not told.",
    _only(lambda transaction: transaction.is_terminal),
)
in_turn(
    "no-event-for-completed",
    "ws.event",
    "That a transaction is completed is not told: the connection is closed.",
    _only(lambda transaction: not transaction.is_terminal),
)
in_turn(
    "no-event-on-erc20",
    "ws.event",
    "Changes of transactions on ERC20 are not told.",
    _only(lambda transaction: transaction.network != "ERC20"),
)
in_turn(
    "no-event-for-sell",
    "ws.event",
    "Changes of a sell are not told.",
    _only(lambda transaction: transaction.type != "sell"),
)


@defect("ws-closed-at-once", breaks=["proof.ws.event"])
class WsClosedAtOnce(UpdateService):
    """The connection is closed, as if all were told, right after the upgrade."""

    def channel(self, transaction: Transaction) -> Channel:
        channel = super().channel(transaction)
        channel.close()
        return channel


@defect("ws-closed-after-first-event", breaks=["proof.ws.event"])
class WsClosedAfterFirstEvent(UpdateService):
    """The connection is closed after the first event."""

    def publish_message(self, transaction: Transaction) -> None:
        super().publish_message(transaction)
        for channel in self.subscribers(transaction):
            channel.close()


@defect("ws-goes-away-before-the-end", breaks=["proof.ws.event"])
class WsGoesAwayBeforeTheEnd(UpdateService):
    """In place of the last event the connection is closed, each time, as by a server that restarts."""

    def publish_message(self, transaction: Transaction) -> None:
        if not transaction.is_terminal:
            super().publish_message(transaction)
            return
        for channel in self.subscribers(transaction):
            channel.close(SERVICE_RESTART)


# What an event holds.

told("event-named-updated", EVENT, "event is tx.updated.", always(event="tx.updated"))
told("event-without-name", EVENT, "event is missing.", without("event"))
told("event-without-occurred-at", EVENT, "occurred_at is missing.", without("occurred_at"))
told(
    "event-without-fiat-amount-of-sell",
    EVENT,
    "fiat_amount is missing from the events of a sell.",
    wherever(lambda transaction: transaction.type == "sell", without("fiat_amount")),
)
told("event-crypto-amount-as-number", EVENT, "crypto_amount is a JSON number.", respelled(float, "crypto_amount"))
told(
    "event-crypto-amount-empty-while-processing",
    EVENT,
    "crypto_amount is empty until a transaction is completed.",
    in_status("processing", always(crypto_amount="")),
    may_break=AGREES,
)
told(
    "event-payment-method-null",
    EVENT,
    "payment_method is null where it is not known yet.",
    in_status("processing", always(payment_method=None)),
)
told(
    "event-payment-method-empty",
    EVENT,
    "payment_method is empty where it is not known yet.",
    in_status("processing", always(payment_method="")),
)
told(
    "event-completed-named-success",
    EVENT,
    "The event of a completed transaction has the status success.",
    in_status("completed", always(status="success")),
)
told("event-status-in-capitals", EVENT, "status is in capitals.", respelled(str.upper, "status"))
told(
    "event-occurred-at-as-number",
    EVENT,
    "occurred_at is a JSON number, seconds since 1970.",
    respelled(in_epoch_seconds, "occurred_at"),
)

# The order.

in_turn(
    "event-after-the-end",
    "ws.order",
    "After a transaction is completed it is told to be processing again.",
    lambda transaction: ["completed", "processing"] if transaction.is_terminal else [transaction.status],
)
in_turn(
    "event-after-the-end-of-sell",
    "ws.order",
    "After a sell is completed it is told to be processing again.",
    lambda transaction: (
        ["completed", "processing"] if transaction.is_terminal and transaction.type == "sell" else [transaction.status]
    ),
)
in_turn(
    "events-the-wrong-way-round",
    "ws.order",
    "That a transaction is processing is told after its end.",
    lambda transaction: ["completed", "processing"] if transaction.is_terminal else [],
)
in_turn(
    "event-pending-after-processing",
    "ws.order",
    "After a transaction is processing it is told to be pending.",
    lambda transaction: ["processing", "pending"] if transaction.status == "processing" else [transaction.status],
)
in_turn(
    "event-failed-after-completed",
    "ws.order",
    "After a transaction is completed it is told to have failed.",
    lambda transaction: ["completed", "failed"] if transaction.is_terminal else [transaction.status],
    AGREES,
)

# The times.

told("event-without-zone", TIMES, "occurred_at has no designator of UTC.", respelled(without_zone, "occurred_at"))
told("event-with-offset", TIMES, "occurred_at is right, but not in UTC.", respelled(with_offset, "occurred_at"))
told(
    "event-in-local-time-called-utc",
    TIMES,
    "occurred_at is a local time, two hours ahead, and ends in Z.",
    respelled(local_called_utc, "occurred_at"),
)
told("event-as-in-mail", TIMES, "occurred_at is as in mail.", respelled(as_in_mail, "occurred_at"))
told(
    "event-in-epoch-seconds",
    TIMES,
    "occurred_at is a string of seconds since 1970.",
    respelled(lambda text: str(in_epoch_seconds(text)), "occurred_at"),
)
told(
    "event-of-day",
    TIMES,
    "occurred_at is a date without a time of day.",
    respelled(lambda text: text[:10], "occurred_at"),
)
told(
    "event-half-a-minute-late",
    TIMES,
    "occurred_at is from a clock that is half a minute fast.",
    respelled(lambda text: shifted(text, timedelta(seconds=30)), "occurred_at"),
)
told(
    "event-time-goes-back",
    TIMES,
    "occurred_at of a completed transaction is from a clock that is a second slow.",
    in_status("completed", respelled(lambda text: shifted(text, timedelta(seconds=-1)), "occurred_at")),
)

# What the poll says.

told(
    "event-type-of-other-side",
    AGREES,
    "What the user sells is told as what the vendor buys, and the other way round.",
    respelled(lambda kind: {"buy": "sell", "sell": "buy"}[kind], "type"),
)
told(
    "event-type-of-configuration",
    AGREES,
    "type is the partner's default, whatever the session's is.",
    lambda document, transaction: document | {"type": transaction.partner.widget_config["type"]},
)
told(
    "event-currency-with-network",
    AGREES,
    "currency has the network after it.",
    lambda document, transaction: document | {"currency": f"{transaction.currency}-{transaction.network}"},
)
told("event-fiat-currency-always-euro", AGREES, "fiat_currency is EUR, whatever it is.", always(fiat_currency="EUR"))
told(
    "event-fiat-amount-in-cents",
    AGREES,
    "fiat_amount is in cents.",
    respelled(lambda amount: amount.replace(".", ""), "fiat_amount"),
)
told(
    "event-fiat-amount-rounded",
    AGREES,
    "fiat_amount is rounded to whole units.",
    respelled(lambda amount: f"{Decimal(amount):.0f}", "fiat_amount"),
)
told(
    "event-crypto-amount-rounded",
    AGREES,
    "crypto_amount is rounded to whole units.",
    respelled(lambda amount: f"{Decimal(amount):.0f}", "crypto_amount"),
)
told(
    "event-crypto-amount-with-one-decimal",
    AGREES,
    "crypto_amount has gone through a float and has one decimal.",
    respelled(lambda amount: f"{float(amount):.1f}", "crypto_amount"),
)
told(
    "event-amounts-swapped",
    AGREES,
    "fiat_amount and crypto_amount have changed places.",
    lambda document, transaction: (
        document | {"fiat_amount": transaction.crypto_amount, "crypto_amount": transaction.fiat_amount}
    ),
)
told(
    "event-final-amount-less-fee",
    AGREES,
    "crypto_amount of a completed transaction is one less, for a fee.",
    in_status("completed", respelled(lambda amount: str(Decimal(amount) - 1), "crypto_amount")),
)


@defect("event-amount-of-latest-transaction", breaks=["proof.ws.agrees"])
class EventAmountOfLatestTransaction(UpdateService):
    """fiat_amount is that of the partner's latest transaction."""

    def message(self, transaction: Transaction) -> dict[str, Any]:
        latest = self.ledger.transactions(transaction.partner)[-1]
        return super().message(transaction) | {"fiat_amount": latest.fiat_amount}


told(
    "event-failed-for-completed",
    AGREES,
    "The event of a completed transaction has the status failed.",
    in_status("completed", always(status="failed")),
    may_break=EVENT,
)
