"""The documented endpoints of Proof, as the conditions of invariants."""

from __future__ import annotations

from rampcheck.contract.profile import Partner
from rampcheck.judging.invariants import Endpoint
from rampcheck.wire.exchanges import Exchange

from .requests import PATH

SESSION = Endpoint("POST", PATH)
TRANSACTION = Endpoint("GET", "/widget/transactions/{merchant_transaction_id}")
KYC = Endpoint("GET", "/widget/users/{partner_user_id}/kyc-status")
EVENTS = Endpoint("GET", "/ws", "websocket")


def is_widget_call(exchange: Exchange, _: Partner | None = None) -> bool:
    """Whether the request is addressed to a documented endpoint under `/widget/`."""
    return any(endpoint.asked(exchange) for endpoint in (SESSION, TRANSACTION, KYC))


def is_webhook(exchange: Exchange, _: Partner | None = None) -> bool:
    """Whether the exchange is a webhook that the target sent."""
    return exchange.protocol == "webhook"
