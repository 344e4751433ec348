"""Defects in checking the fields of a request and their values (`proof.session.request.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import IPv6Address
from typing import Any

from rampcheck.sandbox.defects import defect, defects

from . import refusals
from .refusals import Refusal
from .service import SessionService

REQUEST = "proof.session.request"

# Each required field, with a value that is good for the first partner.
GOOD_VALUES = {
    "partner_user_id": "user-0",
    "user_email": "user@example.com",
    "network": "TRC20",
    "currency": "USDT",
    "amount": "100",
}

# What a default in a field's place may break besides, where the response is held against the request.
ECHOES = {
    "network": ("proof.session.network-echo", "proof.session.fix-network"),
    "currency": ("proof.session.currency-echo",),
    "amount": ("proof.session.amount-echo",),
}

# The required fields.


def _lenient_on(field: str, good: str) -> None:
    """Registers the three defects that every required field can have."""
    required, typed = f"{REQUEST}.required.{field}", f"{REQUEST}.type.{field}"
    named = field.replace("_", "-")

    echoes = ECHOES.get(field, ())

    @defect(
        f"{named}-missing-accepted",
        breaks=[required],
        may_break=echoes,
        summary=f"A request without {field} gets a session.",
    )
    class MissingAccepted(SessionService):
        def missing(self, name: str) -> str:
            return good if name == field else super().missing(name)

    @defect(
        f"{named}-missing-unprocessable",
        breaks=[required],
        may_break=["proof.errors.matrix"],
        summary=f"A request without {field} gets 422, not 400.",
    )
    class MissingUnprocessable(SessionService):
        def missing(self, name: str) -> str:
            if name == field:
                raise Refusal(replace(refusals.VALIDATION, status=422))
            return super().missing(name)

    @defect(
        f"{named}-of-any-type-accepted",
        breaks=[typed],
        may_break=echoes,
        summary=f"A {field} that is no string is replaced by a default.",
    )
    class AnyTypeAccepted(SessionService):
        def mistyped(self, name: str, value: Any) -> str:
            return good if name == field else super().mistyped(name, value)


for _field, _good in GOOD_VALUES.items():
    _lenient_on(_field, _good)


@defect("number-as-amount-accepted", breaks=[f"{REQUEST}.type.amount"], may_break=["proof.session.amount-echo"])
class NumberAsAmountAccepted(SessionService):
    """An amount that is a JSON number is accepted and turned into a string."""

    def mistyped(self, name: str, value: Any) -> str:
        if name == "amount" and not isinstance(value, bool | list | dict) and value is not None:
            return str(value)
        return super().mistyped(name, value)


@defect("number-as-user-accepted", breaks=[f"{REQUEST}.type.partner_user_id"])
class NumberAsUserAccepted(SessionService):
    """A partner_user_id that is a JSON number is accepted and turned into a string."""

    def mistyped(self, name: str, value: Any) -> str:
        if name == "partner_user_id" and not isinstance(value, bool | list | dict) and value is not None:
            return str(value)
        return super().mistyped(name, value)


@defect("null-as-network-accepted", breaks=[f"{REQUEST}.type.network"])
class NullAsNetworkAccepted(SessionService):
    """A network of null is replaced by a default."""

    def mistyped(self, name: str, value: Any) -> str:
        return "TRC20" if name == "network" and value is None else super().mistyped(name, value)


@defect("missing-amount-code-undocumented", breaks=[f"{REQUEST}.required.amount"])
class MissingAmountCodeUndocumented(SessionService):
    """A request without amount gets the code amount_required."""

    def missing(self, name: str) -> str:
        if name == "amount":
            raise Refusal(replace(refusals.VALIDATION, code="amount_required"))
        return super().missing(name)


@defect("empty-user-accepted", breaks=[f"{REQUEST}.empty"])
class EmptyUserAccepted(SessionService):
    """The empty string is accepted as a partner_user_id."""

    def empty(self, name: str) -> str:
        return "" if name == "partner_user_id" else super().empty(name)


@defect("optional-types-ignored", breaks=[f"{REQUEST}.type.optional"])
class OptionalTypesIgnored(SessionService):
    """An optional field of a wrong type is taken as not sent."""

    def mistyped_optional(self, name: str, value: Any) -> str | None:
        return None


# The values.


# Amounts of this pattern are accepted besides the decimal ones.
_amounts_accepted = defects(
    SessionService,
    "is_decimal",
    lambda pattern, _, inherited, amount: inherited(amount) or re.fullmatch(pattern, amount) is not None,
    breaks=[f"{REQUEST}.amount-decimal"],
    may_break=[f"{REQUEST}.amount-positive"],
)
_amounts_accepted("any-amount-accepted", "Anything is accepted as an amount.", r"(?s:.+)")
_amounts_accepted("amount-with-comma-accepted", "A comma is accepted before an amount's decimals.", r"\d+,\d+")
_amounts_accepted("amount-read-by-prefix", "An amount may end in anything, such as 12abc.", r"(?s:\d.*)")
_amounts_accepted("hexadecimal-amount-accepted", "An amount of 0x10 is accepted.", r"0x[0-9a-f]+")
_amounts_accepted("nan-amount-accepted", "An amount of NaN is accepted.", r"(?i:nan|inf|infinity)")


@defect("zero-amount-accepted", breaks=[f"{REQUEST}.amount-positive"])
class ZeroAmountAccepted(SessionService):
    """An amount of zero is accepted."""

    def is_positive(self, amount: str) -> bool:
        return True


@defect("negative-amount-accepted", breaks=[f"{REQUEST}.amount-positive"])
class NegativeAmountAccepted(SessionService):
    """A negative amount is accepted."""

    def is_decimal(self, amount: str) -> bool:
        return super().is_decimal(amount.removeprefix("-"))


@defect("email-not-checked", breaks=[f"{REQUEST}.email-format"])
class EmailNotChecked(SessionService):
    """Anything is accepted as an e-mail address."""

    def check_email(self, email: str) -> None:
        """Nothing is checked."""


@defect("plus-address-refused", breaks=[f"{REQUEST}.accepts-media-type"])
class PlusAddressRefused(SessionService):
    """An e-mail address with a plus sign is refused."""

    def check_email(self, email: str) -> None:
        super().check_email(email.replace("+", " "))


@defect("client-ip-required", breaks=[f"{REQUEST}.client-ip-optional"])
class ClientIpRequired(SessionService):
    """A request without client_ip is refused."""

    def check_client_ip(self, client_ip: str | None) -> None:
        if client_ip is None:
            self.invalid("client_ip is required.")
        super().check_client_ip(client_ip)


@defect("ipv6-refused", breaks=[f"{REQUEST}.client-ip-forms"])
class Ipv6Refused(SessionService):
    """A client_ip that is an IPv6 address is refused."""

    def check_client_ip(self, client_ip: str | None) -> None:
        if client_ip is not None and ":" in client_ip:
            self.invalid("client_ip must be an IPv4 address.")
        super().check_client_ip(client_ip)


@defect("ipv6-crash", breaks=[f"{REQUEST}.no-server-error", f"{REQUEST}.client-ip-forms"])
class Ipv6Crash(SessionService):
    """A client_ip that is an IPv6 address gives a 500."""

    def check_client_ip(self, client_ip: str | None) -> None:
        super().check_client_ip(client_ip)
        if client_ip is not None and ":" in client_ip:
            raise OverflowError(f"{int(IPv6Address(client_ip))} does not fit 32 bits")
