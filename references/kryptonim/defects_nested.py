"""Defects of secrets and sessions in unlikely places: nested in an error, in its headers, on another path."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .defects_auth import AUTH
from .refusals import Refused
from .service import WIDGET, WidgetSessionService

NO_SESSION = ["kryptonim.errors.no-session"]
Fields = dict[str, Any]


@defect("session-nested-in-error", breaks=NO_SESSION)
class SessionNestedInError(WidgetSessionService):
    """A 400 holds, deep in its details, the session that was not created."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        nested = {"details": [{"draft": {"sessionId": self.session_id({}), "state": "new"}}]}
        return super().envelope(refused, call) | (nested if refused.status == 400 else {})


@defect("widget-url-nested-in-error", breaks=NO_SESSION)
class WidgetUrlNestedInError(WidgetSessionService):
    """A 401 tells under links where the widget would have been."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        nested = {"links": {"retry": {"widgetUrl": f"{WIDGET}?gdata=AAAA"}}}
        return super().envelope(refused, call) | (nested if refused.status == 401 else {})


class _Remembering(WidgetSessionService):
    last = ""

    def session_id(self, request: Fields) -> str:
        self.last = super().session_id(request)
        return self.last


@defect("last-session-in-error-message", breaks=NO_SESSION, may_break=["kryptonim.session.request.network-supported"])
class LastSessionInErrorMessage(_Remembering):
    """The message of a 400 names the session before."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        envelope = super().envelope(refused, call)
        if refused.status == 400:
            envelope["message"] += f" (after session {self.last})"
        return envelope


@defect("last-session-in-error-header", breaks=NO_SESSION)
class LastSessionInErrorHeader(_Remembering):
    """A header of every error names the session before."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        return super().error_answer(refused, call).with_headers(x_previous=self.last or "none")


@defect("session-in-method-error", breaks=NO_SESSION)
class SessionInMethodError(_Remembering):
    """The error for another method than POST holds the session before."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        nested = {"session": {"sessionId": self.last}} if refused is refusals.METHOD else {}
        return super().envelope(refused, call) | nested


@defect("secret-in-not-found-error", breaks=[f"{AUTH}.secrecy"])
class SecretInNotFoundError(WidgetSessionService):
    """The error for an unknown path shows the server's settings, the signature secret among them."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        shown = {"env": {"SIGNATURE_SECRET": self.signature_secret}} if refused is refusals.PATH else {}
        return super().envelope(refused, call) | shown
