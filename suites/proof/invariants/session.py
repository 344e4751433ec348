"""What holds for every session: what its request decides, what is configured, what never repeats (session page)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.history import bound_to, never_repeated, secrets_kept, stable
from rampcheck.judging.invariants import (
    Condition,
    asked,
    asked_text,
    echoes,
    given,
    json_object,
    lacks,
    locked,
    never_accepted,
    same,
    sends_no_json,
    sends_no_object,
)
from rampcheck.judging.suite import (
    STATUS,
    Broken,
    Held,
    HistoryInvariant,
    Invariant,
    history_invariant,
    invariant,
    member,
)
from rampcheck.wire.exchanges import Exchange

from ..endpoints import SESSION
from ..requests import REQUIRED, is_second
from .values import is_in_other_order

CONFIGURED = ("currencies", "networks", "fiat_currency", "fiat_currencies", "lang", "theme")


def configured(name: str, *, where_not_asked: bool = False) -> Callable[[Exchange, Partner], Any]:
    """Makes what gives a field of the partner's `widget_config`; None where the request has one of its own, if so.

    In which order a profile names the values of a list is nobody's promise: that of the answer is as good.
    """

    def told(exchange: Exchange, partner: Partner) -> Any:
        if where_not_asked and asked(exchange, name) is not None:
            return None
        value = partner.get(f"widget_config.{name}")
        return shown if is_in_other_order(value, shown := given(exchange, name)) else value

    return told


# The response


@invariant("proof.session.success-status", SESSION.answered_with("merchant_transaction_id"))
def success_status(exchange: Exchange, _: Partner) -> Broken | None:
    """No success status is named; 200 is what everyone expects."""
    return (
        None
        if exchange.status == 200
        else Broken("200", f"a session is created with status {exchange.status}", about=(STATUS,))
    )


# What a URL may hold that no reader of URLs writes in another way: RFC 3986 section 2, without the quote that browsers
# encode in a query (URL Standard, "special-query percent-encode set").
_PLAIN = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+")


def _plain(url: str | None) -> str | None:
    """Gives a URL that comes back as it was sent; None for another, which a target may take in its normal form."""
    return url if url and _PLAIN.fullmatch(url) and "/." not in url else None


# What comes back is what was asked for, or what onboarding agreed on.
LOCKED = (
    *(echoes(f"proof.session.{name}-echo", SESSION, name) for name in ("currency", "network", "amount")),
    locked(
        "proof.session.fix-network",
        SESSION,
        "fix_network",
        lambda exchange, _: [asked(exchange, "network")] if isinstance(asked(exchange, "network"), str) else None,
    ),
    locked("proof.session.widget-id", SESSION, "widget_id", lambda _, partner: partner.get("widget_id") or None),
    *(locked(f"proof.session.config.{name}", SESSION, name, configured(name)) for name in CONFIGURED),
    locked(
        "proof.session.config.redirect_url",
        SESSION,
        "redirect_url",
        configured("redirect_url", where_not_asked=True),
        demanded=True,
    ),
    locked(
        "proof.session.request.redirect-override",
        SESSION,
        "redirect_url",
        lambda exchange, partner: _plain(asked_text("redirect_url")(exchange, partner)),
        demanded=True,
    ),
    locked("proof.session.request.type-default", SESSION, "type", configured("type", where_not_asked=True)),
)


def _names_type(exchange: Exchange, partner: Partner) -> bool:
    return SESSION.answered_with("type")(exchange, partner) and asked(exchange, "type") in ("buy", "sell")


def _names_other_type(exchange: Exchange, partner: Partner) -> bool:
    default = partner.get("widget_config.type")
    return _names_type(exchange, partner) and default is not None and asked(exchange, "type") != default


def _type_is_as_requested(exchange: Exchange, _: Partner) -> Broken | None:
    return same("type", asked(exchange, "type"), given(exchange, "type"))


# Only a type that is not the partner's default shows that it overrides; any other type in the answer breaks the clause.
TYPE_OVERRIDE = (
    Invariant("proof.session.request.type-override", _names_other_type, _type_is_as_requested),
    Invariant(
        "proof.session.request.type-override",
        lambda exchange, partner: _names_type(exchange, partner) and not _names_other_type(exchange, partner),
        _type_is_as_requested,
        exercises=False,
    ),
)


@invariant(
    "proof.session.request.address-ignored",
    lambda exchange, partner: (
        SESSION.answered_with("address")(exchange, partner)
        and partner.get("address_mode") == "resolved"
        and isinstance(asked(exchange, "address"), str)
    ),
    exercises=False,
)
def address_is_not_the_one_sent(exchange: Exchange, _: Partner) -> Broken | None:
    """Where Proof resolves the address, the one that was sent is not the session's."""
    if given(exchange, "address") != asked(exchange, "address"):
        return None
    return Broken("`address`: Proof's own", "the one that was sent", about=(member("address"),))


# Requests that must not create a session

DECIMAL_AT_BEST = re.compile(r"\s*[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")


def is_no_decimal(amount: Any) -> bool:
    """Whether a string can by no reading be a decimal number; what is open (`1e3`, `.5`, ` 5`) gives False."""
    return isinstance(amount, str) and amount != "" and DECIMAL_AT_BEST.fullmatch(amount) is None


def _mistypes(name: str) -> Condition:
    return lambda exchange, _: (
        isinstance(exchange.request.json, dict)
        and name in exchange.request.json
        and not isinstance(exchange.request.json[name], str)
    )


NEVER_ACCEPTED: tuple[tuple[str, str, Condition], ...] = (
    (
        "proof.auth.bearer-required",
        "no Authorization header",
        lambda exchange, _: not exchange.request.header("authorization"),
    ),
    ("proof.session.request.malformed-json", "a body that is no JSON", sends_no_json),
    ("proof.session.request.non-object", "a body that is no JSON object", sends_no_object),
    *((f"proof.session.request.required.{name}", f"no `{name}`", lacks(name)) for name in REQUIRED),
    *((f"proof.session.request.type.{name}", f"a `{name}` that is no string", _mistypes(name)) for name in REQUIRED),
    (
        "proof.session.request.amount-decimal",
        "an `amount` that is no decimal string",
        lambda exchange, _: is_no_decimal(asked(exchange, "amount")),
    ),
    (
        "proof.session.request.type-enum",
        "a `type` other than buy or sell",
        lambda exchange, _: isinstance(asked(exchange, "type"), str) and asked(exchange, "type") not in ("buy", "sell"),
    ),
    (
        "proof.session.request.sell-disabled",
        "`type` sell while off-ramp is disabled",
        lambda exchange, partner: partner.get("off_ramp") is False and asked(exchange, "type") == "sell",
    ),
)

INVARIANTS: Sequence[Invariant] = (
    Invariant("proof.session.json", SESSION.answered, json_object),
    success_status,
    *LOCKED,
    *TYPE_OVERRIDE,
    address_is_not_the_one_sent,
    *(never_accepted(clause, SESSION, fault, is_faulty) for clause, fault, is_faulty in NEVER_ACCEPTED),
)


# The whole run


def _owner(session: Exchange) -> bool:
    return is_second(session.credential)


def _all_but_the_address(session: Exchange) -> tuple[str | None, str]:
    body = session.request.json
    others = {name: value for name, value in body.items() if name != "client_ip"} if isinstance(body, dict) else body
    return session.credential, json.dumps(others, sort_keys=True)


def _tells_address(exchange: Exchange) -> bool:
    return SESSION.answered(exchange) and isinstance(asked(exchange, "client_ip"), str)


# Addresses that nobody calls from (RFC 5737, RFC 3849).
NOBODYS = tuple(map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))


def _tells_nobodys_or_none(exchange: Exchange) -> bool:
    """Whether a session was created with an address that nobody calls from, or without any.

    Where none is sent, a target may take the caller's own in its place.
    """
    if not _tells_address(exchange):
        return (
            SESSION.answered(exchange)
            and isinstance(exchange.request.json, dict)
            and asked(exchange, "client_ip") is None
        )
    try:
        address = ip_address(_address(exchange))
    except ValueError:
        return False
    return any(address in network for network in NOBODYS)


def _address(session: Exchange) -> str:
    """Gives the `client_ip` that was sent, in one spelling of the several that IPv6 has for an address (RFC 5952)."""
    text = str(asked(session, "client_ip"))
    try:
        address = ip_address(text)
    except ValueError:
        return text
    return str((address.version == 6 and address.ipv4_mapped) or address)


def _member(name: str) -> Callable[[Exchange], Any]:
    return lambda exchange: given(exchange, name)


@history_invariant("proof.session.signature-mixes-ip", _tells_nobodys_or_none, at_least=None)
def no_address_is_not_one(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
    """With an address that nobody calls from, a session has another signature than without any."""
    first: dict[str, Exchange] = {}
    for exchange in exchanges:
        if isinstance(signature := given(exchange, "signature"), str) and signature:
            known = first.setdefault(signature, exchange)
            if _tells_address(known) is not _tells_address(exchange):
                told, untold = (known, exchange) if _tells_address(known) else (exchange, known)
                yield Broken(
                    f"another signature with the `client_ip` of exchange {told.number} than without any",
                    f"the signature of exchange {untold.number}, which has none",
                    told,
                )


HISTORY: Sequence[HistoryInvariant] = (
    never_repeated(
        "proof.session.merchant-transaction-id",
        "`merchant_transaction_id`",
        SESSION.answered,
        _member("merchant_transaction_id"),
    ),
    never_repeated("proof.session.init-token", "`init_token`", SESSION.answered, _member("init_token")),
    stable("proof.session.config-stable", CONFIGURED, SESSION.answered, _owner),
    stable("proof.session.widget-id", ("widget_id",), SESSION.answered, _owner),
    bound_to(
        "proof.session.signature-mixes-ip",
        _tells_address,
        "signature",
        _member("signature"),
        "`client_ip`",
        _address,
        beside=_all_but_the_address,
    ),
    no_address_is_not_one,
    secrets_kept("proof.auth.token-secrecy"),
)
