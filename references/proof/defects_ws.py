"""Defects of the WebSocket: who may subscribe, and who is told (`proof.ws.connect`, `.auth`, `.tx-id-required`,
`.only-own`, `.isolation`)."""

# ruff: noqa: ARG001, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.websocket import Channel, Upgraded
from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .base import BaseService
from .following_changes import (
    admitted,
    refused_with,
    respelled,
    told,
    with_any_token,
    with_token_prefix,
    without_header,
)
from .partners import Partner
from .refusals import Refusal, Refused
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

TAKEN = Refused(409, "conflict", "conflict", "There is a subscription already.")

# The upgrade.


@defect("ws-answered-with-200", breaks=["proof.ws.connect"])
class WsAnsweredWith200(UpdateService):
    """In place of the upgrade there is an answer with the present state."""

    def subscribe(self, call: Call) -> Answer:
        transaction = self.subscribed(self.authenticate(call), self.tx_id(call))
        return json_answer(200, self.message(transaction))


@defect("ws-demands-origin", breaks=["proof.ws.connect"])
class WsDemandsOrigin(UpdateService):
    """An upgrade without an Origin is refused."""

    def subscribe(self, call: Call) -> Answer:
        answer = super().subscribe(call)
        if call.header("origin") is None:
            raise Refusal(refusals.ORIGIN)
        return answer


def turned_away(
    name: str, summary: str, refused: Refused, applies: Callable[[UpdateService, Transaction], bool]
) -> None:
    """Registers a defect: the upgrade for a transaction of the partner's own to which it applies is refused."""

    @defect(name, breaks=["proof.ws.connect"], summary=summary)
    class TurnedAway(UpdateService):
        def channel(self, transaction: Transaction) -> Channel:
            if applies(self, transaction):
                raise Refusal(refused)
            return super().channel(transaction)


turned_away(
    "ws-refused-while-pending",
    "The upgrade for a transaction that is pending is refused.",
    refusals.TRANSACTION,
    lambda _, transaction: transaction.status == "pending",
)
turned_away(
    "ws-refused-for-sell",
    "The upgrade for a sell is refused.",
    refusals.TX_ID,
    lambda _, transaction: transaction.type == "sell",
)
turned_away(
    "ws-refused-on-erc20",
    "The upgrade for a transaction on ERC20 is refused.",
    refusals.TRANSACTION,
    lambda _, transaction: transaction.network == "ERC20",
)
turned_away(
    "ws-refused-while-another-is-open",
    "The second upgrade for a transaction is refused while the first one is open.",
    TAKEN,
    lambda service, transaction: any(service.subscribers(transaction)),
)


@defect("ws-refused-until-polled", breaks=["proof.ws.connect"])
class WsRefusedUntilPolled(StatusService, UpdateService):
    """The upgrade for a transaction is refused until its status has been asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._polled: set[str] = set()

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        self._polled.add(transaction.id)
        return super().transaction_document(transaction)

    def channel(self, transaction: Transaction) -> Channel:
        if transaction.id not in self._polled:
            raise Refusal(refusals.TRANSACTION)
        return super().channel(transaction)


# Who may subscribe.

admitted(
    "ws-without-token",
    "ws.auth",
    "An upgrade without an Authorization header is taken for the first partner's.",
    without_header,
)
admitted(
    "ws-with-any-token",
    "ws.auth",
    "An upgrade with any token is taken for the first partner's.",
    with_any_token,
)
admitted(
    "ws-token-compared-by-beginning",
    "ws.auth",
    "An upgrade with a partner's token and anything after it is accepted.",
    with_token_prefix,
)


def _with_token_in_query(service: BaseService, call: Call) -> Partner | None:
    return service.partner_for(call.argument("access_token") or "")


admitted("ws-token-in-query", "ws.auth", "The token is accepted in the query, too.", _with_token_in_query)
admitted(
    "ws-without-token-server-error",
    "ws.auth",
    "An upgrade without a good token is answered with 500.",
    refused_with(refusals.INTERNAL),
)


@defect("ws-without-token-closed-later", breaks=["proof.ws.auth"])
class WsWithoutTokenClosedLater(UpdateService):
    """An upgrade without a good token succeeds, and the connection is closed some seconds later."""

    def subscribe(self, call: Call) -> Answer:
        try:
            return super().subscribe(call)
        except Refusal as refusal:
            if refusal.refused is not refusals.TOKEN:
                raise
            channel = Channel()
            asyncio.get_running_loop().call_later(4.0, channel.close, 1008, "unauthorised")
            return Upgraded(101, b"", channel=channel)


# To what.


def unasked(name: str, summary: str, present: bool, subscribe: Callable[[UpdateService, Partner], Channel]) -> None:
    """Registers a defect: an upgrade without a tx_id, or with an empty one where that is `present`, succeeds."""

    # An event is then of no transaction that was asked for.
    @defect(name, breaks=["proof.ws.tx-id-required"], may_break=["proof.ws.only-own"], summary=summary)
    class Unasked(UpdateService):
        def subscribe(self, call: Call) -> Answer:
            if call.argument("tx_id") != ("" if present else None):
                return super().subscribe(call)
            return Upgraded(101, b"", channel=subscribe(self, self.authenticate(call)))


def _to_nothing(service: UpdateService, partner: Partner) -> Channel:
    return Channel()


def _to_latest(service: UpdateService, partner: Partner) -> Channel:
    return service.channel(service.ledger.transactions(partner)[-1])


def _to_state_of_latest(service: UpdateService, partner: Partner) -> Channel:
    channel = Channel()
    channel.send(json.dumps(service.message(service.ledger.transactions(partner)[-1])))
    channel.close()
    return channel


unasked("ws-without-tx-id-silent", "Without a tx_id the upgrade succeeds, and nothing follows.", False, _to_nothing)
unasked(
    "ws-with-empty-tx-id-silent", "With an empty tx_id the upgrade succeeds, and nothing follows.", True, _to_nothing
)
unasked(
    "ws-without-tx-id-to-latest",
    "Without a tx_id the upgrade is to the partner's latest transaction.",
    False,
    _to_latest,
)
unasked(
    "ws-with-empty-tx-id-to-state-of-latest",
    "With an empty tx_id there is one event, of the partner's latest transaction, and the connection is closed.",
    True,
    _to_state_of_latest,
)


@defect("ws-without-tx-id-server-error", breaks=["proof.ws.tx-id-required"])
class WsWithoutTxIdServerError(UpdateService):
    """An upgrade without a tx_id is answered with 500."""

    def tx_id(self, call: Call) -> str:
        if call.argument("tx_id") is None:
            raise Refusal(refusals.INTERNAL)
        return super().tx_id(call)


# Whose events are told.


def overheard(name: str, summary: str, relates: Callable[[Transaction, Transaction], bool]) -> None:
    """Registers a defect: an event is told to the subscribers of each transaction to which its own relates, too."""

    @defect(name, breaks=["proof.ws.only-own"], summary=summary)
    class Overheard(UpdateService):
        def publish_message(self, transaction: Transaction) -> None:
            others = [
                other
                for partner in self.partners
                for other in self.ledger.transactions(partner)
                if other.id != transaction.id and relates(transaction, other)
            ]
            for channel in [channel for other in others for channel in self.subscribers(other)]:
                channel.send(json.dumps(self.message(transaction)))
            super().publish_message(transaction)


overheard("ws-events-of-all-partners", "Everybody is told the events of all partners.", lambda _, __: True)
overheard(
    "ws-events-of-partner",
    "A partner is told the events of all their transactions over every connection.",
    lambda transaction, other: transaction.partner is other.partner,
)
overheard(
    "ws-events-of-network",
    "The events of all of a partner's transactions on one network come over each of their connections.",
    lambda transaction, other: (transaction.partner, transaction.network) == (other.partner, other.network),
)
told(
    "event-id-in-capitals",
    ["ws.only-own"],
    "merchant_transaction_id of an event is in capitals.",
    respelled(str.upper, "merchant_transaction_id"),
    may_break=["ws.event"],
)
told(
    "event-id-of-user",
    ["ws.only-own"],
    "merchant_transaction_id of an event is the user's name.",
    lambda document, transaction: document | {"merchant_transaction_id": transaction.partner_user_id},
    may_break=["ws.event"],
)


# Another partner's transactions.


def intruded(name: str, summary: str, lets_in: Callable[[UpdateService, Partner, Transaction], bool]) -> None:
    """Registers a defect: the subscription to another partner's transaction succeeds where `lets_in` says so."""

    @defect(name, breaks=["proof.ws.isolation"], summary=summary)
    class Intruded(UpdateService):
        def subscribed(self, partner: Partner, tx_id: str) -> Transaction:
            try:
                return super().subscribed(partner, tx_id)
            except Refusal:
                found = _foreign(self, partner, tx_id)
                if found is None or not lets_in(self, partner, found):
                    raise
                return found


def _foreign(service: UpdateService, partner: Partner, tx_id: str) -> Transaction | None:
    others = (other for other in service.partners if other is not partner)
    return next((found for other in others if (found := service.ledger.transaction(other, tx_id))), None)


intruded("ws-open-to-all-partners", "Any partner may subscribe to any transaction.", lambda *_: True)
intruded(
    "ws-of-first-partner-open-to-all",
    "Any partner may subscribe to the first one's transactions.",
    lambda service, _, transaction: transaction.partner is service.partners[0],
)
intruded(
    "ws-of-all-open-to-first-partner",
    "The first partner may subscribe to any transaction.",
    lambda service, partner, _: partner is service.partners[0],
)
intruded(
    "ws-open-to-all-once-open",
    "Any partner may subscribe to a transaction to which its owner has subscribed.",
    lambda service, _, transaction: any(service.subscribers(transaction)),
)


@defect("ws-tells-state-to-all-partners", breaks=["proof.ws.isolation"])
class WsTellsStateToAllPartners(UpdateService):
    """Who subscribes to another partner's transaction is told its state before the connection is closed."""

    def subscribe(self, call: Call) -> Answer:
        try:
            return super().subscribe(call)
        except Refusal as refusal:
            found = _foreign(self, self.authenticate(call), call.argument("tx_id") or "")
            if refusal.refused is not refusals.TRANSACTION or found is None:
                raise
            channel = Channel()
            channel.send(json.dumps(self.message(found)))
            channel.close(1008, "not yours")
            return Upgraded(101, b"", channel=channel)


@defect("ws-tells-end-to-all-partners", breaks=["proof.ws.isolation"])
class WsTellsEndToAllPartners(UpdateService):
    """Who subscribes to another partner's transaction is told its end only."""

    def subscribed(self, partner: Partner, tx_id: str) -> Transaction:
        try:
            return super().subscribed(partner, tx_id)
        except Refusal:
            found = _foreign(self, partner, tx_id)
            if found is None:
                raise
            # Under a key of its own.
            return replace(found, partner=partner)

    def subscribers(self, transaction: Transaction) -> Iterable[Channel]:
        if not transaction.is_terminal:
            return super().subscribers(transaction)
        return [
            channel for (_, tx_id), channels in self.channels.items() if tx_id == transaction.id for channel in channels
        ]
