"""Variants of any reference: how the server listens, what its clock says, and what goes wrong for a moment."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from rampcheck.sandbox.asgi import Reply, changing, delaying, every, header, headers_of, interrupting
from rampcheck.sandbox.reference import Reference
from rampcheck.sandbox.variants import Profile, Variant, Wrap, register_for_all
from rampcheck.sandbox.wire import json_answer


def _served(name: str, summary: str, wrap: Wrap | None = None, **serving: Any) -> None:
    """Registers a variant for every reference."""
    register_for_all(lambda reference: [Variant(name, reference.contract, summary, wrap=wrap, serving=serving)])


def _protocol(name: str) -> str:
    """The name by which uvicorn finds a protocol of `http_protocols`, which only the serving process imports."""
    return f"rampcheck.sandbox.http_protocols:{name}"


# Connections and the start of a response (RFC 9112).

closing = changing(lambda _, reply: reply.adding(("connection", "close")))

_served("connection-close", "The connection is closed after every answer, and the answer says so.", closing)
_served("short-keep-alive", "The connection is closed after every answer, unannounced.", http=_protocol("Unannounced"))
_served("http-1.0", "Every answer is one of HTTP/1.0.", closing, http=_protocol("Http10"))
_served("no-reason-phrase", "The status line holds no reason phrase.", http=_protocol("NoReason"))
_served("other-reason-phrase", "The status line holds a reason phrase of its own.", http=_protocol("OtherReason"))
_served("early-hints", "An interim response, 103, comes before every answer.", http=_protocol("EarlyHints"))


# Where it listens.


def _without_egress(profile: Profile) -> Profile:
    """The loopback interface has one IPv6 address only, so there is no second one to call from."""
    return {name: value for name, value in profile.items() if name != "egress"}


register_for_all(
    lambda reference: [
        Variant(
            "ipv6",
            reference.contract,
            "It listens on ::1.",
            host="::1",
            profile=_without_egress,
            unverified=reference.unverified_on_ipv6,
        )
    ]
)


# Clocks (RFC 9110 §6.6.1): a gateway's, which may differ from the one that dates what is in the body, or none.


def dated(ahead: timedelta) -> Wrap:
    """Makes the wrap that writes a Date header of its own; uvicorn must be told not to."""
    return changing(lambda _, reply: reply.adding(("date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))))


_served("gateway-ahead", "The Date header is 20 s ahead.", dated(timedelta(seconds=20)), date_header=False)
_served("gateway-behind", "The Date header is 20 s behind.", dated(timedelta(seconds=-20)), date_header=False)
_served("no-date", "There is no Date header, nor one that names the server.", date_header=False, server_header=False)


# What passes if the same request is sent again (RFC 6585 §4, RFC 9110 §10.2.3 and §15.6).


def failing(reference: Reference, status: int, texts: tuple[str, str, str], **headers: str) -> Callable[[], Reply]:
    """Makes replies that are errors of a reference, `texts` its error, code and message."""

    def reply() -> Reply:
        answer = json_answer(status, reference.error(*texts))
        answer = answer.with_headers(x_request_id=uuid.uuid4().hex, **headers)
        return Reply(answer.status, tuple(answer.headers.items()), answer.body)

    return reply


PROVIDER = ("upstream_error", "provider_error", "A provider failed. Retry with the same body.")
UNAVAILABLE = ("upstream_unavailable", "upstream_unavailable", "A provider cannot be reached. Retry and back off.")
RATE = ("rate_limited", "rate_limited", "Too many requests.")
BUSY = ("unavailable", "unavailable", "Try again.")
LATE = ("timeout", "timeout", "No answer came in time.")
SIZE = ("payload_too_large", "payload_too_large", "The body is too large.")


@register_for_all
def _passing(reference: Reference) -> Iterator[Variant]:
    for name, summary, number, reply in (
        ("provider-fails", "Every 30th request meets a failing provider: 502.", 30, failing(reference, 502, PROVIDER)),
        ("provider-away", "Every 30th request finds no provider: 502.", 30, failing(reference, 502, UNAVAILABLE)),
        (
            "rate-limited",
            "Every 100th request is one too many: 429, to be sent again at once.",
            100,
            failing(reference, 429, RATE, retry_after="0"),
        ),
        (
            "rate-limited-for-a-second",
            "Every 100th request is one too many: 429, to be sent again in a second.",
            100,
            failing(reference, 429, RATE, retry_after="1"),
        ),
        (
            "overloaded",
            "Every 30th request finds the server busy: 503, to be sent again at once.",
            30,
            failing(reference, 503, BUSY, retry_after="0"),
        ),
        (
            "busy-until-a-date",
            "Every 100th request finds the server busy: 503, to be sent again after a date that is over.",
            100,
            failing(reference, 503, BUSY, retry_after="Wed, 01 Jan 2020 00:00:00 GMT"),
        ),
        ("gateway-timeout", "Every 30th request ends in a gateway's 504.", 30, failing(reference, 504, LATE)),
    ):
        yield Variant(name, reference.contract, summary, wrap=interrupting(every(number), reply))
    yield Variant(
        "small-bodies-only",
        reference.contract,
        "A body of more than 8 KiB is refused for its Content-Length, and the connection closed.",
        wrap=interrupting(
            lambda scope: int(header(headers_of(scope), "content-length") or 0) > 8192,
            failing(reference, 413, SIZE, connection="close"),
        ),
    )


_served("slow-now-and-then", "Every 8th answer takes 100 ms.", delaying(every(8), 0.1))
