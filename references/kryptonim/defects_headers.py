"""Defects in which a header decides what no header should: language, form, trust (`kryptonim.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .defects_auth import AUTH, WRONG_SIGNATURE
from .defects_request import REQUEST
from .refusals import Refused
from .service import WidgetSessionService

SESSION, ERRORS = "kryptonim.session", "kryptonim.errors"


def _has(call: Call, name: str, *parts: str) -> bool:
    return any(part in (call.header(name) or "") for part in parts)


@defect(
    "messages-in-the-asked-language",
    breaks=[f"{AUTH}.signature-required", f"{REQUEST}.network-supported"],
    may_break=[AUTH],
)
class MessagesInTheAskedLanguage(WidgetSessionService):
    """Messages, the documented ones too, are in the language of Accept-Language."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        asked = call.header("accept-language")
        return envelope if asked is None else envelope | {"message": f"[{asked[:2]}] Nieprawidłowe żądanie"}


@defect("expiry-in-the-asked-language", breaks=[f"{SESSION}.expires-at"])
class ExpiryInTheAskedLanguage(WidgetSessionService):
    """A request with Accept-Language gets its expiry in that language's form."""

    def session(self, request: dict[str, Any], call: Call) -> dict[str, Any]:
        session = super().session(request, call)
        if call.header("accept-language") is not None:
            session["expiresAt"] = session["expiresAt"].replace("-", ".")
        return session


@defect("errors-as-text-where-text-is-accepted", breaks=[f"{ERRORS}.envelope"], may_break=[AUTH, REQUEST, ERRORS])
class ErrorsAsTextWhereTextIsAccepted(WidgetSessionService):
    """An error is plain text if that stands anywhere in Accept."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        if _has(call, "accept", "text/"):
            return Answer(refused.status, refused.message.encode(), {"content-type": "text/plain"})
        return super().error_answer(refused, call)


@defect(
    "errors-as-page-for-browsers",
    breaks=[f"{ERRORS}.gateway-envelope", f"{ERRORS}.envelope"],
    may_break=[AUTH, REQUEST, ERRORS],
)
class ErrorsAsPageForBrowsers(WidgetSessionService):
    """An error is a page of HTML if Accept begins with that."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        if (call.header("accept") or "").startswith("text/html"):
            page = f"<html><head><title>{refused.message}</title></head></html>".encode()
            return Answer(refused.status, page, {"content-type": "text/html; charset=utf-8"})
        return super().error_answer(refused, call)


@defect("session-as-text-where-text-is-accepted", breaks=[f"{SESSION}.complete"], may_break=[SESSION])
class SessionAsTextWhereTextIsAccepted(WidgetSessionService):
    """A session is plain text if that stands anywhere in Accept."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        if _has(call, "accept", "text/"):
            return Answer(200, session["widgetUrl"].encode(), {"content-type": "text/plain"})
        return super().session_answer(session, call)


@defect("signature-not-checked-for-forwarded-calls", breaks=[f"{AUTH}.signature-required", *WRONG_SIGNATURE])
class SignatureNotCheckedForForwardedCalls(WidgetSessionService):
    """A request that X-Forwarded-For says to be of this machine needs no signature."""

    def check_signature(self, call: Call) -> None:
        if not _has(call, "x-forwarded-for", "127.0.0.1"):
            super().check_signature(call)


@defect("secret-in-error-for-debugging", breaks=[f"{AUTH}.secrecy"])
class SecretInErrorForDebugging(WidgetSessionService):
    """With the cookie debug, an error shows the server's settings, the signature secret among them."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        shown = {"settings": [{"secret": self.signature_secret}]} if _has(call, "cookie", "debug") else {}
        return super().envelope(refused, call) | shown


@defect("api-key-in-error-for-debugging", breaks=[f"{AUTH}.secrecy"])
class ApiKeyInErrorForDebugging(WidgetSessionService):
    """With X-Debug, an error shows the request's headers, the API key among them."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        shown = {"trace": {"request": {"headers": dict(call.headers)}}} if call.header("x-debug") else {}
        return super().envelope(refused, call) | shown


@defect("widget-url-by-forwarded-scheme", breaks=[f"{SESSION}.widget-url"])
class WidgetUrlByForwardedScheme(WidgetSessionService):
    """The widget's URL has the scheme of X-Forwarded-Proto."""

    def widget_url(self, request: dict[str, Any], call: Call) -> str:
        url = super().widget_url(request, call)
        return url.replace("https:", "http:", 1) if _has(call, "x-forwarded-proto", "http") else url


@defect("session-id-by-cookie", breaks=[f"{SESSION}.session-id"])
class SessionIdByCookie(WidgetSessionService):
    """Requests with the same cookie get the same sessionId."""

    def session(self, request: dict[str, Any], call: Call) -> dict[str, Any]:
        cookie = call.header("cookie")
        told = {} if cookie is None else {"sessionId": hashlib.sha256(cookie.encode()).hexdigest()}
        return super().session(request, call) | told


def _stopped_by(name: str, summary: str, is_stopped: Callable[[Call], bool], status: int = 400) -> None:
    """Registers a defect: a good request is refused for one of its headers."""

    @defect(
        name,
        breaks=[f"{REQUEST}.fiat-amount", f"{REQUEST}.crypto-amount", f"{REQUEST}.optional"],
        may_break=[REQUEST, AUTH],
        summary=summary,
    )
    class StoppedBy(WidgetSessionService):
        def read(self, call: Call) -> dict[str, Any]:
            request = super().read(call)
            if is_stopped(call):
                raise refusals.Refusal(replace(refusals.INVALID, status=status))
            return request


_stopped_by(
    "refused-in-other-languages",
    "A request in another language than English is refused.",
    lambda call: _has(call, "accept-language", "pl", "de"),
)
_stopped_by(
    "refused-for-user-agent", "A request of axios is refused.", lambda call: _has(call, "user-agent", "axios"), 403
)
_stopped_by(
    "refused-with-cookie", "A request with a cookie is refused.", lambda call: call.header("cookie") is not None
)


@defect(
    "exact-accept-required",
    breaks=[f"{REQUEST}.fiat-amount", f"{REQUEST}.crypto-amount", f"{REQUEST}.optional"],
    may_break=[REQUEST, AUTH],
)
class ExactAcceptRequired(WidgetSessionService):
    """A request whose Accept is more than application/json fails."""

    def read(self, call: Call) -> dict[str, Any]:
        request = super().read(call)
        if call.header("accept") not in (None, "application/json"):
            raise refusals.Refusal(replace(refusals.INVALID, status=406))
        return request


@defect("foreign-letters-in-signature-crash", breaks=[f"{REQUEST}.no-server-error"])
class ForeignLettersInSignatureCrash(WidgetSessionService):
    """A signature is compared as text, in constant time, which takes ASCII only: another one gives a 500."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        return super().is_signature(signature.encode("ascii").decode(), body)
