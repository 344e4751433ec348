"""More defects of the required fields and of the amounts (`kryptonim.session.request.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect, defects

from . import refusals
from .defects_request import GOOD_VALUES, REQUEST, named, refused
from .refusals import Refusal
from .request import AMOUNTS, REQUIRED
from .service import WidgetSessionService

Document = dict[str, Any]

# The required fields.


def _remembered(field: str) -> None:
    """Registers a defect: a field that is left out keeps the value of the request before."""

    @defect(
        f"{named(field)}-missing-taken-from-last-request",
        breaks=[f"{REQUEST}.required.{field}"],
        summary=f"A request without {field} gets the one of the request before, whoever sent it.",
    )
    class Remembered(WidgetSessionService):
        _last: str | None = None

        def required(self, document: Document, name: str) -> Any:
            if name == field and name not in document and self._last is not None:
                return self._last
            value = super().required(document, name)
            if name == field:
                self._last = value
            return value


def _told_as_success(field: str) -> None:
    """Registers a defect: the error for a missing field has the status of a success."""

    @defect(
        f"{named(field)}-missing-told-as-success",
        breaks=[f"{REQUEST}.required.{field}"],
        may_break=["kryptonim.session.complete", f"{REQUEST}.required", f"{REQUEST}.amount"],
        summary=f"A request without {field} gets the right error with status 200.",
    )
    class ToldAsSuccess(WidgetSessionService):
        def missing(self, name: str) -> str:
            if name == field:
                raise Refusal(replace(refusals.INVALID, status=200))
            return super().missing(name)


def _guessed(field: str, summary: str, applies: Callable[[Document], bool]) -> None:
    """Registers a defect: a missing field is guessed for requests to which it applies."""

    @defect(f"{named(field)}-missing-guessed", breaks=[f"{REQUEST}.required.{field}"], summary=summary)
    class Guessed(WidgetSessionService):
        def fields_of(self, document: Document) -> Document:
            if field not in document and applies(document):
                return super().fields_of({**document, field: GOOD_VALUES[field]})
            return super().fields_of(document)


for _field in REQUIRED:
    _remembered(_field)
    _told_as_success(_field)
_guessed(
    "fiatCurrency",
    "A request without fiatCurrency and with cryptoAmount gets a price in euros.",
    lambda document: "cryptoAmount" in document,
)
_guessed(
    "cryptoCurrency",
    "A request without cryptoCurrency that is paid by card gets the default one.",
    lambda document: document.get("paymentMethod") == "card",
)
_guessed(
    "network",
    "A request for MATIC without network gets the chain of that name.",
    lambda document: document.get("cryptoCurrency") == "MATIC",
)
_guessed(
    "destinationAddress",
    "A request with an e-mail address and without destinationAddress gets a wallet of its own.",
    lambda document: "email" in document,
)

# No amount.


@defect("no-amount-accepted-where-unlocked", breaks=[f"{REQUEST}.amount-one-of"])
class NoAmountAcceptedWhereUnlocked(WidgetSessionService):
    """A request without amount is accepted if an amount is unlocked, for the user will enter it."""

    def refuse_no_amount(self, request: Document) -> None:
        if not {"fiatAmount", "cryptoAmount"} & set(map(str, request.get("unlockedFields", ()))):
            super().refuse_no_amount(request)


@defect("no-amount-accepted-for-known-wallet", breaks=[f"{REQUEST}.amount-one-of"])
class NoAmountAcceptedForKnownWallet(WidgetSessionService):
    """A request without amount gets the one that was last asked for with the same wallet."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._wallets: set[str] = set()

    def check_amounts(self, request: Document) -> None:
        if not request.keys() & {"fiatAmount", "cryptoAmount"} and request["destinationAddress"] in self._wallets:
            return
        super().check_amounts(request)
        self._wallets.add(request["destinationAddress"])


@defect("amount-under-its-old-name", breaks=[f"{REQUEST}.amount-one-of"])
class AmountUnderItsOldName(WidgetSessionService):
    """A request whose only amount is called amount is accepted, as by an earlier version."""

    def fields_of(self, document: Document) -> Document:
        fields = super().fields_of(document)
        old = document.get("amount")
        if isinstance(old, Decimal | float) and not fields.keys() & {"fiatAmount", "cryptoAmount"}:
            fields["fiatAmount"] = old
        return fields


# Both amounts.


# Both amounts are accepted in requests to which it applies.
_both_accepted = defects(
    WidgetSessionService,
    "refuse_both_amounts",
    lambda applies, _, inherited, request: None if applies(request) else inherited(request),
    breaks=[f"{REQUEST}.amount-exclusive"],
)
_both_accepted(
    "both-amounts-accepted-if-equal",
    "Both amounts are accepted if they are equal.",
    lambda request: bool(request["fiatAmount"] == request["cryptoAmount"]),
)
_both_accepted(
    "both-amounts-accepted-in-dollars",
    "Both amounts are accepted in US dollars.",
    lambda request: bool(request["fiatCurrency"] == "USD"),
)
_both_accepted(
    "both-amounts-accepted-below-one",
    "A second amount below 1 is rounded to none.",
    lambda request: min(request["fiatAmount"], request["cryptoAmount"]) < 1,
)


@defect("crypto-amount-first-beats-fiat-amount", breaks=[f"{REQUEST}.amount-exclusive"])
class CryptoAmountFirstBeatsFiatAmount(WidgetSessionService):
    """Of both amounts, fiatAmount is passed over if it comes second in the body."""

    def fields_of(self, document: Document) -> Document:
        amounts = [name for name in document if name in AMOUNTS]
        ignored = amounts[1:] if amounts[:1] == ["cryptoAmount"] else []
        return super().fields_of({name: value for name, value in document.items() if name not in ignored})


# One amount, refused.


def _is_whole(amount: Decimal | float) -> bool:
    return amount == int(amount)


refused(
    "fiat-amount-in-whole-units-only",
    ["fiat-amount"],
    "A fiatAmount with cents is refused.",
    lambda request: not _is_whole(request.get("fiatAmount", 0)),
    (f"{REQUEST}.no-server-error",),
)
refused(
    "crypto-amount-in-whole-units-only",
    ["crypto-amount"],
    "A cryptoAmount with a fraction is refused.",
    lambda request: not _is_whole(request.get("cryptoAmount", 0)),
)
refused(
    "fiat-amount-refused-in-dollars",
    ["fiat-amount", "fiat-currency"],
    "A fiatAmount in US dollars is refused.",
    lambda request: "fiatAmount" in request and request["fiatCurrency"] == "USD",
    (f"{REQUEST}.testnet",),
)
refused(
    "crypto-amount-refused-in-euros",
    ["crypto-amount"],
    "A cryptoAmount that is paid in euros is refused.",
    lambda request: "cryptoAmount" in request and request["fiatCurrency"] == "EUR",
    (f"{REQUEST}.fiat-currency",),
)
refused(
    "crypto-amount-refused-for-matic",
    ["testnet"],
    "A cryptoAmount of MATIC is refused.",
    lambda request: "cryptoAmount" in request and request["cryptoCurrency"] == "MATIC",
)


def _one_kind_only(name: str, other: str, clause: str) -> None:
    """Registers a defect: an e-mail address that has asked for one kind of amount cannot ask for `name`."""

    @defect(
        f"{named(name)}-refused-after-{named(other)}",
        breaks=[f"{REQUEST}.{clause}"],
        may_break=[f"{REQUEST}.payment-method"],
        summary=f"An e-mail address for which {other} was sent is refused with {name} from then on.",
    )
    class OneKindOnly(WidgetSessionService):
        def __init__(self, environment: str) -> None:
            super().__init__(environment)
            self._other: set[str] = set()

        def check_amounts(self, request: Document) -> None:
            super().check_amounts(request)
            email = request.get("email")
            if name in request and email in self._other:
                self.invalid(f"This user buys by {other}")
            if other in request and email is not None:
                self._other.add(email)


_one_kind_only("fiatAmount", "cryptoAmount", "fiat-amount")
_one_kind_only("cryptoAmount", "fiatAmount", "crypto-amount")
