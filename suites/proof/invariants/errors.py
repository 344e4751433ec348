"""What holds for every error of an endpoint under `/widget/`: the table, the message, the request id (errors page)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.history import envelope_each_time, never_repeated
from rampcheck.judging.invariants import given, json_media_type, not_a_gateways
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import STATUS, Broken, Held, HistoryInvariant, Invariant, Observed, invariant, member
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.json_text import members, strings
from rampcheck.wire.redaction import marks

from ..endpoints import SESSION, is_widget_call

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
DOCUMENTED_STATUSES = {status for status, _ in DOCUMENTED_CODES}


def is_documented_error(exchange: Exchange, _: Partner | None = None) -> bool:
    """Whether an endpoint under `/widget/` answered with a status of the error table."""
    return is_widget_call(exchange) and exchange.status in DOCUMENTED_STATUSES


@invariant(
    "proof.errors.matrix",
    lambda exchange, _: is_widget_call(exchange) and exchange.status >= 500 and not is_documented_error(exchange),
    exercises=False,
)
def server_error_is_documented(exchange: Exchange, _: Partner) -> Broken | None:
    """A 5xx outside the table is undocumented, unless a gateway speaks before the target could."""
    if exchange.status in {503, 504}:
        return None
    return Broken("500 or 502 for a failure of the target", exchange.summary(), about=(STATUS,))


@invariant("proof.errors.matrix", is_documented_error, exercises=False)
def code_is_documented(exchange: Exchange, _: Partner) -> Observed | None:
    """Where no code is promised for a cause, the documented ones are examples."""
    codes = DOCUMENTED_CODES.get((exchange.status, str(given(exchange, "error"))))
    code = given(exchange, "code")
    if codes is None or not isinstance(code, str) or code in codes:
        return None
    return Observed(f"the code {code!r} for {exchange.status} {given(exchange, 'error')!r} is not documented")


@invariant(
    "proof.errors.no-session",
    lambda exchange, _: SESSION.asked(exchange) and is_documented_error(exchange),
    exercises=False,
)
def no_transaction(exchange: Exchange, _: Partner) -> Broken | None:
    """Where no session is created, there is no transaction to name; an error of another endpoint may name one."""
    if not given(exchange, "merchant_transaction_id"):
        return None
    return Broken(
        "an error without `merchant_transaction_id`",
        describe(given(exchange, "merchant_transaction_id")),
        about=(member("merchant_transaction_id"),),
    )


# What a session hands out: nowhere else, and nobody else's.
HANDED_OUT = ("signature", "init_token")
SIGNATURE = re.compile(r"\bv2:[0-9A-Fa-f]{128}\b")


@invariant("proof.errors.no-session", is_documented_error, exercises=False)
def no_session_inside(exchange: Exchange, _: Partner) -> Broken | None:
    """No session's signature or token stands deeper in an error, nor a signature in any of its texts."""
    answer = exchange.response.json if exchange.response else None
    if not isinstance(answer, dict):
        return None
    sent = exchange.request.body.decode("utf-8", "replace")
    for own, value in answer.items():
        if own not in HANDED_OUT:  # At its top they are the schema's to judge.
            named = [name for name, inner in members(value) if name in HANDED_OUT and is_told(inner, sent)]
            named += ["signature" for text in strings(value) if SIGNATURE.search(text) and text not in sent]
            if named:
                return Broken(f"an error without a session's `{named[0]}`", f"one in `{own}`", about=(member(own),))
    return None


def is_told(value: Any, sent: str) -> bool:
    """Whether a value is a text that the request did not bring itself."""
    return isinstance(value, str) and value != "" and value not in sent


def _judge_tokens(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
    """An error holds no `init_token` of an earlier session, for which a mark stands, in its body or its headers."""
    handed: set[str] = set()
    for exchange in exchanges:
        answer = exchange.response
        if answer is None:
            continue
        if exchange.accepted:
            handed.update(mark for _, mark in marks(str(given(exchange, "init_token"))))
        elif is_documented_error(exchange) and handed:
            told = "\n".join([answer.body.decode("utf-8", "replace"), *(value for _, value in answer.headers)])
            if handed.isdisjoint(mark for _, mark in marks(told)):
                yield Held()
            else:
                yield Broken("an error without a session", "the `init_token` of an earlier session in it", exchange)


INVARIANTS: Sequence[Invariant] = (
    Invariant("proof.errors.media-type", is_documented_error, json_media_type),
    not_a_gateways("proof.errors.gateway-envelope", is_widget_call),
    server_error_is_documented,
    code_is_documented,
    no_transaction,
    no_session_inside,
)
HISTORY: Sequence[HistoryInvariant] = (
    envelope_each_time("proof.errors.envelope", is_widget_call, ("error", "code", "message")),
    never_repeated(
        "proof.errors.request-id",
        "`X-Request-Id`",
        is_documented_error,
        lambda exchange: exchange.response.header("x-request-id") if exchange.response else None,
    ),
    HistoryInvariant(
        "proof.errors.no-session",
        lambda exchange: exchange.response is not None and (SESSION.asked(exchange) or is_documented_error(exchange)),
        _judge_tokens,
        at_least=None,
    ),
)
