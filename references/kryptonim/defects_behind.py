"""Defects behind a check: what is refused for its form alone does not come so far; what has it breaks what follows."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.strict_json import NotJsonError
from rampcheck.sandbox.wire import Call

from .defects_json import CRASH
from .defects_request import REQUEST
from .request import AMOUNTS, REQUIRED
from .service import WidgetSessionService

Fields = dict[str, Any]
METADATA = [f"{REQUEST}.metadata"]
OWN = ("network", "email", "fiatAmount", "sessionId")

# What holds an address or a URL, and more than that.


def _in_form(name: str, summary: str, field: str, mark: str, is_met: Callable[[str], object]) -> None:
    """Registers a defect: a field without `mark` is refused, and one that has it gives a 500 for what else it holds."""

    @defect(name, breaks=CRASH, summary=summary)
    class InForm(WidgetSessionService):
        def read(self, call: Call) -> Fields:
            request = super().read(call)
            value = request.get(field, mark)
            if mark not in value:
                self.invalid(f"{field} is not valid")
            if is_met(value):
                raise ValueError(summary)
            return request


_in_form(
    "nul-in-good-email-crash",
    "An email without an @ is refused, and one with a NUL gives a 500.",
    "email",
    "@",
    lambda value: "\0" in value,
)
_in_form(
    "surrogate-in-good-success-url-crash",
    "A successUrl that is no https URL is refused, and one with a lone surrogate gives a 500.",
    "successUrl",
    "https://",
    lambda value: any("\ud800" <= letter <= "\udfff" for letter in value),
)
_in_form(
    "success-url-of-2049-characters-crash",
    "A successUrl that is no https URL is refused, and one of more than 2,048 characters gives a 500.",
    "successUrl",
    "https://",
    lambda value: len(value) > 2048,
)


@defect("long-crypto-currency-crash", breaks=CRASH, may_break=[f"{REQUEST}.crypto-currency"])
class LongCryptoCurrencyCrash(WidgetSessionService):
    """A cryptoCurrency of more than 32 characters gives a 500."""

    def check_crypto_currency(self, request: Fields) -> None:
        if len(request["cryptoCurrency"]) > 32:
            raise ValueError(self.__doc__)
        super().check_crypto_currency(request)


@defect("api-key-beyond-ascii-crash", breaks=CRASH)
class ApiKeyBeyondAsciiCrash(WidgetSessionService):
    """API keys are compared as text of ASCII, and another one gives a 500."""

    def check_key(self, call: Call) -> None:
        if not (call.header("x-api-key") or "").isascii():
            raise TypeError(self.__doc__)
        super().check_key(call)


@defect("number-as-metadata-crash", breaks=CRASH, may_break=[f"{REQUEST}.type.metadata"])
class NumberAsMetadataCrash(WidgetSessionService):
    """What is nothing is refused as metadata, and a number that is something gives a 500."""

    def mistyped(self, name: str, value: Any, expected: str) -> Any:
        if name == "metadata" and not isinstance(value, str | list | bool) and value != 0:
            raise TypeError(self.__doc__)
        return super().mistyped(name, value, expected)


# Metadata that are read as more than metadata.


def _read(name: str, summary: str, is_met: Callable[[Fields], object]) -> None:
    """Registers a defect: metadata in which there is such a thing are refused."""

    @defect(name, breaks=METADATA, summary=summary)
    class Read(WidgetSessionService):
        def check_metadata(self, request: Fields) -> None:
            if is_met(request.get("metadata", {})):
                self.invalid("metadata is not valid")
            super().check_metadata(request)


_read(
    "metadata-with-own-fields-refused",
    "Metadata whose members are called as the request's fields are refused.",
    lambda metadata: not metadata.keys().isdisjoint(OWN),
)
_read(
    "metadata-with-dollar-sign-refused",
    "Metadata with a name that begins with a dollar sign are refused.",
    lambda metadata: any(name.startswith("$") for name in metadata),
)
_read(
    "metadata-of-zero-refused",
    "Metadata with a value of zero are refused as empty.",
    lambda metadata: any(value == 0 and not isinstance(value, bool) for value in metadata.values()),
)

# What is no JSON, but tells all that is asked for.


@defect("form-accepted", breaks=[f"{REQUEST}.malformed-json"])
class FormAccepted(WidgetSessionService):
    """A body that is no JSON is read as a form, and its amount as a number."""

    def refuse_malformed(self, body: bytes, error: NotJsonError) -> Fields:
        form: Fields = dict(parse_qsl(body.decode("ascii", "replace")))
        if not form.keys() >= set(REQUIRED):
            return super().refuse_malformed(body, error)
        return form | {name: Decimal(form[name]) for name in AMOUNTS if name in form}


# A second amount that is no amount.


@defect(
    "second-amount-of-empty-string-accepted",
    breaks=[f"{REQUEST}.type.cryptoAmount"],
    may_break=[f"{REQUEST}.type.fiatAmount"],
)
class SecondAmountOfEmptyStringAccepted(WidgetSessionService):
    """An amount of "" beside another one counts as none, as a form sends it."""

    def fields_of(self, document: Fields) -> Fields:
        amounts = [name for name in AMOUNTS if name in document]
        empty = [name for name in amounts if document[name] == ""]
        if len(amounts) > len(empty) == 1:
            document = {name: value for name, value in document.items() if name not in empty}
        return super().fields_of(document)
