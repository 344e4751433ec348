"""Defects of the API key and the signature (`kryptonim.auth.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .refusals import Refusal, Refused
from .service import WidgetSessionService

AUTH = "kryptonim.auth"
WRONG_SIGNATURE = [
    f"{AUTH}.signature-secret",
    f"{AUTH}.signature-body",
    f"{AUTH}.signature-algorithm",
    f"{AUTH}.signature-encoding",
]

# No signature.


@defect("signature-skipped-when-absent", breaks=[f"{AUTH}.signature-required"])
class SignatureSkippedWhenAbsent(WidgetSessionService):
    """A request without a signature is served."""

    def check_signature(self, call: Call) -> None:
        if call.header("x-request-signature") is not None:
            super().check_signature(call)


@defect("missing-signature-as-invalid-request", breaks=[f"{AUTH}.signature-required"])
class MissingSignatureAsInvalidRequest(WidgetSessionService):
    """A request without a signature gets 400 in place of 401."""

    def unsigned(self) -> Refusal:
        return Refusal(refusals.INVALID)


@defect("missing-signature-explained", breaks=[f"{AUTH}.signature-required"])
class MissingSignatureExplained(WidgetSessionService):
    """A request without a signature gets a message other than the documented one."""

    def unsigned(self) -> Refusal:
        return refusals.UNAUTHORIZED.because("X-Request-Signature is missing")


# A wrong signature.


@defect("wrong-signature-forbidden", breaks=WRONG_SIGNATURE)
class WrongSignatureForbidden(WidgetSessionService):
    """A wrong signature gets 403 in place of 401."""

    def unauthorized(self, value: str | None) -> Refusal:
        return Refusal(replace(refusals.UNAUTHORIZED, status=403))


@defect("wrong-signature-code-undocumented", breaks=WRONG_SIGNATURE)
class WrongSignatureCodeUndocumented(WidgetSessionService):
    """A wrong signature gets the code INVALID_SIGNATURE."""

    def unauthorized(self, value: str | None) -> Refusal:
        return Refusal(replace(refusals.UNAUTHORIZED, code="INVALID_SIGNATURE"))


# A signature is good, too, if `accepted` is true of it and the body.
also_accepted = defects(
    WidgetSessionService,
    "is_signature",
    lambda accepted, _, inherited, signature, body: inherited(signature, body) or accepted(signature, body),
    section=AUTH,
)


def hmac_of(algorithm: str, body: bytes) -> str:
    """The HMAC of a body under the partner's secret."""
    return hmac.digest(WidgetSessionService.signature_secret.encode(), body, algorithm).hex()


def _serialisations(body: bytes) -> list[bytes]:
    """What other programs make of the JSON in a body: their spacing, escapes and order of keys."""
    document = json.loads(body)
    options = itertools.product([(",", ":"), (", ", ": ")], [False, True], [False, True], [None, 2])
    texts = (
        json.dumps(document, separators=separators, sort_keys=sort_keys, ensure_ascii=ascii_only, indent=indent)
        for separators, sort_keys, ascii_only, indent in options
    )
    return [text.encode("utf-8", "surrogatepass") for text in texts]


def _signs_another_serialisation(signature: str, body: bytes) -> bool:
    try:
        strict_json.parse(body)
    except strict_json.NotJsonError:
        return False
    return any(signature == hmac_of("sha256", other) for other in _serialisations(body))


also_accepted(
    "any-hex-as-signature-accepted",
    ["signature-secret", "signature-body", "signature-algorithm"],
    "Any 64 hex digits are a good signature.",
    lambda signature, _: re.fullmatch("[0-9a-f]{64}", signature) is not None,
)
also_accepted(
    "signature-under-api-key-accepted",
    ["signature-secret"],
    "A signature made with the API key in place of the secret is accepted.",
    lambda signature, body: signature == hmac.digest(WidgetSessionService.api_key.encode(), body, "sha256").hex(),
)
also_accepted(
    "signature-without-secret-accepted",
    ["signature-secret"],
    "A signature made with an empty secret is accepted.",
    lambda signature, body: signature == hmac.digest(b"", body, "sha256").hex(),
)
also_accepted(
    "signature-over-reserialised-json-accepted",
    ["signature-body"],
    "A signature over the same JSON in another serialisation is accepted.",
    _signs_another_serialisation,
)
also_accepted(
    "signature-over-nothing-accepted",
    ["signature-body"],
    "A signature over an empty body is accepted for any body.",
    lambda signature, _: signature == hmac_of("sha256", b""),
)
also_accepted(
    "sha1-signature-accepted",
    ["signature-algorithm"],
    "An HMAC-SHA1 is accepted.",
    lambda signature, body: signature == hmac_of("sha1", body),
)
also_accepted(
    "sha512-signature-accepted",
    ["signature-algorithm"],
    "An HMAC-SHA512 is accepted.",
    lambda signature, body: signature == hmac_of("sha512", body),
)
also_accepted(
    "plain-sha256-accepted",
    ["signature-algorithm"],
    "A SHA-256 of the body without a key is accepted.",
    lambda signature, body: signature == hashlib.sha256(body).hexdigest(),
)
also_accepted(
    "empty-signature-accepted",
    ["signature-algorithm"],
    "An empty signature is accepted.",
    lambda signature, _: not signature,
)
also_accepted(
    "signature-compared-by-prefix",
    ["signature-algorithm"],
    "The first digits of the right signature are accepted, sixteen or more.",
    lambda signature, body: len(signature) >= 16 and hmac_of("sha256", body).startswith(signature),
)
also_accepted(
    "base64-signature-accepted",
    ["signature-encoding"],
    "A signature in base64 is accepted.",
    lambda signature, body: signature == base64.b64encode(bytes.fromhex(hmac_of("sha256", body))).decode("ascii"),
)


@defect("signature-accepted-again-for-any-body", breaks=[f"{AUTH}.signature-body"])
class SignatureAcceptedAgainForAnyBody(WidgetSessionService):
    """A signature that was right once is accepted for any other body."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._seen: set[str] = set()

    def is_signature(self, signature: str, body: bytes) -> bool:
        if super().is_signature(signature, body):
            self._seen.add(signature)
        return signature in self._seen


# The bytes that are signed.


# The signature must be over what `signed` makes of the body.
_signed_otherwise = defects(
    WidgetSessionService,
    "signed_bytes",
    lambda signed, _service, _inherited, call: signed(call.body),
    breaks=[f"{AUTH}.signature-bytes"],
    may_break=[f"{AUTH}.signature-body", "kryptonim.session.request"],
)
_signed_otherwise(
    "signature-over-one-line",
    "A body with line breaks is refused: they are taken out before the signature is verified.",
    lambda body: re.sub(rb"[\r\n\t]", b"", body),
)
_signed_otherwise(
    "signature-over-unescaped-json",
    r"A body with \u escapes is refused: they are decoded before the signature is verified.",
    lambda body: re.sub(rb"\\u00([2-7][0-9a-fA-F])", lambda escape: bytes.fromhex(escape[1].decode()), body),
)
_signed_otherwise(
    "signature-over-ascii",
    "A body with raw UTF-8 is refused: what is not ASCII is dropped before the signature is verified.",
    lambda body: re.sub(rb"[\x80-\xff]", b"", body),
)

# The API key.


@defect("api-key-not-checked", breaks=[f"{AUTH}.api-key-required"])
class ApiKeyNotChecked(WidgetSessionService):
    """A request with any API key, or none, is served."""

    def check_key(self, call: Call) -> None:
        """Nothing is checked."""


@defect("api-key-skipped-when-absent", breaks=[f"{AUTH}.api-key-required"])
class ApiKeySkippedWhenAbsent(WidgetSessionService):
    """A request without an API key is served."""

    def check_key(self, call: Call) -> None:
        if call.header("x-api-key") is not None:
            super().check_key(call)


@defect("wrong-api-key-as-invalid-request", breaks=[f"{AUTH}.api-key-required"])
class WrongApiKeyAsInvalidRequest(WidgetSessionService):
    """A wrong API key gets 400."""

    def check_key(self, call: Call) -> None:
        try:
            super().check_key(call)
        except Refusal as refusal:
            raise Refusal(refusals.INVALID) from refusal


# Secrecy.


@defect("api-key-in-header", breaks=[f"{AUTH}.secrecy"])
class ApiKeyInHeader(WidgetSessionService):
    """A response header shows the API key."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return super().session_answer(session, call).with_headers(x_client=self.api_key)


@defect("api-key-in-widget-url", breaks=[f"{AUTH}.secrecy"])
class ApiKeyInWidgetUrl(WidgetSessionService):
    """The widget's URL holds the API key in base64."""

    def widget_url(self, request: dict[str, Any], call: Call) -> str:
        key = base64.b64encode(self.api_key.encode()).decode("ascii")
        return f"{super().widget_url(request, call)}&k={quote(key, safe='')}"


@defect(
    "secret-in-error-message",
    breaks=[f"{AUTH}.secrecy"],
    may_break=["kryptonim.session.request.network-supported"],
)
class SecretInErrorMessage(WidgetSessionService):
    """The message of a validation error shows the server's settings, the signature secret among them."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        if refused.status == 400:
            envelope["message"] += f" (SIGNATURE_SECRET={self.signature_secret})"
        return envelope
