"""Defects of errors (`kryptonim.errors.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .refusals import Refused
from .service import WIDGET, WidgetSessionService

ENVELOPE = ["kryptonim.errors.envelope"]
NO_SESSION = ["kryptonim.errors.no-session"]
# Where a refusal is promised, so is what it says.
REFUSALS = ["kryptonim.auth", "kryptonim.session.request"]


@defect("message-missing", breaks=ENVELOPE, may_break=REFUSALS)
class MessageMissing(WidgetSessionService):
    """Errors have no message."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {"code": refused.code}


@defect("code-missing-on-invalid-request", breaks=ENVELOPE, may_break=["kryptonim.session.request"])
class CodeMissingOnInvalidRequest(WidgetSessionService):
    """A 400 has no code."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        return envelope if refused.status != 400 else {"message": envelope["message"]}


@defect("code-as-number", breaks=ENVELOPE, may_break=REFUSALS)
class CodeAsNumber(WidgetSessionService):
    """The code of an error is its status as a number."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return super().envelope(refused, call) | {"code": refused.status}


@defect("envelope-nested", breaks=ENVELOPE, may_break=REFUSALS)
class EnvelopeNested(WidgetSessionService):
    """The envelope stands one level down, under error."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {"error": super().envelope(refused, call)}


@defect("messages-in-array", breaks=ENVELOPE, may_break=["kryptonim.session.request"])
class MessagesInArray(WidgetSessionService):
    """The message of a 400 is an array of messages."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        message = [refused.message] if refused.status == 400 else refused.message
        return super().envelope(refused, call) | {"message": message}


@defect("network-error-as-text", breaks=ENVELOPE, may_break=["kryptonim.session.request"])
class NetworkErrorAsText(WidgetSessionService):
    """The error for an unknown network is plain text."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        if refused is not refusals.NETWORK:
            return super().error_answer(refused, call)
        return Answer(refused.status, refused.message.encode(), {"content-type": "text/plain"})


@defect("error-in-array", breaks=ENVELOPE, may_break=REFUSALS)
class ErrorInArray(WidgetSessionService):
    """Errors come as an array of envelopes."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        return json_answer(refused.status, [self.envelope(refused, call)])


@defect("session-id-in-error", breaks=NO_SESSION)
class SessionIdInError(WidgetSessionService):
    """A 400 carries the sessionId of the session that was not created."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        session = {"sessionId": self.session_id({"destinationAddress": ""})} if refused.status == 400 else {}
        return super().envelope(refused, call) | session


@defect("widget-url-in-unauthorized-error", breaks=NO_SESSION)
class WidgetUrlInUnauthorizedError(WidgetSessionService):
    """A 401 carries a widgetUrl."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        session = {"widgetUrl": f"{WIDGET}?gdata=AAAA"} if refused.status == 401 else {}
        return super().envelope(refused, call) | session
