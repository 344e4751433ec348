"""Defects of rules that are half right: what is registered is taken for a pattern, a beginning, anybody's."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .defects_auth import EVERYWHERE
from .partners import Partner
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService
from .session_changes import SESSION
from .status import StatusService


def is_of_url(origin: str, own: str) -> bool:
    """Whether the scheme, host and port of a URL are those of the registered origin."""
    try:
        url = urlsplit(origin)
    except ValueError:
        return False
    return own == f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


_registered = defects(
    SessionService,
    "is_registered",
    lambda also, _, inherited, origin, partner: (
        inherited(origin, partner) or any(also(origin, own) for own in partner.origins)
    ),
    breaks=["proof.auth.origin-unregistered"],
)
_registered(
    "origins-as-patterns",
    "A registered origin is a pattern, whose dots stand for any character.",
    lambda origin, own: re.fullmatch(own, origin) is not None,
)
_registered(
    "origin-of-any-subdomain-depth",
    "An origin is registered whose host has the registered one's labels but the first.",
    lambda origin, own: origin.partition(".")[2] == own.partition(".")[2],
)
_registered(
    "origin-of-a-parsed-url",
    "An origin is read as a URL, whose scheme, host and port are looked up.",
    is_of_url,
)
_registered(
    "first-of-several-origins",
    "Of several origins, only the first one is looked at.",
    lambda origin, own: origin.partition(" ")[0] == own,
)

_same = defects(
    SessionService,
    "same_token",
    lambda also, _, inherited, given, issued: inherited(given, issued) or also(given, issued),
    breaks=["proof.auth.unknown-token"],
    may_break=EVERYWHERE,
)
_same(
    "token-compared-by-its-end",
    "The second half of a token opens as much as all of it.",
    lambda given, issued: len(given) >= 12 and issued.endswith(given),
)
_same(
    "token-as-pattern",
    "A token is looked up as a pattern: a percent sign stands for anything.",
    lambda given, issued: "%" in given and len(given) > 4 and fnmatchcase(issued, given.replace("%", "*")),
)


@defect("currency-by-its-beginning", breaks=[f"{SESSION}.request.currency-enabled"], may_break=[SESSION])
class CurrencyByItsBeginning(SessionService):
    """A currency is enabled if it begins as one that is; it is served from that one's wallet."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if not any(request.currency.startswith(currency) for currency in partner.currencies):
            raise Refusal(refusals.CURRENCY)

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        for (currency, network), address in partner.wallets.items():
            if request.currency.startswith(currency) and network == request.network:
                return address
        raise Refusal(refusals.WALLET)


@defect("currencies-of-any-partner", breaks=[f"{SESSION}.request.currency-enabled"])
class CurrenciesOfAnyPartner(SessionService):
    """The first partner's currencies are enabled for the second one, too, from the first one's wallets."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if request.currency not in partner.currencies | self.partners[0].currencies:
            raise Refusal(refusals.CURRENCY)

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        wallets = {**self.partners[0].wallets, **partner.wallets}
        try:
            return wallets[request.currency, request.network]
        except KeyError as error:
            raise Refusal(refusals.WALLET) from error


@defect("network-by-its-beginning", breaks=[f"{SESSION}.request.wallet-provisioned"])
class NetworkByItsBeginning(SessionService):
    """A network with anything after its name is served from its wallet."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        for (currency, network), address in partner.wallets.items():
            if request.currency == currency and request.network.startswith(network):
                return address
        raise Refusal(refusals.WALLET)


@defect("wallet-of-network-alone", breaks=[f"{SESSION}.request.wallet-provisioned"])
class WalletOfNetworkAlone(SessionService):
    """Any enabled currency is served on any network for which there is a wallet of any currency."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        networks = {network: address for (_, network), address in partner.wallets.items()}
        if request.network not in networks:
            raise Refusal(refusals.WALLET)
        return partner.wallets.get((request.currency, request.network), networks[request.network])


@defect("currency-answered-in-capitals", breaks=[f"{SESSION}.currency-echo"], may_break=["proof.transaction.echo"])
class CurrencyAnsweredInCapitals(SessionService):
    """A currency is taken in any letter case, and answered in its own."""

    def read(self, call: Call) -> SessionRequest:
        request = super().read(call)
        return replace(request, currency=request.currency.upper())


@defect(
    "network-answered-in-capitals",
    breaks=[f"{SESSION}.network-echo"],
    may_break=[f"{SESSION}.fix-network", "proof.transaction.echo"],
)
class NetworkAnsweredInCapitals(SessionService):
    """A network is taken in any letter case, and answered in capitals."""

    def read(self, call: Call) -> SessionRequest:
        request = super().read(call)
        return replace(request, network=request.network.upper())


_known = defects(
    StatusService,
    "check_user",
    lambda also, service, inherited, partner, user: (
        None if any(also(user, known) for known in service.ledger.users(partner)) else inherited(partner, user)
    ),
    breaks=["proof.kyc.unknown"],
)
_known(
    "users-as-patterns",
    "A user is looked up as a pattern, whose dots stand for any character.",
    lambda user, known: "." in user and re.fullmatch(re.escape(user).replace(r"\.", "."), known) is not None,
)
_known(
    "user-found-by-its-end",
    "A user is found by the end of the partner's name for them, eight characters at least.",
    lambda user, known: len(user) >= 8 and known.endswith(user),
)
