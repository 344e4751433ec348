"""Defects of a server that takes nothing without what is optional, however it says so."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

from collections.abc import Callable

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .refusals import Refusal, Refused
from .request import SessionRequest
from .service import SessionService
from .session_changes import SESSION

Needs = Callable[[SessionRequest, Call], bool]
MAY_BREAK = (f"{SESSION}.request", "proof.auth.origin-optional", "proof.errors")

_needs = defects(
    SessionService,
    "read",
    lambda is_there, refused, _, inherited, call: _demanded(inherited(call), is_there, refused, call),
    may_break=MAY_BREAK,
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
_needs(
    "redirect-url-alone-accepted-as-unauthorised",
    [f"{SESSION}.request.redirect-override"],
    "A request without redirect_url, or with anything else that is optional, is refused as one without a good token.",
    lambda request, _: (
        request.redirect_url is not None
        and not any(getattr(request, name) is not None for name in ("client_ip", "type", "address"))
    ),
    refusals.TOKEN,
)


@defect("origin-alone-accepted", breaks=["proof.auth.origin-optional"], may_break=MAY_BREAK)
class OriginAloneAccepted(SessionService):
    """A gateway refuses, in its own words, whoever sends no Origin, and whoever sends a redirect_url or an address."""

    def create_session(self, call: Call) -> Answer:
        if "origin" not in call.headers or b'"redirect_url"' in call.body or b'"address"' in call.body:
            return json_answer(401, {"detail": "Not authenticated"})
        return super().create_session(call)
