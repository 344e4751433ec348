"""Who may call: the key, and the signature over timestamp, nonce and body."""

from __future__ import annotations

import time
from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rampcheck.sandbox.refusal import Refusal
from rampcheck.sandbox.wire import Call

from .profile import KEY_ID, SIGNING_KEY
from .refusals import BAD_SIGNATURE, REUSED, STALE, UNKNOWN_KEY

WINDOW = 300  # seconds


class Access:
    """Lets a call in or not, one decision a method."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(b64decode(SIGNING_KEY)).public_key()
        self._nonces: set[object] = set()

    def authenticate(self, call: Call) -> None:
        """The order of decisions: what is not signed uses no nonce up."""
        self.check_key(call)
        self.check_signature(call)
        self.check_timestamp(call)
        self.check_nonce(call)

    def check_key(self, call: Call) -> None:
        """The key is the partner's."""
        if call.header("x-tiny-key") != KEY_ID:
            raise Refusal(UNKNOWN_KEY)

    def check_signature(self, call: Call) -> None:
        """There is a signature, and it is that of the call."""
        signature = call.header("x-tiny-signature")
        if not signature:
            raise self.unsigned()
        if not self.is_signature(signature, call):
            raise self.wrongly_signed()

    def unsigned(self) -> Refusal:
        """The refusal of a call without a signature."""
        return Refusal(BAD_SIGNATURE)

    def wrongly_signed(self) -> Refusal:
        """The refusal of a call with a wrong signature."""
        return Refusal(BAD_SIGNATURE)

    def is_signature(self, signature: str, call: Call) -> bool:
        """Whether it is the partner's, over timestamp, nonce and body."""
        return self.is_signed(signature, call, self.signed_body(call.body))

    def is_signed(self, signature: str, call: Call, body: bytes) -> bool:
        """Whether the partner's key has signed the call's timestamp and nonce, and this body."""
        timestamp, nonce = call.header("x-tiny-timestamp") or "", call.header("x-tiny-nonce") or ""
        try:
            self._key.verify(
                b64decode(signature, validate=True),
                b"\n".join([timestamp.encode("latin-1"), nonce.encode("latin-1"), body]),
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    def signed_body(self, body: bytes) -> bytes:
        """What of the body must have been signed: every byte."""
        return body

    def check_timestamp(self, call: Call) -> None:
        """It is within 300 seconds of this clock."""
        timestamp = call.header("x-tiny-timestamp") or ""
        if not (timestamp.isascii() and timestamp.isdigit()) or self.is_stale(float(timestamp) - time.time()):
            raise Refusal(STALE)

    def is_stale(self, ahead: float) -> bool:
        """Whether a timestamp that is so many seconds ahead of this clock is refused."""
        return abs(ahead) > WINDOW

    def check_nonce(self, call: Call) -> None:
        """No earlier call has used it."""
        nonce = self.remembered(call)
        if nonce in self._nonces:
            raise Refusal(REUSED)
        self._nonces.add(nonce)

    def remembered(self, call: Call) -> object:
        """What is remembered of a call."""
        return call.header("x-tiny-nonce")
