"""Defects in which a header that is no part of the contract decides what is answered."""

# ruff: noqa: ARG005 - every change takes the document and the call.

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Answer, Call

from .base import BaseService
from .service import SessionService
from .session_changes import SESSION
from .status import StatusService

Fields = Mapping[str, Any]


def _document(change: Callable[[Fields, Call], Fields], answer: Answer, call: Call) -> Answer:
    document = json.loads(answer.body)
    return Answer(answer.status, json.dumps(document | change(document, call)).encode("ascii"), answer.headers)


def _page(answer: Answer) -> Answer:
    return Answer(answer.status, b"<pre>" + answer.body + b"</pre>", {**answer.headers, "content-type": "text/html"})


def speaks_german(call: Call) -> bool:
    """Whether a call says that its user would like to read German."""
    return (call.header("accept-language") or "").startswith("de")


def is_browsers(call: Call) -> bool:
    """Whether a call would like to have a page, as browsers do."""
    return "text/html" in (call.header("accept") or "")


_session = defects(
    SessionService,
    "session_answer",
    lambda change, _, inherited, session, call: _document(change, inherited(session, call), call),
    section=SESSION,
)
_session(
    "lang-of-accept-language",
    ["config.lang"],
    "A session's lang is that of the call's Accept-Language.",
    lambda session, call: {"lang": "de"} if speaks_german(call) else {},
    may_break=["config-stable"],
)
_session(
    "fiat-currency-of-accept-language",
    ["config.fiat_currency"],
    "A session's fiat currency is that of the country in Accept-Language.",
    lambda session, call: {"fiat_currency": "CHF"} if "CH" in (call.header("accept-language") or "") else {},
    may_break=["config-stable"],
)
_session(
    "amount-as-written-in-german",
    ["amount-echo"],
    "The amount has a decimal comma for who would like to read German.",
    lambda session, call: {"amount": session["amount"].replace(".", ",")} if speaks_german(call) else {},
)
_session(
    "theme-of-user-agent",
    ["config.theme"],
    "The theme is dark for a telephone's browser.",
    lambda session, call: {"theme": "dark"} if "Mobile" in (call.header("user-agent") or "") else {},
    may_break=["config-stable"],
)
_session(
    "type-of-cookie",
    ["request.type-default"],
    "A type that a cookie names is that of the session.",
    lambda session, call: {"type": "sell"} if "type=sell" in (call.header("cookie") or "") else {},
    may_break=["request.type-override"],
)
defects(
    SessionService,
    "session_answer",
    lambda _, inherited, session, call: (
        _page(inherited(session, call)) if is_browsers(call) else inherited(session, call)
    ),
)(
    "session-as-page-for-browsers",
    [f"{SESSION}.json"],
    "Who would rather have a page gets the session as one.",
    may_break=[SESSION],
)
defects(
    BaseService,
    "error_answer",
    lambda _, inherited, refused, call: (
        _page(inherited(refused, call)) if is_browsers(call) else inherited(refused, call)
    ),
)(
    "error-as-page-for-browsers",
    ["proof.errors.envelope"],
    "Who would rather have a page gets an error as one.",
    may_break=["proof.errors", "proof.session.request"],
)

_polled = defects(
    StatusService,
    "show_transaction",
    lambda change, _, inherited, call: _document(change, inherited(call), call),
)
_polled(
    "poll-status-in-german",
    ["proof.transaction.complete"],
    "A transaction's status is written in German for who would like to read that.",
    lambda transaction, call: {"status": "offen"} if speaks_german(call) and transaction["status"] == "pending" else {},
    may_break=["proof.transaction.pending"],
)
_polled(
    "poll-times-in-german",
    ["proof.transaction.times"],
    "A transaction's times are written as in German for who would like to read that.",
    lambda transaction, call: {"created_at": "26.11.2026, 09:15:00"} if speaks_german(call) else {},
    may_break=["proof.transaction.complete"],
)
defects(
    StatusService,
    "show_kyc_status",
    lambda change, _, inherited, call: _document(change, inherited(call), call),
)(
    "kyc-status-in-german",
    ["proof.kyc.complete"],
    "A user's status is written in German for who would like to read that.",
    lambda user, call: {"status": "nicht begonnen"} if speaks_german(call) else {},
    may_break=["proof.kyc.not-started", "proof.kyc.stable"],
)
