"""What holds for every exchange with Proof, and for the whole run, whatever provoked it.

What the OpenAPI document can say (types, constants, patterns, the error table) stands there.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rampcheck.exchanges import NOT_JSON, Exchange
from rampcheck.profile import Partner, Profile
from rampcheck.schema import describe
from rampcheck.suite import Broken, HistoryInvariant, Invariant, Observed, history_invariant, invariant, partner_of
from rampcheck.suites.proof.requests import PATH, REQUIRED

CONFIGURED = ("currencies", "networks", "fiat_currency", "fiat_currencies", "lang", "theme")
DOCUMENTED_CODES = {
    (400, "invalid_request"): {"validation_error", "decode_error", "missing_param", "currency_not_allowed"},
    (400, "wallet_not_supported"): {"WALLET_NOT_SUPPORTED"},
    (401, "unauthorised"): {"missing_token", "invalid_token"},
    (403, "forbidden"): {"forbidden_origin"},
    (404, "not_found"): {"not_found"},
    (500, "internal_error"): {"db_error", "token_error"},
    (500, "publish_failed"): {"kafka_unavailable"},
    (502, "upstream_error"): {"provider_error"},
    (502, "upstream_unavailable"): {"upstream_unavailable", "upstream_invalid_response"},
}


def asks_for_session(exchange: Exchange) -> bool:
    """Whether the request is a `POST` to the session endpoint."""
    return exchange.request.method == "POST" and exchange.path.partition("?")[0] == PATH


def answered_with_session(exchange: Exchange, _: Partner | None = None) -> bool:
    """Whether the session endpoint answered with a 2xx."""
    return asks_for_session(exchange) and exchange.accepted


def asked(exchange: Exchange, name: str) -> Any:
    """Gives a field of the request's JSON object, None where it is absent."""
    return exchange.request.json.get(name) if isinstance(exchange.request.json, dict) else None


def given(exchange: Exchange, name: str) -> Any:
    """Gives a field of the response's JSON object, None where it is absent."""
    return exchange.response.member(name) if exchange.response else None


def session_with(*names: str) -> Callable[[Exchange, Partner], bool]:
    """Makes the condition that a session came back with all these fields; a missing one is `complete`'s to judge."""
    def holds(exchange: Exchange, _: Partner) -> bool:
        return answered_with_session(exchange) and all(given(exchange, name) is not None for name in names)
    return holds


def same(name: str, expected: Any, actual: Any) -> Broken | None:
    """Gives None where two values are equal and of one JSON type, else what is wrong with the field `name`."""
    if type(expected) is type(actual) and expected == actual:
        return None
    return Broken(f"`{name}`: {describe(expected)}", describe(actual))


# The response

@invariant("proof.session.json", answered_with_session)
def session_is_json(exchange: Exchange, _: Partner) -> Broken | None:
    """A session is a JSON object with a JSON content type (RFC 6839 section 3.1 for `+json`)."""
    assert exchange.response is not None
    media_type = exchange.response.media_type
    if media_type != "application/json" and not media_type.endswith("+json"):
        return Broken("a JSON content type", exchange.response.header("content-type") or "no Content-Type")
    if not isinstance(exchange.response.json, dict):
        return Broken("a JSON object", describe(exchange.response.json))
    return None


@invariant("proof.session.success-status", answered_with_session)
def success_status(exchange: Exchange, _: Partner) -> Broken | None:
    """No success status is named."""
    return Broken("200", f"sessions are created with status {exchange.status}")


def echo_of(name: str) -> Invariant:
    """Makes the invariant that a field of the request comes back unchanged, character for character."""
    return Invariant(
        f"proof.session.{name}-echo",
        lambda exchange, _: answered_with_session(exchange) and given(exchange, name) is not None
        and isinstance(asked(exchange, name), str),
        lambda exchange, _: same(name, asked(exchange, name), given(exchange, name)),
    )


@invariant("proof.session.fix-network", lambda exchange, partner: session_with("fix_network")(exchange, partner)
           and isinstance(asked(exchange, "network"), str))
def network_is_fixed(exchange: Exchange, _: Partner) -> Broken | None:
    """`fix_network` holds the requested network and nothing else."""
    return same("fix_network", [asked(exchange, "network")], given(exchange, "fix_network"))


@invariant("proof.session.widget-id", lambda exchange, partner: bool(partner.widget_id)
           and session_with("widget_id")(exchange, partner))
def widget_is_the_partners(exchange: Exchange, partner: Partner) -> Broken | None:
    """`widget_id` is the one given at onboarding."""
    return same("widget_id", partner.widget_id, given(exchange, "widget_id"))


def configured(name: str) -> Invariant:
    """Makes the invariant that a field holds what the partner's `widget_config` holds."""
    return Invariant(
        f"proof.session.config.{name}",
        lambda exchange, partner: name in partner.widget_config and session_with(name)(exchange, partner),
        lambda exchange, partner: same(name, partner.widget_config[name], given(exchange, name)),
    )


@invariant("proof.session.config.redirect_url", lambda exchange, partner: answered_with_session(exchange)
           and "redirect_url" in partner.widget_config and asked(exchange, "redirect_url") is None)
def default_redirect(exchange: Exchange, partner: Partner) -> Broken | None:
    """Without a `redirect_url` in the request, the partner's default comes back."""
    return same("redirect_url", partner.widget_config["redirect_url"], given(exchange, "redirect_url"))


@invariant("proof.session.request.redirect-override", lambda exchange, _: answered_with_session(exchange)
           and bool(asked(exchange, "redirect_url")) and isinstance(asked(exchange, "redirect_url"), str))
def redirect_is_overridden(exchange: Exchange, _: Partner) -> Broken | None:
    """A `redirect_url` in the request is the one that comes back."""
    return same("redirect_url", asked(exchange, "redirect_url"), given(exchange, "redirect_url"))


def _names_type(exchange: Exchange, partner: Partner) -> bool:
    return session_with("type")(exchange, partner) and asked(exchange, "type") in ("buy", "sell")


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


@invariant("proof.session.request.type-default", lambda exchange, partner: session_with("type")(exchange, partner)
           and "type" in partner.widget_config and asked(exchange, "type") is None)
def type_is_the_default(exchange: Exchange, partner: Partner) -> Broken | None:
    """Without a `type` in the request, the partner's default comes back."""
    return same("type", partner.widget_config["type"], given(exchange, "type"))


# Requests that must not create a session: a refusal proves nothing here (it may have any reason), a session does.

DECIMAL_AT_BEST = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def is_no_decimal(amount: Any) -> bool:
    """Whether a string can by no reading be a decimal number; what is open (`1e3`, `.5`, ` 5`) gives False."""
    return isinstance(amount, str) and amount != "" and DECIMAL_AT_BEST.fullmatch(amount.replace("_", "")) is None


def never_accepted(clause: str, fault: str, is_faulty: Callable[[Exchange, Partner], bool]) -> Invariant:
    """Makes the invariant that a request with a certain fault creates no session."""
    return Invariant(
        clause,
        lambda exchange, partner: asks_for_session(exchange) and is_faulty(exchange, partner),
        lambda exchange, _: Broken(f"no session for a request with {fault}", exchange.summary())
        if exchange.accepted else None,
        exercises=False,
    )


def _is_object(exchange: Exchange) -> bool:
    return isinstance(exchange.request.json, dict)


def _lacks(name: str) -> Callable[[Exchange, Partner], bool]:
    return lambda exchange, _: _is_object(exchange) and name not in exchange.request.json


def _mistypes(name: str) -> Callable[[Exchange, Partner], bool]:
    return lambda exchange, _: (_is_object(exchange) and name in exchange.request.json
                                and not isinstance(exchange.request.json[name], str))


def _authorization(exchange: Exchange) -> str:
    return exchange.request.header("authorization") or ""


def _is_no_json(exchange: Exchange) -> bool:
    """Whether not even a lenient parser reads the body: other encodings of Unicode, a byte order mark, `NaN`, raw
    control characters and what follows the first value are passed over by some.
    """
    body = exchange.request.body
    try:
        text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff \t\r\n")
        json.JSONDecoder(strict=False, parse_int=str).raw_decode(text)
    except (ValueError, RecursionError):
        return True
    return False


NEVER_ACCEPTED = (
    never_accepted("proof.auth.bearer-required", "no Authorization header",
                   lambda exchange, _: not _authorization(exchange)),
    never_accepted("proof.session.request.malformed-json", "a body that is no JSON",
                   lambda exchange, _: _is_no_json(exchange)),
    never_accepted("proof.session.request.non-object", "a body that is no JSON object",
                   lambda exchange, _: not _is_object(exchange) and exchange.request.json is not NOT_JSON),
    *(never_accepted(f"proof.session.request.required.{name}", f"no `{name}`", _lacks(name)) for name in REQUIRED),
    *(never_accepted(f"proof.session.request.type.{name}", f"a `{name}` that is no string", _mistypes(name))
      for name in REQUIRED),
    never_accepted("proof.session.request.amount-decimal", "an `amount` that is no decimal string",
                   lambda exchange, _: is_no_decimal(asked(exchange, "amount"))),
    never_accepted("proof.session.request.type-enum", "a `type` other than buy or sell",
                   lambda exchange, _: isinstance(asked(exchange, "type"), str)
                   and asked(exchange, "type") not in ("buy", "sell")),
    never_accepted("proof.session.request.sell-disabled", "`type` sell while off-ramp is disabled",
                   lambda exchange, partner: partner.off_ramp is False and asked(exchange, "type") == "sell"),
)


# Errors

def _is_documented_error(exchange: Exchange, _: Partner) -> bool:
    return asks_for_session(exchange) and exchange.status in {status for status, _ in DOCUMENTED_CODES}


@invariant("proof.errors.media-type", _is_documented_error)
def error_media_type(exchange: Exchange, _: Partner) -> Broken | None:
    """An error says in its Content-Type that it is JSON."""
    assert exchange.response is not None
    media_type = exchange.response.media_type
    if media_type == "application/json" or media_type.endswith("+json"):
        return None
    return Broken("a JSON content type", exchange.response.header("content-type") or "no Content-Type")


@invariant("proof.errors.matrix", lambda exchange, _: asks_for_session(exchange) and exchange.status >= 500
           and not _is_documented_error(exchange, _))
def server_error_is_documented(exchange: Exchange, _: Partner) -> Broken | None:
    """A 5xx outside the table is undocumented, unless a gateway speaks before the target could."""
    if exchange.status in {503, 504}:
        return None
    return Broken("500 or 502 for a failure of the target", exchange.summary())


@invariant("proof.errors.matrix", _is_documented_error, exercises=False)
def code_is_documented(exchange: Exchange, _: Partner) -> Observed | None:
    """Where no code is promised for a cause, the documented ones are examples."""
    codes = DOCUMENTED_CODES.get((exchange.status, str(given(exchange, "error"))))
    code = given(exchange, "code")
    if codes is None or not isinstance(code, str) or code in codes:
        return None
    return Observed(f"the code {code!r} for {exchange.status} {given(exchange, 'error')!r} is not documented")


INTERNALS = re.compile(
    r"Traceback \(most recent|\bat [\w$.]+\([\w.]+:\d+\)|goroutine \d+ \[|panic:|\.(?:go|py|java|rb|php|ts|js):\d+"
    r"|\b(?:SELECT|INSERT|UPDATE|DELETE)\b.+\b(?:FROM|INTO|SET|WHERE)\b|SQLSTATE|pq: |psycopg|ORA-\d{5}"
    r"|/(?:usr|var|app|srv|opt|etc)/[\w./-]+",
)


@invariant("proof.errors.no-internals", lambda exchange, _: _is_documented_error(exchange, _)
           and isinstance(given(exchange, "message"), str))
def no_internals(exchange: Exchange, _: Partner) -> Broken | None:
    """A message shows no stack trace, SQL or file path, unless the request brought it."""
    found = INTERNALS.search(given(exchange, "message"))
    if found is None or found.group().encode() in exchange.request.body:
        return None
    return Broken("a message without internals", describe(found.group()))


INVARIANTS: Sequence[Invariant] = (
    session_is_json, success_status, echo_of("currency"), echo_of("network"), echo_of("amount"), network_is_fixed,
    widget_is_the_partners, *(configured(name) for name in CONFIGURED), default_redirect, redirect_is_overridden,
    *TYPE_OVERRIDE, type_is_the_default, *NEVER_ACCEPTED,
    error_media_type, server_error_is_documented, code_is_documented, no_internals,
)


# The whole run

def _repeated(exchanges: Iterable[Exchange], value_of: Callable[[Exchange], Any]) -> Iterator[tuple[Any, Exchange, Exchange]]:
    """Gives every value that stands in a second exchange, with the first exchange and the repeating one."""
    first: dict[Any, Exchange] = {}
    for exchange in exchanges:
        value = value_of(exchange)
        if isinstance(value, str) and value:
            if value in first:
                yield value, first[value], exchange
            first.setdefault(value, exchange)


def never_repeated(clause: str, what: str, when: Callable[[Exchange], bool], value_of: Callable[[Exchange], Any]) -> HistoryInvariant:
    """Makes the invariant that a value is another one in each exchange."""
    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken]:
        for value, first, again in _repeated(exchanges, value_of):
            yield Broken(f"another {what} in each exchange",
                         f"{describe(value)} already stood in exchange {first.number}", again)
    return HistoryInvariant(clause, when, judge, at_least=2)


def never_changing(clause: str, names: Sequence[str]) -> HistoryInvariant:
    """Makes the invariant that fields are the same in all sessions of a partner."""
    def judge(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[Broken]:
        first: dict[tuple[str, str], Exchange] = {}
        for exchange in exchanges:
            owner = "second" if partner_of(profile, exchange.credential) is profile.second_partner else "first"
            for name in names:
                known = first.setdefault((owner, name), exchange)
                if problem := same(name, given(known, name), given(exchange, name)):
                    yield Broken(f"{problem.expected}, as in exchange {known.number}", problem.actual, exchange)
    return HistoryInvariant(clause, answered_with_session, judge, at_least=2)


@history_invariant("proof.session.signature-mixes-ip", lambda exchange: answered_with_session(exchange)
                   and isinstance(asked(exchange, "client_ip"), str), at_least=2)
def signature_differs_with_address(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken]:
    """Sessions for different `client_ip`s have different signatures."""
    by_signature: dict[Any, dict[str, Exchange]] = defaultdict(dict)
    for exchange in exchanges:
        signature = given(exchange, "signature")
        if isinstance(signature, str) and signature:
            others = by_signature[signature]
            if others and asked(exchange, "client_ip") not in others:
                known = next(iter(others.values()))
                yield Broken("another signature for another `client_ip`",
                             f"the signature of exchange {known.number}, whose `client_ip` differs", exchange)
            others[asked(exchange, "client_ip")] = exchange


@history_invariant("proof.auth.token-secrecy", lambda exchange: exchange.response is not None)
def tokens_stay_secret(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[Broken]:
    """No response holds a client token: the journal's redaction has put a mark where one stood."""
    mark = re.compile(rf"\[redacted ({'|'.join(map(re.escape, profile.credentials))}) [0-9a-f]+\]")
    for exchange in exchanges:
        assert exchange.response is not None
        places = {f"header {name}": value for name, value in exchange.response.headers}
        places["the body"] = exchange.response.body.decode("utf-8", "replace")
        for place, text in places.items():
            if found := mark.search(text):
                yield Broken("a response without client tokens", f"{found[1]} stands in {place}", exchange)


def _request_id(exchange: Exchange) -> str | None:
    return exchange.response.header("x-request-id") if exchange.response else None


HISTORY: Sequence[HistoryInvariant] = (
    never_repeated("proof.session.merchant-transaction-id", "`merchant_transaction_id`", answered_with_session,
                   lambda exchange: given(exchange, "merchant_transaction_id")),
    never_repeated("proof.session.init-token", "`init_token`", answered_with_session,
                   lambda exchange: given(exchange, "init_token")),
    never_repeated("proof.errors.request-id", "`X-Request-Id`",
                   lambda exchange: _is_documented_error(exchange, Partner()), _request_id),
    never_changing("proof.session.config-stable", CONFIGURED),
    never_changing("proof.session.widget-id", ("widget_id",)),
    signature_differs_with_address, tokens_stay_secret,
)
