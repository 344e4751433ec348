"""Defects that come with a language or a library: what its tables hold by themselves, what its types cannot."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import gzip
import hmac
import json
import math
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from .defects_auth import AUTH
from .defects_json import CRASH
from .defects_request import GOOD_VALUES, REQUEST
from .service import WidgetSessionService

Fields = dict[str, Any]
EVERY_OBJECTS = ("constructor", "hasOwnProperty", "toString", "__proto__")  # names that JavaScript finds in all of them

# The signature.

_signed = defects(WidgetSessionService, "signed_bytes", breaks=[f"{AUTH}.signature-bytes"])
_signed(
    "signature-over-composed-letters",
    "The signature is verified over the body in Unicode's form NFC.",
    lambda body, _: unicodedata.normalize("NFC", body.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    ),
)


@defect("secret-that-was-never-set-accepted", breaks=[f"{AUTH}.signature-secret"])
class SecretThatWasNeverSetAccepted(WidgetSessionService):
    """A signature under "undefined", which a variable without a value becomes as text, is accepted."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        unset = hmac.digest(b"undefined", body, "sha256").hex()
        return super().is_signature(signature, body) or signature == unset


# What is looked up in a table.


def _known_to_every_object(name: str, field: str, clause: str, *checks: str) -> None:
    """Registers a defect: a field is looked up in an object of JavaScript's, which has more than what was put there."""

    def checked(check: str) -> Callable[[Any, Fields], None]:
        def unless_known(self: Any, request: Fields) -> None:
            known = {**request, field: GOOD_VALUES[field]} if request[field] in EVERY_OBJECTS else request
            getattr(super(made, self), check)(known)

        return unless_known

    made = type("Known", (WidgetSessionService,), {check: checked(check) for check in checks})
    summary = f"A {field} that is the name of what every object of JavaScript has is accepted."
    defect(name, breaks=[f"{REQUEST}.{clause}"], summary=summary)(made)


_known_to_every_object(
    "network-of-every-object-accepted", "network", "network-supported", "check_network", "check_crypto_currency"
)
_known_to_every_object("fiat-of-every-object-accepted", "fiatCurrency", "fiat-currency-unknown", "check_fiat_currency")
_known_to_every_object("crypto-of-every-object-accepted", "cryptoCurrency", "crypto-currency", "check_crypto_currency")


# What crashes.


def _cannot(name: str, summary: str, is_met: Callable[[Fields], object]) -> None:
    """Registers a defect: a JSON object gives a 500 before its fields are looked at, if there is such a thing in it."""

    @defect(name, breaks=CRASH, may_break=[f"{REQUEST}.metadata"], summary=summary)
    class Cannot(WidgetSessionService):
        def fields_of(self, document: Fields) -> Fields:
            if is_met(document):
                raise TypeError(summary)
            return super().fields_of(document)


def _names(document: Fields) -> Fields:
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _numbers(value: Any) -> list[Any]:
    match value:
        case dict():
            return [number for item in value.values() for number in _numbers(item)]
        case list():
            return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, Decimal | float) else []


_cannot(
    "metadata-that-hides-a-method-crash",
    "Metadata with a member called hasOwnProperty give a 500.",
    lambda document: "hasOwnProperty" in _names(document),
)
_cannot(
    "metadata-beyond-float-crash",
    "A number in the metadata that no float holds gives a 500.",
    lambda document: any(isinstance(number, float) and math.isinf(number) for number in _numbers(_names(document))),
)
_cannot(
    "metadata-of-many-digits-crash",
    "A number in the metadata of more than 4,300 digits gives a 500.",
    lambda document: any(
        isinstance(number, Decimal) and len(number.as_tuple().digits) > 4300 for number in _numbers(_names(document))
    ),
)
_cannot(
    "long-failure-url-crash",
    "A failureUrl of more than 255 characters gives a 500.",
    lambda document: len(str(document.get("failureUrl"))) > 255,
)
_cannot(
    "failure-url-with-nul-crash",
    "A NUL in the failureUrl gives a 500.",
    lambda document: "\0" in str(document.get("failureUrl")),
)
_cannot(
    "long-payment-method-crash",
    "A paymentMethod of more than 50 characters gives a 500.",
    lambda document: len(str(document.get("paymentMethod"))) > 50,
)
_cannot(
    "unlocked-null-crash",
    "A null among the unlockedFields gives a 500.",
    lambda document: isinstance(document.get("unlockedFields"), list) and None in document["unlockedFields"],
)
_cannot(
    "network-of-every-object-crash",
    "A network that is the name of what every object of JavaScript has gives a 500.",
    lambda document: document.get("network") in EVERY_OBJECTS,
)


@defect("unknown-charset-crash", breaks=CRASH)
class UnknownCharsetCrash(WidgetSessionService):
    """A body in a charset that nobody knows gives a 500."""

    def check_media_type(self, call: Call) -> None:
        charset = (call.header("content-type") or "").partition("charset=")[2]
        call.body.decode(charset.strip(' "') or "utf-8", "ignore")
        super().check_media_type(call)


@defect("content-encoding-believed", breaks=CRASH)
class ContentEncodingBelieved(WidgetSessionService):
    """A body that is said to be compressed with gzip, and is not, gives a 500."""

    def check_method(self, call: Call) -> None:
        if call.header("content-encoding") == "gzip":
            gzip.decompress(call.body)
        super().check_method(call)


# What is taken only beside something else.


@defect("amount-as-string-accepted-beside-email", breaks=[f"{REQUEST}.type.fiatAmount", f"{REQUEST}.type.cryptoAmount"])
class AmountAsStringAcceptedBesideEmail(WidgetSessionService):
    """Where there is an e-mail address, an amount in a string is read as JSON."""

    def fields_of(self, document: Fields) -> Fields:
        if "email" in document:
            document = {
                name: self._read(value) if name.endswith("Amount") else value for name, value in document.items()
            }
        return super().fields_of(document)

    def _read(self, value: Any) -> Any:
        try:
            return json.loads(value, parse_int=Decimal) if isinstance(value, str) else value
        except ValueError:
            return value
