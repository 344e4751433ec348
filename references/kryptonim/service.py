"""The behaviour of the Kryptonim widget session endpoint, one small method for each decision."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .access import Access
from .partner import OFFERS
from .refusals import Refusal, Refused
from .request import RequestReading

LIFETIME = timedelta(minutes=30)
WIDGET = "https://buy.kryptonim.example/exchange"
MOST_IN_URL = 1 << 14  # bytes of a request; no browser could follow a much longer URL

logger = logging.getLogger(__name__)


class WidgetSessionService(Access, RequestReading):
    """A conforming Kryptonim server: takes a call, gives its answer, and never raises."""

    def __init__(self, environment: str) -> None:
        self.offer = OFFERS[environment]
        self._encryption_key = secrets.token_bytes(32)

    # The operations, as the routes call them.

    def post_session(self, call: Call) -> Answer:
        """POST /v1/widget-sessions: a session, or the error that stands in its way."""
        return self.answered(call, self.create_session)

    def unknown_path(self, call: Call) -> Answer:
        """Any path that is not served: 404."""
        return self.answered(call, self.refuse_path)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        """What the operation gives, or the envelope of the refusal it raises."""
        try:
            return operation(call)
        except Refusal as refusal:
            return self.error_answer(refusal.refused, call)
        except Exception:
            logger.exception("the reference failed on %s %s", call.method, call.path)
            return self.error_answer(refusals.INTERNAL, call)

    def create_session(self, call: Call) -> Answer:
        """The order of decisions: key, signature, request. Raises `Refusal` where one goes against the call."""
        self.authenticate(call)
        request = self.read(call)
        return self.session_answer(self.session(request, call), call)

    def refuse_path(self, call: Call) -> Answer:
        """Nothing is served here: raises `Refusal`."""
        raise Refusal(refusals.PATH)

    # The session.

    def session(self, request: dict[str, Any], call: Call) -> dict[str, Any]:
        """All fields of a session (widget sessions page, Response Fields)."""
        return {
            "sessionId": self.session_id(request),
            "widgetUrl": self.widget_url(request, call),
            "expiresAt": self.expires_at(),
        }

    def session_id(self, request: dict[str, Any]) -> str:
        """A new identifier for every session."""
        return uuid.uuid4().hex

    def widget_url(self, request: dict[str, Any], call: Call) -> str:
        """Where the user goes: the request, encrypted, and the wallet's address, which stands in clear."""
        # An address may hold a lone surrogate, which JSON can carry and UTF-8 cannot.
        address = quote(request["destinationAddress"], safe="", errors="surrogatepass")
        return f"{WIDGET}?gdata={quote(self.encrypted(call.body), safe='')}&address={address}"

    def encrypted(self, body: bytes) -> str:
        """The body under a key stream of its own, SHAKE-256 of key and nonce; nonce and result in base64.

        A body that no URL could carry stays here, and its digest stands for it.
        """
        body = body if len(body) <= MOST_IN_URL else hashlib.sha256(body).digest()
        nonce = secrets.token_bytes(16)
        stream = hashlib.shake_256(self._encryption_key + nonce).digest(len(body))
        hidden = int.from_bytes(body, "big") ^ int.from_bytes(stream, "big")
        return base64.b64encode(nonce + hidden.to_bytes(len(body), "big")).decode("ascii")

    def expires_at(self) -> str:
        """30 minutes from now, in RFC 3339 with microseconds, in UTC."""
        return self.time_text(datetime.now(UTC) + LIFETIME)

    def time_text(self, time: datetime) -> str:
        """A time in UTC as text."""
        return f"{time:%Y-%m-%dT%H:%M:%S.%fZ}"

    # The answers.

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        """200 with the session."""
        return json_answer(200, session)

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        """The status with the envelope."""
        answer = json_answer(refused.status, self.envelope(refused, call))
        return answer.with_headers(allow="POST") if refused is refusals.METHOD else answer

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        """The body of an error: `code` and `message`."""
        return {"code": refused.code, "message": refused.message}
