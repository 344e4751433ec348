"""Defects in what a request leads to: currency, wallet, type, redirect (`proof.session.request.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService

REQUEST = "proof.session.request"

# The currency and the wallet.


@defect("any-currency-served", breaks=[f"{REQUEST}.currency-enabled"])
class AnyCurrencyServed(SessionService):
    """A currency that is not enabled gets a session with the address of another one."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        """Nothing is checked."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        if request.currency in partner.currencies:
            return super().wallet(partner, request)
        return next(iter(partner.wallets.values()))


@defect("disabled-currency-served", breaks=[f"{REQUEST}.currency-enabled"])
class DisabledCurrencyServed(SessionService):
    """A currency that exists but is switched off for the partner is served."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if request.currency != partner.disabled_currency:
            super().check_currency(partner, request)

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        if request.currency == partner.disabled_currency:
            return next(iter(partner.wallets.values()))
        return super().wallet(partner, request)


@defect("currency-not-checked-before-wallet", breaks=[f"{REQUEST}.currency-enabled"])
class CurrencyNotCheckedBeforeWallet(SessionService):
    """A currency that is not enabled is refused as one without a wallet."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        """Nothing is checked."""


@defect("part-of-currency-served", breaks=[f"{REQUEST}.currency-enabled"])
class PartOfCurrencyServed(SessionService):
    """The currencies are one text, and what stands in it is enabled."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if request.currency not in ",".join(partner.currencies):
            super().check_currency(partner, request)

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        if request.currency in partner.currencies:
            return super().wallet(partner, request)
        return next(iter(partner.wallets.values()))


@defect("currencies-of-second-partner-refused", breaks=[f"{REQUEST}.currency-enabled"])
class CurrenciesOfSecondPartnerRefused(SessionService):
    """The second partner is refused each currency that is enabled for them."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if partner.client_token == self.partners[1].client_token:
            raise Refusal(refusals.CURRENCY)
        super().check_currency(partner, request)


@defect("currency-refused-as-validation-error", breaks=[f"{REQUEST}.currency-enabled"])
class CurrencyRefusedAsValidationError(SessionService):
    """A currency that is not enabled gets the code validation_error."""

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        if request.currency not in partner.currencies:
            self.invalid("This currency is not enabled for you.")


@defect("missing-wallet-made-up", breaks=[f"{REQUEST}.wallet-provisioned"])
class MissingWalletMadeUp(SessionService):
    """A pair without a wallet gets the address of the currency's first one."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        pairs = partner.wallets.items()
        first = next(address for (currency, _), address in pairs if currency == request.currency)
        return partner.wallets.get((request.currency, request.network), first)


def _wallet_refused(name: str, summary: str, may_break: tuple[str, ...] = (), **changes: Any) -> None:
    breaks = [f"{REQUEST}.wallet-provisioned"]

    @defect(name, breaks=breaks, may_break=may_break, summary=summary)
    class WalletRefused(SessionService):
        def wallet(self, partner: Partner, request: SessionRequest) -> str:
            try:
                return super().wallet(partner, request)
            except Refusal as refusal:
                raise Refusal(replace(refusal.refused, **changes)) from refusal


_wallet_refused(
    "wallet-code-in-lower-case",
    "A pair without a wallet gets the code wallet_not_supported.",
    code="wallet_not_supported",
)
_wallet_refused(
    "wallet-refused-as-invalid-request",
    "A pair without a wallet gets the error invalid_request.",
    error="invalid_request",
)
_wallet_refused(
    "wallet-refused-as-conflict",
    "A pair without a wallet gets 409 in place of 400.",
    may_break=("proof.errors.matrix",),
    status=409,
)

# The type.


@defect("type-case-ignored", breaks=[f"{REQUEST}.type-enum"])
class TypeCaseIgnored(SessionService):
    """A type of BUY is taken for buy."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=request.type.lower() if request.type else request.type)


@defect("empty-type-defaulted", breaks=[f"{REQUEST}.type-enum"])
class EmptyTypeDefaulted(SessionService):
    """An empty type is taken for none."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=request.type or None)


@defect("unknown-type-defaulted", breaks=[f"{REQUEST}.type-enum"])
class UnknownTypeDefaulted(SessionService):
    """A type that is neither buy nor sell is taken for none."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=request.type if request.type in ("buy", "sell") else None)


@defect("type-override-ignored", breaks=[f"{REQUEST}.type-override"], may_break=[f"{REQUEST}.sell-enabled"])
class TypeOverrideIgnored(SessionService):
    """The partner's default type stands whatever the request says."""

    def session_type(self, partner: Partner, request: SessionRequest) -> str:
        return super().session_type(partner, replace(request, type=None))


@defect("default-type-buy-for-all", breaks=[f"{REQUEST}.type-default"])
class DefaultTypeBuyForAll(SessionService):
    """A request without type is a buy, also for a partner whose default is sell."""

    def session_type(self, partner: Partner, request: SessionRequest) -> str:
        return request.type or "buy"


@defect("default-type-sell-for-all", breaks=[f"{REQUEST}.type-default"])
class DefaultTypeSellForAll(SessionService):
    """A request without type is a sell, also for a partner whose default is buy."""

    def session_type(self, partner: Partner, request: SessionRequest) -> str:
        return request.type or "sell"


@defect("disabled-sell-served", breaks=[f"{REQUEST}.sell-disabled"])
class DisabledSellServed(SessionService):
    """A sell is served to a partner without off-ramp."""

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        """Nothing is checked."""


@defect(
    "disabled-sell-turned-into-buy",
    breaks=[f"{REQUEST}.sell-disabled"],
    may_break=[f"{REQUEST}.type-override"],
)
class DisabledSellTurnedIntoBuy(SessionService):
    """A sell of a partner without off-ramp becomes a buy."""

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        """Nothing is checked."""

    def session_type(self, partner: Partner, request: SessionRequest) -> str:
        return super().session_type(partner, request) if partner.off_ramp else "buy"


@defect("disabled-sell-crash", breaks=[f"{REQUEST}.sell-disabled"], may_break=[f"{REQUEST}.no-server-error"])
class DisabledSellCrash(SessionService):
    """A sell of a partner without off-ramp gives a 500."""

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        if request.type == "sell" and not partner.off_ramp:
            raise LookupError("no off-ramp wallet")


@defect("sell-refused", breaks=[f"{REQUEST}.sell-enabled"], may_break=[f"{REQUEST}.type-override"])
class SellRefused(SessionService):
    """A sell is refused, also with off-ramp enabled."""

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        super().check_sell(replace(partner, off_ramp=False), request)


@defect(
    "sell-session-incomplete",
    breaks=["proof.session.complete"],
    may_break=[
        f"{REQUEST}.sell-enabled",
        "proof.session.config.fiat_currencies",
        "proof.session.config-stable",
    ],
)
class SellSessionIncomplete(SessionService):
    """A sell session has no fiat_currencies."""

    def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
        session = super().session(partner, request, address)
        if session["type"] == "sell":
            del session["fiat_currencies"]
        return session


@defect(
    "sell-session-says-buy",
    breaks=[f"{REQUEST}.sell-enabled"],
    may_break=[f"{REQUEST}.type-override"],
)
class SellSessionSaysBuy(SessionService):
    """A session for a request of type sell says it is a buy."""

    def session_type(self, partner: Partner, request: SessionRequest) -> str:
        return "buy" if request.type == "sell" else super().session_type(partner, request)


# The redirect URL and the address.


@defect("redirect-url-ignored", breaks=[f"{REQUEST}.redirect-override"])
class RedirectUrlIgnored(SessionService):
    """The partner's redirect URL stands whatever the request says."""

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        return super().redirect_url(partner, replace(request, redirect_url=None))


@defect("redirect-query-dropped", breaks=[f"{REQUEST}.redirect-override"])
class RedirectQueryDropped(SessionService):
    """A redirect URL comes back without its query."""

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        url = super().redirect_url(partner, request)
        return url and url.partition("?")[0]


@defect("redirect-slash-added", breaks=[f"{REQUEST}.redirect-override"])
class RedirectSlashAdded(SessionService):
    """A redirect URL from a request comes back with a slash at its end."""

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        url = super().redirect_url(partner, request)
        return f"{url.rstrip('/')}/" if url and request.redirect_url else url


@defect(
    "redirect-url-sticks",
    breaks=[f"{REQUEST}.redirect-once"],
    may_break=["proof.session.config.redirect_url", "proof.session.config-stable"],
)
class RedirectUrlSticks(SessionService):
    """A redirect URL sent once is the partner's default from then on."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, str] = {}

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        if request.redirect_url is not None:
            self._sent[partner.widget_id] = request.redirect_url
        return self._sent.get(partner.widget_id, super().redirect_url(partner, request))


@defect(
    "redirect-url-sticks-to-user",
    breaks=[f"{REQUEST}.redirect-once"],
    may_break=["proof.session.config.redirect_url", "proof.session.config-stable"],
)
class RedirectUrlSticksToUser(SessionService):
    """A redirect URL sent once is that user's default from then on."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, str] = {}

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        if request.redirect_url is not None:
            self._sent[request.partner_user_id] = request.redirect_url
        return self._sent.get(request.partner_user_id, super().redirect_url(partner, request))


@defect("sent-address-used", breaks=[f"{REQUEST}.address-ignored"])
class SentAddressUsed(SessionService):
    """An address in the request is the one in the session."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        own = super().wallet(partner, request)
        return own if request.address is None else request.address


@defect("sent-address-refused", breaks=[f"{REQUEST}.address-ignored"])
class SentAddressRefused(SessionService):
    """A request with an address is refused."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        if request.address is not None:
            raise Refusal(replace(refusals.VALIDATION, message="address must not be sent."))
        return super().wallet(partner, request)
