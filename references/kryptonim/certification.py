"""The Kryptonim server as the sandbox of a certification: one partner with credentials of the run's own."""

# ruff: noqa: ARG002 - a method that overrides one of the service's may need less than it.

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.wire import Answer, Call, json_answer

from .partner import DESTINATION_ADDRESS
from .service import WidgetSessionService

PURCHASE = {"currency": "USDC", "network": "polygon", "amount": "15.50", "fiat_currency": "EUR"}


class Sandbox(WidgetSessionService):
    """A signature may be in capitals: it is not said that it may not."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        """Whether this is the signature of the body, in either letter case."""
        return super().is_signature(signature.lower(), body)


class UnusualValues(WidgetSessionService):
    """Values that are legal and unusual, and fields that nobody documented."""

    def session_id(self, request: dict[str, Any]) -> str:
        """A long id."""
        return secrets.token_urlsafe(300)

    def widget_url(self, request: dict[str, Any], call: Call) -> str:
        """A long URL."""
        return f"{super().widget_url(request, call)}&trace={secrets.token_urlsafe(1500)}"

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        """The session with more than is documented."""
        more = {"riskLevel": "SOMETHING_NEW", "experiments": {"layout": ["b", None, 7]}}
        answer = super().session_answer(session, call)
        return replace(answer, body=json_answer(answer.status, {**session, **more}).body)


SETTINGS: Mapping[str, float] = {}
BEHAVIOURS: Mapping[str, type] = {"unusual-values": UnusualValues}


def service(credentials: Mapping[str, str], _partner: Callable[[str], Any]) -> type:
    """Gives what makes the server a sandbox of a partner with these credentials."""
    known = {"api_key": credentials["api_key"], "signature_secret": credentials["signature_secret"]}
    return type("OfPartner", (Sandbox,), known)


def purchase(partner: Callable[[str], Any]) -> dict[str, str]:
    """Gives what a test purchase is of."""
    named = {"currency": partner("crypto_currency"), "network": partner("network")}
    address = partner("destination_address") or DESTINATION_ADDRESS
    return {**PURCHASE, **{name: value for name, value in named.items() if value}, "address": address}
