"""Variants of what is asked of a request, and of how one is refused, where the documentation leaves it open."""

# ruff: noqa: ARG002, D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from decimal import Decimal
from functools import partial
from ipaddress import ip_address
from typing import Any

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.variants import variant, variants
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .refusals import Refusal, Refused
from .request import AMOUNTS, OPTIONAL, REQUIRED
from .service import WidgetSessionService

own = partial(variant, "kryptonim")

FORMS = {
    "destinationAddress": r"0x[0-9A-Fa-f]{40}",
    "email": r"[^@\s]+@[^@\s]+\.[a-z]+",
    "successUrl": r"https://\S+",
    "failureUrl": r"https://\S+",
}

# Key and signature.


@own("request-before-signature")
class RequestFirst(WidgetSessionService):
    """The request is checked before key and signature."""

    def authenticate(self, call: Call) -> None:
        self.read(call)
        super().authenticate(call)


@own("key-forbidden")
class KeyForbidden(WidgetSessionService):
    """An API key that is missing or unknown is refused with 403 and a code of its own."""

    def check_key(self, call: Call) -> None:
        try:
            super().check_key(call)
        except Refusal as refusal:
            raise Refusal(Refused(403, "INVALID_API_KEY", "This API key is not valid")) from refusal


@own("capital-digits-accepted")
class CapitalDigits(WidgetSessionService):
    """A signature in upper-case hexadecimal is accepted, with a prefix that names the algorithm, too."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        return super().is_signature(signature.removeprefix("sha256=").lower(), body)


# What is taken.


@own("unknown-fields-refused")
class StrictFields(WidgetSessionService):
    """A request with a field that is not documented is refused."""

    def fields_of(self, document: dict[str, Any]) -> dict[str, Any]:
        if document.keys() - {*REQUIRED, *AMOUNTS, *OPTIONAL}:
            self.invalid("There are unknown fields")
        return super().fields_of(document)


@own("null-refused")
class NullRefused(WidgetSessionService):
    """Null in an optional field is refused."""

    def fields_of(self, document: dict[str, Any]) -> dict[str, Any]:
        if None in document.values():
            self.invalid("Leave out what is null")
        return super().fields_of(document)


@own("nan-taken")
class NanTaken(WidgetSessionService):
    """A body may hold NaN and Infinity, as many parsers take them."""

    def refuse_malformed(self, body: bytes, error: strict_json.NotJsonError) -> dict[str, Any]:
        try:
            document = json.loads(body.decode("utf-8"), parse_int=Decimal)
        except (ValueError, RecursionError):
            document = None
        return document if isinstance(document, dict) else super().refuse_malformed(body, error)


@own("any-media-type")
class AnyMediaType(WidgetSessionService):
    """The Content-Type of a request is not looked at."""

    def check_media_type(self, call: Call) -> None:
        return


@own("unlocked-fields-as-listed")
class UnlockedAsListed(WidgetSessionService):
    """Of the fields to unlock only those of the page's list are accepted, not the one more of its example."""

    def check_unlocked_fields(self, request: dict[str, Any]) -> None:
        super().check_unlocked_fields(request)
        if "destinationAddress" in request.get("unlockedFields", ()):
            self.invalid("destinationAddress cannot be unlocked")


@own("unlocked-fields-unchecked")
class UnlockedUnchecked(WidgetSessionService):
    """The fields to unlock may be called anything."""

    def check_unlocked_fields(self, request: dict[str, Any]) -> None:
        return


@own("any-letter-case")
class AnyLetterCase(WidgetSessionService):
    """Currencies and networks are known in any letter case, and the testnet's network by its number."""

    def check_fiat_currency(self, request: dict[str, Any]) -> None:
        request["fiatCurrency"] = request["fiatCurrency"].upper()
        super().check_fiat_currency(request)

    def check_network(self, request: dict[str, Any]) -> None:
        request["network"] = {"80002": "polygon"}.get(request["network"], request["network"].lower())
        super().check_network(request)

    def check_crypto_currency(self, request: dict[str, Any]) -> None:
        request["cryptoCurrency"] = request["cryptoCurrency"].upper()
        super().check_crypto_currency(request)


@own("every-listed-currency")
class EveryListedCurrency(WidgetSessionService):
    """The fiat currencies are all those that ISO 4217 lists: for tests (XTS), none at all (XXX), and gold, too."""

    def check_fiat_currency(self, request: dict[str, Any]) -> None:
        if request["fiatCurrency"] not in ("GBP", "PLN", "XAU", "XDR", "XTS", "XXX"):
            super().check_fiat_currency(request)


@own("any-payment-method")
class AnyPaymentMethod(WidgetSessionService):
    """A payment method of another environment is accepted, and one nobody knows is passed over."""

    def check_payment_method(self, request: dict[str, Any]) -> None:
        return


@own("ip-address-unchecked")
class AddressUnchecked(WidgetSessionService):
    """What is no IP address is passed over."""

    def check_ip_address(self, request: dict[str, Any]) -> None:
        return


@own("local-ip-address-refused")
class LocalAddressRefused(WidgetSessionService):
    """An IP address of the user that can only be the partner's own, such as 127.0.0.1, is refused."""

    def check_ip_address(self, request: dict[str, Any]) -> None:
        super().check_ip_address(request)
        if "ipAddress" in request and ip_address(request["ipAddress"]).is_loopback:
            self.invalid("ipAddress must be the user's")


@own("amounts-within-limits")
class AmountsWithinLimits(WidgetSessionService):
    """Amounts have limits: 10 to 5,000 of money, 0.0005 to 50 of crypto currency."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return super().is_amount(amount) and amount <= 5000

    def check_amounts(self, request: dict[str, Any]) -> None:
        super().check_amounts(request)
        if request.get("fiatAmount", 10) < 10 or not 0.0005 <= request.get("cryptoAmount", 1) <= 50:
            self.invalid("The amount is outside the limits")


@own("forms-checked")
class FormsChecked(WidgetSessionService):
    """The wallet, an e-mail address and redirect URLs must have the form of such."""

    def check_ip_address(self, request: dict[str, Any]) -> None:
        super().check_ip_address(request)
        for name, form in FORMS.items():
            if name in request and re.fullmatch(form, request[name]) is None:
                self.invalid(f"{name} does not look like one")


@own("reserved-metadata")
class ReservedMetadata(WidgetSessionService):
    """Metadata under a reserved name that is not documented is refused, and an empty partner id too."""

    def check_metadata(self, request: dict[str, Any]) -> None:
        super().check_metadata(request)
        metadata = request.get("metadata", {})
        if not metadata.get("_externalPartnerId", "some") or any(
            name.startswith("_") and name != "_externalPartnerId" for name in metadata
        ):
            self.invalid("metadata holds a reserved name")


# How it is refused. Only two codes, and two messages, are documented.


# Errors other than the documented two are what `change` makes of them.
_refusals = variants(
    "kryptonim",
    WidgetSessionService,
    "error_answer",
    lambda change, _, inherited, refused, call: inherited(
        refused if refused in (refusals.UNAUTHORIZED, refusals.NETWORK) else change(refused), call
    ),
)
_refusals("unprocessable", "What is not documented is refused with 422.", lambda refused: replace(refused, status=422))
_refusals(
    "refused-as-conflict",
    "What is not documented is refused with 409 and a code that is not documented.",
    lambda refused: replace(refused, status=409, code="VALIDATION_FAILED"),
)
_refusals(
    "code-unspecific",
    "A wrong method, media type or size has the documented code.",
    lambda refused: replace(refused, code="INVALID_REQUEST"),
)
_refusals(
    "messages-localised",
    "Messages that are not documented are Polish.",
    lambda refused: replace(refused, message="Nieprawidłowe żądanie. Spróbuj później 💸"),
)
_refusals("messages-empty", "Messages that are not documented are empty.", lambda refused: replace(refused, message=""))


@own("network-unprocessable")
class NetworkUnprocessable(WidgetSessionService):
    """An unknown network is refused with 422, in the documented words."""

    def refuse_network(self, request: dict[str, Any]) -> None:
        raise Refusal(replace(refusals.NETWORK, status=422))


@own("errors-explained")
class ErrorsExplained(WidgetSessionService):
    """Errors say more than is documented."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {
            "timestamp": 1_700_000_000,
            "traceId": uuid.uuid4().hex,
            **super().envelope(refused, call),
            "details": [{"path": None, "params": {"expected": ["a", 1]}}],
        }


@own("post-looked-for")
class MethodNotFound(WidgetSessionService):
    """Another method than POST finds nothing: 404."""

    def check_method(self, call: Call) -> None:
        if call.method != "POST":
            raise Refusal(refusals.PATH)


@own("preflight-answered")
class Preflight(WidgetSessionService):
    """OPTIONS is answered with 204 and what browsers want to know."""

    def post_session(self, call: Call) -> Answer:
        if call.method != "OPTIONS":
            return super().post_session(call)
        return Answer(204, b"").with_headers(allow="POST, OPTIONS", access_control_allow_origin="*")
