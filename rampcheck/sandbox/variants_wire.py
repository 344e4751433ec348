"""Variants of any reference: other ways to spell the very same answer in HTTP and JSON."""

from __future__ import annotations

import gzip
import json
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from starlette.types import Scope

from rampcheck.sandbox.asgi import Change, Reply, changing, header, headers_of
from rampcheck.sandbox.variants import Variant, register_for_all


def _spelled(name: str, summary: str, change: Change, pieces: Callable[[bytes], Sequence[bytes]] | None = None) -> None:
    """Registers, for every reference, the variant whose answers are what `change` makes of the reference's."""
    register_for_all(lambda reference: [Variant(name, reference.contract, summary, wrap=changing(change, pieces))])


# Headers (RFC 9110 §5): others, in other letter case, with parameters.

GATEWAY_HEADERS = (
    ("via", "1.1 edge, 1.1 cache (gateway/2.4)"),
    ("set-cookie", "route=a1; Path=/; HttpOnly; Secure; SameSite=None"),
    ("set-cookie", "AWSALB=b2; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Path=/"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains; preload"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
    ("cache-control", "private"),
    ("etag", 'W/"1"'),
    ("x-ratelimit-limit", "100"),
    ("x-ratelimit-remaining", "99"),
    ("x-empty", ""),
    ("x-long", "a" * 6000),
    ("keep-alive", "timeout=5"),
    ("x-request-start", "t=1700000000.000"),
)
# RFC 6750 §3.
CHALLENGE = ("www-authenticate", 'Bearer realm="api", error="invalid_token", error_description="It is not known."')
CORS_HEADERS = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "X-Request-Id"),
    ("vary", "Origin"),
    ("vary", "Accept-Encoding"),
)


def _is_json(reply: Reply) -> bool:
    return reply.media_type == "application/json"


def _typed(media_type: str) -> Change:
    """The change that gives JSON another Content-Type."""
    return lambda _, reply: reply.with_header("content-type", media_type) if _is_json(reply) else reply


def _renamed(rename: Callable[[str], str]) -> Change:
    """The change that spells the names of headers otherwise."""
    return lambda _, reply: replace(reply, headers=tuple((rename(name), value) for name, value in reply.headers))


def _problem(_: Scope, reply: Reply) -> Reply:
    # RFC 9457 §3.1: such a type may have any members of its own.
    return reply.with_header("content-type", "application/problem+json") if reply.status >= 400 else reply


def _vendor(_: Scope, reply: Reply) -> Reply:
    return reply.with_header("content-type", "application/vnd.ramp.v1+json") if reply.status < 400 else reply


_spelled(
    "gateway-headers", "Every answer carries a gateway's headers.", lambda _, reply: reply.adding(*GATEWAY_HEADERS)
)
_spelled(
    "challenge",
    "What is refused with 401 is refused with a challenge.",
    lambda _, reply: reply.adding(CHALLENGE) if reply.status == 401 else reply,
)
_spelled("cors-headers", "Every answer lets browsers read it.", lambda _, reply: reply.adding(*CORS_HEADERS))
_spelled("charset-parameter", "JSON is declared with a charset.", _typed("application/json; charset=utf-8"))
_spelled(
    "quoted-charset-parameter",
    "JSON is declared in capitals, with a quoted charset.",
    _typed('Application/JSON;charset="UTF-8"'),
)
_spelled("problem-json", "Errors are declared as application/problem+json.", _problem)
_spelled("vendor-json", "What is no error is declared as a vendor's kind of JSON.", _vendor)
_spelled("upper-case-headers", "The names of headers are in capitals.", _renamed(str.upper))
_spelled("title-case-headers", "The names of headers begin their words with a capital.", _renamed(str.title))


# Tracing (W3C Trace Context, section 3.2; its draft of level 2, section 4, for the answer).

TRACED = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def _told(scope: Scope, reply: Reply) -> Reply:
    traced = TRACED.fullmatch(header(headers_of(scope), "traceparent"))
    if traced is None:
        return reply
    own = f"00-{traced[1]}-{secrets.token_hex(8)}-01"
    return reply.adding(
        ("traceparent", traced[0]), ("traceresponse", own), ("server-timing", f"traceparent;desc={own}")
    )


def _named_by_trace(scope: Scope, reply: Reply) -> Reply:
    traced = TRACED.fullmatch(header(headers_of(scope), "traceparent"))
    return reply.with_header("x-request-id", traced[1]) if traced else reply


_spelled("traced", "Answers tell of the request's trace, and of a span in it.", _told)
_spelled("trace-as-request-id", "A request id is the trace that the request names.", _named_by_trace)


# JSON (RFC 8259): the same value, or the same and more, in other texts.


def _written(text: Callable[[Any], str]) -> Change:
    """The change that writes the value of a JSON body as another text."""

    def change(_: Scope, reply: Reply) -> Reply:
        if not _is_json(reply) or not reply.body:
            return reply
        return replace(reply, body=text(json.loads(reply.body)).encode("utf-8"))

    return change


def _escaped(value: Any) -> str:
    """JSON in which every character of every string is an escape."""
    match value:
        case dict():
            members = (f"{_escaped(name)}: {_escaped(member)}" for name, member in value.items())
            return "{" + ", ".join(members) + "}"
        case list():
            return "[" + ", ".join(map(_escaped, value)) + "]"
        case str():
            units = value.encode("utf-16-be", "surrogatepass")
            return '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'
    return json.dumps(value)


def _indented(value: Any) -> str:
    return "\r\n\t" + json.dumps(value, indent="\t", separators=(" ,", " : ")).replace("\n", "\r\n") + "\r\n\r\n"


def _reversed(value: Any) -> str:
    return json.dumps(dict(reversed(value.items())) if isinstance(value, dict) else value)


def _nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = {"level": [value]}
    return value


EXTRA_BEFORE: dict[str, Any] = {
    "meta": {"api": "1.4.2", "nested": _nested(40)},
    "warnings": [],
    "note": None,
    "serial": 10**30,
}
EXTRA_AFTER: dict[str, Any] = {
    "": "",
    "_links": {"self": {"href": "/"}},
    "constructor": 1e-7,
    "größe": [True, None, -0.5, "💸"],
}


def _extended(value: Any) -> str:
    return json.dumps({**EXTRA_BEFORE, **value, **EXTRA_AFTER} if isinstance(value, dict) else value)


_spelled("reversed-members", "The members of objects come in reverse order.", _written(_reversed))
_spelled("indented-json", "JSON is indented by tabs, over lines that end in CRLF.", _written(_indented))
_spelled(
    "compact-json",
    "JSON has no white space.",
    _written(lambda value: json.dumps(value, separators=(",", ":"))),
)
_spelled("escaped-json", "In JSON, every character is an escape.", _written(_escaped))
_spelled("extra-members", "Objects hold undocumented members, deep ones and null among them.", _written(_extended))


# The body (RFC 9110 §8.4, RFC 9112 §7.1): compressed where the caller takes it, in chunks.


def _compressed(coding: str, compress: Callable[[bytes], bytes]) -> Change:
    """The change that compresses the body for a caller who accepts it."""

    def change(scope: Scope, reply: Reply) -> Reply:
        if coding not in header(headers_of(scope), "accept-encoding") or not reply.body:
            return reply
        compressed = replace(reply, body=compress(reply.body))
        return compressed.adding(("content-encoding", coding), ("vary", "Accept-Encoding"))

    return change


def _sevens(body: bytes) -> list[bytes]:
    """A body in pieces of seven bytes, wherever that cuts it."""
    return [body[at : at + 7] for at in range(0, len(body), 7)]


_spelled("gzip", "Bodies are compressed with gzip.", _compressed("gzip", gzip.compress))
_spelled("deflate", "Bodies are compressed with deflate.", _compressed("deflate", zlib.compress))
_spelled("gzip-in-chunks", "Bodies are compressed, and come in chunks.", _compressed("gzip", gzip.compress), _sevens)
_spelled("chunks", "Bodies come in chunks of seven bytes.", lambda _, reply: reply, _sevens)


# The status, where none is promised.


def _created(scope: Scope, reply: Reply) -> Reply:
    if scope["method"] != "POST" or reply.status != 200:
        return reply
    return replace(reply, status=201).adding(("location", "/sessions/1"))


_spelled("created", "A session is created with 201.", _created)
