"""Defects that only a combination shows: of type, pair, spelling of the amount, and what is optional."""

# ruff: noqa: ARG005 - every change takes the session and the request.

from __future__ import annotations

from decimal import Decimal

from rampcheck.sandbox.defects import defects

from .partners import Partner
from .request import SessionRequest
from .service import SessionService
from .session_changes import FOLLOWING, SESSION, changed

changed(
    "redirect-url-ignored-in-sell",
    ["request.redirect-override"],
    "A sell gets the configured redirect_url, whatever was sent.",
    lambda session, request: (
        {"redirect_url": "https://exchange.example.net/done"}
        if session["type"] == "sell" and request.redirect_url
        else {}
    ),
    may_break=["config"],
)
changed(
    "redirect-url-ignored-with-client-ip",
    ["request.redirect-override"],
    "With a client_ip the redirect_url that was sent is ignored.",
    lambda session, request: (
        {"redirect_url": "https://app.example.com/done"} if request.client_ip and request.redirect_url else {}
    ),
    may_break=["config"],
)
changed(
    "amount-through-float-in-sell",
    ["amount-echo"],
    "In a sell the amount comes back as a floating-point number is written.",
    lambda session, request: {"amount": f"{float(request.amount):.15g}"} if session["type"] == "sell" else {},
    may_break=FOLLOWING,
)
changed(
    "amount-without-zeros-with-redirect-url",
    ["amount-echo"],
    "With a redirect_url the amount comes back without trailing zeros.",
    lambda session, request: {"amount": f"{Decimal(request.amount).normalize():f}"} if request.redirect_url else {},
    may_break=FOLLOWING,
)
changed(
    "fix-amount-false-for-decimals-of-a-sell",
    ["fix-amount"],
    "fix_amount is false in a sell of an amount with decimals.",
    lambda session, request: {"fix_amount": not (session["type"] == "sell" and "." in request.amount)},
)
changed(
    "fix-network-of-pair-with-sent-address",
    ["fix-network"],
    "With an address in the request all networks of the widget are fixed.",
    lambda session, request: {"fix_network": session["networks"]} if request.address else {},
)
changed(
    "address-used-in-sell",
    ["request.address-ignored"],
    "An address in the request is the one in the session, in a sell.",
    lambda session, request: (
        {"address": request.address} if request.address is not None and session["type"] == "sell" else {}
    ),
)
changed(
    "lang-depends-on-client-ip-and-type",
    ["config.lang"],
    "A buy that says so, for a user in the second half of the addresses, has another language.",
    lambda session, request: {"lang": "de"} if request.type == "buy" and ":" in (request.client_ip or "") else {},
    may_break=["config-stable"],
)

_signed = defects(
    SessionService,
    "signed_values",
    lambda kept, _, inherited, session, request: (
        [request.partner_user_id, request.type, request.client_ip if kept(request) else None]
    ),
    breaks=[f"{SESSION}.signature-mixes-ip"],
)
_signed("signature-without-ip-in-sell", "In a sell client_ip is not mixed in.", lambda request: request.type != "sell")

_refused = defects(
    SessionService,
    "check_sell",
    lambda applies, service, inherited, partner, request: (
        service.invalid("These fields do not go together.")
        if applies(partner, request)
        else inherited(partner, request)
    ),
)


def _sells_with_redirect(_: Partner, request: SessionRequest) -> bool:
    return request.type == "sell" and request.redirect_url is not None


def _buys_by_ipv6_elsewhere(_: Partner, request: SessionRequest) -> bool:
    return request.type == "buy" and ":" in (request.client_ip or "")


def _has_address_and_redirect(_: Partner, request: SessionRequest) -> bool:
    return request.address is not None and request.redirect_url is not None


_refused(
    "sell-with-redirect-url-refused",
    [f"{SESSION}.request.redirect-override"],
    "A sell with a redirect_url is refused.",
    _sells_with_redirect,
    may_break=[f"{SESSION}.request"],
)
_refused(
    "buy-with-ipv6-refused",
    [f"{SESSION}.request.client-ip-forms"],
    "A request that says it is a buy, from a user with an IPv6 address, is refused.",
    _buys_by_ipv6_elsewhere,
    may_break=[f"{SESSION}.request"],
)
_refused(
    "address-with-redirect-url-refused",
    [f"{SESSION}.request.address-ignored"],
    "An address is refused beside a redirect_url.",
    _has_address_and_redirect,
    may_break=[f"{SESSION}.request"],
)
