"""Defects of any reference that no service can have: silence, absence, and what is not the API at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv6Address
from itertools import count
from typing import Any

from starlette.types import Scope

from rampcheck.contract import descriptor
from rampcheck.sandbox.asgi import Reply, changing
from rampcheck.sandbox.conditions import (
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
from rampcheck.sandbox.defects import Defect, register_for_all
from rampcheck.sandbox.reference import Reference
from rampcheck.sandbox.variants import Wrap
from rampcheck.sandbox.variants_server import failing

LONGEST_EMAIL = 5000
DEEP = b"[" * 100
HALF_AN_ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"half":'
HALF_A_CHUNK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{"half":'
HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-ty"
LOGIN = page(200, "Sign in")
JSON = (("content-type", "application/json"),)
HTML = (("content-type", "text/html"),)
MAINTENANCE = replying(lambda: Reply(200, JSON, b'{"status":"maintenance"}'))
BLOCKED = Reply(403, JSON, b'{"blocked": true, "ref": "4f1c"}')
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


def member(name: str, test: Callable[[Any], bool]) -> Meant:
    """Means the requests whose member `name` passes the test."""
    return saying(lambda members: test(members.get(name)))


NUL = _any_text(lambda text: "\0" in text)
ASTRAL = _any_text(lambda text: max(text, default="") > "\uffff")
SURROGATE = _any_text(lambda text: any("\ud800" <= letter <= "\udfff" for letter in text))
SCRIPT = holding(b"<script")
QUERY = holding(b"DROP TABLE")
LOOKUP = holding(b"${jndi:")
FORMAT = holding(b"%s%n%x")


def silent(reference: Reference, name: str, summary: str, wrap: Wrap) -> Defect:
    """Makes a defect that breaks the promise of an answer; whatever else was promised of the request falls too."""
    (clause, *_) = descriptor.load(reference.contract).no_server_error.values()
    return Defect(name, reference.contract, (clause,), summary, may_break=(clause.rpartition(".")[0],), wrap=wrap)


@register_for_all
def _silences(reference: Reference) -> Iterator[Defect]:
    """No answer to one kind of payload."""
    if (payloads := reference.payloads) is None:
        return
    long_email = member(payloads.email, _is_unmatched_email)
    for name, summary, meant, action in (
        (
            "hangs-on-long-email",
            "A request with a long e-mail address without an @ is never answered.",
            long_email,
            silence,
        ),
        (
            "drops-deep-nesting",
            "A body nested a hundred times closes the connection without an answer.",
            holding(DEEP),
            drop,
        ),
        ("resets-on-nul", "A NUL in a string resets the connection.", NUL, reset),
        (
            "cuts-answer-on-query",
            "The answer to a body with SQL in it ends in the middle.",
            QUERY,
            last_words(HALF_AN_ANSWER),
        ),
        (
            "cuts-head-on-format",
            "The answer to a body with printf's signs ends in its headers.",
            FORMAT,
            last_words(HALF_A_HEAD),
        ),
        (
            "stalls-on-lookup",
            "The answer to a body with a lookup stops in the middle of a chunk.",
            LOOKUP,
            stall(HALF_A_CHUNK),
        ),
        (
            "speaks-no-http-on-lookup",
            "The answer to a body with a lookup is no HTTP.",
            LOOKUP,
            last_words(b"panic: runtime error\r\n\r\n"),
        ),
        (
            "exits-after-ipv6",
            "After the answer to an IPv6 address the server ends, and is back after a second.",
            member(payloads.address, _is_ipv6),
            answer_and_leave(1.0),
        ),
        (
            "exits-on-surrogate",
            "A lone surrogate ends the server, which is back after a second.",
            SURROGATE,
            leave(1.0),
        ),
        (
            "exits-on-script",
            "A body with a script in it ends the server, which is back after a second.",
            SCRIPT,
            leave(1.0),
        ),
    ):
        yield silent(reference, name, summary, when(meant, action))
    hangs = _ending(
        "incomplete",
        "hangs-for-ever-on-long-email",
        "A long e-mail address without an @ hangs the server for ever.",
        long_email,
        silence_for_all,
    )
    yield hangs(reference)


# Gone, or something else altogether: no clause can be blamed.


def _ending(
    verdict: str,
    name: str,
    summary: str,
    is_meant: Meant,
    action: Action,
) -> Callable[[Reference], Defect]:
    """Gives what makes a defect whose run has to end with this verdict."""
    return lambda reference: Defect(name, reference.contract, (), summary, wrap=when(is_meant, action), ends=verdict)


# Whatever a suite asks.
ENDING = (
    _ending("incomplete", "gone-after-one-answer", "After its first answer the server is gone.", at(2), leave(None)),
    _ending("inconclusive", "login-page", "Every request is answered 200 with a login page.", always, LOGIN),
    _ending(
        "inconclusive",
        "redirect-to-login",
        "Every request is redirected to a login page.",
        always,
        page(302, "Sign in", ("location", "/login")),
    ),
    _ending(
        "inconclusive",
        "not-this-api",
        "Every request is answered 200 by another API.",
        always,
        replying(lambda: Reply(200, JSON, b'{"status":"ok","version":"1.2.3"}')),
    ),
    _ending(
        "inconclusive",
        "bad-gateway",
        "Every request is answered with a gateway's 502.",
        always,
        page(502, "Bad Gateway"),
    ),
)
# In the course of a suite that sends more than a hundred requests.
ENDING_IN_MID_RUN = (
    _ending("incomplete", "gone-in-mid-run", "After a hundred requests the server is gone.", at(HUNDRED), leave(None)),
    _ending(
        "incomplete", "hangs-in-mid-run", "After a hundred requests the server hangs.", at(HUNDRED), silence_for_all
    ),
    _ending(
        "incomplete",
        "drops-in-mid-run",
        "After a hundred requests every connection is closed without an answer.",
        since(HUNDRED),
        drop,
    ),
    _ending(
        "incomplete",
        "login-page-in-mid-run",
        "After a hundred requests everything is a login page.",
        since(HUNDRED),
        LOGIN,
    ),
    _ending(
        "incomplete",
        "bad-gateway-in-mid-run",
        "After a hundred requests everything is a gateway's 502.",
        since(HUNDRED),
        page(502, "Bad Gateway"),
    ),
    _ending(
        "incomplete",
        "forbidden-in-mid-run",
        "After a hundred requests everything is a firewall's 403.",
        since(HUNDRED),
        page(403, "Access denied"),
    ),
    _ending(
        "incomplete",
        "too-many-in-mid-run",
        "After a hundred requests everything is a gateway's 429.",
        since(HUNDRED),
        page(429, "Too Many Requests", ("retry-after", "0")),
    ),
    _ending(
        "incomplete",
        "maintenance-in-mid-run",
        "After a hundred requests everything is answered 200, with a notice.",
        since(HUNDRED),
        MAINTENANCE,
    ),
)
register_for_all(lambda reference: [make(reference) for make in ENDING])
register_for_all(lambda reference: [make(reference) for make in ENDING_IN_MID_RUN if reference.payloads])


# What is answered, and should not be so.


def _is_invalid(scope: Scope, reply: Reply) -> bool:
    return scope["method"] == "POST" and reply.status == 400


def _failing_validation(reference: Reference) -> Wrap:
    """Makes the wrap that answers 500 in place of each refused validation."""
    failed = failing(reference, 500, ("internal_error", "db_error", "Something went wrong."))
    return changing(lambda scope, reply: failed() if _is_invalid(scope, reply) else reply)


def _refusing_each_twentieth(reference: Reference) -> Wrap:
    """Makes the wrap that refuses each twentieth of the sessions that the application creates."""
    created = count(1)
    refused = failing(reference, 400, ("invalid_request", "validation_error", "Not now."))

    def change(scope: Scope, reply: Reply) -> Reply:
        if scope["method"] != "POST" or reply.status != 200:
            return reply
        return refused() if next(created) % 20 == 0 else reply

    return changing(change)


def _each_third_refusal(reply: Reply) -> Wrap:
    """Makes the wrap that answers each third refused validation in this way."""
    refused = count(1)
    return changing(lambda scope, answer: reply if _is_invalid(scope, answer) and next(refused) % 3 == 0 else answer)


def _accepting_without_session(scope: Scope, reply: Reply) -> Reply:
    return Reply(202, JSON, b'{"queued":true}') if _is_invalid(scope, reply) else reply


def _sections(clauses: Sequence[str]) -> tuple[str, ...]:
    """Gives the beginnings of all that is promised of what these clauses speak of: contract and first part."""
    return tuple(dict.fromkeys(".".join(clause.split(".")[:2]) for clause in clauses))


@register_for_all
def _answers(reference: Reference) -> Iterator[Defect]:
    contract, payloads = reference.contract, reference.payloads
    if payloads is None:
        return
    yield silent(
        reference, "validation-fails", "A request that is invalid is answered 500.", _failing_validation(reference)
    )
    yield silent(
        reference,
        "validation-drops",
        "A request that is invalid closes the connection without an answer.",
        dropping(_is_invalid),
    )
    yield Defect(
        "validation-queues",
        contract,
        payloads.refused_for,
        "A request that is invalid is answered 202, and no session comes of it.",
        may_break=_sections(payloads.refused_for),
        wrap=changing(_accepting_without_session),
    )
    for name, summary, reply in (
        ("third-refusal-a-page", "Each third refusal is a page.", Reply(400, HTML, b"<h1>Bad Request</h1>")),
        ("third-refusal-empty", "Each third refusal has no body.", Reply(400, (), b"")),
    ):
        yield Defect(name, contract, (), summary, wrap=_each_third_refusal(reply), ends="incomplete")
    yield Defect(
        "refuses-every-twentieth",
        contract,
        payloads.accepted_for,
        "Each twentieth good request for a session is refused with 400.",
        may_break=_sections(payloads.accepted_for),
        wrap=_refusing_each_twentieth(reference),
    )
    for name, form, refusal in (
        ("firewall-stops-a-payload", "a page", page(403, "Access denied")),
        ("firewall-tells-in-json", "JSON of its own", replying(lambda: BLOCKED)),
    ):
        yield Defect(
            name,
            contract,
            (descriptor.load(contract).gateway,),
            f"A firewall answers each body with a script or SQL in it with {form}, 403.",
            wrap=when(holding(b"<script", b"DROP TABLE"), refusal),
        )
    yield Defect(
        "revoked-in-mid-run",
        contract,
        (),
        "After a hundred requests the credentials are refused.",
        wrap=when(since(HUNDRED), replying(failing(reference, 401, payloads.revoked))),
        ends="incomplete",
    )
