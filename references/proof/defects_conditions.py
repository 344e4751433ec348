"""Defects of rules that hold for a plain request only: what a sell, or an option beside it, is not held to."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect, defects

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .request import DECIMAL, SessionRequest
from .service import SessionService
from .session_changes import FOLLOWING, SESSION

Fields = Mapping[str, Any]
# Where a request that has to be refused is not: what it is read as.
_read_as = defects(
    SessionService,
    "request_from",
    lambda condition, mended, _, inherited, document: inherited(
        document | mended(document) if condition(document) else document
    ),
    section=f"{SESSION}.request",
)


def sells(document: Fields) -> bool:
    """Whether a body asks for a sell."""
    return document.get("type") == "sell"


def has(name: str) -> Callable[[Fields], bool]:
    """Gives whether a body has a field."""
    return lambda document: name in document


def _amount(otherwise: Callable[[Any], bool], value: str) -> Callable[[Fields], Fields]:
    return lambda document: {"amount": value} if otherwise(document.get("amount")) else {}


def _of_no_digits(amount: object) -> bool:
    return isinstance(amount, str) and DECIMAL.fullmatch(amount) is None


def _zero(amount: object) -> bool:
    return isinstance(amount, str) and DECIMAL.fullmatch(amount) is not None and not amount.strip("0.")


ECHOED = ["proof.session.amount-echo", *FOLLOWING]
_read_as(
    "zero-is-one-in-sell",
    ["amount-positive"],
    "An amount of zero is taken for one in a sell.",
    sells,
    _amount(_zero, "1"),
    may_break=ECHOED,
)
_read_as(
    "amount-not-read-in-sell",
    ["amount-decimal"],
    "An amount that is no number is taken for one in a sell.",
    sells,
    _amount(_of_no_digits, "1"),
    may_break=["amount-positive", "required", "type", "empty", *ECHOED],
)
_read_as(
    "amount-missing-accepted-in-sell",
    ["required.amount"],
    "The amount may be missing in a sell.",
    sells,
    lambda document: {} if "amount" in document else {"amount": "1"},
)
_read_as(
    "email-missing-accepted-with-client-ip",
    ["required.user_email"],
    "With a client_ip nobody's e-mail address is needed.",
    has("client_ip"),
    lambda document: {} if "user_email" in document else {"user_email": "nobody@example.com"},
)
_read_as(
    "email-not-checked-with-redirect-url",
    ["email-format"],
    "With a redirect_url any string is an e-mail address.",
    has("redirect_url"),
    lambda document: {"user_email": "nobody@example.com"} if isinstance(document.get("user_email"), str) else {},
    may_break=["empty"],
)
_read_as(
    "number-as-amount-accepted-in-sell",
    ["type.amount"],
    "The amount may be a number in a sell.",
    sells,
    lambda document: (
        {"amount": str(document["amount"])}
        if isinstance(document.get("amount"), Decimal | float) and 0 < document["amount"] < 1000
        else {}
    ),
)
_read_as(
    "unknown-type-ignored-with-client-ip",
    ["type-enum"],
    "With a client_ip a type that is none is taken for a buy.",
    has("client_ip"),
    lambda document: (
        {"type": "buy"} if isinstance(document.get("type"), str) and document["type"] not in ("buy", "sell") else {}
    ),
)
_read_as(
    "client-ip-of-any-type-accepted-with-address",
    ["type.optional"],
    "Beside an address a client_ip of any type is taken for none.",
    has("address"),
    lambda document: {} if isinstance(document.get("client_ip", ""), str) else {"client_ip": "203.0.113.1"},
)
_read_as(
    "fraction-as-amount-accepted",
    ["type.amount"],
    "The amount may be a number with a fraction.",
    has("amount"),
    lambda document: (
        {"amount": str(document["amount"])}
        if isinstance(document["amount"], float) and 0 < document["amount"] < 1000
        else {}
    ),
)


@defect(
    "currency-not-checked-in-sell",
    breaks=[f"{SESSION}.request.currency-enabled"],
    may_break=[f"{SESSION}.request.wallet-provisioned"],
)
class CurrencyNotCheckedInSell(SessionService):
    """In a sell any currency is served, from the wallet of the first one."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if request.type != "sell":
            super().check_currency(partner, request)

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        if request.currency in partner.currencies or request.type != "sell":
            return super().wallet(partner, request)
        return next(iter(partner.wallets.values()))


@defect("pair-without-wallet-served-in-sell", breaks=[f"{SESSION}.request.wallet-provisioned"])
class PairWithoutWalletServedInSell(SessionService):
    """In a sell a currency is served on any network, from the wallet that it has on another one."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        for (currency, network), address in partner.wallets.items():
            if currency == request.currency and (network == request.network or request.type == "sell"):
                return address
        raise Refusal(refusals.WALLET)
