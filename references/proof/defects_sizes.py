"""Defects of what is large, long or deep without being too much for any parser (`….no-server-error`)."""

# ruff: noqa: ARG005 - every condition takes the request and the call.

from __future__ import annotations

from typing import Any

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService
from .session_changes import SESSION
from .status import StatusService

_crashes = defects(
    SessionService,
    "read",
    lambda is_too_much, _, inherited, call: _or_crash(inherited(call), is_too_much, call),
    breaks=[f"{SESSION}.request.no-server-error"],
    may_break=[f"{SESSION}.request", "proof.kyc", "proof.transaction", "proof.errors"],
)


def _or_crash(request: SessionRequest, is_too_much: Any, call: Call) -> SessionRequest:
    if is_too_much(request, call):
        raise Refusal(refusals.INTERNAL)
    return request


def _crash() -> None:
    raise Refusal(refusals.INTERNAL)


def depth(value: Any) -> int:
    """How many arrays and objects are inside each other."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


def _between(call: Call, least: int, most: int) -> bool:
    return least < len(call.body) <= most


_crashes(
    "crash-above-64-kib",
    "A body between 64 KiB and 1 MiB makes the server fail.",
    lambda request, call: _between(call, 65_536, 1 << 20),
)
_crashes(
    "crash-just-below-1-mib",
    "A body of nearly 1 MiB makes the server fail.",
    lambda request, call: _between(call, 1_000_000, 1 << 20),
)
_crashes(
    "crash-at-eleven-levels",
    "Ten to a hundred levels of nesting make the server fail.",
    lambda request, call: 10 < depth(strict_json.parse(call.body)) < 100,
)
_crashes(
    "crash-at-three-levels",
    "Three to ten levels of nesting make the server fail.",
    lambda request, call: 3 < depth(strict_json.parse(call.body)) < 11,
)
_crashes(
    "crash-at-long-name",
    "A member with a name of more than a thousand characters makes the server fail.",
    lambda request, call: any(len(name) > 1_000 for name in strict_json.parse(call.body)),
)
_crashes(
    "crash-at-twenty-digits",
    "An amount of 20 to 40 digits before the point makes the server fail.",
    lambda request, call: 19 < len(request.amount.partition(".")[0]) < 40,
)
_crashes(
    "crash-at-nineteen-decimals",
    "An amount of 19 to 40 decimals makes the server fail.",
    lambda request, call: 18 < len(request.amount.partition(".")[2]) < 40,
)
_asked = defects(
    StatusService,
    "check_get",
    lambda is_too_much, _, inherited, call: (
        _crash() if call.path.startswith("/widget/") and is_too_much(call.parameter) else inherited(call)
    ),
)
_asked(
    "nul-in-path-crash",
    ["proof.kyc.unknown", "proof.transaction.unknown"],
    "A NUL in the path makes the server fail.",
    lambda named: "\0" in named,
)
_asked(
    "long-path-crash",
    ["proof.kyc.unknown", "proof.transaction.unknown"],
    "A path of more than 1,000 characters makes the server fail.",
    lambda named: len(named) > 1_000,
)

_crashes(
    "crash-at-user-of-65-characters",
    "A user with a name of 65 to 1,000 characters makes the server fail.",
    lambda request, call: 64 < len(request.partner_user_id) < 1_000,
)
