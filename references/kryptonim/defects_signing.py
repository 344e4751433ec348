"""More defects of the signature: what is remembered, normalised or said of it (`kryptonim.auth.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .defects_auth import AUTH, WRONG_SIGNATURE
from .partner import SECOND_SIGNATURE_SECRET
from .refusals import Refusal
from .service import WidgetSessionService

# No signature.


@defect("missing-signature-code-in-lower-case", breaks=[f"{AUTH}.signature-required"])
class MissingSignatureCodeInLowerCase(WidgetSessionService):
    """A request without a signature gets the code unauthorized."""

    def unsigned(self) -> Refusal:
        return Refusal(replace(refusals.UNAUTHORIZED, code="unauthorized"))


@defect("signature-skipped-after-a-good-one", breaks=[f"{AUTH}.signature-required"])
class SignatureSkippedAfterAGoodOne(WidgetSessionService):
    """Once a caller has signed well, requests from the same address need no signature."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._trusted: set[str] = set()

    def check_signature(self, call: Call) -> None:
        if call.header("x-request-signature") is None and call.source in self._trusted:
            return
        super().check_signature(call)
        self._trusted.add(call.source)


# A wrong signature.


@defect("eighth-wrong-signature-accepted", breaks=WRONG_SIGNATURE)
class EighthWrongSignatureAccepted(WidgetSessionService):
    """After seven wrong signatures the verifier is taken for broken, and the next request passes unverified."""

    every = 8

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._wrong = 0

    def is_signature(self, signature: str, body: bytes) -> bool:
        if super().is_signature(signature, body):
            return True
        self._wrong += 1
        return self._wrong % self.every == 0


@defect("wrong-signature-accepted-when-repeated", breaks=WRONG_SIGNATURE)
class WrongSignatureAcceptedWhenRepeated(WidgetSessionService):
    """A request with a wrong signature is accepted when it is sent again: that it was seen counts as verified."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._seen: set[tuple[str, bytes]] = set()

    def is_signature(self, signature: str, body: bytes) -> bool:
        seen = (signature, body) in self._seen
        self._seen.add((signature, body))
        return seen or super().is_signature(signature, body)


@defect("signature-of-first-64-bytes", breaks=[f"{AUTH}.signature-body"], may_break=[f"{AUTH}.signature-bytes"])
class SignatureOfFirst64Bytes(WidgetSessionService):
    """Bodies with the same first 64 bytes share their signature: it is cached under these."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._cached: dict[bytes, set[str]] = {}

    def is_signature(self, signature: str, body: bytes) -> bool:
        known = self._cached.setdefault(body[:64], set())
        if super().is_signature(signature, body):
            known.add(signature)
        return signature in known


@defect("base64url-signature-accepted", breaks=[f"{AUTH}.signature-encoding"])
class Base64urlSignatureAccepted(WidgetSessionService):
    """A signature in base64url without padding is accepted."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        digest = bytes.fromhex(self.expected_signature(body))
        encoded = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
        return super().is_signature(signature, body) or signature == encoded


@defect(
    "signature-that-is-no-hex-as-invalid-request",
    breaks=[f"{AUTH}.signature-encoding"],
    may_break=[f"{AUTH}.signature-algorithm"],
)
class SignatureThatIsNoHexAsInvalidRequest(WidgetSessionService):
    """A signature that is not hexadecimal gets 400 in place of 401."""

    def check_signature(self, call: Call) -> None:
        if set(call.header("x-request-signature") or "") - set("0123456789abcdefABCDEF"):
            self.invalid("X-Request-Signature is not hexadecimal")
        super().check_signature(call)


# The bytes that are signed.


# The signature must be over what `signed` makes of the body.
_signed_over = defects(
    WidgetSessionService,
    "signed_bytes",
    lambda signed, _service, _inherited, call: signed(call.body),
    breaks=[f"{AUTH}.signature-bytes"],
    may_break=[f"{AUTH}.signature-body", "kryptonim.session.request"],
)


def _reserialised(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), separators=(",", ":")).encode("ascii")
    except ValueError:
        return body


_signed_over(
    "signature-over-trimmed-body",
    "White space around the body is cut off before the signature is verified.",
    bytes.strip,
)
_signed_over(
    "signature-over-parsed-json",
    "The body is parsed and written again before the signature is verified: only compact JSON passes.",
    _reserialised,
)

# Secrecy.


@defect("api-key-in-cookie", breaks=[f"{AUTH}.secrecy"])
class ApiKeyInCookie(WidgetSessionService):
    """A session sets a cookie that holds the API key in hexadecimal."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        cookie = f"partner={self.api_key.encode().hex()}; Secure; HttpOnly"
        return super().session_answer(session, call).with_headers(set_cookie=cookie)


@defect("secret-in-unauthorized-error", breaks=[f"{AUTH}.secrecy"])
class SecretInUnauthorizedError(WidgetSessionService):
    """A 401 has a debug header that shows the key of the HMAC, percent-encoded letter by letter."""

    def error_answer(self, refused: refusals.Refused, call: Call) -> Answer:
        answer = super().error_answer(refused, call)
        shown = "".join(f"%{byte:02x}" for byte in self.signature_secret.encode())
        return answer.with_headers(x_debug=f"hmac-key={shown}") if refused.status == 401 else answer


@defect("second-partners-secret-accepted", breaks=[f"{AUTH}.signature-secret"])
class SecondPartnersSecretAccepted(WidgetSessionService):
    """A signature under any partner's secret is good for every partner."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        other = hmac.digest(SECOND_SIGNATURE_SECRET.encode(), body, "sha256").hex()
        return signature == other or super().is_signature(signature, body)


@defect("second-key-with-any-signature", breaks=[f"{AUTH}.signature-secret"], may_break=[AUTH])
class SecondKeyWithAnySignature(WidgetSessionService):
    """With the second partner's key, the first partner's signature is good as well."""

    def check_second(self, call: Call) -> None:
        self.check_signature(call)
