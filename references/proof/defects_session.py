"""Defects in the session that is returned: shape, identifiers and signature (`proof.session.*`)."""

# ruff: noqa: ARG002, ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call, json_answer

from .partners import Partner
from .request import SessionRequest
from .service import SessionService
from .session_changes import FOLLOWING, SESSION, always, changed, without

# The response as a whole.


@defect("session-as-text", breaks=[f"{SESSION}.json"])
class SessionAsText(SessionService):
    """A session's Content-Type is text/plain."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return super().session_answer(session, call).with_headers(content_type="text/plain; charset=utf-8")


@defect("session-in-array", breaks=[f"{SESSION}.json"], may_break=[SESSION])
class SessionInArray(SessionService):
    """A session comes inside an array."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return json_answer(200, [session])


@defect("session-wrapped", breaks=[f"{SESSION}.complete"], may_break=[SESSION])
class SessionWrapped(SessionService):
    """A session comes inside a member `data`."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return json_answer(200, {"data": session})


@defect("session-in-camel-case", breaks=[f"{SESSION}.complete"], may_break=[SESSION])
class SessionInCamelCase(SessionService):
    """All members of a session are named in camel case, as the widget names them."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return json_answer(200, {_camel(name): value for name, value in session.items()})


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


@defect("usdc-session-as-string", breaks=[f"{SESSION}.json"], may_break=[SESSION])
class UsdcSessionAsString(SessionService):
    """A session for USDC comes encoded twice, as JSON in a JSON string."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        if session["currency"] != "USDC":
            return super().session_answer(session, call)
        return json_answer(200, json.dumps(session))


without("theme-missing", "theme", "theme is missing.", ["config.theme"], lambda request: True)
without(
    "init-token-type-missing",
    "init_token_type",
    "init_token_type is missing.",
    ["init-token-type"],
    lambda request: True,
)
without(
    "networks-missing-for-usdc",
    "networks",
    "networks is missing from sessions for USDC.",
    ["config.networks", "config-stable"],
    lambda request: request.currency == "USDC",
)
without(
    "fiat-currency-missing-without-client-ip",
    "fiat_currency",
    "fiat_currency is missing where no client_ip was sent.",
    ["config.fiat_currency", "config-stable", "request.client-ip-optional"],
    lambda request: request.client_ip is None,
)
changed(
    "currencies-as-string",
    ["complete"],
    "currencies is a string with commas.",
    lambda session, request: {"currencies": ",".join(session["currencies"])},
    may_break=["config.currencies"],
)
changed("lang-null", ["complete"], "lang is null.", always(lang=None), may_break=["config.lang"])
changed(
    "amount-as-number",
    ["complete"],
    "amount is a JSON number.",
    lambda session, request: {"amount": min(float(request.amount), 1e300)},
    may_break=["amount-echo"],
)

# The identifiers.


@defect("transaction-id-per-user", breaks=[f"{SESSION}.merchant-transaction-id"], may_break=FOLLOWING)
class TransactionIdPerUser(SessionService):
    """All sessions of a user have the same merchant_transaction_id."""

    def transaction_id(self, partner: Partner, request: SessionRequest) -> str:
        return _digest(partner.widget_id, request.partner_user_id)


@defect("transaction-id-per-request", breaks=[f"{SESSION}.merchant-transaction-id"], may_break=FOLLOWING)
class TransactionIdPerRequest(SessionService):
    """The same request gives the same merchant_transaction_id."""

    def transaction_id(self, partner: Partner, request: SessionRequest) -> str:
        return _digest(partner.widget_id, repr(request))


@defect("transaction-id-wraps-around", breaks=[f"{SESSION}.merchant-transaction-id"], may_break=FOLLOWING)
class TransactionIdWrapsAround(SessionService):
    """The merchant_transaction_id is a counter that starts again after thirty sessions."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions = 0

    def transaction_id(self, partner: Partner, request: SessionRequest) -> str:
        self._sessions += 1
        return f"transaction-{self._sessions % 30:02}"


@defect("widget-id-per-session", breaks=[f"{SESSION}.widget-id"])
class WidgetIdPerSession(SessionService):
    """Each session has a widget_id of its own."""

    def widget_id(self, partner: Partner) -> str:
        return str(uuid.uuid4())


@defect("widget-id-of-other-partner", breaks=[f"{SESSION}.widget-id"])
class WidgetIdOfOtherPartner(SessionService):
    """The widget_id is another partner's."""

    def widget_id(self, partner: Partner) -> str:
        return next(other.widget_id for other in self.partners if other is not partner)


@defect("init-token-per-user", breaks=[f"{SESSION}.init-token"])
class InitTokenPerUser(SessionService):
    """All sessions of a user have the same init_token."""

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        return _digest("init", partner.widget_id, request.partner_user_id)


@defect("init-token-per-request", breaks=[f"{SESSION}.init-token"])
class InitTokenPerRequest(SessionService):
    """The same request gives the same init_token."""

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        return _digest("init", partner.widget_id, repr(request))


def _digest(*values: str) -> str:
    return hashlib.sha256(json.dumps(values).encode("ascii")).hexdigest()[:32]


changed(
    "transaction-id-empty",
    ["merchant-transaction-id"],
    "merchant_transaction_id is empty.",
    always(merchant_transaction_id=""),
)
changed("init-token-empty", ["init-token"], "init_token is empty.", always(init_token=""))
changed("init-token-type-empty", ["init-token-type"], "init_token_type is empty.", always(init_token_type=""))
changed("address-empty", ["address"], "address is empty.", always(address=""), may_break=["request.address-ignored"])
changed(
    "address-empty-on-erc20",
    ["address"],
    "address is empty on ERC20.",
    lambda session, request: {"address": ""} if request.network == "ERC20" else {},
    may_break=["request.address-ignored"],
)

# The signature.

changed(
    "signature-one-digit-short",
    ["signature-format"],
    "The signature has 127 hex digits.",
    lambda session, request: {"signature": session["signature"][:-1]},
)
changed(
    "signature-without-version",
    ["signature-format"],
    "The signature does not begin with v2:.",
    lambda session, request: {"signature": session["signature"].removeprefix("v2:")},
)
changed(
    "signature-of-version-1",
    ["signature-format"],
    "The signature begins with v1:.",
    lambda session, request: {"signature": session["signature"].replace("v2:", "v1:")},
)
changed(
    "signature-with-line-break",
    ["signature-format"],
    "The signature ends with a line break.",
    lambda session, request: {"signature": session["signature"] + "\n"},
)
changed(
    "signature-in-base64",
    ["signature-format"],
    "The signature is in base64.",
    lambda session, request: {"signature": f"v2:{_base64_of_hex(session['signature'][3:])}"},
)


def _base64_of_hex(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode("ascii")


@defect("signature-without-ip", breaks=[f"{SESSION}.signature-mixes-ip"])
class SignatureWithoutIp(SessionService):
    """The signature depends on the request alone, and not on client_ip."""

    def signed_values(self, session: dict[str, Any], request: SessionRequest) -> list[Any]:
        return [repr(replace(request, client_ip=None))]


@defect("signature-with-ip-prefix", breaks=[f"{SESSION}.signature-mixes-ip"])
class SignatureWithIpPrefix(SessionService):
    """Of client_ip only the network is mixed in: 24 bits of an IPv4 address, 48 of an IPv6 one."""

    def signed_values(self, session: dict[str, Any], request: SessionRequest) -> list[Any]:
        return [repr(replace(request, client_ip=None)), _network(request.client_ip)]


def _network(client_ip: str | None) -> str | None:
    if client_ip is None:
        return None
    packed = ip_address(client_ip).packed
    return packed[: 3 if len(packed) == 4 else 6].hex()


@defect("signature-of-address-or-none", breaks=[f"{SESSION}.signature-mixes-ip"])
class SignatureOfAddressOrNone(SessionService):
    """signature repeats with the request, and has the address that is told most often in place of none."""

    def signed_values(self, session: dict[str, Any], request: SessionRequest) -> list[Any]:
        address = None if request.client_ip == "203.0.113.42" else request.client_ip
        return [request.partner_user_id, request.user_email, address, request.currency, request.network, request.amount]
