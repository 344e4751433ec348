"""Who may call: the API key and the signature of the body (widget sessions page, X-Request-Signature)."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import hmac

from rampcheck.sandbox.wire import Call

from . import refusals
from .partner import API_KEY, SECOND_API_KEY, SECOND_SIGNATURE_SECRET, SIGNATURE_SECRET


class Access:
    """Lets a call in or not, one decision a method; what is against it raises `Refusal`."""

    api_key = API_KEY
    signature_secret = SIGNATURE_SECRET

    def authenticate(self, call: Call) -> None:
        """Raises `Refusal`, always the same 401, for a key or a signature that is missing or wrong."""
        if call.header("x-api-key") == SECOND_API_KEY:
            self.check_second(call)
            return
        self.check_key(call)
        self.check_signature(call)

    def check_second(self, call: Call) -> None:
        """With the second partner's key goes a signature under that partner's secret only."""
        signature = call.header("x-request-signature")
        if signature is None:
            raise self.unsigned()
        if signature != hmac.digest(SECOND_SIGNATURE_SECRET.encode(), call.body, "sha256").hex():
            raise self.unauthorized(signature)

    def check_key(self, call: Call) -> None:
        """The API key is the partner's, character for character."""
        key = call.header("x-api-key")
        if key is None or not hmac.compare_digest(key.encode(), self.api_key.encode()):
            raise self.unauthorized(key)

    def check_signature(self, call: Call) -> None:
        """There is a signature, and it is that of the body."""
        signature = call.header("x-request-signature")
        if signature is None:
            raise self.unsigned()
        if not self.is_signature(signature, self.signed_bytes(call)):
            raise self.unauthorized(signature)

    def signed_bytes(self, call: Call) -> bytes:
        """What must have been signed: the body, byte for byte."""
        return call.body

    def is_signature(self, signature: str, body: bytes) -> bool:
        """Whether this is the HMAC-SHA256 of the body under the partner's secret, in lower-case hex."""
        return hmac.compare_digest(signature.encode(), self.expected_signature(body).encode())

    def expected_signature(self, body: bytes) -> str:
        """The signature that the body must have."""
        return hmac.digest(self.signature_secret.encode(), body, "sha256").hex()

    def unsigned(self) -> refusals.Refusal:
        """The refusal for a call without a signature."""
        return refusals.Refusal(refusals.UNAUTHORIZED)

    def unauthorized(self, value: str | None) -> refusals.Refusal:
        """The refusal for a key or a signature that is not right."""
        return refusals.Refusal(refusals.UNAUTHORIZED)
