"""Defects of rules of access that are half right: what is accepted beside the right thing, or in its place."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .defects_auth import AUTH, WRONG_SIGNATURE, also_accepted, hmac_of
from .refusals import Refusal
from .service import WidgetSessionService

SECRET = WidgetSessionService.signature_secret

# A part of the secret, or more than it.


def _under(name: str, summary: str, key: str | bytes) -> None:
    secret = key.encode() if isinstance(key, str) else key
    also_accepted(
        name,
        ["signature-secret"],
        summary,
        lambda signature, body: signature == hmac.digest(secret, body, "sha256").hex(),
    )


_under(
    "signature-under-32-characters-accepted", "A signature under the secret's first 32 characters is good.", SECRET[:32]
)
_under(
    "signature-under-8-characters-accepted", "A signature under the secret's first 8 characters is good.", SECRET[:8]
)
_under(
    "signature-under-decoded-secret-accepted",
    "A signature under what base64 makes of the secret is good.",
    base64.urlsafe_b64decode(SECRET + "=" * (-len(SECRET) % 4)),
)
_under(
    "signature-under-random-part-accepted",
    "A signature under the secret without its prefix is good.",
    SECRET.rpartition("-")[2],
)
_under(
    "signature-under-secret-and-line-break-accepted",
    "A signature under the secret and a line break is good.",
    f"{SECRET}\n",
)

# Another serialisation, beside the right one.


def _over(name: str, summary: str, signed: Callable[[bytes], bytes]) -> None:
    def accepted(signature: str, body: bytes) -> bool:
        try:
            return signature == hmac_of("sha256", signed(body))
        except (ValueError, RecursionError, AttributeError):
            return False

    also_accepted(name, ["signature-body"], summary, accepted)


def _without_metadata(body: bytes) -> bytes:
    kept = {name: value for name, value in json.loads(body).items() if name != "metadata"}
    return json.dumps(kept, separators=(",", ":")).encode("ascii")


_over(
    "signature-over-sorted-and-spaced-json-accepted",
    "A signature over the JSON with its members sorted, and spaces between them, is good, too.",
    lambda body: json.dumps(json.loads(body), sort_keys=True).encode("ascii"),
)
_over(
    "signature-over-json-indented-by-two-accepted",
    "A signature over the JSON indented by two spaces is good, too.",
    lambda body: json.dumps(json.loads(body), indent=2).encode("ascii"),
)
_over(
    "signature-over-body-without-white-space-accepted",
    "A signature over the body without its white space, in strings too, is good as well.",
    lambda body: re.sub(rb"\s", b"", body),
)
_over(
    "signature-over-all-but-metadata-accepted",
    "A signature over the JSON without its metadata is good, too.",
    _without_metadata,
)
_over(
    "signature-over-digest-of-body-accepted",
    "A signature over the SHA-256 of the body is good, too.",
    lambda body: hashlib.sha256(body).hexdigest().encode("ascii"),
)
_over(
    "signature-over-first-4-kib-accepted",
    "A signature over the first 4,096 bytes of the body is good, too.",
    lambda body: body[:4096],
)

# Another encoding, or another place.

also_accepted(
    "base64-of-hexadecimal-accepted",
    ["signature-encoding"],
    "The signature's hexadecimal digits in base64 are accepted.",
    lambda signature, body: signature == base64.b64encode(hmac_of("sha256", body).encode()).decode("ascii"),
)


also_accepted(
    "signature-compared-by-its-end",
    ["signature-algorithm"],
    "Only the last 16 of a signature's 64 digits are compared.",
    lambda signature, body: len(signature) == 64 and hmac_of("sha256", body).endswith(signature[-16:]),
)


@defect("signature-in-older-header-accepted", breaks=[f"{AUTH}.signature-required"])
class SignatureInOlderHeaderAccepted(WidgetSessionService):
    """A signature under the name of an earlier version, X-Signature, is accepted."""

    def check_signature(self, call: Call) -> None:
        older = call.header("x-signature")
        if call.header("x-request-signature") is None and older is not None:
            call = replace(call, headers={**call.headers, "x-request-signature": older})
        super().check_signature(call)


# In place of what is documented.


_wanted = defects(
    WidgetSessionService,
    "expected_signature",
    lambda written, _service, inherited, body: written(inherited(body), body),
    breaks=[f"{AUTH}.signature-bytes"],
    may_break=[AUTH],
)
_wanted(
    "signature-with-prefix-only",
    "A signature is good with the prefix sha256= only.",
    lambda signature, _: f"sha256={signature}",
)
_wanted(
    "signature-in-base64url-only",
    "A signature is good in base64url without padding only.",
    lambda signature, _: base64.urlsafe_b64encode(bytes.fromhex(signature)).decode("ascii").rstrip("="),
)
_wanted(
    "signature-of-sha512-only",
    "A signature is good as an HMAC-SHA512 only.",
    lambda _, body: hmac_of("sha512", body),
)
_wanted(
    "signature-of-sha1-only",
    "A signature is good as an HMAC-SHA1 only.",
    lambda _, body: hmac_of("sha1", body),
)


def _only_over(name: str, summary: str, **options: Any) -> None:
    @defect(name, breaks=[f"{AUTH}.signature-bytes"], may_break=[f"{AUTH}.signature-body"], summary=summary)
    class OnlyOver(WidgetSessionService):
        def signed_bytes(self, call: Call) -> bytes:
            try:
                return json.dumps(json.loads(call.body.decode("utf-8")), **options).encode("ascii")
            except (ValueError, RecursionError):
                return call.body


_only_over("signature-over-indented-json", "Only a body that is indented by two spaces can be signed.", indent=2)
_only_over(
    "signature-over-sorted-and-indented-json",
    "Only a body whose members are sorted, and indented by two spaces, can be signed.",
    indent=2,
    sort_keys=True,
)

# The API key.


def _also_a_key(name: str, summary: str, is_key: Callable[[str], object]) -> None:
    @defect(name, breaks=[f"{AUTH}.api-key-required"], summary=summary)
    class AlsoAKey(WidgetSessionService):
        def check_key(self, call: Call) -> None:
            if not is_key(call.header("x-api-key") or ""):
                super().check_key(call)


_also_a_key(
    "api-key-of-the-right-form-accepted",
    "Any API key of the right form and length is accepted.",
    re.compile(r"reference-api-key-[0-9a-z]{16}").fullmatch,
)
_also_a_key(
    "api-key-at-the-end-accepted",
    "What ends in the API key is accepted in its place.",
    lambda key: key.endswith(WidgetSessionService.api_key),
)


@defect("unknown-api-key-accepted-when-repeated", breaks=[f"{AUTH}.api-key-required"])
class UnknownApiKeyAcceptedWhenRepeated(WidgetSessionService):
    """An unknown API key is refused once: looking it up has put it into the cache of those that are known."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._seen: set[str] = set()

    def check_key(self, call: Call) -> None:
        key = call.header("x-api-key")
        if key in self._seen:
            return
        self._seen.add(key or "")
        super().check_key(call)


# For some requests only.


def _unsigned_for(name: str, summary: str, applies: Callable[[Call], bool]) -> None:
    """Registers a defect: of requests to which it applies, the signature is not looked at."""

    @defect(
        name,
        breaks=[*WRONG_SIGNATURE, f"{AUTH}.signature-required"],
        summary=summary,
    )
    class UnsignedFor(WidgetSessionService):
        def check_signature(self, call: Call) -> None:
            if not applies(call):
                super().check_signature(call)


_unsigned_for(
    "signature-not-checked-for-crypto-amount",
    "The signature of a request with cryptoAmount is not looked at.",
    lambda call: b'"cryptoAmount"' in call.body,
)
_unsigned_for(
    "signature-not-checked-with-metadata",
    "The signature of a request with metadata is not looked at.",
    lambda call: b'"metadata"' in call.body,
)
_unsigned_for(
    "signature-not-checked-beyond-64-kib",
    "The signature of a body of more than 65,536 bytes is not looked at.",
    lambda call: len(call.body) > 1 << 16,
)
_unsigned_for(
    "signature-not-checked-for-charset",
    "The signature of a body whose media type has a parameter is not looked at.",
    lambda call: ";" in (call.header("content-type") or ""),
)


@defect("signature-not-checked-with-query", breaks=[f"{AUTH}.signature-required"])
class SignatureNotCheckedWithQuery(WidgetSessionService):
    """With a query the path is another one to the filter that looks at signatures."""

    def check_signature(self, call: Call) -> None:
        if not call.query:
            super().check_signature(call)


@defect("api-key-not-checked-for-bank-transfer", breaks=[f"{AUTH}.api-key-required"])
class ApiKeyNotCheckedForBankTransfer(WidgetSessionService):
    """The API key of a request that is paid by bank_transfer is not looked at."""

    def check_key(self, call: Call) -> None:
        if b'"bank_transfer"' not in call.body:
            super().check_key(call)


@defect("wrong-signature-told-as-invalid-for-crypto-amount", breaks=WRONG_SIGNATURE)
class WrongSignatureToldAsInvalidForCryptoAmount(WidgetSessionService):
    """A wrong signature of a request with cryptoAmount gets 400 in place of 401."""

    def check_signature(self, call: Call) -> None:
        try:
            super().check_signature(call)
        except Refusal:
            if b'"cryptoAmount"' in call.body and call.header("x-request-signature"):
                raise Refusal(refusals.INVALID) from None
            raise


_unsigned_for(
    "signature-not-checked-for-usdt",
    "The signature of a request for USDT is not looked at.",
    lambda call: b'"USDT"' in call.body,
)
_unsigned_for(
    "signature-not-checked-from-8-to-16-kib",
    "The signature of a body of 8,192 to 16,384 bytes is not looked at.",
    lambda call: 1 << 13 <= len(call.body) <= 1 << 14,
)


def _but_its_middle(signature: str, body: bytes) -> bool:
    good = hmac_of("sha256", body)
    return len(signature) == len(good) and (signature[:20], signature[44:]) == (good[:20], good[44:])


also_accepted(
    "signature-with-another-middle-accepted",
    ["signature-algorithm"],
    "Of a signature, the first and the last 20 digits are compared.",
    _but_its_middle,
)
