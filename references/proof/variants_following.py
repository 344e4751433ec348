"""Variants of what is said of a transaction and of its user: times, amounts, statuses, and what stands beside them."""

# ruff: noqa: D102 - a variant's class says what it does otherwise, in signatures it cannot choose.

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from rampcheck.sandbox.variants import variant, variants
from rampcheck.sandbox.variants_server import dated
from rampcheck.sandbox.wire import Call

from . import refusals
from .base import BaseService
from .partners import Partner
from .refusals import Refusal, Refused
from .status import StatusService
from .transactions import Transaction, fiat_amount
from .updates import UpdateService

own = partial(variant, "proof")

# Times: their form (ISO 8601-1 §5.3 and §5.4).


# Every time is written as `spell` gives it.
_times = variants("proof", BaseService, "timestamp", lambda spell, _service, _inherited, moment: spell(moment))


def _utc(moment: datetime, precision: str, zone: str = "Z") -> str:
    return moment.isoformat(timespec=precision).replace("+00:00", zone)


_times("times-in-minutes", "Times are given to the minute.", lambda moment: _utc(moment, "minutes"))
_times("times-in-seconds", "Times are given to the second.", lambda moment: _utc(moment, "seconds"))
_times("times-in-microseconds", "Times are given to the microsecond.", lambda moment: _utc(moment, "microseconds"))
_times("times-in-nanoseconds", "Times have nine decimals.", lambda moment: _utc(moment, "microseconds", "000Z"))
_times("times-with-offset", "Times end in +00:00.", lambda moment: moment.isoformat(timespec="milliseconds"))
_times(
    "times-in-basic-form",
    "Times are in the basic form, with a decimal comma and the shortest offset.",
    lambda moment: f"{moment:%Y%m%dT%H%M%S},{moment.microsecond // 1000:03}+00",
)


@own("times-as-the-channel-has-them")
class TimesOfEachChannel(UpdateService):
    """Times are in milliseconds in polls, rounded up to the second in events, in microseconds in webhooks."""

    def message(self, transaction: Transaction) -> dict[str, Any]:
        rounded = transaction.updated_at.replace(microsecond=0) + timedelta(seconds=1)
        return super().message(transaction) | {"occurred_at": _utc(rounded, "seconds")}

    def webhook(self, transaction: Transaction) -> dict[str, Any]:
        times = {name: getattr(transaction, name) for name in ("created_at", "updated_at")}
        return super().webhook(transaction) | {
            name: _utc(moment, "microseconds", "+00:00") for name, moment in times.items()
        }


@own("changes-dated-apart")
class ChangesDatedApart(UpdateService):
    """Events and webhooks date a change when they are written, eight seconds after it by their clock."""

    def publish(self, transaction: Transaction) -> None:
        super().publish(replace(transaction, updated_at=transaction.updated_at + timedelta(seconds=8)))


# Times: the clock they are taken from.


def _clock(name: str, summary: str, seconds: float, **served: Any) -> None:
    """Registers a variant: the clock of the transactions is so many seconds ahead."""

    @own(name, summary=summary, **served)
    class OtherClock(BaseService):
        def now(self) -> datetime:
            return super().now() + timedelta(seconds=seconds)


def _dated(seconds: float) -> dict[str, Any]:
    """How the Date header is served from a clock that is so many seconds ahead."""
    return {"wrap": dated(timedelta(seconds=seconds)), "serving": {"date_header": False}}


_clock("transactions-ahead", "The clock of transactions is 60 s ahead, that of the Date header right.", 60)
_clock("transactions-behind", "The clock of transactions is 60 s behind, that of the Date header right.", -60)
_clock("clock-ahead", "The clock of the target is 600 s ahead, as its Date header shows.", 600, **_dated(600))
_clock("clock-behind", "The clock of the target is 600 s behind, as its Date header shows.", -600, **_dated(-600))

# Amounts.


def _while_pending(name: str, summary: str, crypto: str, fiat: str) -> None:
    """Registers a variant: a transaction has these amounts until it is processed, then those of the reference."""

    @own(name, summary=summary)
    class OtherWhilePending(UpdateService):
        def created(self, transaction: Transaction) -> None:
            pending = replace(transaction, crypto_amount=crypto, fiat_amount=fiat)
            self.ledger.update(pending)
            super().created(pending)

        def process(self, transaction: Transaction) -> None:
            super().process(replace(transaction, fiat_amount=fiat_amount(transaction.currency, transaction.amount)))


_while_pending(
    "amounts-estimated",
    "While a transaction is pending, both amounts are estimates, which are not kept.",
    crypto="0.5",
    fiat="0.45",
)
_while_pending("amounts-later", "While a transaction is pending, there is no amount at all.", crypto="", fiat="")


def _respelled(document: dict[str, Any], spell: Callable[[str], str]) -> dict[str, Any]:
    """The document with other spellings of the amounts that it has."""
    return document | {name: spell(document[name]) for name in ("crypto_amount", "fiat_amount") if document[name]}


@own("amounts-as-the-channel-has-them")
class AmountsOfEachChannel(UpdateService):
    """Amounts have an exponent in events and more decimals in webhooks than in polls."""

    def message(self, transaction: Transaction) -> dict[str, Any]:
        return _respelled(super().message(transaction), lambda text: f"{Decimal(text):E}")

    def webhook(self, transaction: Transaction) -> dict[str, Any]:
        return _respelled(super().webhook(transaction), lambda text: f"{text}{'' if '.' in text else '.'}0000")


@own("fiat-as-the-user-chooses")
class FiatAsTheUserChooses(UpdateService):
    """The user chooses another fiat currency when paying, as fix_fiat_currency lets them."""

    def process(self, transaction: Transaction) -> None:
        super().process(replace(transaction, fiat_currency="PLN", fiat_amount="399.00"))


# Statuses, of the transaction and of its user.


@own("straight-to-completed")
class StraightToCompleted(UpdateService):
    """A transaction is completed without having been processing."""

    def process(self, transaction: Transaction) -> None:
        self.complete(replace(transaction, crypto_amount=transaction.amount, payment_method="card"))


@own("processing-in-passing")
class ProcessingInPassing(UpdateService):
    """A transaction is processing for no time at all, so that no poll can show it; it is told all the same."""

    def process(self, transaction: Transaction) -> None:
        self.complete(
            self.changed(transaction, status="processing", crypto_amount=transaction.amount, payment_method="card")
        )


@own("ends-failed")
class EndsFailed(StatusService, UpdateService):
    """A transaction fails at the user's identity check; its amounts stay."""

    def complete(self, transaction: Transaction) -> None:
        self.changed(transaction, status="failed")

    def kyc_status(self, partner: Partner, user: str) -> str:
        return "failed" if "failed" in _statuses(self, partner, user) else super().kyc_status(partner, user)


@own("ends-cancelled")
class EndsCancelled(UpdateService):
    """A transaction is cancelled while it is pending, and then has no amounts."""

    def process(self, transaction: Transaction) -> None:
        self.changed(transaction, status="cancelled", fiat_amount="")


@own("slow-to-complete")
class SlowToComplete(UpdateService):
    """Each step of a transaction takes a second."""

    def __init__(self) -> None:
        super().__init__()
        self.step_seconds = 1.0


def _lagging(name: str, summary: str, seconds: float) -> None:
    """Registers a variant: a poll shows a change so many seconds after everybody has been told of it."""

    @own(name, summary=summary)
    class PollsLag(StatusService, UpdateService):
        def __init__(self) -> None:
            super().__init__()
            self._shown: dict[tuple[str, str], Transaction] = {}

        def changed(self, transaction: Transaction, **changes: Any) -> Transaction:
            self._shown.setdefault(transaction.key, transaction)
            changed = super().changed(transaction, **changes)
            asyncio.get_running_loop().call_later(seconds, self._shown.update, {changed.key: changed})
            return changed

        def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
            return super().transaction_document(self._shown.get(transaction.key, transaction))


_lagging("polls-lag", "A poll shows a change half a second after everybody has been told of it.", 0.5)
_lagging("polls-late", "A poll shows a change three seconds after everybody has been told of it.", 3.0)


@own("kyc-pending")
class KycPending(StatusService):
    """A user's identity check is pending from the moment they pay."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        return "pending" if "processing" in _statuses(self, partner, user) else super().kyc_status(partner, user)


def _statuses(service: BaseService, partner: Partner, user: str) -> set[str]:
    """The statuses of a user's transactions."""
    transactions = service.ledger.transactions(partner)
    return {transaction.status for transaction in transactions if transaction.partner_user_id == user}


# What stands beside the documented members, and how an id is read.


@own("status-extended")
class StatusExtended(StatusService):
    """The status of a transaction, and of a user, has members that are not documented, null among them."""

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        beside = {"tx_hash": None, "fees": {"network": [{"amount": 1.5, "paid": True}]}, "payment_method": None}
        return {**beside, **super().transaction_document(transaction), "completed_at": None}

    def kyc_document(self, partner: Partner, user: str) -> dict[str, Any]:
        return {"level": None, "documents": [], **super().kyc_document(partner, user), "verified_at": None}


@own("ids-without-case")
class IdsWithoutCase(BaseService):
    """A transaction is found by its id in any letter case, and shown with the id as it was given out."""

    def find_transaction(self, partner: Partner, transaction_id: str) -> Transaction:
        for transaction in self.ledger.transactions(partner):
            if transaction.id.casefold() == transaction_id.casefold():
                return transaction
        raise Refusal(refusals.TRANSACTION)


@own("not-found-by-name")
class NotFoundByName(BaseService):
    """The refusal of an unknown transaction or user says which one was asked for."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        names = {refusals.TRANSACTION: "merchant_transaction_id", refusals.USER: "partner_user_id"}
        named = {names[refused]: call.parameter or call.argument("tx_id")} if refused in names else {}
        return super().envelope(refused, call) | named
