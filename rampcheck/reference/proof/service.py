"""The behaviour of the Proof session endpoint, one small method for each decision."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import hmac
import json
import logging
import secrets
import uuid
from collections.abc import Callable
from typing import Any

from rampcheck.reference.proof import refusals
from rampcheck.reference.proof.access import Access
from rampcheck.reference.proof.partners import Partner
from rampcheck.reference.proof.refusals import Refusal, Refused
from rampcheck.reference.proof.request import RequestReading, SessionRequest
from rampcheck.reference.wire import Answer, Call, json_answer

UPSTREAM_FAULT_PREFIX = "fault-upstream-once-"

logger = logging.getLogger(__name__)


class SessionService(Access, RequestReading):
    """A conforming Proof server: takes a call, gives its answer, and never raises."""

    def __init__(self) -> None:
        self._signing_secret = secrets.token_bytes(64)
        self._failed_once: set[tuple[str, str]] = set()

    # The operations, as the routes call them.

    def post_session(self, call: Call) -> Answer:
        """POST /widget/session: a session, or the error that stands in its way."""
        return self.answered(call, self.create_session)

    def unknown_path(self, call: Call) -> Answer:
        """Any path that is not served: 404."""
        return self.answered(call, self.refuse_path)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        """What the operation gives, or the envelope of the refusal it raises; always with a request id."""
        try:
            answer = operation(call)
        except Refusal as refusal:
            answer = self.error_answer(refusal.refused, call)
        except Exception:
            logger.exception("the reference failed on %s %s", call.method, call.path)
            answer = self.error_answer(refusals.INTERNAL, call)
        return self.identified(answer, call)

    def create_session(self, call: Call) -> Answer:
        """The order of decisions: caller, request, type, currency, wallet, provider."""
        partner = self.authenticate(call)
        request = self.read(call)
        self.check_sell(partner, request)
        self.check_currency(partner, request)
        address = self.wallet(partner, request)
        self.check_provider(partner, request)
        return self.session_answer(self.session(partner, request, address), call)

    def refuse_path(self, call: Call) -> Answer:
        """Nothing is served here."""
        raise Refusal(refusals.PATH)

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

    # The answers.

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        """200 with the session."""
        return json_answer(200, session)

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        """The status with the envelope."""
        answer = json_answer(refused.status, self.envelope(refused, call))
        return answer.with_headers(allow="POST") if refused is refusals.METHOD else answer

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        """The body of an error: `error`, `code` and `message`."""
        return {"error": refused.error, "code": refused.code, "message": refused.message}

    def identified(self, answer: Answer, call: Call) -> Answer:
        """The answer with its `X-Request-Id`."""
        return answer.with_headers(x_request_id=self.request_id(answer, call))

    def request_id(self, answer: Answer, call: Call) -> str:
        """A new id for every request."""
        return uuid.uuid4().hex
