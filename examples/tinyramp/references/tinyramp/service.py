"""The behaviour of the server, one small method for each decision: a defect overrides one of them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rampcheck.sandbox.refusal import Refusal
from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .access import Access
from .refusals import Refused
from .request import RequestReading

LIFETIME = 900  # seconds
ECHOED: tuple[str, ...] = ("asset", "amount", "reference")

logger = logging.getLogger(__name__)


@dataclass
class Session:
    """What is kept of a session."""

    name: str
    end: datetime
    times: int = 0  # that it was redeemed


class SessionService(Access, RequestReading):
    """A conforming server: takes a call, gives its answer, and never raises."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[str, Session] = {}

    # The operations, as the routes call them.

    def post_session(self, call: Call) -> Answer:
        """POST /v1/sessions: a session, or the error that stands in its way."""
        return self.answered(call, self.create_session)

    def post_redemption(self, call: Call) -> Answer:
        """POST /v1/sessions/{id}/redeem: the session, redeemed, or the error that stands in its way."""
        return self.answered(call, self.redeem_session)

    def unknown_path(self, _: Call) -> Answer:
        """Any path that is not served: 404."""
        return self.error_answer(refusals.PATH)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        """What the operation gives, or the envelope of the refusal it raises."""
        try:
            self.check_method(call)
            self.authenticate(call)
            return operation(call)
        except Refusal as refusal:
            return self.error_answer(refusal.refused)
        except Exception:
            logger.exception("the reference failed on %s %s", call.method, call.path)
            return self.error_answer(refusals.INTERNAL)

    # The session.

    def create_session(self, call: Call) -> Answer:
        """A new session for a good request."""
        request = self.read(call)
        name = self.session_id(request)
        session = Session(name, datetime.now(UTC) + timedelta(seconds=self.lifetime(request)))
        self._sessions[name] = session
        return json_answer(201, self.shown(session, request))

    def session_id(self, _request: dict[str, Any]) -> str:
        """A text that no other session has."""
        return secrets.token_hex(8)

    def lifetime(self, request: dict[str, Any]) -> float:
        """How many seconds a session can be redeemed."""
        return float(request.get("expires_in", LIFETIME))

    def shown(self, session: Session, request: dict[str, Any]) -> dict[str, Any]:
        """All members of a session."""
        echoed = {name: request[name] for name in ECHOED if name in request}
        return {
            "id": session.name,
            "url": self.url(session),
            **echoed,
            "status": "open",
            "expires_at": self.time_text(session.end),
        }

    def url(self, session: Session) -> str:
        """Where the user goes."""
        return f"https://pay.tinyramp.example/{session.name}"

    def time_text(self, time: datetime) -> str:
        """A time in UTC as text."""
        return f"{time:%Y-%m-%dT%H:%M:%SZ}"

    # Its redemption.

    def redeem_session(self, call: Call) -> Answer:
        """The session, which cannot be redeemed again."""
        session = self._sessions.get(call.parameter)
        if session is None:
            raise Refusal(refusals.UNKNOWN)
        self.check_end(session)
        self.check_redeemed(session)
        session.times += 1
        return json_answer(200, self.redeemed(session))

    def check_end(self, session: Session) -> None:
        """It has not expired."""
        if datetime.now(UTC) >= session.end:
            raise Refusal(refusals.EXPIRED)

    def check_redeemed(self, session: Session) -> None:
        """It has not been redeemed."""
        if session.times:
            raise Refusal(refusals.REDEEMED)

    def redeemed(self, session: Session) -> dict[str, Any]:
        """What is shown of a redeemed session."""
        return {"id": session.name, "status": "redeemed"}

    # Errors.

    def error_answer(self, refused: Refused) -> Answer:
        """The status with the envelope."""
        return json_answer(refused.status, self.envelope(refused))

    def envelope(self, refused: Refused) -> dict[str, Any]:
        """The body of an error."""
        return {"code": refused.code, "message": refused.message}
