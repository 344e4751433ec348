"""Defects in checking a request's fields (`kryptonim.session.request.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Call

from . import refusals
from .refusals import Refusal
from .request import AMOUNTS
from .service import WidgetSessionService

REQUEST = "kryptonim.session.request"

# Values that any environment takes, one for each field.
GOOD_VALUES: dict[str, Any] = {
    "fiatAmount": Decimal(15),
    "cryptoAmount": Decimal(15),
    "fiatCurrency": "EUR",
    "cryptoCurrency": "USDC",
    "network": "polygon",
    "destinationAddress": "0x0000000000000000000000000000000000000001",
    "email": "user@example.com",
    "paymentMethod": "card",
    "unlockedFields": [],
    "metadata": {},
    "successUrl": "https://app.example.com/success",
    "failureUrl": "https://app.example.com/failure",
    "ipAddress": "203.0.113.42",
}

# Missing and mistyped fields.


def named(field: str) -> str:
    """A field's name as it stands in the name of a defect: `fiatAmount` is fiat-amount."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in field)


def _optional(field: str) -> None:
    @defect(
        f"{named(field)}-missing-accepted",
        breaks=[f"{REQUEST}.required.{field}"],
        summary=f"A request without {field} gets a session.",
    )
    class MissingAccepted(WidgetSessionService):
        def missing(self, name: str) -> str:
            return str(GOOD_VALUES[field]) if name == field else super().missing(name)


def _of_any_type(field: str) -> None:
    @defect(
        f"{named(field)}-of-any-type-accepted",
        breaks=[f"{REQUEST}.type.{field}"],
        summary=f"A {field} of a wrong type is replaced by a default.",
    )
    class AnyTypeAccepted(WidgetSessionService):
        def mistyped(self, name: str, value: Any, expected: str) -> Any:
            return GOOD_VALUES[field] if name == field else super().mistyped(name, value, expected)


for _field in ("fiatCurrency", "cryptoCurrency", "network", "destinationAddress"):
    _optional(_field)
for _field in GOOD_VALUES:
    _of_any_type(_field)


@defect("amount-as-string-accepted", breaks=[f"{REQUEST}.type.fiatAmount", f"{REQUEST}.type.cryptoAmount"])
class AmountAsStringAccepted(WidgetSessionService):
    """An amount that is a decimal number in a string is accepted."""

    def mistyped(self, name: str, value: Any, expected: str) -> Any:
        if name in ("fiatAmount", "cryptoAmount") and isinstance(value, str):
            return Decimal(value) if value.replace(".", "", 1).isdecimal() else Decimal(0)
        return super().mistyped(name, value, expected)


@defect(
    "missing-destination-crash",
    breaks=[f"{REQUEST}.required.destinationAddress"],
    may_break=[f"{REQUEST}.no-server-error"],
)
class MissingDestinationCrash(WidgetSessionService):
    """A request without destinationAddress gives a 500."""

    def missing(self, name: str) -> str:
        if name == "destinationAddress":
            raise LookupError(name)
        return super().missing(name)


# The amounts.


@defect("no-amount-accepted", breaks=[f"{REQUEST}.amount-one-of"])
class NoAmountAccepted(WidgetSessionService):
    """A request with neither amount gets a session."""

    def refuse_no_amount(self, request: dict[str, Any]) -> None:
        """Nothing is refused."""


@defect("both-amounts-accepted", breaks=[f"{REQUEST}.amount-exclusive"])
class BothAmountsAccepted(WidgetSessionService):
    """A request with both amounts gets a session."""

    def refuse_both_amounts(self, request: dict[str, Any]) -> None:
        """Nothing is refused."""


@defect("both-amounts-crash", breaks=[f"{REQUEST}.amount-exclusive"], may_break=[f"{REQUEST}.no-server-error"])
class BothAmountsCrash(WidgetSessionService):
    """A request with both amounts gives a 500."""

    def refuse_both_amounts(self, request: dict[str, Any]) -> None:
        raise LookupError("conversion")


@defect("amount-of-zero-accepted", breaks=[f"{REQUEST}.amount-positive"])
class AmountOfZeroAccepted(WidgetSessionService):
    """An amount of zero is accepted."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return amount == 0 or super().is_amount(amount)


@defect("second-amount-of-zero-accepted", breaks=[f"{REQUEST}.amount-positive"])
class SecondAmountOfZeroAccepted(WidgetSessionService):
    """An amount of zero beside the other one counts as absent."""

    def check_amounts(self, request: dict[str, Any]) -> None:
        if not {*AMOUNTS} - request.keys():
            request = {name: value for name, value in request.items() if name not in AMOUNTS or value != 0}
        super().check_amounts(request)


@defect("negative-amount-accepted", breaks=[f"{REQUEST}.amount-positive"])
class NegativeAmountAccepted(WidgetSessionService):
    """A negative amount is accepted."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return amount < 0 or super().is_amount(amount)


# What is refused although it is promised, a row for each: name, clauses, summary, and which requests.

Applies = Callable[[dict[str, Any]], bool]


def refused(name: str, clauses: list[str], summary: str, applies: Applies, may_break: tuple[str, ...] = ()) -> None:
    """Registers a defect: a request to which it applies is refused."""

    @defect(
        name,
        breaks=[f"{REQUEST}.{clause}" for clause in clauses],
        may_break=may_break,
        summary=summary,
    )
    class Refused(WidgetSessionService):
        def read(self, call: Call) -> dict[str, Any]:
            request = super().read(call)
            if applies(request):
                self.invalid(summary)
            return request


refused(
    "fiat-amount-refused",
    ["fiat-amount"],
    "A request with fiatAmount is refused.",
    lambda request: "fiatAmount" in request,
    (REQUEST,),
)
refused(
    "crypto-amount-refused",
    ["crypto-amount"],
    "A request with cryptoAmount is refused.",
    lambda request: "cryptoAmount" in request,
    (REQUEST,),
)
refused("usd-refused", ["fiat-currency"], "USD is refused.", lambda request: request["fiatCurrency"] == "USD")
refused("eur-refused", ["fiat-currency"], "EUR is refused.", lambda request: request["fiatCurrency"] == "EUR")
refused("usdt-refused", ["testnet"], "USDT is refused.", lambda request: request["cryptoCurrency"] == "USDT")
refused("matic-refused", ["testnet"], "MATIC is refused.", lambda request: request["cryptoCurrency"] == "MATIC")
refused(
    "card-refused",
    ["payment-method"],
    "The payment method card is refused.",
    lambda request: request.get("paymentMethod") == "card",
)
refused(
    "bank-transfer-refused",
    ["payment-method"],
    "The payment method bank_transfer is refused.",
    lambda request: request.get("paymentMethod") == "bank_transfer",
)
refused(
    "ipv6-refused",
    ["ip-forms"],
    "An IPv6 address is refused.",
    lambda request: ":" in request.get("ipAddress", ""),
)
refused(
    "mapped-ipv4-refused",
    ["ip-forms"],
    "An IPv4 address mapped into IPv6 is refused.",
    lambda request: request.get("ipAddress", "").lower().startswith("::ffff:"),
)
refused(
    "ip-address-required",
    ["ip-forms", "optional"],
    "A request without ipAddress is refused.",
    lambda request: "ipAddress" not in request,
    (REQUEST,),
)
refused(
    "email-required",
    ["optional"],
    "A request without email is refused.",
    lambda request: "email" not in request,
    (REQUEST,),
)
refused(
    "success-url-required-with-failure-url",
    ["optional"],
    "A request with failureUrl and without successUrl is refused.",
    lambda request: "failureUrl" in request and "successUrl" not in request,
)
refused(
    "metadata-of-strings-only",
    ["metadata"],
    "Metadata is refused unless every value is a string.",
    lambda request: not all(isinstance(value, str) for value in request.get("metadata", {}).values()),
)
refused(
    "nested-metadata-refused",
    ["metadata"],
    "Metadata that holds an array or an object is refused.",
    lambda request: any(isinstance(value, list | dict) for value in request.get("metadata", {}).values()),
)
refused(
    "external-partner-refused",
    ["metadata"],
    "Metadata with _externalPartnerId is refused.",
    lambda request: "_externalPartnerId" in request.get("metadata", {}),
)
refused(
    "unlocked-email-refused",
    ["unlocked-fields"],
    "email is refused among unlockedFields.",
    lambda request: "email" in request.get("unlockedFields", ()),
)
refused(
    "several-unlocked-fields-refused",
    ["unlocked-fields"],
    "More than one name in unlockedFields is refused.",
    lambda request: len(request.get("unlockedFields", ())) > 1,
)
refused(
    "no-unlocked-fields-refused",
    ["unlocked-fields"],
    "An empty array of unlockedFields is refused.",
    lambda request: request.get("unlockedFields") == [],
)

# What is accepted although it does not exist.


@defect("unknown-network-accepted", breaks=[f"{REQUEST}.network-supported"])
class UnknownNetworkAccepted(WidgetSessionService):
    """A network that does not exist is accepted."""

    def check_network(self, request: dict[str, Any]) -> None:
        """Nothing is checked."""

    def check_crypto_currency(self, request: dict[str, Any]) -> None:
        if request["network"] in self.offer.currencies:
            super().check_crypto_currency(request)


def _network_refused(name: str, summary: str, may_break: tuple[str, ...] = (), **changes: Any) -> None:
    @defect(name, breaks=[f"{REQUEST}.network-supported"], may_break=may_break, summary=summary)
    class NetworkRefused(WidgetSessionService):
        def refuse_network(self, request: dict[str, Any]) -> None:
            raise Refusal(replace(refusals.NETWORK, **changes))


_network_refused("unknown-network-unexplained", "An unknown network gets another message.", message="Bad request")
_network_refused("unknown-network-code", "An unknown network gets another code.", code="UNSUPPORTED_NETWORK")
_network_refused(
    "unknown-network-crash",
    "An unknown network gives a 500.",
    may_break=(f"{REQUEST}.no-server-error",),
    status=500,
)


@defect("unknown-fiat-currency-accepted", breaks=[f"{REQUEST}.fiat-currency-unknown"])
class UnknownFiatCurrencyAccepted(WidgetSessionService):
    """A fiat currency that does not exist is accepted."""

    def check_fiat_currency(self, request: dict[str, Any]) -> None:
        """Nothing is checked."""


@defect("unknown-crypto-currency-accepted", breaks=[f"{REQUEST}.crypto-currency"])
class UnknownCryptoCurrencyAccepted(WidgetSessionService):
    """A crypto currency that does not exist is accepted."""

    def check_crypto_currency(self, request: dict[str, Any]) -> None:
        """Nothing is checked."""
