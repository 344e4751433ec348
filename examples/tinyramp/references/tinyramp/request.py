"""What a session request must look like."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.refusal import PostedJson, Refusal
from rampcheck.sandbox.wire import Call

from . import refusals

REQUIRED = ("asset", "amount", "wallet")
ASSETS = ("BTC", "ETH", "USDC")
AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,8})?")
LONGEST = 3600  # seconds


class RequestReading(PostedJson):
    """Reads a session request, one decision a method, each of which may raise `Refusal`."""

    METHOD, MEDIA_TYPE, SIZE = refusals.METHOD, refusals.MEDIA_TYPE, refusals.SIZE

    def read(self, call: Call) -> dict[str, Any]:
        """The members of the request that were sent and are not null."""
        self.check_media_type(call)
        self.check_size(call)
        request = {name: value for name, value in self.decode(call.body).items() if value is not None}
        self.check_required(request)
        self.check_types(request)
        self.check_asset(request)
        self.check_amount(request)
        self.check_lifetime(request)
        return request

    def decode(self, body: bytes) -> dict[str, Any]:
        """The JSON object in the body."""
        try:
            document = strict_json.parse(body)
        except strict_json.NotJsonError as error:
            raise self.malformed(f"The body is {error}") from error
        return document if isinstance(document, dict) else self.not_an_object(document)

    def malformed(self, message: str) -> Refusal:
        """The refusal of a body that is no JSON."""
        return refusals.INVALID.because(message)

    def not_an_object(self, _: Any) -> dict[str, Any]:
        """The body is JSON, but no object."""
        raise refusals.INVALID.because("The body is no JSON object")

    def check_required(self, request: dict[str, Any]) -> None:
        """There are an asset, an amount and a wallet."""
        for name in REQUIRED:
            if name not in request:
                self.missing(request, name)

    def missing(self, _request: dict[str, Any], name: str) -> None:
        """A required member is absent."""
        raise refusals.INVALID.because(f"{name} is required")

    def check_types(self, request: dict[str, Any]) -> None:
        """Strings, and a whole number of seconds."""
        for name in (*REQUIRED, "reference"):
            if not isinstance(request.get(name, ""), str):
                self.mistyped(request, name)
        if not isinstance(request.get("expires_in", Decimal(1)), Decimal):
            self.mistyped(request, "expires_in")

    def mistyped(self, _request: dict[str, Any], name: str) -> None:
        """A member is of another JSON type."""
        raise refusals.INVALID.because(f"{name} is of the wrong type")

    def check_asset(self, request: dict[str, Any]) -> None:
        """An asset that is offered."""
        if not self.is_asset(request["asset"]):
            raise refusals.INVALID.because("There is no such asset")

    def is_asset(self, asset: str) -> bool:
        """Whether it is offered."""
        return asset in ASSETS

    def check_amount(self, request: dict[str, Any]) -> None:
        """A plain decimal number above zero."""
        if not self.is_amount(request["amount"]):
            raise refusals.INVALID.because("amount must be above zero, with at most eight decimal places")

    def is_amount(self, amount: str) -> bool:
        """Whether it is a plain decimal number above zero."""
        return AMOUNT.fullmatch(amount) is not None and amount.strip("0.") != ""

    def check_lifetime(self, request: dict[str, Any]) -> None:
        """From a second to an hour, where it is asked for."""
        if not 1 <= request.get("expires_in", 1) <= LONGEST:
            raise refusals.INVALID.because(f"expires_in is from 1 to {LONGEST}")
