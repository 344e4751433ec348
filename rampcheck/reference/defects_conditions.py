"""Defects of both contracts that no service can have: silence, absence, and what is not the API at all."""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.types import Scope

from rampcheck.reference.asgi import Reply, changing
from rampcheck.reference.conditions import (
    Action,
    Asked,
    Meant,
    always,
    answer_and_leave,
    at,
    drop,
    holding,
    last_words,
    leave,
    page,
    replying,
    reset,
    silence,
    silence_for_all,
    since,
    when,
)
from rampcheck.reference.contracts import DEFAULT_ENVIRONMENTS
from rampcheck.reference.defects import Defect, register
from rampcheck.reference.variants import Wrap
from rampcheck.reference.variants_server import failing

NO_SERVER_ERROR = "{}.session.request.no-server-error"
# What the suites send now and then: strings of which each is one kind of payload.
LONG_EMAIL = {"proof": holding(b'"user_email":"' + b"x" * 100), "kryptonim": holding(b'"email":"' + b"x" * 100)}
NESTED = {"proof": holding(b"[[[[[["), "kryptonim": holding(b'"deeper"')}
SCRIPT, QUERY, LOOKUP, FORMAT = holding(b"<script>"), holding(b"DROP TABLE"), holding(b"${jndi:"), holding(b"%s%n%x")
IPV6 = holding(b"2001:db8", b"2001:0db8")
HALF_AN_ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"half":'
HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-ty"
LOGIN = page(200, "Sign in")


def _broken(contract: str, name: str, summary: str, wrap: Wrap, *more: str) -> None:
    """Registers a defect that breaks the promise of an answer; `more` may fall with it."""
    register(Defect(name, contract, (NO_SERVER_ERROR.format(contract),), summary, may_break=more, wrap=wrap))


def _gone(name: str, summary: str, ends: str, is_meant: Meant, action: Action) -> None:
    """Registers, for both contracts, a defect that no clause can be blamed for."""
    for contract in DEFAULT_ENVIRONMENTS:
        register(Defect(name, contract, (), summary, wrap=when(is_meant, action), ends=ends))


for _contract in DEFAULT_ENVIRONMENTS:
    _request = f"{_contract}.session.request"
    for _name, _summary, _meant, _action in (
        ("hangs-on-long-email", "A long e-mail address without an @ is not answered.", LONG_EMAIL[_contract], silence),
        ("drops-nested-body", "A nested body closes the connection without an answer.", NESTED[_contract], drop),
        ("resets-on-script", "A body with a script in it resets the connection.", SCRIPT, reset),
        ("cuts-answer-on-query", "The answer to a body with SQL in it ends in the middle.", QUERY,
         last_words(HALF_AN_ANSWER)),
        ("cuts-head-on-format", "The answer to a body with printf's signs ends in its headers.", FORMAT,
         last_words(HALF_A_HEAD)),
        ("speaks-no-http-on-lookup", "The answer to a body with a lookup is no HTTP.", LOOKUP,
         last_words(b"panic: runtime error\r\n\r\n")),
        ("exits-after-ipv6", "After the answer to an IPv6 address the server ends, and is back after a second.", IPV6,
         answer_and_leave(1.0)),
        ("exits-on-lookup", "A body with a lookup ends the server, which is back after a second.", LOOKUP, leave(1.0)),
    ):
        _broken(_contract, _name, _summary, when(_meant, _action), _request)

_gone("hangs-for-ever-on-long-email", "A long e-mail address hangs the server for ever.", "incomplete",
      lambda asked: any(meant(asked) for meant in LONG_EMAIL.values()), silence_for_all)
_gone("gone-after-one-answer", "After its first answer the server is gone.", "incomplete", at(2), leave(None))
_gone("gone-in-mid-run", "After a hundred requests the server is gone.", "incomplete", at(100), leave(None))
_gone("hangs-in-mid-run", "After a hundred requests the server hangs.", "incomplete", at(100), silence_for_all)
_gone("login-page", "Every request is answered 200 with a login page.", "inconclusive", always, LOGIN)
_gone("login-page-in-mid-run", "After a hundred requests everything is a login page.", "incomplete", since(100), LOGIN)
_gone("redirect-to-login", "Every request is redirected to a login page.", "inconclusive", always,
      page(302, "Sign in", ("location", "/login")))
_gone("not-this-api", "Every request is answered 200 by another API.", "inconclusive", always,
      replying(lambda: Reply(200, (("content-type", "application/json"),), b'{"status":"ok","version":"1.2.3"}')))
_gone("bad-gateway-in-mid-run", "After a hundred requests everything is a gateway's 502.", "incomplete", since(100),
      page(502, "Bad Gateway"))
_gone("forbidden-in-mid-run", "After a hundred requests everything is a firewall's 403.", "incomplete", since(100),
      page(403, "Access denied"))


# What is answered, and should not be so.


def _validation_fails(_: Scope, reply: Reply) -> Reply:
    return replace(reply, status=500) if reply.status in {400, 422} else reply


def _is_fiftieth_session() -> Meant:
    sessions = [0]

    def meant(asked: Asked) -> bool:
        try:
            members = json.loads(asked.body)
        except ValueError:
            return False
        is_good = isinstance(members, dict) and len(members) in {5, 6} and "rampcheck" not in members
        sessions[0] += is_good
        return is_good and sessions[0] % 50 == 0

    return meant


_REFUSED = ("invalid_request", "validation_error", "The request is invalid.")
for _contract, _acceptance in {"proof": "client-ip-optional", "kryptonim": "optional"}.items():
    _broken(_contract, "validation-fails", "A request that is invalid is answered 500.", changing(_validation_fails),
            _contract)
    register(Defect(
        "refuses-every-fiftieth", _contract, (f"{_contract}.session.request.{_acceptance}",),
        "Each fiftieth plain request is refused with 400.", may_break=(_contract,),
        wrap=when(_is_fiftieth_session(), replying(failing(_contract, 400, _REFUSED)))))
    register(Defect(
        "firewall-stops-a-payload", _contract, (f"{_contract}.errors.gateway-envelope",),
        "A firewall answers each body with a script or SQL in it with a page of 403.",
        wrap=when(holding(b"<script>", b"DROP TABLE"), page(403, "Access denied"))))
