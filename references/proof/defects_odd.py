"""Defects of what is odd, and may be sent all the same (`proof.session.request.no-server-error`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService
from .session_changes import SESSION

SURVIVES = f"{SESSION}.request.no-server-error"

# What a Content-Type says.


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

# What a request that has been found valid is kept as.


def _is_after_https(request: SessionRequest, part: str) -> bool:
    scheme, _, rest = (request.redirect_url or "").partition("://")
    return scheme == "https" and part in rest


_kept = defects(
    SessionService,
    "check_provider",
    lambda cannot, _, inherited, partner, request: inherited(partner, _stored(cannot, request)),
    breaks=[SURVIVES],
    may_break=["proof.errors"],
)


def _stored(cannot: Callable[[SessionRequest], object], request: SessionRequest) -> SessionRequest:
    if cannot(request):
        raise Refusal(refusals.INTERNAL)
    return request


_kept(
    "quote-in-email-crash",
    "A quote in an e-mail address gives a 500.",
    lambda request: "'" in request.user_email,
)
_kept(
    "email-of-foreign-domain-crash",
    "An e-mail address with a letter beyond ASCII gives a 500.",
    lambda request: not request.user_email.isascii(),
)
_kept(
    "local-part-of-65-characters-crash",
    "An e-mail address of at most 254 characters with more than 64 of them before the @ gives a 500.",
    lambda request: request.user_email.find("@") > 64 and len(request.user_email) < 255,
)
_kept(
    "quote-in-redirect-url-crash",
    "A quote in an https URL gives a 500.",
    lambda request: _is_after_https(request, "'"),
)
_kept(
    "nul-in-https-redirect-url-crash",
    "A NUL in an https URL gives a 500.",
    lambda request: _is_after_https(request, "\0"),
)
_kept(
    "redirect-url-of-256-characters-crash",
    "An https URL of 256 to 2,048 characters gives a 500.",
    lambda request: _is_after_https(request, "") and 255 < len(request.redirect_url or "") <= 2_048,
)


@defect("redirect-url-cut-off", breaks=[f"{SESSION}.request.redirect-override"])
class RedirectUrlCutOff(SessionService):
    """Of a redirect_url only the first 255 characters come back."""

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        url = super().redirect_url(partner, request)
        return None if url is None else url[:255]


@defect("null-address-crash", breaks=[SURVIVES], may_break=["proof.errors"])
class NullAddressCrash(SessionService):
    """An address of null gives a 500."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        if document.get("address", "") is None:
            raise Refusal(refusals.INTERNAL)
        return super().request_from(document)


@defect("address-that-is-no-string-crash", breaks=[SURVIVES], may_break=["proof.errors"])
class AddressThatIsNoStringCrash(SessionService):
    """An address of another JSON type than a string or null gives a 500."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        if not isinstance(document.get("address"), str | None):
            raise Refusal(refusals.INTERNAL)
        return super().request_from(document)
