"""The behaviour of the Proof session endpoint, one small method for each decision."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import hmac
import json
import secrets
import uuid
from typing import Any

from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .base import BaseService
from .partners import Partner
from .refusals import Refusal
from .request import RequestReading, SessionRequest
from .transactions import Transaction

UPSTREAM_FAULT_PREFIX = "fault-upstream-once-"


class SessionService(BaseService, RequestReading):
    """The creation of sessions (session page). What stands in the way of one raises `Refusal`."""

    def __init__(self) -> None:
        super().__init__()
        self._signing_secret = secrets.token_bytes(64)
        self._failed_once: set[tuple[str, str]] = set()

    # The operation, as the route calls it.

    def post_session(self, call: Call) -> Answer:
        """POST /widget/session: a session, or the error that stands in its way."""
        return self.answered(call, self.create_session)

    def create_session(self, call: Call) -> Answer:
        """The order of decisions: caller, origin, request, type, currency, wallet, provider."""
        partner = self.authenticate(call)
        self.check_origin(partner, call)
        request = self.read(call)
        self.check_sell(partner, request)
        self.check_currency(partner, request)
        address = self.wallet(partner, request)
        self.check_provider(partner, request)
        session = self.session(partner, request, address)
        self.record(partner, request, session)
        return self.session_answer(session, call)

    def record(self, partner: Partner, request: SessionRequest, session: dict[str, Any]) -> None:
        """Opens the transaction that can be asked for from now on."""
        transaction = Transaction.of_session(partner, request, session, self.now())
        self.ledger.open(transaction)
        self.created(transaction)

    # What stands between a valid request and its session.

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        """A sell can be asked for only with off-ramp enabled."""
        if request.type == "sell" and not partner.off_ramp:
            self.invalid("Off-ramp is not enabled for you.")

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        """The currency is one of those enabled for the partner."""
        if request.currency not in partner.currencies:
            raise Refusal(refusals.CURRENCY)

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        """The address of the partner's wallet for this currency and network; an `address` sent is ignored."""
        try:
            return partner.wallets[request.currency, request.network]
        except KeyError as error:
            raise Refusal(refusals.WALLET) from error

    def check_provider(self, partner: Partner, request: SessionRequest) -> None:
        """The fault hook: for a user named `fault-upstream-once-…` the provider fails the first time."""
        user = (partner.widget_id, request.partner_user_id)
        if request.partner_user_id.startswith(UPSTREAM_FAULT_PREFIX) and user not in self._failed_once:
            self._failed_once.add(user)
            raise Refusal(refusals.UPSTREAM)

    # The session.

    def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
        """All fields (session page, Response); `redirect_url` only where one was sent or is configured."""
        config = partner.widget_config
        session = {
            "merchant_transaction_id": self.transaction_id(partner, request),
            "widget_id": self.widget_id(partner),
            "address": address,
            "signature": "",
            "init_token": self.init_token(partner, request),
            "init_token_type": "sdk_partner_authorization",
            "currency": request.currency,
            "currencies": config["currencies"],
            "fix_currency": True,
            "network": request.network,
            "networks": config["networks"],
            "fix_network": self.fixed_networks(partner, request),
            "amount": self.amount(request),
            "fix_amount": True,
            "fiat_currency": config["fiat_currency"],
            "fiat_currencies": config["fiat_currencies"],
            "fix_fiat_currency": False,
            "fix_fiat_amount": True,
            "type": self.session_type(partner, request),
            "lang": config["lang"],
            "theme": config["theme"],
        }
        redirect_url = self.redirect_url(partner, request)
        if redirect_url is not None:
            session["redirect_url"] = redirect_url
        session["signature"] = self.signature(session, request)
        return session

    def transaction_id(self, partner: Partner, request: SessionRequest) -> str:
        """A new identifier for every session."""
        return str(uuid.uuid4())

    def widget_id(self, partner: Partner) -> str:
        """The partner's widget."""
        return partner.widget_id

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        """A new token for every session that nobody can guess."""
        return secrets.token_urlsafe(48)

    def fixed_networks(self, partner: Partner, request: SessionRequest) -> list[str]:
        """The network is locked to the one requested."""
        return [request.network]

    def amount(self, request: SessionRequest) -> str:
        """The amount as it was written in the request."""
        return request.amount

    def session_type(self, partner: Partner, request: SessionRequest) -> str:
        """The type of the request, or else the partner's default."""
        return str(partner.widget_config["type"]) if request.type is None else request.type

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        """The redirect URL of the request, or else the partner's default, or None."""
        default = partner.widget_config.get("redirect_url")
        return default if request.redirect_url is None else request.redirect_url

    def signature(self, session: dict[str, Any], request: SessionRequest) -> str:
        """`v2:` and 128 hex digits: HMAC-SHA512 over what is signed."""
        return f"v2:{self.mac(self.signed_values(session, request))}"

    def signed_values(self, session: dict[str, Any], request: SessionRequest) -> list[Any]:
        """What the signature covers: the session's values, the user and the user's IP address."""
        return [request.partner_user_id, request.user_email, request.client_ip, *session.values()]

    def mac(self, values: list[Any]) -> str:
        """HMAC-SHA512, in hex, over the values, under a secret that lives as long as this process."""
        return hmac.digest(self._signing_secret, json.dumps(values).encode("ascii"), "sha512").hex()

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        """200 with the session."""
        return json_answer(200, session)
