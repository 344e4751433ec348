"""Defects that show in a combination only: of one field, amount or currency with another one."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from .defects_request import GOOD_VALUES, REQUEST, refused
from .request import AMOUNTS
from .service import LIFETIME, WidgetSessionService

Fields = dict[str, Any]

# Refused though either part of it is accepted: the clause is blamed that speaks of it most.

refused(
    "ipv6-refused-with-crypto-amount",
    ["ip-forms"],
    "A cryptoAmount is refused where ipAddress is IPv6.",
    lambda request: "cryptoAmount" in request and ":" in request.get("ipAddress", ""),
)
refused(
    "metadata-refused-with-unlocked-fields",
    ["metadata"],
    "Metadata are refused where fields are unlocked.",
    lambda request: bool(request.get("metadata")) and bool(request.get("unlockedFields")),
    (f"{REQUEST}.unlocked-fields",),
)
refused(
    "email-refused-with-bank-transfer",
    ["payment-method"],
    "A bank_transfer is refused where an e-mail address is given.",
    lambda request: request.get("paymentMethod") == "bank_transfer" and "email" in request,
)
refused(
    "success-url-refused-for-matic",
    ["testnet"],
    "MATIC is refused where a successUrl is given.",
    lambda request: request["cryptoCurrency"] == "MATIC" and "successUrl" in request,
)
refused(
    "unlocked-fields-refused-in-dollars",
    ["unlocked-fields"],
    "Fields cannot be unlocked in US dollars.",
    lambda request: request["fiatCurrency"] == "USD" and bool(request.get("unlockedFields")),
)
refused(
    "bank-transfer-refused-for-usdt",
    ["payment-method"],
    "USDT cannot be paid by bank_transfer.",
    lambda request: request["cryptoCurrency"] == "USDT" and request.get("paymentMethod") == "bank_transfer",
)
refused(
    "bank-transfer-refused-with-crypto-amount-in-dollars",
    ["payment-method"],
    "A cryptoAmount in US dollars cannot be paid by bank_transfer.",
    lambda request: (
        request.get("paymentMethod") == "bank_transfer"
        and "cryptoAmount" in request
        and request["fiatCurrency"] == "USD"
    ),
)
refused(
    "metadata-refused-with-crypto-amount",
    ["metadata"],
    "Metadata are refused with a cryptoAmount.",
    lambda request: "cryptoAmount" in request and bool(request.get("metadata")),
)

refused(
    "email-refused-with-failure-url",
    ["optional"],
    "A failureUrl is refused where an e-mail address is given.",
    lambda request: "email" in request and "failureUrl" in request,
)
refused(
    "ipv6-in-capitals-refused",
    ["ip-forms"],
    "An IPv6 address with capitals is refused.",
    lambda request: request.get("ipAddress", "").lower() != request.get("ipAddress", ""),
)
refused(
    "ip-address-of-forty-characters-refused",
    ["ip-forms"],
    "An ipAddress of more than 39 characters is refused: the column is that of IPv6 without a mapped one.",
    lambda request: len(request.get("ipAddress", "")) > 39,
)

# Accepted though it is refused otherwise.


@defect("both-amounts-accepted-with-metadata", breaks=[f"{REQUEST}.amount-exclusive"])
class BothAmountsAcceptedWithMetadata(WidgetSessionService):
    """Both amounts are accepted in a request with metadata."""

    def refuse_both_amounts(self, request: Fields) -> None:
        if not request.get("metadata"):
            super().refuse_both_amounts(request)


@defect("both-amounts-accepted-where-unlocked", breaks=[f"{REQUEST}.amount-exclusive"])
class BothAmountsAcceptedWhereUnlocked(WidgetSessionService):
    """Both amounts are accepted where one of them is unlocked."""

    def refuse_both_amounts(self, request: Fields) -> None:
        if not set(AMOUNTS) & set(map(str, request.get("unlockedFields", ()))):
            super().refuse_both_amounts(request)


@defect("no-amount-accepted-for-bank-transfer", breaks=[f"{REQUEST}.amount-one-of"])
class NoAmountAcceptedForBankTransfer(WidgetSessionService):
    """A request without amount is accepted if it is paid by bank_transfer."""

    def refuse_no_amount(self, request: Fields) -> None:
        if request.get("paymentMethod") != "bank_transfer":
            super().refuse_no_amount(request)


def _missing_where_unlocked(name: str, field: str) -> None:
    @defect(
        name,
        breaks=[f"{REQUEST}.required.{field}"],
        summary=f"A request without {field} is accepted where it is unlocked.",
    )
    class MissingWhereUnlocked(WidgetSessionService):
        def fields_of(self, document: Fields) -> Fields:
            unlocked = document.get("unlockedFields")
            if field not in document and isinstance(unlocked, list) and field in unlocked:
                document = {**document, field: GOOD_VALUES[field]}
            return super().fields_of(document)


_missing_where_unlocked("network-missing-accepted-where-unlocked", "network")
_missing_where_unlocked("fiat-currency-missing-accepted-where-unlocked", "fiatCurrency")


@defect("zero-accepted-in-dollars", breaks=[f"{REQUEST}.amount-positive"])
class ZeroAcceptedInDollars(WidgetSessionService):
    """An amount of zero is accepted in US dollars."""

    def check_amounts(self, request: Fields) -> None:
        zero = [name for name in AMOUNTS if request.get(name) == 0]
        if zero and request["fiatCurrency"] == "USD":
            request = {**request, zero[0]: Decimal(1)}
        super().check_amounts(request)


@defect("unknown-network-accepted-for-crypto-amount", breaks=[f"{REQUEST}.network-supported"])
class UnknownNetworkAcceptedForCryptoAmount(WidgetSessionService):
    """The network is not looked at where a cryptoAmount is bought."""

    def check_network(self, request: Fields) -> None:
        if "cryptoAmount" in request and request["network"] not in self.offer.currencies:
            request["network"] = "polygon"
        super().check_network(request)


@defect("unknown-network-message-for-crypto-amount", breaks=[f"{REQUEST}.network-supported"])
class UnknownNetworkMessageForCryptoAmount(WidgetSessionService):
    """An unknown network gets another message where a cryptoAmount is bought."""

    def refuse_network(self, request: Fields) -> None:
        if "cryptoAmount" in request:
            self.invalid("Network not available")
        super().refuse_network(request)


# Otherwise in a session.

_url = defects(
    WidgetSessionService,
    "widget_url",
    lambda told, _, inherited, request, call: f"{inherited(request, call)}{told(request)}",
    breaks=["kryptonim.session.widget-url-private"],
)
_url(
    "email-in-widget-url-for-crypto-amount",
    "The widget's URL shows the e-mail address where a cryptoAmount is bought.",
    lambda request: f"&user={quote(request.get('email', ''))}" if "cryptoAmount" in request else "",
)
_url(
    "failure-url-in-widget-url-for-bank-transfer",
    "The widget's URL shows the failureUrl where it is paid by bank_transfer.",
    lambda request: (
        f"&back={quote(request.get('failureUrl', ''), safe='')}"
        if request.get("paymentMethod") == "bank_transfer"
        else ""
    ),
)
_url(
    "numbers-of-metadata-in-widget-url",
    "The widget's URL shows the numbers among the metadata.",
    lambda request: "".join(
        f"&n={value}" for value in request.get("metadata", {}).values() if isinstance(value, Decimal) and value > 10**8
    ),
)


@defect("expires-late-for-crypto-amount-in-dollars", breaks=["kryptonim.session.expires-at"])
class ExpiresLateForCryptoAmountInDollars(WidgetSessionService):
    """The session for a cryptoAmount in US dollars expires after an hour."""

    def session(self, request: Fields, call: Call) -> Fields:
        session = super().session(request, call)
        if "cryptoAmount" in request and request["fiatCurrency"] == "USD":
            session["expiresAt"] = self.time_text(datetime.now(UTC) + 2 * LIFETIME)
        return session


@defect("expires-early-with-metadata-for-matic", breaks=["kryptonim.session.expires-at"])
class ExpiresEarlyWithMetadataForMatic(WidgetSessionService):
    """The session for MATIC with metadata expires after 5 minutes."""

    def session(self, request: Fields, call: Call) -> Fields:
        session = super().session(request, call)
        if request["cryptoCurrency"] == "MATIC" and request.get("metadata"):
            session["expiresAt"] = self.time_text(datetime.now(UTC) + timedelta(minutes=5))
        return session


@defect("widget-url-of-the-user-before", breaks=["kryptonim.session.widget-url-private"])
class WidgetUrlOfTheUserBefore(WidgetSessionService):
    """The widget's URL shows the e-mail address of the request before, whoever sent it."""

    _before = ""

    def widget_url(self, request: Fields, call: Call) -> str:
        before, self._before = self._before, request.get("email", "")
        return f"{super().widget_url(request, call)}&user={quote(before)}"


@defect("both-amounts-accepted-for-usdt", breaks=[f"{REQUEST}.amount-exclusive"])
class BothAmountsAcceptedForUsdt(WidgetSessionService):
    """A request for USDT may have both amounts."""

    def check_amounts(self, request: Fields) -> None:
        if request.get("cryptoCurrency") == "USDT" and all(name in request for name in AMOUNTS):
            request = {name: value for name, value in request.items() if name != "fiatAmount"}
        super().check_amounts(request)
