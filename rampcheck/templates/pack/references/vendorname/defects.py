"""What the server can do wrong: each a class that overrides one method, and the clause that finds it."""

from __future__ import annotations

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.refusal import Refusal
from rampcheck.sandbox.wire import Call

from .service import INVALID, SessionService


@defect("api-key-ignored", breaks=["vendorname.auth.api-key"])
class ApiKeyIgnored(SessionService):
    """Whoever asks gets a session."""

    def authenticate(self, call: Call) -> None:
        pass


@defect("unknown-key-as-invalid-request", breaks=["vendorname.auth.api-key"])
class UnknownKeyAsInvalidRequest(SessionService):
    """An unknown API key is refused with 400."""

    def authenticate(self, call: Call) -> None:
        try:
            super().authenticate(call)
        except Refusal as refusal:
            raise Refusal(INVALID) from refusal
