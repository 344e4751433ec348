"""Defects of a server that takes nothing without what is optional, however it says so."""

from __future__ import annotations

from collections.abc import Callable

from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .refusals import Refusal, Refused
from .request import SessionRequest
from .service import SessionService
from .session_changes import SESSION

Needs = Callable[[SessionRequest, Call], bool]

_needs = defects(
    SessionService,
    "read",
    lambda is_there, refused, _, inherited, call: _demanded(inherited(call), is_there, refused, call),
    may_break=[f"{SESSION}.request", "proof.auth.origin-optional", "proof.errors"],
)


def _demanded(request: SessionRequest, is_there: Needs, refused: Refused, call: Call) -> SessionRequest:
    if not is_there(request, call):
        raise Refusal(refused)
    return request


def _has(*names: str) -> Needs:
    return lambda request, _: all(getattr(request, name) is not None for name in names)


_needs(
    "redirect-url-required",
    [f"{SESSION}.request.redirect-override"],
    "A request without redirect_url is refused.",
    _has("redirect_url"),
    refusals.VALIDATION,
)
_needs(
    "address-required",
    [f"{SESSION}.request.address-ignored"],
    "A request without address is refused, though what is sent is ignored.",
    _has("address"),
    refusals.VALIDATION,
)
_needs(
    "client-ip-required-as-forbidden",
    [f"{SESSION}.request.client-ip-optional"],
    "A request without client_ip is forbidden.",
    _has("client_ip"),
    refusals.ADDRESS,
)
_needs(
    "client-ip-required-as-unauthorised",
    [f"{SESSION}.request.client-ip-optional"],
    "A request without client_ip is refused as one without a good token.",
    _has("client_ip"),
    refusals.TOKEN,
)
_needs(
    "client-ip-required-as-not-found",
    [f"{SESSION}.request.client-ip-optional"],
    "A request without client_ip finds nothing.",
    _has("client_ip"),
    refusals.PATH,
)
_needs(
    "client-ip-required-as-failure",
    [f"{SESSION}.request.client-ip-optional"],
    "A request without client_ip makes the server fail.",
    _has("client_ip"),
    refusals.INTERNAL,
)
_needs(
    "client-ip-and-redirect-url-required",
    [f"{SESSION}.request.client-ip-optional"],
    "A request without client_ip or without redirect_url is refused.",
    _has("client_ip", "redirect_url"),
    refusals.VALIDATION,
)
_needs(
    "client-ip-and-type-required-as-unauthorised",
    [f"{SESSION}.request.client-ip-optional"],
    "A request without client_ip or without type is refused as one without a good token.",
    _has("client_ip", "type"),
    refusals.TOKEN,
)
