"""What a widget session request must look like: media type, JSON, fields and their values."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import math
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, NoReturn

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.refusal import PostedJson
from rampcheck.sandbox.wire import Call

from . import refusals
from .partner import Offer

REQUIRED = ("fiatCurrency", "cryptoCurrency", "network", "destinationAddress")
AMOUNTS = ("fiatAmount", "cryptoAmount")
# The optional fields, with the JSON type of each and its name for messages.
OPTIONAL: dict[str, tuple[type, str]] = {
    "email": (str, "a string"),
    "paymentMethod": (str, "a string"),
    "unlockedFields": (list, "an array"),
    "metadata": (dict, "an object"),
    "successUrl": (str, "a string"),
    "failureUrl": (str, "a string"),
    "ipAddress": (str, "a string"),
}
FIAT_CURRENCIES = ("USD", "EUR")
UNLOCKABLE = (
    "fiatAmount",
    "cryptoAmount",
    "fiatCurrency",
    "email",
    "network",
    "paymentMethod",
    "successUrl",
    "failureUrl",
    # Not in the page's list of allowed fields, but in its own example.
    "destinationAddress",
)


class RequestReading(PostedJson):
    """Reads a widget session request, one decision a method, each of which may raise `Refusal`."""

    METHOD, MEDIA_TYPE, SIZE = refusals.METHOD, refusals.MEDIA_TYPE, refusals.SIZE

    offer: Offer

    def read(self, call: Call) -> dict[str, Any]:
        """The documented fields of the request that were sent and are not null."""
        self.check_method(call)
        self.check_media_type(call)
        self.check_size(call)
        request = self.fields_of(self.decode(call.body))
        self.check_amounts(request)
        self.check_fiat_currency(request)
        self.check_network(request)
        self.check_crypto_currency(request)
        self.check_payment_method(request)
        self.check_unlocked_fields(request)
        self.check_metadata(request)
        self.check_ip_address(request)
        return request

    def decode(self, body: bytes) -> dict[str, Any]:
        """The JSON object in the body."""
        try:
            document = strict_json.parse(body)
        except strict_json.NotJsonError as error:
            return self.refuse_malformed(body, error)
        return document if isinstance(document, dict) else self.refuse_non_object(document)

    def refuse_malformed(self, body: bytes, error: strict_json.NotJsonError) -> dict[str, Any]:
        """The body is not JSON."""
        raise refusals.INVALID.because(f"The body is {error}") from error

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        """The body is JSON, but no object."""
        self.invalid("The body is JSON, but not an object")

    def fields_of(self, document: dict[str, Any]) -> dict[str, Any]:
        """The documented fields, each of its type; null stands for an optional field that was not sent."""
        fields = {name: self.required(document, name) for name in REQUIRED}
        for name in (*AMOUNTS, *OPTIONAL):
            if document.get(name) is not None:
                fields[name] = self.optional(name, document[name])
        return fields

    def required(self, document: dict[str, Any], name: str) -> Any:
        """A required field: a string that is not empty."""
        if name not in document:
            return self.missing(name)
        value = document[name]
        if not isinstance(value, str):
            return self.mistyped(name, value, "a string")
        if not value:
            self.invalid(f"{name} must not be empty")
        return value

    def optional(self, name: str, value: Any) -> Any:
        """An amount or an optional field that is not null."""
        # Numbers are Decimal or float, and so no boolean is one.
        kind, named = (Decimal | float, "a number") if name in AMOUNTS else OPTIONAL[name]
        return value if isinstance(value, kind) else self.mistyped(name, value, named)

    def missing(self, name: str) -> str:
        """A required field is absent."""
        self.invalid(f"{name} is required")

    def mistyped(self, name: str, value: Any, expected: str) -> Any:
        """A field is of another JSON type than `expected`."""
        self.invalid(f"{name} must be {expected}")

    def check_amounts(self, request: dict[str, Any]) -> None:
        """One of the two amounts, above zero."""
        given = [name for name in AMOUNTS if name in request]
        if not given:
            self.refuse_no_amount(request)
        if len(given) == len(AMOUNTS):
            self.refuse_both_amounts(request)
        for name in given:
            if not self.is_amount(request[name]):
                self.invalid(f"{name} must be above zero and finite")

    def refuse_no_amount(self, request: dict[str, Any]) -> None:
        """Neither amount was sent."""
        self.invalid("Either fiatAmount or cryptoAmount is required")

    def refuse_both_amounts(self, request: dict[str, Any]) -> None:
        """Both amounts were sent."""
        self.invalid("fiatAmount and cryptoAmount exclude each other")

    def is_amount(self, amount: Decimal | float) -> bool:
        """Whether an amount is above zero and finite."""
        return amount > 0 and math.isfinite(amount)

    def check_fiat_currency(self, request: dict[str, Any]) -> None:
        """USD or EUR."""
        if request["fiatCurrency"] not in FIAT_CURRENCIES:
            self.invalid("Unsupported fiat currency")

    def check_network(self, request: dict[str, Any]) -> None:
        """A network of this environment."""
        if request["network"] not in self.offer.currencies:
            self.refuse_network(request)

    def refuse_network(self, request: dict[str, Any]) -> None:
        """The network is not one of this environment."""
        raise refusals.Refusal(refusals.NETWORK)

    def check_crypto_currency(self, request: dict[str, Any]) -> None:
        """A crypto currency that this environment has on the network."""
        if request["cryptoCurrency"] not in self.offer.currencies[request["network"]]:
            self.invalid("Unsupported crypto currency")

    def check_payment_method(self, request: dict[str, Any]) -> None:
        """A payment method of this environment, if any."""
        if "paymentMethod" in request and request["paymentMethod"] not in self.offer.payment_methods:
            self.invalid("Unsupported payment method")

    def check_unlocked_fields(self, request: dict[str, Any]) -> None:
        """Names of fields that can be unlocked."""
        if any(name not in UNLOCKABLE for name in request.get("unlockedFields", ())):
            self.invalid("unlockedFields holds what cannot be unlocked")

    def check_metadata(self, request: dict[str, Any]) -> None:
        """Any values, but the reserved `_externalPartnerId` is a string."""
        if not isinstance(request.get("metadata", {}).get("_externalPartnerId", ""), str):
            self.invalid("metadata._externalPartnerId must be a string")

    def check_ip_address(self, request: dict[str, Any]) -> None:
        """An IPv4 or IPv6 address, also IPv4 mapped into IPv6, if any."""
        if "ipAddress" not in request:
            return
        try:
            ip_address(request["ipAddress"])
        except ValueError as error:
            raise refusals.INVALID.because("ipAddress must be an IPv4 or IPv6 address") from error

    def invalid(self, message: str) -> NoReturn:
        """Raises the refusal for a request that is not as it must be."""
        raise refusals.INVALID.because(message)
