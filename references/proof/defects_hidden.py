"""Defects of errors that give away a session or a secret in a place where few look (`proof.errors.*`)."""

from __future__ import annotations

import secrets
from typing import Any

from rampcheck.sandbox.defects import defects

from .base import BaseService
from .refusals import CURRENCY, TOKEN, UPSTREAM, VALIDATION, WALLET

_envelope = defects(
    BaseService,
    "envelope",
    lambda more, _, inherited, refused, call: inherited(refused, call) | more(refused, call),
    section="proof.errors",
)


def _signature() -> str:
    return f"v2:{secrets.token_hex(64)}"


def _on(row: Any, **more: Any) -> Any:
    # `because` gives a refusal a message of its own: rows are the same by what else they say.
    return lambda refused, _: more if (refused.status, refused.code) == (row.status, row.code) else {}


_envelope(
    "init-token-deep-in-wallet-error",
    ["no-session"],
    "The error for a wallet holds a session's init_token, three levels deep.",
    lambda refused, _: (
        {"details": {"session": {"init_token": secrets.token_urlsafe(48)}}} if refused.code == WALLET.code else {}
    ),
)
_envelope(
    "signature-in-array-of-validation-error",
    ["no-session"],
    "The error for a field holds a session's signature in an array.",
    lambda refused, _: {"details": [{"signature": _signature()}]} if refused.code == VALIDATION.code else {},
)
_envelope(
    "signature-in-message-of-currency-error",
    ["no-session"],
    "The message of the error for a currency holds a signature.",
    lambda refused, _: {"message": f"Not enabled; computed {_signature()}."} if refused.code == CURRENCY.code else {},
)
_envelope(
    "session-beside-token-error",
    ["no-session"],
    "The error for a token holds a session beside its envelope.",
    lambda refused, _: (
        {"session": {"widget_id": "w-1", "init_token": secrets.token_urlsafe(48)}} if refused.code == TOKEN.code else {}
    ),
)
_envelope(
    "provider-key-in-upstream-error",
    ["no-internals"],
    "The provider's key stands in the error for a failing provider.",
    _on(UPSTREAM, message="The provider refused the key sk_live_4eC39HqLyjWDarjtT1zdp7dc."),
)
_envelope(
    "provider-secret-in-details",
    ["no-internals"],
    "The provider's secret stands deep in the error for a failing provider.",
    _on(UPSTREAM, details={"request": {"headers": {"X-Api-Key": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"}}}),
)
_envelope(
    "provider-authorization-in-details",
    ["no-internals"],
    "What authorises at the provider stands in the error for a failing provider.",
    _on(UPSTREAM, details={"sent": "Authorization: Bearer 2YotnFZFEjr1zCsicMWpAAx8Tb3"}),
)
_envelope(
    "provider-url-deep-in-details",
    ["no-internals"],
    "The provider's address stands deep in the error for a failing provider.",
    _on(UPSTREAM, details=[{"request": {"url": "https://api.liquidity-provider.example/v2/quotes"}}]),
)
