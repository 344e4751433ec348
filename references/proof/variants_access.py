"""Variants of access: a gateway in front that tells who calls, and how else a WebSocket is refused."""

# ruff: noqa: D102 - a variant's class says what it does otherwise, in signatures it cannot choose.

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rampcheck.sandbox.absence import switch
from rampcheck.sandbox.variants import variant
from rampcheck.sandbox.websocket import Channel, Upgraded
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .base import BaseService
from .partners import Partner
from .refusals import Refusal
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

UNKNOWN_SECONDS = 0.3
POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


def through_a_gateway(app: ASGIApp) -> ASGIApp:
    """Appends the caller's address to X-Forwarded-For and puts it in place of X-Real-IP, as a proxy does."""

    async def forwarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        source = scope["client"][0].encode()
        kept = [(name, value) for name, value in scope["headers"] if name != b"x-real-ip"]
        added = [(b"x-forwarded-for", source), (b"x-real-ip", source)]
        await app({**scope, "headers": [*kept, *added], "client": ("10.0.0.7", 41000)}, receive, send)

    return forwarded


@variant("proof", "behind-a-gateway", wrap=through_a_gateway)
class BehindAGateway(BaseService):
    """A proxy in front appends the caller's address to X-Forwarded-For, and only that last one is believed."""

    def check_address(self, partner: Partner, call: Call) -> None:
        source = (call.header("x-forwarded-for") or "").split(",")[-1].strip()
        super().check_address(partner, replace(call, source=source))

    def envelope(self, refused: refusals.Refused, call: Call) -> dict[str, Any]:
        seen = {"client": call.header("x-real-ip")} if refused is refusals.PATH else {}
        return {**super().envelope(refused, call), **seen}


@variant("proof", "ws-refused-by-close")
class WsRefusedByClose(UpdateService):
    """An upgrade that is refused, for whatever reason, succeeds, and is closed at once with 1008."""

    def subscribe(self, call: Call) -> Answer:
        try:
            return super().subscribe(call)
        except Refusal as refusal:
            channel = Channel()
            channel.close(POLICY_VIOLATION, refusal.refused.code)
            return Upgraded(101, b"", channel=channel)


def hanging_up(app: ASGIApp) -> ASGIApp:
    """Ends the connection in place of a WebSocket's close with 1008, as a proxy does whose upstream hangs up."""

    async def hung_up(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "websocket.close" and message.get("code") == POLICY_VIOLATION:
                switch.drop(scope)
            else:
                await send(message)

        await app(scope, receive, sent)

    return hung_up


@variant("proof", "ws-refused-by-hanging-up", wrap=hanging_up)
class WsRefusedByHangingUp(WsRefusedByClose):
    """An upgrade that is refused, for whatever reason, succeeds, and the connection ends at once without a close."""


@variant("proof", "ws-refused-by-error-and-close")
class WsRefusedByErrorAndClose(UpdateService):
    """An upgrade that is refused succeeds, says what is wrong as any error does, and is closed with 4401."""

    def subscribe(self, call: Call) -> Answer:
        try:
            return super().subscribe(call)
        except Refusal as refusal:
            channel = Channel()
            channel.send(json.dumps(self.envelope(refusal.refused, call)))
            channel.close(4401)
            return Upgraded(101, b"", channel=channel)


@variant("proof", "known-after-a-moment")
class KnownAfterAMoment(StatusService, UpdateService):
    """A transaction and its user are unknown to the other endpoints for 300 ms after the session was created."""

    def __init__(self) -> None:
        super().__init__()
        self.step_seconds = 2 * UNKNOWN_SECONDS

    def find_transaction(self, partner: Partner, transaction_id: str) -> Transaction:
        transaction = super().find_transaction(partner, transaction_id)
        if self._is_new(transaction):
            raise Refusal(refusals.TRANSACTION)
        return transaction

    def check_user(self, partner: Partner, user: str) -> None:
        super().check_user(partner, user)
        own = [found for found in self.ledger.transactions(partner) if found.partner_user_id == user]
        if all(self._is_new(transaction) for transaction in own):
            raise Refusal(refusals.USER)

    def _is_new(self, transaction: Transaction) -> bool:
        return self.now() - transaction.created_at < timedelta(seconds=UNKNOWN_SECONDS)
