"""More defects in what may be chosen: currencies, payment methods, optional fields (`kryptonim.session.request.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

from rampcheck.sandbox.defects import defect

from .defects_request import REQUEST, refused
from .service import WidgetSessionService

Fields = dict[str, Any]

# Currencies and networks.

refused(
    "usdt-refused-in-dollars",
    ["fiat-currency"],
    "USDT cannot be bought with US dollars.",
    lambda request: (request["cryptoCurrency"], request["fiatCurrency"]) == ("USDT", "USD"),
)


def _pinned(name: str, clause: str, field: str, summary: str) -> None:
    """Registers a defect: the first value of a field that an e-mail address sends is the only one for it."""

    @defect(name, breaks=[f"{REQUEST}.{clause}"], summary=summary)
    class Pinned(WidgetSessionService):
        def __init__(self, environment: str) -> None:
            super().__init__(environment)
            self._first: dict[str, str] = {}

        def check_payment_method(self, request: Fields) -> None:
            super().check_payment_method(request)
            if "email" in request and field in request and self._kept(request) != request[field]:
                self.invalid(f"{field} differs from that of the session before")

        def _kept(self, request: Fields) -> str:
            return self._first.setdefault(request["email"], request[field])


_pinned(
    "fiat-currency-pinned-to-user",
    "fiat-currency",
    "fiatCurrency",
    "The fiat currency in which an e-mail address pays first is the only one for it.",
)
_pinned(
    "crypto-currency-pinned-to-user",
    "testnet",
    "cryptoCurrency",
    "The crypto currency that an e-mail address buys first is the only one for it.",
)
_pinned(
    "payment-method-pinned-to-user",
    "payment-method",
    "paymentMethod",
    "The payment method of an e-mail address's first session is the only one for it.",
)


@defect("unknown-network-known-when-repeated", breaks=[f"{REQUEST}.network-supported"])
class UnknownNetworkKnownWhenRepeated(WidgetSessionService):
    """An unknown network is refused once: looking it up has added it to those that are known."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._added: set[str] = set()

    def check_network(self, request: Fields) -> None:
        if request["network"] not in self._added:
            self._added.add(request["network"])
            super().check_network(request)
        elif request["network"] not in self.offer.currencies:
            request["network"] = "polygon"


@defect("network-as-pattern", breaks=[f"{REQUEST}.network-supported"])
class NetworkAsPattern(WidgetSessionService):
    """A network is looked up as LIKE of SQL does it: a percent sign in it stands for any letters."""

    def check_network(self, request: Fields) -> None:
        name, percent, _ = request["network"].partition("%")
        known = next((network for network in self.offer.currencies if network.startswith(name)), None)
        if percent and known:
            request["network"] = known
        super().check_network(request)


# Payment methods.

refused(
    "card-refused-without-email",
    ["payment-method"],
    "The payment method card is refused without an e-mail address.",
    lambda request: request.get("paymentMethod") == "card" and "email" not in request,
    (f"{REQUEST}.optional",),
)
refused(
    "bank-transfer-refused-with-crypto-amount",
    ["payment-method"],
    "A cryptoAmount cannot be paid by bank_transfer.",
    lambda request: request.get("paymentMethod") == "bank_transfer" and "cryptoAmount" in request,
)

# IP addresses.

refused(
    "ipv6-refused-in-full",
    ["ip-forms"],
    "An IPv6 address is refused unless it is written in its shortest form.",
    lambda request: (
        ":" in request.get("ipAddress", "")
        and "." not in request["ipAddress"]
        and str(ip_address(request["ipAddress"])) != request["ipAddress"].lower()
    ),
)
refused(
    "ip-address-of-fifteen-characters-refused",
    ["ip-forms"],
    "An ipAddress of 15 characters or more is refused: the column is one too short.",
    lambda request: len(request.get("ipAddress", "")) >= 15,
)

# Metadata.

refused(
    "metadata-with-null-refused",
    ["metadata"],
    "Metadata that holds null is refused.",
    lambda request: any(value is None for value in request.get("metadata", {}).values()),
)
refused(
    "metadata-names-as-identifiers-only",
    ["metadata"],
    "Metadata is refused if a name in it is no identifier in ASCII.",
    lambda request: not all(re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) for name in request.get("metadata", {})),
)
refused(
    "number-in-metadata-through-int64",
    ["metadata"],
    "Metadata with a number beyond 64 bits is refused.",
    lambda request: any(
        not isinstance(value, bool | str | list | dict) and value is not None and abs(value) >= 1 << 63
        for value in request.get("metadata", {}).values()
    ),
)

# Unlocked fields.

refused(
    "unlocked-field-not-sent-refused",
    ["unlocked-fields"],
    "A field that is not in the request cannot be unlocked.",
    lambda request: not {str(name) for name in request.get("unlockedFields", ())} <= request.keys(),
    (f"{REQUEST}.optional",),
)
refused(
    "unlocked-fields-in-alphabetical-order-only",
    ["unlocked-fields"],
    "The names in unlockedFields are refused in another order than the documented one.",
    lambda request: request.get("unlockedFields", [])[:2] == ["failureUrl", "successUrl"],
)
refused(
    "all-unlocked-fields-refused",
    ["unlocked-fields"],
    "Eight names in unlockedFields are refused: the limit is off by one.",
    lambda request: len(request.get("unlockedFields", ())) >= 8,
)

# Optional fields.

refused(
    "failure-url-required-with-success-url",
    ["optional"],
    "A request with successUrl and without failureUrl is refused.",
    lambda request: "successUrl" in request and "failureUrl" not in request,
    ("kryptonim.session.widget-url-private",),
)
refused(
    "payment-method-required-with-metadata",
    ["optional"],
    "A request with metadata and without paymentMethod is refused.",
    lambda request: "metadata" in request and "paymentMethod" not in request,
    (f"{REQUEST}.metadata", "kryptonim.auth.signature-bytes"),
)


@defect("email-required-once-known", breaks=[f"{REQUEST}.optional"], may_break=[f"{REQUEST}.ip-forms"])
class EmailRequiredOnceKnown(WidgetSessionService):
    """A caller's address that has sent an e-mail address before must send one, if it tells its ipAddress."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._known: set[str] = set()

    def check_ip_address(self, request: Fields) -> None:
        super().check_ip_address(request)
        address = request.get("ipAddress")
        if "email" in request:
            self._known.add(str(address))
        elif address in self._known:
            self.invalid("email is required")
