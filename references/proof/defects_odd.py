"""Defects of what is odd, and may be sent all the same (`proof.session.request.no-server-error`)."""

from __future__ import annotations

from collections.abc import Callable

from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .refusals import Refusal
from .service import SessionService
from .session_changes import SESSION

SURVIVES = f"{SESSION}.request.no-server-error"


def _charset(call: Call) -> str:
    return (call.header("content-type") or "").lower().partition("charset=")[2].strip(' "') or "utf-8"


def _survived(cannot: Callable[[Call], object], call: Call) -> Call:
    """The call; a server error where `cannot` is true of it, or raises."""
    if cannot(call):
        raise Refusal(refusals.INTERNAL)
    return call


_type_read = defects(
    SessionService,
    "check_media_type",
    lambda cannot, _, inherited, call: inherited(_survived(cannot, call)),
    breaks=[SURVIVES],
    may_break=["proof.errors"],
)
_type_read(
    "unknown-charset-crash",
    "A body in a charset that nobody knows gives a 500.",
    lambda call: not call.body.decode(_charset(call), "ignore") and call.body.strip(),
)
_type_read(
    "other-charset-crash",
    "A body in a charset other than UTF-8 gives a 500.",
    lambda call: _charset(call) != "utf-8",
)
_type_read(
    "untold-media-type-crash",
    "A body without a Content-Type gives a 500.",
    lambda call: call.header("content-type") is None,
)
_type_read(
    "media-type-that-is-none-crash",
    "A Content-Type without a slash gives a 500.",
    lambda call: "/" not in (call.header("content-type") or "/"),
)
