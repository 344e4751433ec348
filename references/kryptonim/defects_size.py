"""Defects of size and depth: what lies between the plain and the absurd, which is refused (`…no-server-error`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Call

from . import refusals
from .defects_json import CRASH
from .refusals import Refusal
from .service import WidgetSessionService

Fields = dict[str, Any]


def _band(name: str, summary: str, size: Callable[[Fields, Call], float], above: float, refused_above: float) -> None:
    """Registers a defect: what is too large is refused, and what is nearly so gives a 500."""

    @defect(name, breaks=CRASH, may_break=["kryptonim.session.request.metadata"], summary=summary)
    class Band(WidgetSessionService):
        def read(self, call: Call) -> Fields:
            request = super().read(call)
            if size(request, call) > refused_above:
                raise Refusal(replace(refusals.SIZE, message="Too large"))
            if size(request, call) > above:
                raise MemoryError(summary)
            return request


def depth(value: Any) -> int:
    """How many arrays and objects are in each other."""
    levels, inner = 0, [value]
    while inner := [item for item in inner if isinstance(item, dict | list)]:
        levels += 1
        inner = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]
    return levels


def digits(request: Fields) -> tuple[int, int]:
    """The digits before and after the point of the amount."""
    number = Decimal(str(next(request[name] for name in ("fiatAmount", "cryptoAmount") if name in request)))
    _, digits, exponent = number.as_tuple()
    after = max(0, -int(exponent))
    return max(0, len(digits) + int(exponent)), after


_band(
    "body-beyond-64-kib-crash",
    "A body of more than 65,536 bytes gives a 500, one of more than 100 KiB a 413.",
    lambda _, call: len(call.body),
    1 << 16,
    100 << 10,
)
_band(
    "body-near-1-mib-crash",
    "A body of more than 1,000,000 bytes gives a 500, one of more than 1 MiB a 413.",
    lambda _, call: len(call.body),
    1_000_000,
    1 << 20,
)
_band(
    "metadata-below-32-levels-crash",
    "Metadata of more than 32 levels give a 500, of more than 100 a 413.",
    lambda request, _: depth(request.get("metadata")),
    32,
    100,
)
_band(
    "metadata-below-10-levels-crash",
    "Metadata of more than 10 levels give a 500, of more than 16 a 413.",
    lambda request, _: depth(request.get("metadata")),
    10,
    16,
)
_band(
    "metadata-of-many-members-crash",
    "Metadata of more than 500 members give a 500.",
    lambda request, _: len(request.get("metadata", ())),
    500,
    5000,
)
_band(
    "metadata-with-long-name-crash",
    "A name of more than 255 characters in metadata gives a 500, one of more than 1,024 a 413.",
    lambda request, _: max(map(len, request.get("metadata", ())), default=0),
    255,
    1024,
)
_band(
    "email-of-65-characters-crash",
    "An e-mail address of more than 64 characters gives a 500, one of more than 254 a 413.",
    lambda request, _: len(request.get("email", "")),
    64,
    254,
)
_band(
    "address-of-128-characters-crash",
    "A destinationAddress of more than 64 characters gives a 500, one of more than 128 a 413.",
    lambda request, _: len(request["destinationAddress"]),
    64,
    128,
)
_band(
    "amount-of-many-digits-crash",
    "An amount of more than 10 digits before the point gives a 500, of more than 18 a 413.",
    lambda request, _: digits(request)[0],
    10,
    18,
)
_band(
    "amount-of-many-decimals-crash",
    "An amount of more than 8 digits after the point gives a 500, of more than 16 a 413.",
    lambda request, _: digits(request)[1],
    8,
    16,
)


def _odd(name: str, summary: str, is_odd: Callable[[Fields], object]) -> None:
    """Registers a defect: a text that is valid, but odd, gives a 500."""

    @defect(name, breaks=CRASH, may_break=["kryptonim.session.request.metadata"], summary=summary)
    class Odd(WidgetSessionService):
        def read(self, call: Call) -> Fields:
            request = super().read(call)
            email = request.get("email", "@")
            if email.count("@") != 1 or " " in email:
                self.invalid("email must be an e-mail address")
            if is_odd(request):
                raise ValueError(summary)
            return request


_odd(
    "email-beyond-ascii-crash",
    "An e-mail address with a letter beyond ASCII gives a 500.",
    lambda request: not request.get("email", "").isascii(),
)
_odd(
    "email-of-compatibility-characters-crash",
    "An e-mail address that NFKC changes gives a 500.",
    lambda request: not unicodedata.is_normalized("NFKC", request.get("email", "")),
)
_odd(
    "email-with-quote-crash",
    "A quote in an e-mail address gives a 500.",
    lambda request: "'" in request.get("email", ""),
)
_odd(
    "url-with-two-kinds-of-quotes-crash",
    "A successUrl with both kinds of quotes gives a 500.",
    lambda request: {"'", '"'} <= set(request.get("successUrl", "")),
)
