"""Defects of what comes after: once a user is verified, a transaction is completed, a partner has done something."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

from collections.abc import Iterable

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.websocket import Channel
from rampcheck.sandbox.wire import Call

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService


@defect("verified-user-of-all-partners", breaks=["proof.kyc.isolation"])
class VerifiedUserOfAllPartners(StatusService):
    """Once a user is verified, every partner is told so."""

    def check_user(self, partner: Partner, user: str) -> None:
        if not any(self.ledger.is_verified(owner, user) for owner in self.partners):
            super().check_user(partner, user)

    def kyc_status(self, partner: Partner, user: str) -> str:
        return "verified" if any(self.ledger.is_verified(own, user) for own in self.partners) else "not_started"


@defect("completed-transaction-of-all-partners", breaks=["proof.transaction.isolation"])
class CompletedTransactionOfAllPartners(StatusService):
    """Once a transaction is completed, every partner may ask for it."""

    def find_transaction(self, partner: Partner, transaction_id: str) -> Transaction:
        for owner in self.partners:
            found = self.ledger.transaction(owner, transaction_id)
            if found is not None and found.is_terminal:
                return found
        return super().find_transaction(partner, transaction_id)


@defect("ws-events-of-user", breaks=["proof.ws.only-own"], may_break=["proof.ws"])
class WsEventsOfUser(UpdateService):
    """A WebSocket brings the events of all transactions of the same user."""

    def subscribers(self, transaction: Transaction) -> Iterable[Channel]:
        own = [
            other.key
            for other in self.ledger.transactions(transaction.partner)
            if other.partner_user_id == transaction.partner_user_id
        ]
        return tuple(channel for key in own for channel in self.channels.get(key, ()))


@defect(
    "completed-transaction-forgotten",
    breaks=["proof.transaction.terminal"],
    may_break=["proof.ws", "proof.transaction"],
)
class CompletedTransactionForgotten(StatusService):
    """A transaction is unknown as soon as it is completed."""

    def find_transaction(self, partner: Partner, transaction_id: str) -> Transaction:
        found = super().find_transaction(partner, transaction_id)
        if found.status == "completed":
            raise Refusal(refusals.TRANSACTION)
        return found


@defect("completed-transaction-told-once", breaks=["proof.transaction.terminal"], may_break=["proof.transaction"])
class CompletedTransactionToldOnce(StatusService):
    """A transaction is unknown once its owner was told that it is completed."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def find_transaction(self, partner: Partner, transaction_id: str) -> Transaction:
        found = super().find_transaction(partner, transaction_id)
        if transaction_id in self._told:
            raise Refusal(refusals.TRANSACTION)
        if found.status == "completed":
            self._told.add(transaction_id)
        return found


@defect("allowlist-of-first-partner-only", breaks=["proof.auth.ip-allowlist"])
class AllowlistOfFirstPartnerOnly(StatusService):
    """The second partner's calls may come from anywhere."""

    def check_address(self, partner: Partner, call: Call) -> None:
        if partner is self.partners[0]:
            super().check_address(partner, call)


@defect("ws-events-to-first-subscriber-only", breaks=["proof.ws.event"], may_break=["proof.ws"])
class WsEventsToFirstSubscriberOnly(UpdateService):
    """Of several WebSockets for one transaction, only the first is told anything."""

    def subscribers(self, transaction: Transaction) -> Iterable[Channel]:
        return tuple(super().subscribers(transaction))[:1]


@defect("ws-events-to-last-subscriber-only", breaks=["proof.ws.event"], may_break=["proof.ws"])
class WsEventsToLastSubscriberOnly(UpdateService):
    """Of several WebSockets for one transaction, only the last is told anything."""

    def channel(self, transaction: Transaction) -> Channel:
        self.channels.pop(transaction.key, None)
        return super().channel(transaction)
