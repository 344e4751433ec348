"""Defects of errors."""

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.conditions import holding, page, when
from rampcheck.sandbox.defects import Defect, defect, register

from .refusals import Refused
from .service import SessionService


@defect("message-missing", breaks=["tinyramp.errors.envelope"])
class MessageMissing(SessionService):
    """An error has a code only."""

    def envelope(self, refused: Refused) -> dict[str, Any]:
        return {"code": refused.code}


@defect("envelope-in-an-envelope", breaks=["tinyramp.errors.envelope"])
class EnvelopeInAnEnvelope(SessionService):
    """Code and message stand in an object of their own."""

    def envelope(self, refused: Refused) -> dict[str, Any]:
        return {"error": super().envelope(refused)}


register(
    Defect(
        "firewall-stops-scripts",
        "tinyramp",
        ("tinyramp.errors.gateway-envelope",),
        "A firewall answers each body with a script in it with a page of 403.",
        wrap=when(holding(b"<script"), page(403, "Access denied")),
    )
)
