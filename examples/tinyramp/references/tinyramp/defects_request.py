"""Defects of the session request: what it lets pass, and how it refuses the rest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.conditions import drop, when
from rampcheck.sandbox.defects import defect, register
from rampcheck.sandbox.defects_conditions import NUL, silent
from rampcheck.sandbox.refusal import Refusal

from . import reference
from .refusals import INVALID
from .service import SessionService

UNPROCESSABLE = replace(INVALID, status=422)


@defect("wallet-optional", breaks=["tinyramp.session.required"])
class WalletOptional(SessionService):
    """Without a wallet, the session is created all the same."""

    def missing(self, request: dict[str, Any], name: str) -> None:
        if name != "wallet":
            super().missing(request, name)


@defect("missing-member-unprocessable", breaks=["tinyramp.session.required"])
class MissingMemberUnprocessable(SessionService):
    """Without a required member, the answer is 422."""

    def missing(self, request: dict[str, Any], name: str) -> None:
        raise Refusal(UNPROCESSABLE)


@defect("amount-as-number-accepted", breaks=["tinyramp.session.types"])
class AmountAsNumberAccepted(SessionService):
    """An amount may be a number, and comes back as a string."""

    def mistyped(self, request: dict[str, Any], name: str) -> None:
        if name == "amount" and isinstance(request[name], Decimal):
            request[name] = str(request[name])
        else:
            super().mistyped(request, name)


@defect("lifetime-as-text-accepted", breaks=["tinyramp.session.types"])
class LifetimeAsTextAccepted(SessionService):
    """An expires_in may be a number in a string."""

    def mistyped(self, request: dict[str, Any], name: str) -> None:
        if name == "expires_in" and isinstance(request[name], str) and request[name].isdigit():
            request[name] = Decimal(request[name])
        else:
            super().mistyped(request, name)


@defect("any-asset-accepted", breaks=["tinyramp.session.assets"])
class AnyAssetAccepted(SessionService):
    """Whatever is called an asset can be bought."""

    def is_asset(self, asset: str) -> bool:
        return True


@defect("asset-in-small-letters-accepted", breaks=["tinyramp.session.assets"])
class AssetInSmallLettersAccepted(SessionService):
    """The letter case of an asset makes no difference."""

    def is_asset(self, asset: str) -> bool:
        return super().is_asset(asset.upper())


@defect("zero-accepted", breaks=["tinyramp.session.amount"])
class ZeroAccepted(SessionService):
    """An amount of zero creates a session."""

    def is_amount(self, amount: str) -> bool:
        return super().is_amount(amount) or amount.strip("0.") == "" != amount


@defect("nine-decimal-places-accepted", breaks=["tinyramp.session.amount"])
class NineDecimalPlacesAccepted(SessionService):
    """An amount may have any number of decimal places."""

    def is_amount(self, amount: str) -> bool:
        whole, _, places = amount.partition(".")
        return super().is_amount(amount) or (whole + places).isdigit()


@defect("malformed-body-unprocessable", breaks=["tinyramp.session.json"])
class MalformedBodyUnprocessable(SessionService):
    """A body that is no JSON is answered with 422."""

    def malformed(self, message: str) -> Refusal:
        return UNPROCESSABLE.because(message)


@defect("object-in-array-accepted", breaks=["tinyramp.session.json"])
class ObjectInArrayAccepted(SessionService):
    """An array is taken for the object in it."""

    def not_an_object(self, document: Any) -> dict[str, Any]:
        if isinstance(document, list) and document and isinstance(document[0], dict):
            return document[0]
        return super().not_an_object(document)


@defect("long-wallet-fails", breaks=["tinyramp.session.no-server-error"])
class LongWalletFails(SessionService):
    """A wallet of more than 5,000 characters is answered with 500."""

    def check_asset(self, request: dict[str, Any]) -> None:
        if len(request["wallet"]) > 5000:
            raise MemoryError("the wallet does not fit")
        super().check_asset(request)


register(
    silent(reference, "drops-on-nul", "A NUL in a string closes the connection without an answer.", when(NUL, drop))
)
