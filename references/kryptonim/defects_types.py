"""Defects of types: what is empty, or holds the right value, in a wrong one; numbers that JSON does not know."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.strict_json import NotJsonError

from .defects_request import GOOD_VALUES, REQUEST, named
from .service import WidgetSessionService

# Of a wrong type, and taken for the field left out, or for what it holds.


def _taken(what: str, field: str, summary: str, is_taken: Callable[[Any], bool]) -> None:
    """Registers a defect: a value of a wrong type is taken."""

    @defect(f"{named(field)}-{what}-accepted", breaks=[f"{REQUEST}.type.{field}"], summary=summary)
    class Taken(WidgetSessionService):
        def mistyped(self, name: str, value: Any, expected: str) -> Any:
            return GOOD_VALUES[field] if name == field and is_taken(value) else super().mistyped(name, value, expected)


_taken("of-zero", "email", "An email of 0 counts as none.", lambda value: value == 0 and value is not False)
_taken("of-false", "paymentMethod", "A paymentMethod of false counts as none.", lambda value: value is False)
_taken("as-empty-array", "metadata", "Metadata of [] count as none.", lambda value: value == [])
_taken("as-empty-object", "unlockedFields", "unlockedFields of {} count as none.", lambda value: value == {})
_taken("as-empty-string", "cryptoAmount", 'A cryptoAmount of "" becomes a default.', lambda value: value == "")
_taken("as-empty-array", "network", "A network of [] becomes the default.", lambda value: value == [])
_taken(
    "in-array",
    "fiatCurrency",
    "A fiatCurrency in an array is taken out of it.",
    lambda value: value in (["EUR"], ["USD"]),
)
_taken(
    "in-array",
    "successUrl",
    "A successUrl in an array is taken out of it.",
    lambda value: isinstance(value, list) and str(value[:1]).startswith("['https://"),
)
_taken(
    "as-name",
    "unlockedFields",
    "unlockedFields may be the name of one field in place of an array.",
    lambda value: value in ("email", "fiatAmount", "network"),
)
_taken(
    "as-json-text",
    "metadata",
    "Metadata may be an object that is written as JSON in a string.",
    lambda value: isinstance(value, str) and value.startswith("{"),
)


@defect("external-partner-id-as-empty-object-accepted", breaks=[f"{REQUEST}.type.metadata"])
class ExternalPartnerIdAsEmptyObjectAccepted(WidgetSessionService):
    """An _externalPartnerId that is empty, of whatever type, counts as none."""

    def check_metadata(self, request: dict[str, Any]) -> None:
        metadata = request.get("metadata", {})
        if metadata.get("_externalPartnerId"):
            super().check_metadata(request)


# Numbers.


def _lenient(name: str, summary: str, pattern: str, written: Callable[[re.Match[bytes]], bytes]) -> None:
    """Registers a defect: what JSON does not know is read all the same."""

    @defect(name, breaks=[f"{REQUEST}.malformed-json"], summary=summary)
    class Lenient(WidgetSessionService):
        def refuse_malformed(self, body: bytes, error: NotJsonError) -> dict[str, Any]:
            mended = re.sub(pattern.encode(), written, body)
            try:
                document = json.loads(mended, parse_int=Decimal)
            except (ValueError, RecursionError):
                document = None
            if mended == body or not isinstance(document, dict):
                return super().refuse_malformed(body, error)
            return document


_lenient("underscores-in-numbers-accepted", "1_5 is the number 15.", r"(?<=\d)_(?=\d)", lambda _: b"")
_lenient("leading-zeros-accepted", "015 is the number 15.", r"(?<=:)0+(?=[1-9])", lambda _: b"")
_lenient("plus-sign-accepted", "+15 is the number 15.", r"(?<=:)\+(?=\d)", lambda _: b"")
_lenient(
    "hexadecimal-accepted",
    "0xF is the number 15.",
    r"(?<=:)0x[0-9A-Fa-f]+",
    lambda number: str(int(number[0], 16)).encode(),
)
_lenient(
    "names-without-quotes-accepted",
    "A member's name needs no quotes.",
    r"([{,]\s*)(\w+)(?=\s*:)",
    lambda found: found[1] + b'"' + found[2] + b'"',
)
_lenient("control-characters-accepted", "A string may hold control characters.", r"[\x00-\x1f]", lambda _: b" ")
_lenient("comments-accepted", "A comment in the JSON is passed over.", r"/\*.*?\*/|//[^\n\"]*", lambda _: b"")
_lenient(
    "bare-fraction-accepted",
    ".5 and 15. are numbers.",
    r"(?<=[:\d])\.(?=[,}])|(?<=:)\.(?=\d)",
    lambda found: (
        b".0" if found.end() < len(found.string) and found.string[found.end() : found.end() + 1] in b",}" else b"0."
    ),
)


@defect("tiny-negative-amount-accepted", breaks=[f"{REQUEST}.amount-positive"])
class TinyNegativeAmountAccepted(WidgetSessionService):
    """An amount is rounded before its sign is looked at: -0.000001 is none."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return -0.001 < amount < 0 or super().is_amount(amount)


@defect("minus-zero-accepted", breaks=[f"{REQUEST}.amount-positive"])
class MinusZeroAccepted(WidgetSessionService):
    """An amount of -0.0 is accepted: it is not what zero is compared with."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return (str(amount).startswith("-0") and amount == 0) or super().is_amount(amount)


@defect("negative-amount-wraps", breaks=[f"{REQUEST}.amount-positive"])
class NegativeAmountWraps(WidgetSessionService):
    """An amount is kept in 32 bits: one far below zero comes out above it."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return amount < -(1 << 31) or super().is_amount(amount)


# Half right values.


def _network(name: str, summary: str, is_known: Callable[[str, str], object]) -> None:
    @defect(name, breaks=[f"{REQUEST}.network-supported"], summary=summary)
    class Known(WidgetSessionService):
        def check_network(self, request: dict[str, Any]) -> None:
            known = [network for network in self.offer.currencies if is_known(request["network"], network)]
            request["network"] = known[0] if known else request["network"]
            super().check_network(request)


_network(
    "beginning-of-network-accepted",
    "The beginning of a network's name is enough.",
    lambda sent, known: len(sent) > 2 and known.startswith(sent),
)
_network(
    "end-of-network-accepted",
    "What ends in a network's name is that network.",
    lambda sent, known: sent.endswith(known),
)


@defect("fiat-currency-as-crypto-currency-accepted", breaks=[f"{REQUEST}.crypto-currency"])
class FiatCurrencyAsCryptoCurrencyAccepted(WidgetSessionService):
    """Both kinds of currency stand in one list, so that EUR is a crypto currency."""

    def check_crypto_currency(self, request: dict[str, Any]) -> None:
        if request["cryptoCurrency"] not in ("EUR", "USD"):
            super().check_crypto_currency(request)


@defect("crypto-currency-as-fiat-currency-accepted", breaks=[f"{REQUEST}.fiat-currency-unknown"])
class CryptoCurrencyAsFiatCurrencyAccepted(WidgetSessionService):
    """Both kinds of currency stand in one list, so that USDC is a fiat currency."""

    def check_fiat_currency(self, request: dict[str, Any]) -> None:
        if request["fiatCurrency"] not in ("USDC", "USDT", "MATIC"):
            super().check_fiat_currency(request)
