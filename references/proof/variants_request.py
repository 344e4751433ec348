"""Variants of who may call and what is taken, where the documentation leaves it open."""

# ruff: noqa: ARG002, D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from functools import partial
from typing import Any

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.variants import variant
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService

own = partial(variant, "proof")

# Who calls.


@own("bearer-as-written")
class BearerAsWritten(SessionService):
    """The scheme is Bearer in this very letter case, one space before the token."""

    def bearer_token(self, call: Call) -> str | None:
        scheme, _, token = (call.header("authorization") or "").partition(" ")
        return token if scheme == "Bearer" else None


@own("origins-without-case")
class OriginsWithoutCase(SessionService):
    """An origin is compared as browsers do: without letter case, the scheme's own port left out or not."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        plain = origin.lower().removesuffix(":443") if origin.lower().startswith("https:") else origin
        return super().is_registered(plain, partner)


@own("request-before-token")
class RequestFirst(SessionService):
    """The request is checked before the caller."""

    def create_session(self, call: Call) -> Answer:
        self.read(call)
        return super().create_session(call)


@own("origin-before-token")
class OriginFirst(SessionService):
    """The origin is checked before the token: it must be some partner's, and then the caller's."""

    def authenticate(self, call: Call) -> Partner:
        origin = call.header("origin")
        if origin is not None and not any(self.is_registered(origin, partner) for partner in self.partners):
            raise Refusal(refusals.ORIGIN)
        return super().authenticate(call)


# The object.

DOCUMENTED = frozenset(field.name for field in fields(SessionRequest))


@own("unknown-fields-refused")
class StrictFields(SessionService):
    """A request with a field that is not documented is refused."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        if document.keys() - DOCUMENTED:
            self.invalid("There are unknown fields.")
        return super().request_from(document)


@own("repeated-names-refused")
class UniqueNames(SessionService):
    """A request with a repeated name in any of its objects is refused."""

    def parse(self, body: bytes) -> Any:
        document = super().parse(body)
        json.loads(body, object_pairs_hook=self.unique, parse_int=Decimal)
        return document

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object of these members."""
        if len(dict(pairs)) < len(pairs):
            self.invalid("A name is repeated.")
        return dict(pairs)


@own("null-for-nothing")
class NullForNothing(SessionService):
    """Null in an optional field counts as none."""

    def optional(self, document: Mapping[str, Any], name: str) -> str | None:
        return None if document.get(name) is None else super().optional(document, name)


# The values.

LAX_DECIMAL = re.compile(r"\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")


@own("amounts-in-any-spelling")
class AnySpelling(SessionService):
    """An amount may have an exponent, a plus sign, no digit on one side of the point, and spaces around it."""

    def is_decimal(self, amount: str) -> bool:
        return LAX_DECIMAL.fullmatch(amount.strip(" ")) is not None

    def is_positive(self, amount: str) -> bool:
        return Decimal(amount.strip(" ")) > 0


@own("amounts-of-any-script")
class AnyScript(SessionService):
    """An amount may be in the digits of any script, with spaces and line ends around it."""

    def is_decimal(self, amount: str) -> bool:
        return re.fullmatch(r"\s*\d+(\.\d+)?\s*", amount) is not None

    def is_positive(self, amount: str) -> bool:
        return Decimal(amount) > 0


@own("nan-taken")
class NanTaken(SessionService):
    """A body may hold NaN and Infinity, as many parsers take them."""

    def parse(self, body: bytes) -> Any:
        try:
            return json.loads(body.decode("utf-8"), parse_int=Decimal)
        except (ValueError, RecursionError) as error:
            raise strict_json.NotJsonError("not JSON") from error


@own("amounts-within-limits")
class WithinLimits(SessionService):
    """An amount has limits, 5 to 10,000, at most 8 decimals and no leading zero."""

    def is_decimal(self, amount: str) -> bool:
        return re.fullmatch(r"[1-9][0-9]{0,4}(\.[0-9]{1,8})?", amount) is not None

    def is_positive(self, amount: str) -> bool:
        return 5 <= Decimal(amount) <= 10_000


def _told(profile: dict[str, Any]) -> dict[str, Any]:
    """The same profile, which names an amount for either partner."""
    return {**profile, **{name: {**profile[name], "amount": "0.015"} for name in ("partner", "second_partner")}}


@own("amounts-as-the-profile-says", profile=_told)
class AmountsAsTheProfileSays(SessionService):
    """An amount of a currency of which 100 is more than anybody has: 0.01 to 0.02."""

    def is_positive(self, amount: str) -> bool:
        return Decimal("0.01") <= Decimal(amount) <= Decimal("0.02")


@own("user-ids-checked")
class UserIdsChecked(SessionService):
    """A user's id has at most 80 characters: letters, digits, points, dashes and underscores."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        request = super().request_from(document)
        if re.fullmatch(r"[A-Za-z0-9._-]{1,80}", request.partner_user_id) is None:
            self.invalid("partner_user_id has other characters, or too many.")
        return request


@own("redirect-checked")
class RedirectChecked(SessionService):
    """A redirect URL must be an absolute https URL."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        request = super().request_from(document)
        if request.redirect_url is not None and re.fullmatch(r"https://[!-~]+", request.redirect_url) is None:
            self.invalid("redirect_url must be an https URL.")
        return request


@own("email-of-one-user")
class EmailOfOneUser(SessionService):
    """An e-mail address is one user's: another user's request with it is refused."""

    def __init__(self) -> None:
        super().__init__()
        self._users: dict[tuple[str, str], str] = {}

    def check_provider(self, partner: Partner, request: SessionRequest) -> None:
        user = request.partner_user_id
        if self._users.setdefault((partner.widget_id, request.user_email), user) != user:
            self.invalid("user_email is that of another user.")
        super().check_provider(partner, request)


@own("emails-of-known-domains")
class EmailsOfKnownDomains(SessionService):
    """An e-mail address ends in a domain that is registered, as the documentation's own example does."""

    def check_email(self, email: str) -> None:
        super().check_email(email)
        if not email.endswith((".com", ".net", ".org")):
            self.invalid("user_email must end in a domain that is known.")


@own("address-unread")
class AddressUnread(SessionService):
    """An address that is sent is not looked at, whatever JSON it is."""

    def optional(self, document: Mapping[str, Any], name: str) -> str | None:
        return None if name == "address" else super().optional(document, name)


@own("client-ip-unchecked")
class AddressUnchecked(SessionService):
    """A client_ip may be any string."""

    def check_client_ip(self, client_ip: str | None) -> None:
        return


@own("any-letter-case")
class AnyLetterCase(SessionService):
    """Currency and network are known in any letter case, and come back as they were sent."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        super().check_currency(partner, replace(request, currency=request.currency.upper()))

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        known = replace(request, currency=request.currency.upper(), network=request.network.upper())
        return super().wallet(partner, known)
