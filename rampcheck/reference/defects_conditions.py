"""Defects of both contracts that no service can have: silence, absence, and what is not the API at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv6Address
from itertools import count
from typing import Any

from starlette.types import Scope

from rampcheck.reference.asgi import Reply, changing
from rampcheck.reference.conditions import (
    Action,
    Meant,
    always,
    answer_and_leave,
    at,
    drop,
    dropping,
    holding,
    last_words,
    leave,
    page,
    replying,
    reset,
    saying,
    silence,
    silence_for_all,
    since,
    stall,
    texts,
    when,
)
from rampcheck.reference.contracts import DEFAULT_ENVIRONMENTS
from rampcheck.reference.defects import Defect, register
from rampcheck.reference.variants import Wrap
from rampcheck.reference.variants_server import failing

Members = Mapping[str, Any]

LONGEST_EMAIL = 5000
DEEP = b"[" * 100
HALF_AN_ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"half":'
HALF_A_CHUNK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{"half":'
HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-ty"
LOGIN = page(200, "Sign in")
JSON = (("content-type", "application/json"),)
HTML = (("content-type", "text/html"),)
MAINTENANCE = replying(lambda: Reply(200, JSON, b'{"status":"maintenance"}'))
HUNDRED = 100  # requests, after which it happens in mid-run


# Payloads, each of a kind that the suites send more than once.


def _any_text(test: Callable[[str], bool]) -> Meant:
    """Means the requests with a string, a member's name or value, of which `test` is true."""
    return saying(lambda members: any(map(test, texts(members))))


def _is_unmatched_email(value: Any) -> bool:
    """Whether a value keeps a regular expression for e-mails busy: long, and without an @."""
    return isinstance(value, str) and len(value) >= LONGEST_EMAIL and "@" not in value


def _is_ipv6(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(IPv6Address(value))
    except ValueError:
        return False


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(inner, dict | list) and inner for inner in value.values())


def _member(name: str, test: Callable[[Any], bool]) -> Meant:
    return saying(lambda members: test(members.get(name)))


EMAIL = {"proof": _member("user_email", _is_unmatched_email), "kryptonim": _member("email", _is_unmatched_email)}
ADDRESS = {"proof": _member("client_ip", _is_ipv6), "kryptonim": _member("ipAddress", _is_ipv6)}
NUL = _any_text(lambda text: "\0" in text)
ASTRAL = _any_text(lambda text: max(text, default="") > "\uffff")
SURROGATE = _any_text(lambda text: any("\ud800" <= letter <= "\udfff" for letter in text))
SCRIPT = holding(b"<script")
QUERY = holding(b"DROP TABLE")
LOOKUP = holding(b"${jndi:")
FORMAT = holding(b"%s%n%x")


def _registered(contract: str, name: str, summary: str, wrap: Wrap, may_break: Sequence[str]) -> None:
    """Registers a defect that breaks the promise of an answer."""
    clause = f"{contract}.session.request.no-server-error"
    register(Defect(name, contract, (clause,), summary, may_break=tuple(may_break), wrap=wrap))


# No answer to one kind of payload: whatever else was promised of it falls too.

for _contract in DEFAULT_ENVIRONMENTS:
    for _name, _summary, _meant, _action in (
        ("hangs-on-long-email", "A request with a long e-mail address without an @ is never answered.",
         EMAIL[_contract], silence),
        ("drops-deep-nesting", "A body nested a hundred times closes the connection without an answer.",
         holding(DEEP), drop),
        ("resets-on-nul", "A NUL in a string resets the connection.", NUL, reset),
        ("cuts-answer-on-query", "The answer to a body with SQL in it ends in the middle.", QUERY,
         last_words(HALF_AN_ANSWER)),
        ("cuts-head-on-format", "The answer to a body with printf's signs ends in its headers.", FORMAT,
         last_words(HALF_A_HEAD)),
        ("stalls-on-lookup", "The answer to a body with a lookup stops in the middle of a chunk.", LOOKUP,
         stall(HALF_A_CHUNK)),
        ("speaks-no-http-on-lookup", "The answer to a body with a lookup is no HTTP.", LOOKUP,
         last_words(b"panic: runtime error\r\n\r\n")),
        ("exits-after-ipv6", "After the answer to an IPv6 address the server ends, and is back after a second.",
         ADDRESS[_contract], answer_and_leave(1.0)),
        ("exits-on-surrogate", "A lone surrogate ends the server, which is back after a second.", SURROGATE,
         leave(1.0)),
        ("exits-on-script", "A body with a script in it ends the server, which is back after a second.", SCRIPT,
         leave(1.0)),
    ):
        _registered(_contract, _name, _summary, when(_meant, _action), [f"{_contract}.session.request"])

_registered("kryptonim", "drops-nested-metadata", "Nested metadata closes the connection without an answer.",
            when(_member("metadata", _is_nested), drop), ["kryptonim.session.request"])
_registered("proof", "drops-astral", "A character beyond U+FFFF closes the connection without an answer.",
            when(ASTRAL, drop), ["proof.session.request"])


# Gone, or something else altogether: no clause can be blamed.


def _ends(verdict: str, name: str, summary: str, is_meant: Meant | Mapping[str, Meant], action: Action) -> None:
    """Registers, for both contracts, a defect whose run has to end with this verdict."""
    for contract in DEFAULT_ENVIRONMENTS:
        meant = is_meant[contract] if isinstance(is_meant, Mapping) else is_meant
        register(Defect(name, contract, (), summary, wrap=when(meant, action), ends=verdict))


_ends("incomplete", "hangs-for-ever-on-long-email", "A long e-mail address without an @ hangs the server for ever.",
      EMAIL, silence_for_all)
_ends("incomplete", "gone-after-one-answer", "After its first answer the server is gone.", at(2), leave(None))
_ends("incomplete", "gone-in-mid-run", "After a hundred requests the server is gone.", at(HUNDRED), leave(None))
_ends("incomplete", "hangs-in-mid-run", "After a hundred requests the server hangs.", at(HUNDRED), silence_for_all)
_ends("incomplete", "drops-in-mid-run", "After a hundred requests every connection is closed without an answer.",
      since(HUNDRED), drop)
_ends("incomplete", "login-page-in-mid-run", "After a hundred requests everything is a login page.", since(HUNDRED),
      LOGIN)
_ends("incomplete", "bad-gateway-in-mid-run", "After a hundred requests everything is a gateway's 502.",
      since(HUNDRED), page(502, "Bad Gateway"))
_ends("incomplete", "forbidden-in-mid-run", "After a hundred requests everything is a firewall's 403.",
      since(HUNDRED), page(403, "Access denied"))
_ends("incomplete", "too-many-in-mid-run", "After a hundred requests everything is a gateway's 429.", since(HUNDRED),
      page(429, "Too Many Requests", ("retry-after", "0")))
_ends("incomplete", "maintenance-in-mid-run", "After a hundred requests everything is answered 200, with a notice.",
      since(HUNDRED), MAINTENANCE)
_ends("inconclusive", "login-page", "Every request is answered 200 with a login page.", always, LOGIN)
_ends("inconclusive", "redirect-to-login", "Every request is redirected to a login page.", always,
      page(302, "Sign in", ("location", "/login")))
_ends("inconclusive", "not-this-api", "Every request is answered 200 by another API.", always,
      replying(lambda: Reply(200, JSON, b'{"status":"ok","version":"1.2.3"}')))
_ends("inconclusive", "bad-gateway", "Every request is answered with a gateway's 502.", always,
      page(502, "Bad Gateway"))


# What is answered, and should not be so.


def _is_invalid(scope: Scope, reply: Reply) -> bool:
    return scope["method"] == "POST" and reply.status == 400


def _failing_validation(contract: str) -> Wrap:
    """Makes the wrap that answers 500 in place of each refused validation."""
    failed = failing(contract, 500, ("internal_error", "db_error", "Something went wrong."))
    return changing(lambda scope, reply: failed() if _is_invalid(scope, reply) else reply)


def _refusing_each_fiftieth(contract: str) -> Wrap:
    """Makes the wrap that refuses each fiftieth of the sessions that the application creates."""
    created = [0]
    refused = failing(contract, 400, ("invalid_request", "validation_error", "Not now."))

    def change(scope: Scope, reply: Reply) -> Reply:
        if scope["method"] != "POST" or reply.status != 200:
            return reply
        created[0] += 1
        return refused() if created[0] % 50 == 0 else reply

    return changing(change)


def _each_third_refusal(reply: Reply) -> Wrap:
    """Makes the wrap that answers each third refused validation in this way."""
    refused = count(1)
    return changing(lambda scope, answer: reply if _is_invalid(scope, answer) and next(refused) % 3 == 0 else answer)


def _accepting_without_session(scope: Scope, reply: Reply) -> Reply:
    return Reply(202, JSON, b'{"queued":true}') if _is_invalid(scope, reply) else reply


# What a good request may be sent for: any of these may meet one of the refusals.
ACCEPTING: Mapping[str, Sequence[str]] = {
    "proof": ("client-ip-optional", "accepts", "type-default", "redirect-override", "address-ignored"),
    "kryptonim": ("optional", "metadata", "unlocked-fields", "fiat-amount", "crypto-amount", "ip-forms"),
}
# What a request that is invalid is sent for: any of these.
VALIDATED: Mapping[str, Sequence[str]] = {
    "proof": ("required.currency", "required.amount", "amount-positive"),
    "kryptonim": ("required.network", "amount-one-of", "amount-positive"),
}
REVOKED = {
    "proof": ("unauthorised", "invalid_token", "The client token is missing or not valid."),
    "kryptonim": ("", "unauthorized", "Unauthorized request"),
}

for _contract in DEFAULT_ENVIRONMENTS:
    _request = f"{_contract}.session.request"
    _registered(_contract, "validation-fails", "A request that is invalid is answered 500.",
                _failing_validation(_contract), [_request])
    _registered(_contract, "validation-drops", "A request that is invalid closes the connection without an answer.",
                dropping(_is_invalid), [_request])
    register(Defect(
        "validation-queues", _contract, tuple(f"{_request}.{name}" for name in VALIDATED[_contract]),
        "A request that is invalid is answered 202, and no session comes of it.", may_break=(_contract,),
        wrap=changing(_accepting_without_session)))
    for _name, _summary, _reply in (
        ("third-refusal-a-page", "Each third refusal is a page.", Reply(400, HTML, b"<h1>Bad Request</h1>")),
        ("third-refusal-empty", "Each third refusal has no body.", Reply(400, (), b"")),
    ):
        register(Defect(_name, _contract, (), _summary, wrap=_each_third_refusal(_reply), ends="incomplete"))
    register(Defect(
        "refuses-every-fiftieth", _contract, tuple(f"{_request}.{name}" for name in ACCEPTING[_contract]),
        "Each fiftieth good request for a session is refused with 400.", may_break=(_contract,),
        wrap=_refusing_each_fiftieth(_contract)))
    register(Defect(
        "firewall-stops-a-payload", _contract, (f"{_contract}.errors.gateway-envelope",),
        "A firewall answers each body with a script or SQL in it with a page of 403.",
        wrap=when(holding(b"<script", b"DROP TABLE"), page(403, "Access denied"))))
    register(Defect(
        "revoked-in-mid-run", _contract, (), "After a hundred requests the credentials are refused.",
        wrap=when(since(HUNDRED), replying(failing(_contract, 401, REVOKED[_contract]))), ends="incomplete"))
