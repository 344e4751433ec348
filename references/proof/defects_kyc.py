"""Defects of the KYC status of a user (`proof.kyc.*`)."""

# ruff: noqa: ARG002, ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import html
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

# Takes a partner and the conforming document of one of their users; gives the document that shall be sent.
Change = Callable[[Partner, dict[str, Any]], dict[str, Any]]


# Every user's document is as `change` gives it.
kyc = defects(
    StatusService,
    "kyc_document",
    lambda change, _, inherited, partner, user: change(partner, inherited(partner, user)),
    section="proof.kyc",
)
# The user in the path is read otherwise.
named = defects(
    StatusService,
    "show_kyc_status",
    lambda read, _, inherited, call: inherited(replace(call, parameter=read(call.parameter))),
    section="proof.kyc",
    breaks=["proof.kyc.echo"],
)


def _full(clauses: Sequence[str]) -> list[str]:
    return [f"proof.kyc.{clause}" for clause in clauses]


def _with_status(status: Any) -> Change:
    return lambda partner, document: document | {"status": status}


def _with_user(spell: Callable[[str], Any]) -> Change:
    return lambda partner, document: document | {"partner_user_id": spell(document["partner_user_id"])}


# The status.


@defect("kyc-as-203", breaks=["proof.kyc.complete"])
class _KycAs203(StatusService):
    """What the provider of identity checks says is passed on with 203."""

    def show_kyc_status(self, call: Call) -> Answer:
        return replace(super().show_kyc_status(call), status=203)


# The fields.

kyc("kyc-status-null", ["complete"], "status is null.", _with_status(None), may_break=["not-started"])
kyc("kyc-status-as-number", ["complete"], "status is a number.", _with_status(0), may_break=["not-started"])
kyc(
    "kyc-status-unverified",
    ["complete"],
    "A new user's status is unverified.",
    _with_status("unverified"),
    may_break=["not-started"],
)
kyc(
    "kyc-status-in-capitals",
    ["complete"],
    "status is in capitals.",
    lambda partner, document: document | {"status": document["status"].upper()},
    may_break=["not-started"],
)
kyc(
    "kyc-status-in-array",
    ["complete"],
    "status is an array of one string.",
    lambda partner, document: document | {"status": [document["status"]]},
    may_break=["not-started"],
)
kyc(
    "kyc-status-missing",
    ["complete"],
    "status is missing.",
    lambda partner, document: {"partner_user_id": document["partner_user_id"]},
    may_break=["not-started"],
)
kyc(
    "kyc-user-missing",
    ["complete"],
    "partner_user_id is missing.",
    lambda partner, document: {"status": document["status"]},
)
kyc(
    "kyc-in-data",
    ["complete"],
    "Both fields stand in an object under the name data.",
    lambda partner, document: {"data": document},
    may_break=["not-started"],
)

# The user in the answer.

kyc(
    "kyc-user-percent-encoded",
    ["echo"],
    "partner_user_id is percent-encoded.",
    _with_user(lambda user: quote(user, safe="")),
)
kyc(
    "kyc-user-of-digits-as-number",
    ["complete"],
    "A partner_user_id of digits is a number.",
    _with_user(lambda user: int(user) if user.isdecimal() else user),
    may_break=["echo", "not-started"],
)
kyc("kyc-user-escaped-for-html", ["echo"], "partner_user_id is escaped for HTML.", _with_user(html.escape))
kyc(
    "kyc-user-decomposed",
    ["echo"],
    "Letters with accents in partner_user_id come apart (NFD).",
    _with_user(lambda user: unicodedata.normalize("NFD", user)),
)
kyc(
    "kyc-user-as-latin-1",
    ["echo"],
    "The UTF-8 of partner_user_id is read as Latin-1.",
    _with_user(lambda user: user.encode().decode("latin-1")),
)
kyc(
    "kyc-user-of-basic-plane",
    ["echo"],
    "Characters of partner_user_id outside the basic plane become question marks.",
    _with_user(lambda user: "".join(character if character <= "\uffff" else "?" for character in user)),
)
kyc(
    "kyc-user-in-capitals",
    ["echo"],
    "partner_user_id is in capitals.",
    _with_user(str.upper),
)

# The user in the path.

named("kyc-path-not-decoded", "The user in the path is not decoded.", lambda user: quote(user, safe=""))
named("kyc-path-decoded-twice", "The user in the path is decoded twice.", unquote)
named("kyc-path-decoded-as-form", "The user in the path is decoded once more, as a form is.", unquote_plus)
named(
    "kyc-path-cut-at-slash",
    "The user in the path ends before a slash.",
    lambda user: user.partition("/")[0],
    may_break=["unknown"],
)
named("kyc-path-cut-at-semicolon", "The user in the path ends before a semicolon.", lambda user: user.partition(";")[0])
named(
    "kyc-path-cut-at-question-mark",
    "The user in the path ends before a question mark.",
    lambda user: user.partition("?")[0],
)
named(
    "kyc-path-without-extension",
    "The user in the path ends before the last dot.",
    lambda user: user.rpartition(".")[0] or user,
    may_break=["unknown"],
)

# A new user.

kyc(
    "kyc-new-user-pending",
    ["not-started"],
    "A new user is pending.",
    lambda partner, document: document | ({"status": "pending"} if document["status"] == "not_started" else {}),
)
kyc(
    "kyc-new-user-failed-for-one-partner",
    ["not-started"],
    "A new user of a partner whose default is to sell is failed.",
    lambda partner, document: document | ({"status": "failed"} if partner.widget_config["type"] == "sell" else {}),
)


@defect("kyc-unknown-until-verified", breaks=["proof.kyc.not-started"], may_break=["proof.kyc.echo"])
class KycUnknownUntilVerified(StatusService):
    """A user is known only once the identity check is passed."""

    def check_user(self, partner: Partner, user: str) -> None:
        super().check_user(partner, user if self.ledger.is_verified(partner, user) else "")


@defect("kyc-verified-by-poll", breaks=["proof.kyc.not-started"])
class KycVerifiedByPoll(StatusService):
    """A user is verified once one of their transactions has been asked for."""

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        self.ledger.verify(transaction)
        return super().transaction_document(transaction)


@defect("kyc-verified-by-second-session", breaks=["proof.kyc.not-started"])
class KycVerifiedBySecondSession(UpdateService):
    """A user is verified once there is a second session for them."""

    def created(self, transaction: Transaction) -> None:
        users = Counter(opened.partner_user_id for opened in self.ledger.transactions(transaction.partner))
        if users[transaction.partner_user_id] > 1:
            self.ledger.verify(transaction)
        super().created(transaction)


@defect("kyc-of-a-seller-pending", breaks=["proof.kyc.not-started"], may_break=["proof.kyc.stable"])
class KycOfASellerPending(StatusService):
    """Who sells is being looked into from the start."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        sells = (found.type == "sell" for found in self.ledger.transactions(partner) if found.partner_user_id == user)
        is_new = not self.ledger.is_verified(partner, user)
        return "pending" if any(sells) and is_new else super().kyc_status(partner, user)


@defect("users-of-sells-unknown", breaks=["proof.kyc.not-started"], may_break=["proof.kyc"])
class UsersOfSellsUnknown(StatusService):
    """Who has only sold is not known."""

    def check_user(self, partner: Partner, user: str) -> None:
        super().check_user(partner, user)
        if all(found.type == "sell" for found in self.ledger.transactions(partner) if found.partner_user_id == user):
            raise Refusal(refusals.USER)


@defect("kyc-verified-with-any-user", breaks=["proof.kyc.not-started"])
class KycVerifiedWithAnyUser(StatusService):
    """Once any user of a partner is verified, all of them are."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        users = (transaction.partner_user_id for transaction in self.ledger.transactions(partner))
        return "verified" if any(self.ledger.is_verified(partner, other) for other in users) else "not_started"


# Asking.


class _Counting(StatusService):
    """Knows how often each partner has asked for each user."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: Counter[tuple[str, str]] = Counter()

    def show_kyc_status(self, call: Call) -> Answer:
        self.asked_for[self.authenticate(call).widget_id, call.parameter] += 1
        return super().show_kyc_status(call)


@defect("kyc-pending-once-asked-for", breaks=["proof.kyc.stable"], may_break=["proof.kyc.not-started"])
class KycPendingOnceAskedFor(_Counting):
    """A user whose status has been asked for is pending from then on."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        return "pending" if self.asked_for[partner.widget_id, user] > 1 else super().kyc_status(partner, user)


@defect("kyc-told-once", breaks=["proof.kyc.stable"], may_break=["proof.kyc.not-started"])
class KycToldOnce(_Counting):
    """A user is unknown once their status has been asked for."""

    def check_user(self, partner: Partner, user: str) -> None:
        super().check_user(partner, "" if self.asked_for[partner.widget_id, user] > 1 else user)


@defect("kyc-asking-creates-user", breaks=["proof.kyc.stable"])
class KycAskingCreatesUser(_Counting):
    """A user who was unknown when asked for is known from then on."""

    def check_user(self, partner: Partner, user: str) -> None:
        if self.asked_for[partner.widget_id, user] < 2:
            super().check_user(partner, user)


@defect("kyc-asking-moves-transactions-on", breaks=["proof.kyc.stable"])
class KycAskingMovesTransactionsOn(StatusService):
    """The pending transactions of a user whose status is asked for are processing."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        for transaction in self.ledger.transactions(partner):
            if transaction.partner_user_id == user and transaction.status == "pending":
                self.ledger.update(replace(transaction, status="processing", crypto_amount=transaction.amount))
        return super().kyc_status(partner, user)


@defect("kyc-asking-touches-transactions", breaks=["proof.kyc.stable"])
class KycAskingTouchesTransactions(StatusService):
    """To ask for a user's status sets updated_at of their transactions."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        for transaction in self.ledger.transactions(partner):
            if transaction.partner_user_id == user:
                self.ledger.update(replace(transaction, updated_at=self.now()))
        return super().kyc_status(partner, user)
