"""What the server can do otherwise and still keep every promise."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from rampcheck.sandbox.variants import variant

from .refusals import Refused
from .service import Session, SessionService

_numbers = count(40_000_000)


@variant("tinyramp", "ids-count")
class IdsCount(SessionService):
    """An id is a number in a string, one more for each session."""

    def session_id(self, request: dict[str, Any]) -> str:
        return str(next(_numbers))


@variant("tinyramp", "expires-at-in-microseconds")
class ExpiresAtInMicroseconds(SessionService):
    """A time has six decimal places, and an offset of zero in place of the Z."""

    def time_text(self, time: datetime) -> str:
        return f"{time:%Y-%m-%dT%H:%M:%S.%f}+00:00"


@variant("tinyramp", "more-members")
class MoreMembers(SessionService):
    """Sessions and errors have members that the page does not speak of."""

    def shown(self, session: Session, request: dict[str, Any]) -> dict[str, Any]:
        return {"network": None, **super().shown(session, request), "fees": [{"kind": "network", "amount": "0"}]}

    def envelope(self, refused: Refused) -> dict[str, Any]:
        return {**super().envelope(refused), "documentation": "https://tinyramp.example/errors"}


@variant("tinyramp", "secret-in-the-link")
class SecretInTheLink(SessionService):
    """The link does not show the session's id."""

    def url(self, session: Session) -> str:
        return f"https://pay.tinyramp.example/#{session.name[::-1]}"
