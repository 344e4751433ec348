"""Defects that a framework, a parser, a proxy or a store has of itself, each seen in one kind of request only."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rampcheck.sandbox.defects import Defect, defect, defects, register
from rampcheck.sandbox.strict_json import NotJsonError
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .base import BaseService
from .partners import FIRST, Partner
from .refusals import Refused
from .request import RequestReading, SessionRequest
from .service import SessionService
from .status import StatusService

REQUEST, SESSION = "proof.session.request", "proof.session"


# Amounts and URLs, as a library writes them.


def in_short(amount: str) -> str:
    """A small decimal as many libraries write it: with an exponent."""
    try:
        return str(Decimal(amount)) if amount.startswith("0.0000") else amount
    except InvalidOperation:
        return amount


defects(SessionService, "amount", breaks=[f"{SESSION}.amount-echo"])(
    "small-amount-with-exponent", "A very small amount comes back with an exponent.", lambda amount, _: in_short(amount)
)


@defect("amounts-mixed-up-at-the-same-time", breaks=[f"{SESSION}.amount-echo"])
class AmountsMixedUp(SessionService):
    """Of users who ask at the same time, one gets a session over another's amount."""

    def __init__(self) -> None:
        super().__init__()
        self._before = (0.0, "", "")

    def amount(self, request: SessionRequest) -> str:
        asked, amount, user = self._before
        self._before = (time.monotonic(), request.amount, request.partner_user_id)
        return (
            amount if user not in {"", request.partner_user_id} and self._before[0] - asked < 0.05 else request.amount
        )


def counting(app: ASGIApp) -> ASGIApp:
    """Tells the application, in a header, how many requests are there at the same time."""
    here = 0

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal here
        headers = [*scope.get("headers", ())]

        async def received() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                headers.append((b"x-at-the-same-time", str(here).encode()))
            return message

        here += 1
        try:
            await app({**scope, "headers": headers}, received, send)
        finally:
            here -= 1

    async def only_http(scope: Scope, receive: Receive, send: Send) -> None:
        await (counted if scope["type"] == "http" else app)(scope, receive, send)

    return only_http


class UsersMixedUp(SessionService):
    """Of users who ask at the same time, one gets a session that is kept under another one's name."""

    def __init__(self) -> None:
        super().__init__()
        self._is_alone, self._user = True, ""

    def create_session(self, call: Call) -> Answer:
        self._is_alone = call.header("x-at-the-same-time") == "1"
        return super().create_session(call)

    def record(self, partner: Partner, request: SessionRequest, session: dict[str, Any]) -> None:
        user, self._user = self._user, request.partner_user_id
        kept = request if self._is_alone or not user else replace(request, partner_user_id=user)
        super().record(partner, kept, session)


register(
    Defect(
        "users-mixed-up-at-the-same-time",
        "proof",
        ("proof.transaction.echo",),
        UsersMixedUp.__doc__ or "",
        UsersMixedUp,
        ("proof.kyc", "proof.transaction"),
        counting,
    )
)


class PartnersMixedUp(SessionService):
    """Of partners who ask at the same time, one is taken for the one who asked before: both are kept in one place."""

    def __init__(self) -> None:
        super().__init__()
        self._is_alone = True
        self._partner: Partner | None = None

    def create_session(self, call: Call) -> Answer:
        self._is_alone = call.header("x-at-the-same-time") == "1"
        try:
            return super().create_session(call)
        finally:
            self._is_alone = True

    def authenticate(self, call: Call) -> Partner:
        partner = super().authenticate(call)
        before, self._partner = self._partner, partner
        return partner if self._is_alone or before is None else before


register(
    Defect(
        "partners-mixed-up-at-the-same-time",
        "proof",
        ("proof.session.widget-id",),
        PartnersMixedUp.__doc__ or "",
        PartnersMixedUp,
        ("proof.session", "proof.transaction"),
        counting,
    )
)


def as_browsers_write(url: str) -> str:
    """A URL as the URL Standard writes it: host in lower case, no default port, a path in any case."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if not parts.netloc:
        return url
    host = parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._", errors="replace") or "/"
    return parts._replace(netloc=host, path=path).geturl()


_redirect_url = defects(
    SessionService,
    "redirect_url",
    lambda change, _, inherited, partner, request: (
        inherited(partner, request) if not request.redirect_url else change(request.redirect_url)
    ),
    breaks=[f"{REQUEST}.redirect-override"],
)
_redirect_url("redirect-url-as-browsers-write-it", "A `redirect_url` is written as browsers do.", as_browsers_write)
_redirect_url(
    "redirect-url-with-plus-as-space", "A plus in a `redirect_url` becomes a space.", lambda url: url.replace("+", " ")
)
_redirect_url(
    "redirect-url-escaped-for-html", "A `redirect_url` is escaped for HTML.", lambda url: url.replace("&", "&amp;")
)

_also_decimal = defects(
    RequestReading,
    "is_decimal",
    lambda pattern, _, inherited, amount: inherited(amount) or re.search(pattern, amount) is not None,
    breaks=[f"{REQUEST}.amount-decimal"],
)
# In many languages ^ and $ stand for the ends of a line.
_also_decimal("amount-with-more-lines-accepted", "One line of an amount is decimal.", r"(?m)^[0-9]+$(?=\n.)")
_also_decimal("thousands-separator-accepted", "Thousands are told apart by commas.", r"^\d{1,3}(,\d{3})+(\.\d+)?$")
_also_decimal("double-of-java-accepted", "An amount is what Java reads as a double.", r"^\d+(\.\d+)?[fFdD]$")


# Bodies.


@defect("comments-accepted", breaks=[f"{REQUEST}.malformed-json"])
class CommentsAccepted(SessionService):
    """The parser passes over comments."""

    def parse(self, body: bytes) -> Any:
        return super().parse(re.sub(rb"/\*.*?\*/", b"", body))


def _mending(name: str, summary: str, mended: Callable[[bytes], bytes]) -> None:
    """Registers a defect: of a body that is no JSON, the parser takes what would be."""

    def otherwise(_: Any, inherited: Callable[[bytes], Any], body: bytes) -> Any:
        try:
            return inherited(body)
        except NotJsonError:
            return inherited(mended(body))

    defects(SessionService, "parse", otherwise, breaks=[f"{REQUEST}.malformed-json"])(name, summary)


_mending(
    "names-without-quotes-accepted",
    "A member's name needs no quotes.",
    lambda body: re.sub(rb"([{,]\s*)(\w+)(?=\s*:)", rb'\1"\2"', body),
)
_mending(
    "control-characters-accepted",
    "A string may hold control characters.",
    lambda body: re.sub(rb"[\x00-\x1f]", b" ", body),
)


def crashing(where: type, method: str, name: str, summary: str, field: str) -> None:
    """Registers a defect: a store falls over a NUL, or what is longer than its column, in a field."""

    def otherwise(_: Any, inherited: Callable[..., Any], partner: Partner, request: SessionRequest) -> Any:
        value = getattr(request, field) or ""
        if "\0" in value or len(value) > 255:
            raise RuntimeError(field)
        return inherited(partner, request)

    defects(where, method, otherwise, breaks=[f"{REQUEST}.no-server-error"])(name, summary)


crashing(SessionService, "check_currency", "currency-crash", "A currency is looked up as it comes.", "currency")
crashing(SessionService, "wallet", "address-crash", "An `address` is kept as it comes.", "address")


# What a browser would rather have.

_in_words = defects(
    BaseService,
    "error_answer",
    lambda change, _, inherited, refused, call: change(inherited(refused, call), refused, call),
)


def in_german(answer: Answer, refused: Refused, call: Call) -> Answer:
    """A 401 whose `error` is in the caller's language."""
    if refused.status == 401 and (call.header("accept-language") or "").startswith("de"):
        return replace(answer, body=json.dumps({**json.loads(answer.body), "error": "nicht_autorisiert"}).encode())
    return answer


def as_page(answer: Answer, refused: Refused, call: Call) -> Answer:
    """A 404 that is a page."""
    if refused is refusals.TRANSACTION and "text/html" in (call.header("accept") or ""):
        return Answer(404, b"<!doctype html><title>Not Found</title>", {"content-type": "text/html"})
    return answer


_in_words(
    "unauthorised-in-the-callers-language",
    ["proof.errors.matrix"],
    "A 401 says `error` in the language asked for.",
    in_german,
)
_in_words(
    "unknown-transaction-as-page-for-browsers",
    ["proof.errors.envelope"],
    "Who would rather have a page gets one for an unknown transaction.",
    as_page,
    may_break=["proof.errors", "proof.transaction.unknown"],
)


# Users.


@defect("user-kept-as-number", breaks=["proof.transaction.echo"], may_break=["proof.kyc"])
class UserKeptAsNumber(SessionService):
    """A user's name that is all digits is kept as a number."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        user = request.partner_user_id
        return replace(request, partner_user_id=str(int(user))) if re.fullmatch("[0-9]{1,400}", user) else request


@defect("body-read-as-latin-1", breaks=["proof.transaction.echo"], may_break=["proof.kyc", REQUEST])
class BodyReadAsLatin1(SessionService):
    """The body is read as ISO 8859-1."""

    def parse(self, body: bytes) -> Any:
        value = super().parse(body)
        return value if body.isascii() else super().parse(body.decode("latin-1").encode())


@defect("origin-of-first-partner-only", breaks=["proof.auth.origin-unregistered"])
class OriginOfFirstPartnerOnly(BaseService):
    """Only of the first partner's calls the origin is looked at."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        if partner is FIRST:
            super().check_origin(partner, call)


defects(StatusService, "kyc_status", breaks=["proof.kyc.complete"])(
    "verified-user-approved",
    "A user who is verified is `approved`.",
    lambda status, *_: status.replace("verified", "approved"),
)
