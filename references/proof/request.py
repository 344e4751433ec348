"""What a session request must look like: media type, JSON, fields and their values."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NoReturn

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.refusal import PostedJson
from rampcheck.sandbox.wire import Call

from . import refusals

DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
TYPES = ("buy", "sell")


@dataclass(frozen=True)
class SessionRequest:
    """A valid session request; None stands for an optional field that was not sent."""

    partner_user_id: str
    user_email: str
    network: str
    currency: str
    amount: str
    type: str | None = None
    redirect_url: str | None = None
    client_ip: str | None = None
    address: str | None = None


class RequestReading(PostedJson):
    """Reads a session request, one decision a method, each of which may raise `Refusal` (session page)."""

    METHOD, MEDIA_TYPE, SIZE = refusals.METHOD, refusals.MEDIA_TYPE, refusals.SIZE

    def read(self, call: Call) -> SessionRequest:
        """The request in the call's body."""
        self.check_method(call)
        self.check_media_type(call)
        self.check_size(call)
        request = self.request_from(self.decode(call.body))
        self.check_amount(request.amount)
        self.check_email(request.user_email)
        self.check_type(request.type)
        self.check_client_ip(request.client_ip)
        return request

    def decode(self, body: bytes) -> dict[str, Any]:
        """The JSON object in the body."""
        try:
            document = self.parse(body)
        except strict_json.NotJsonError as error:
            raise refusals.DECODE.because(f"The body is {error}.") from error
        return document if isinstance(document, dict) else self.refuse_non_object(document)

    def parse(self, body: bytes) -> Any:
        """The JSON value in the body. Raises `NotJsonError`."""
        return strict_json.parse(body)

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        """JSON, but no object."""
        raise refusals.DECODE.because("The body is JSON, but not an object.")

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        """The documented fields of the object; all others are ignored."""
        return SessionRequest(
            partner_user_id=self.required(document, "partner_user_id"),
            user_email=self.required(document, "user_email"),
            network=self.required(document, "network"),
            currency=self.required(document, "currency"),
            amount=self.required(document, "amount"),
            type=self.optional(document, "type"),
            redirect_url=self.optional(document, "redirect_url"),
            client_ip=self.optional(document, "client_ip"),
            address=self.optional(document, "address"),
        )

    def required(self, document: Mapping[str, Any], name: str) -> str:
        """A required field: a string that is not empty."""
        if name not in document:
            return self.missing(name)
        value = document[name]
        if not isinstance(value, str):
            return self.mistyped(name, value)
        if not value:
            return self.empty(name)
        return value

    def missing(self, name: str) -> str:
        """A required field is absent."""
        self.invalid(f"{name} is required.")

    def mistyped(self, name: str, value: Any) -> str:
        """A required field is no string."""
        self.invalid(f"{name} must be a string.")

    def empty(self, name: str) -> str:
        """A required field is the empty string."""
        self.invalid(f"{name} must not be empty.")

    def optional(self, document: Mapping[str, Any], name: str) -> str | None:
        """An optional field: absent (None) or a string; null is no string."""
        value = document.get(name)
        if name in document and not isinstance(value, str):
            return self.mistyped_optional(name, value)
        return value

    def mistyped_optional(self, name: str, value: Any) -> str | None:
        """An optional field is there and is no string."""
        self.invalid(f"{name} must be a string.")

    def check_amount(self, amount: str) -> None:
        """A decimal number in ASCII digits, above zero."""
        if not self.is_decimal(amount):
            self.invalid("amount must be a decimal number, such as 99.50.")
        if not self.is_positive(amount):
            self.invalid("amount must be above zero.")

    def is_decimal(self, amount: str) -> bool:
        """Whether the amount is digits, with or without a fraction."""
        return DECIMAL.fullmatch(amount) is not None

    def is_positive(self, amount: str) -> bool:
        """Whether a decimal without a sign is above zero: some digit is not 0, however many there are."""
        return amount.strip("0.") != ""

    def check_email(self, email: str) -> None:
        """One @ with something before it, and a dotted domain after it."""
        if EMAIL.fullmatch(email) is None:
            self.invalid("user_email must be an e-mail address.")

    def check_type(self, requested: str | None) -> None:
        """buy or sell, in lower case, if sent at all."""
        if requested is not None and requested not in TYPES:
            self.invalid("type must be buy or sell.")

    def check_client_ip(self, client_ip: str | None) -> None:
        """An IPv4 or IPv6 address, if sent at all."""
        if client_ip is None:
            return
        try:
            ip_address(client_ip)
        except ValueError as error:
            raise refusals.VALIDATION.because("client_ip must be an IPv4 or IPv6 address.") from error

    def invalid(self, message: str) -> NoReturn:
        """Raises the refusal for a field that is not as it must be."""
        raise refusals.VALIDATION.because(message)
