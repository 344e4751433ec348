"""Defects of key, timestamp, nonce and signature (`tinyramp.auth.*`)."""

from __future__ import annotations

import json
from dataclasses import replace

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.refusal import Refusal
from rampcheck.sandbox.wire import Call

from .access import WINDOW
from .refusals import BAD_SIGNATURE, INVALID, UNKNOWN_KEY
from .service import SessionService


@defect("key-ignored", breaks=["tinyramp.auth.known-key"])
class KeyIgnored(SessionService):
    """Whatever key a request names, or none, the partner's is meant."""

    def check_key(self, call: Call) -> None:
        pass


@defect("unknown-key-forbidden", breaks=["tinyramp.auth.known-key"])
class UnknownKeyForbidden(SessionService):
    """An unknown key is refused with 403."""

    def check_key(self, call: Call) -> None:
        try:
            super().check_key(call)
        except Refusal as refusal:
            raise Refusal(replace(UNKNOWN_KEY, status=403)) from refusal


@defect("unsigned-accepted", breaks=["tinyramp.auth.signed"])
class UnsignedAccepted(SessionService):
    """A request without a signature is served."""

    def check_signature(self, call: Call) -> None:
        if call.header("x-tiny-signature"):
            super().check_signature(call)


@defect("unsigned-as-invalid-request", breaks=["tinyramp.auth.signed"])
class UnsignedAsInvalidRequest(SessionService):
    """A request without a signature is refused with 400."""

    def unsigned(self) -> Refusal:
        return Refusal(INVALID)


@defect("signature-ignored", breaks=["tinyramp.auth.signature"])
class SignatureIgnored(SessionService):
    """Anything is taken for a signature."""

    def is_signature(self, signature: str, call: Call) -> bool:
        return True


@defect("signature-over-no-body-accepted", breaks=["tinyramp.auth.signature"])
class SignatureOverNoBodyAccepted(SessionService):
    """A signature over timestamp and nonce alone is good for any body."""

    def is_signature(self, signature: str, call: Call) -> bool:
        return super().is_signature(signature, call) or self.is_signed(signature, call, b"")


@defect("wrong-signature-as-unknown-key", breaks=["tinyramp.auth.signature"])
class WrongSignatureAsUnknownKey(SessionService):
    """A wrong signature gets the code unknown_key."""

    def wrongly_signed(self) -> Refusal:
        return Refusal(replace(BAD_SIGNATURE, code="unknown_key"))


@defect("signature-over-compact-json", breaks=["tinyramp.auth.any-bytes"])
class SignatureOverCompactJson(SessionService):
    """The signature has to be that of the JSON written anew."""

    def signed_body(self, body: bytes) -> bytes:
        try:
            return json.dumps(json.loads(body), separators=(",", ":")).encode()
        except (ValueError, RecursionError):
            return body


@defect("signature-over-stripped-body", breaks=["tinyramp.auth.any-bytes"])
class SignatureOverStrippedBody(SessionService):
    """White space around the body is taken away before its signature is looked at."""

    def signed_body(self, body: bytes) -> bytes:
        return body.strip()


@defect("old-timestamp-accepted", breaks=["tinyramp.auth.timestamp"])
class OldTimestampAccepted(SessionService):
    """A timestamp may be as old as it likes."""

    def is_stale(self, ahead: float) -> bool:
        return ahead > WINDOW


@defect("future-timestamp-accepted", breaks=["tinyramp.auth.timestamp"])
class FutureTimestampAccepted(SessionService):
    """A timestamp may lie in the future."""

    def is_stale(self, ahead: float) -> bool:
        return ahead < -WINDOW


@defect("nonce-forgotten", breaks=["tinyramp.auth.nonce"])
class NonceForgotten(SessionService):
    """No nonce is remembered."""

    def check_nonce(self, call: Call) -> None:
        pass


@defect("nonce-remembered-with-its-body", breaks=["tinyramp.auth.nonce"])
class NonceRememberedWithItsBody(SessionService):
    """A nonce is good again with another body."""

    def remembered(self, call: Call) -> object:
        return call.header("x-tiny-nonce"), call.body
