"""What holds for every session: what its request decides, what is configured, what never repeats (session page)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rampcheck.suites.proof.endpoints import SESSION
from rampcheck.suites.proof.requests import REQUIRED, is_second

from rampcheck.exchanges import Exchange
from rampcheck.invariants import (
    Condition,
    asked,
    given,
    json_object,
    lacks,
    never_accepted,
    never_repeated,
    same,
    secrets_kept,
    sends_no_json,
    sends_no_object,
)
from rampcheck.profile import Partner, Profile
from rampcheck.suite import STATUS, Broken, Held, HistoryInvariant, Invariant, history_invariant, invariant

CONFIGURED = ("currencies", "networks", "fiat_currency", "fiat_currencies", "lang", "theme")


# The response

@invariant("proof.session.success-status", SESSION.answered_with("merchant_transaction_id"))
def success_status(exchange: Exchange, _: Partner) -> Broken | None:
    """No success status is named; 200 is what everyone expects."""
    return None if exchange.status == 200 else Broken("200", f"a session is created with status {exchange.status}",
                                                         about=(STATUS,))


def echo_of(name: str) -> Invariant:
    """Makes the invariant that a string of the request comes back unchanged, character for character."""
    return Invariant(
        f"proof.session.{name}-echo",
        lambda exchange, partner: SESSION.answered_with(name)(exchange, partner)
        and isinstance(asked(exchange, name), str),
        lambda exchange, _: same(name, asked(exchange, name), given(exchange, name)),
    )


@invariant("proof.session.fix-network", lambda exchange, _: SESSION.answered_with("fix_network")(exchange, _)
           and isinstance(asked(exchange, "network"), str))
def network_is_fixed(exchange: Exchange, _: Partner) -> Broken | None:
    """`fix_network` holds the requested network and nothing else."""
    return same("fix_network", [asked(exchange, "network")], given(exchange, "fix_network"))


@invariant("proof.session.widget-id", lambda exchange, partner: bool(partner.widget_id)
           and SESSION.answered_with("widget_id")(exchange, partner))
def widget_is_the_partners(exchange: Exchange, partner: Partner) -> Broken | None:
    """`widget_id` is the one given at onboarding."""
    return same("widget_id", partner.widget_id, given(exchange, "widget_id"))


def configured(name: str) -> Invariant:
    """Makes the invariant that a field holds what the partner's `widget_config` holds."""
    return Invariant(
        f"proof.session.config.{name}",
        lambda exchange, partner: name in partner.widget_config and SESSION.answered_with(name)(exchange, partner),
        lambda exchange, partner: same(name, partner.widget_config[name], given(exchange, name)),
    )


@invariant("proof.session.config.redirect_url", lambda exchange, partner: SESSION.answered_with()(exchange, partner)
           and "redirect_url" in partner.widget_config and asked(exchange, "redirect_url") is None)
def default_redirect(exchange: Exchange, partner: Partner) -> Broken | None:
    """Without a `redirect_url` in the request, the partner's default comes back."""
    return same("redirect_url", partner.widget_config["redirect_url"], given(exchange, "redirect_url"))


@invariant("proof.session.request.redirect-override", lambda exchange, _: SESSION.answered_with()(exchange, _)
           and bool(asked(exchange, "redirect_url")) and isinstance(asked(exchange, "redirect_url"), str))
def redirect_is_overridden(exchange: Exchange, _: Partner) -> Broken | None:
    """A `redirect_url` in the request is the one that comes back."""
    return same("redirect_url", asked(exchange, "redirect_url"), given(exchange, "redirect_url"))


def _names_type(exchange: Exchange, partner: Partner) -> bool:
    return SESSION.answered_with("type")(exchange, partner) and asked(exchange, "type") in ("buy", "sell")


def _names_other_type(exchange: Exchange, partner: Partner) -> bool:
    default = partner.widget_config.get("type")
    return _names_type(exchange, partner) and default is not None and asked(exchange, "type") != default


def _type_is_as_requested(exchange: Exchange, _: Partner) -> Broken | None:
    return same("type", asked(exchange, "type"), given(exchange, "type"))


# Only a type that is not the partner's default shows that it overrides; any other type in the answer breaks the clause.
TYPE_OVERRIDE = (
    Invariant("proof.session.request.type-override", _names_other_type, _type_is_as_requested),
    Invariant("proof.session.request.type-override",
              lambda exchange, partner: _names_type(exchange, partner) and not _names_other_type(exchange, partner),
              _type_is_as_requested, exercises=False),
)


@invariant("proof.session.request.type-default", lambda exchange, partner: "type" in partner.widget_config
           and SESSION.answered_with("type")(exchange, partner) and asked(exchange, "type") is None)
def type_is_the_default(exchange: Exchange, partner: Partner) -> Broken | None:
    """Without a `type` in the request, the partner's default comes back."""
    return same("type", partner.widget_config["type"], given(exchange, "type"))


# Requests that must not create a session

DECIMAL_AT_BEST = re.compile(r"\s*[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")


def is_no_decimal(amount: Any) -> bool:
    """Whether a string can by no reading be a decimal number; what is open (`1e3`, `.5`, ` 5`) gives False."""
    return isinstance(amount, str) and amount != "" and DECIMAL_AT_BEST.fullmatch(amount) is None


def _mistypes(name: str) -> Condition:
    return lambda exchange, _: (isinstance(exchange.request.json, dict) and name in exchange.request.json
                                and not isinstance(exchange.request.json[name], str))


NEVER_ACCEPTED: tuple[tuple[str, str, Condition], ...] = (
    ("proof.auth.bearer-required", "no Authorization header",
     lambda exchange, _: not exchange.request.header("authorization")),
    ("proof.session.request.malformed-json", "a body that is no JSON", sends_no_json),
    ("proof.session.request.non-object", "a body that is no JSON object", sends_no_object),
    *((f"proof.session.request.required.{name}", f"no `{name}`", lacks(name)) for name in REQUIRED),
    *((f"proof.session.request.type.{name}", f"a `{name}` that is no string", _mistypes(name)) for name in REQUIRED),
    ("proof.session.request.amount-decimal", "an `amount` that is no decimal string",
     lambda exchange, _: is_no_decimal(asked(exchange, "amount"))),
    ("proof.session.request.type-enum", "a `type` other than buy or sell",
     lambda exchange, _: isinstance(asked(exchange, "type"), str) and asked(exchange, "type") not in ("buy", "sell")),
    ("proof.session.request.sell-disabled", "`type` sell while off-ramp is disabled",
     lambda exchange, partner: partner.off_ramp is False and asked(exchange, "type") == "sell"),
)

INVARIANTS: Sequence[Invariant] = (
    Invariant("proof.session.json", SESSION.answered, json_object),
    success_status, echo_of("currency"), echo_of("network"), echo_of("amount"), network_is_fixed,
    widget_is_the_partners, *(configured(name) for name in CONFIGURED), default_redirect, redirect_is_overridden,
    *TYPE_OVERRIDE, type_is_the_default,
    *(never_accepted(clause, SESSION, fault, is_faulty) for clause, fault, is_faulty in NEVER_ACCEPTED),
)


# The whole run

def never_changing(clause: str, names: Sequence[str]) -> HistoryInvariant:
    """Makes the invariant that fields are the same in all sessions of a partner; a missing one is the schema's."""
    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        first: dict[tuple[bool, str], Exchange] = {}
        for exchange in exchanges:
            compared, problems = False, []
            for name in (name for name in names if given(exchange, name) is not None):
                known = first.setdefault((is_second(exchange.credential), name), exchange)
                compared = compared or known is not exchange
                if problem := same(name, given(known, name), given(exchange, name)):
                    problems.append(replace(
                        problem, expected=f"{problem.expected}, as in exchange {known.number}", exchange=exchange))
            yield from problems
            if compared and not problems:
                yield Held()
    return HistoryInvariant(clause, SESSION.answered, judge, at_least=None)


@history_invariant("proof.session.signature-mixes-ip", lambda exchange: SESSION.answered(exchange)
                   and isinstance(asked(exchange, "client_ip"), str), at_least=None)
def signature_differs_with_address(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
    """Sessions for different `client_ip`s have different signatures."""
    seen: set[str] = set()
    by_signature: dict[str, dict[str, Exchange]] = defaultdict(dict)
    for exchange in exchanges:
        signature, address = given(exchange, "signature"), asked(exchange, "client_ip")
        if isinstance(signature, str) and signature:
            others = by_signature[signature]
            if others and address not in others:
                known = next(iter(others.values()))
                yield Broken("another signature for another `client_ip`",
                             f"the signature of exchange {known.number}, whose `client_ip` differs", exchange)
            elif len(seen) > (address in seen):
                yield Held()
            seen.add(address)
            others.setdefault(address, exchange)


def _member(name: str) -> Callable[[Exchange], Any]:
    return lambda exchange: given(exchange, name)


HISTORY: Sequence[HistoryInvariant] = (
    never_repeated("proof.session.merchant-transaction-id", "`merchant_transaction_id`", SESSION.answered,
                   _member("merchant_transaction_id")),
    never_repeated("proof.session.init-token", "`init_token`", SESSION.answered, _member("init_token")),
    never_changing("proof.session.config-stable", CONFIGURED),
    never_changing("proof.session.widget-id", ("widget_id",)),
    signature_differs_with_address, secrets_kept("proof.auth.token-secrecy"),
)
