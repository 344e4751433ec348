"""Defects of the status of a transaction (`proof.transaction.*`)."""

# ruff: noqa: ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .following_changes import (
    Document,
    always,
    as_in_mail,
    in_epoch_seconds,
    in_status,
    local_called_utc,
    polled,
    respelled,
    shifted,
    stamp,
    wherever,
    with_offset,
    without,
    without_zone,
)
from .refusals import Refusal
from .status import StatusService
from .transactions import Transaction

# What is told over the other channels is compared with the polls.
AGREES = ("ws.agrees", "webhook.agrees")
TIMES = ("created_at", "updated_at")

# The status.


@defect("pending-transaction-as-202", breaks=["proof.transaction.complete"])
class _PendingAs202(StatusService):
    """A transaction that is not at its end is answered with 202."""

    def show_transaction(self, call: Call) -> Answer:
        answer = super().show_transaction(call)
        return replace(answer, status=202) if b'"pending"' in answer.body else answer


# The fields.

polled(
    "poll-without-network-of-usdc",
    ["transaction.complete"],
    "network is missing from transactions in USDC.",
    wherever(lambda transaction: transaction.currency == "USDC", without("network")),
    may_break=["webhook.agrees"],
)
polled(
    "poll-without-crypto-amount-before-processing",
    ["transaction.complete"],
    "crypto_amount is missing while a transaction is pending.",
    in_status("pending", without("crypto_amount")),
)
polled(
    "poll-crypto-amount-null",
    ["transaction.complete"],
    "crypto_amount is null while a transaction is pending.",
    in_status("pending", always(crypto_amount=None)),
)
polled(
    "poll-fiat-amount-as-number",
    ["transaction.complete"],
    "fiat_amount is a JSON number.",
    respelled(float, "fiat_amount"),
    may_break=AGREES,
)
polled(
    "poll-fiat-amount-with-comma",
    ["transaction.complete"],
    "fiat_amount has a decimal comma.",
    respelled(lambda amount: amount.replace(".", ","), "fiat_amount"),
    may_break=AGREES,
)
polled(
    "poll-crypto-amount-empty-while-processing",
    ["transaction.complete"],
    "crypto_amount stays empty until a transaction is completed.",
    in_status("processing", always(crypto_amount="")),
    may_break=AGREES,
)
polled(
    "poll-status-in-capitals",
    ["transaction.complete"],
    "status is in capitals.",
    respelled(str.upper, "status"),
    may_break=["transaction.pending", *AGREES],
)
polled(
    "poll-completed-named-success",
    ["transaction.complete"],
    "A completed transaction has the status success.",
    in_status("completed", always(status="success")),
    may_break=["ws.agrees", "webhook.agrees"],
)
polled(
    "poll-times-as-numbers",
    ["transaction.complete"],
    "Both times are JSON numbers, seconds since 1970.",
    respelled(in_epoch_seconds, *TIMES),
)


@defect(
    "poll-in-data", breaks=["proof.transaction.complete"], may_break=["proof.transaction.pending", "proof.ws.agrees"]
)
class PollInData(StatusService):
    """A transaction stands inside an object under the name data."""

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        return {"data": super().transaction_document(transaction)}


# Whose transaction it is.

polled(
    "poll-id-in-capitals",
    ["transaction.echo"],
    "merchant_transaction_id is in capitals.",
    respelled(str.upper, "merchant_transaction_id"),
)
polled(
    "poll-id-without-hyphens",
    ["transaction.echo"],
    "merchant_transaction_id has lost its hyphens.",
    respelled(lambda value: value.replace("-", ""), "merchant_transaction_id"),
)
polled(
    "poll-type-of-configuration",
    ["transaction.echo"],
    "type is the partner's default, whatever the session's is.",
    lambda document, transaction: document | {"type": transaction.partner.widget_config["type"]},
    may_break=["ws.agrees"],
)
polled(
    "poll-currency-of-configuration",
    ["transaction.echo"],
    "currency is the partner's first one, whatever the session's is.",
    lambda document, transaction: document | {"currency": transaction.partner.widget_config["currencies"][0]},
    may_break=AGREES,
)
polled(
    "poll-network-in-lower-case",
    ["transaction.echo"],
    "network is in lower case.",
    respelled(str.lower, "network"),
    may_break=["webhook.agrees"],
)
polled(
    "poll-user-without-first-part",
    ["transaction.echo"],
    "partner_user_id lacks everything before its first hyphen.",
    respelled(lambda user: user.partition("-")[2], "partner_user_id"),
)


@defect("poll-user-of-latest-session", breaks=["proof.transaction.echo"])
class PollUserOfLatestSession(StatusService):
    """partner_user_id is that of the partner's latest session."""

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        latest = self.ledger.transactions(transaction.partner)[-1]
        return super().transaction_document(transaction) | {"partner_user_id": latest.partner_user_id}


# The first status.


def begun(name: str, summary: str, applies: Callable[[Transaction], bool]) -> None:
    """Registers a defect: a pending transaction to which it applies is shown as processing."""

    def change(document: Document, transaction: Transaction) -> Document:
        return document | {"status": "processing", "crypto_amount": transaction.amount}

    polled(name, ["transaction.pending"], summary, in_status("pending", wherever(applies, change)))


begun(
    "poll-processing-on-erc20-from-the-start",
    "A transaction on ERC20 is processing from the start.",
    lambda transaction: transaction.network == "ERC20",
)
begun(
    "poll-sell-processing-from-the-start",
    "A sell is processing from the start.",
    lambda transaction: transaction.type == "sell",
)


@defect("poll-moves-transaction-on", breaks=["proof.transaction.pending"])
class PollMovesTransactionOn(StatusService):
    """A pending transaction is processing once it has been asked for."""

    def show_transaction(self, call: Call) -> Answer:
        answer = super().show_transaction(call)
        transaction = self.find_transaction(self.authenticate(call), call.parameter)
        if transaction.status == "pending":
            self.ledger.update(replace(transaction, status="processing", crypto_amount=transaction.amount))
        return answer


@defect(
    "new-transaction-unknown-for-three-seconds",
    breaks=["proof.transaction.pending"],
    may_break=["proof.transaction", "proof.errors.upstream"],
)
class NewTransactionUnknownForThreeSeconds(StatusService):
    """A transaction is not found for three seconds after its session, where two are allowed."""

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        if datetime.now(UTC) < transaction.created_at + timedelta(seconds=3):
            raise Refusal(refusals.TRANSACTION)
        return super().transaction_document(transaction)


# The times.

polled(
    "poll-times-without-zone",
    ["transaction.times"],
    "Times have no designator of UTC.",
    respelled(without_zone, *TIMES),
)
polled(
    "poll-times-with-offset",
    ["transaction.times"],
    "Times are right, but not in UTC.",
    respelled(with_offset, *TIMES),
)
polled(
    "poll-local-times-called-utc",
    ["transaction.times"],
    "Times are local ones, two hours ahead, and end in Z.",
    respelled(local_called_utc, *TIMES),
    may_break=["ws.times", "webhook.agrees"],
)
polled(
    "poll-created-at-as-date",
    ["transaction.times"],
    "created_at is a date without a time of day.",
    respelled(lambda text: text[:10], "created_at"),
)
polled(
    "poll-times-with-space",
    ["transaction.times"],
    "Times have a space between date and time of day.",
    respelled(lambda text: text.replace("T", " "), *TIMES),
)
polled(
    "poll-times-in-epoch-seconds",
    ["transaction.times"],
    "Times are strings of seconds since 1970.",
    respelled(lambda text: str(in_epoch_seconds(text)), *TIMES),
)
polled("poll-times-as-in-mail", ["transaction.times"], "Times are as in mail.", respelled(as_in_mail, *TIMES))
polled(
    "poll-created-at-now",
    ["transaction.times"],
    "created_at is the time of the question.",
    lambda document, transaction: document | {"created_at": stamp(datetime.now(UTC))},
    may_break=["webhook.agrees"],
)
polled(
    "poll-created-at-of-last-change",
    ["transaction.times"],
    "created_at is the time of the last change.",
    lambda document, transaction: document | {"created_at": document["updated_at"]},
    may_break=["webhook.agrees"],
)
polled(
    "poll-updated-before-created",
    ["transaction.times"],
    "updated_at of a pending transaction is from a clock that is a second slow.",
    in_status("pending", respelled(lambda text: shifted(text, timedelta(seconds=-1)), "updated_at")),
)
polled(
    "poll-updated-at-zero",
    ["transaction.times"],
    "updated_at of a pending transaction is the beginning of the calendar.",
    in_status("pending", always(updated_at="0001-01-01T00:00:00Z")),
)

# The end.


def unended(
    name: str,
    summary: str,
    status: str,
    applies: Callable[[Transaction], bool] = lambda transaction: True,
) -> None:
    """Registers a defect: a completed transaction to which it applies is shown as such once, then with a status."""

    @defect(name, breaks=["proof.transaction.terminal"], summary=summary)
    class Unended(StatusService):
        def __init__(self) -> None:
            super().__init__()
            self._ended: set[str] = set()

        def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
            document = super().transaction_document(transaction)
            if not transaction.is_terminal or not applies(transaction):
                return document
            first = transaction.id not in self._ended
            self._ended.add(transaction.id)
            return document if first else document | {"status": status}


unended("completed-then-processing", "Once seen as completed, a transaction is processing again.", "processing")
unended("completed-then-pending", "Once seen as completed, a transaction is pending again.", "pending")
unended(
    "completed-then-failed",
    "Once seen as completed, a transaction is failed.",
    "failed",
)
unended(
    "completed-sell-then-processing",
    "Once seen as completed, a sell is processing again.",
    "processing",
    lambda transaction: transaction.type == "sell",
)
polled(
    "failed-then-completed",
    ["transaction.terminal"],
    "A transaction is failed while it is processing, and completed in the end.",
    in_status("processing", always(status="failed")),
    may_break=["ws.event", "ws.agrees", "webhook.delivered"],
)
