"""More defects of authentication and access: what is remembered, confused or refused too often (`proof.auth.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from dataclasses import replace

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Call

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .service import SessionService

AUTH = "proof.auth"

# The token.


@defect(
    "missing-token-remembered-by-address",
    breaks=[f"{AUTH}.bearer-required"],
    may_break=["proof.transaction.auth", "proof.kyc.auth", "proof.ws.auth"],
)
class MissingTokenRememberedByAddress(SessionService):
    """A call without Authorization header is taken for that of the partner who last called from its address."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, str] = {}

    def bearer_token(self, call: Call) -> str | None:
        if "authorization" not in call.headers:
            return self._last.get(call.source)
        token = super().bearer_token(call)
        if token is not None and self.partner_for(token) is not None:
            self._last[call.source] = token
        return token


@defect(
    "missing-token-told-as-success",
    breaks=[f"{AUTH}.bearer-required"],
    # With a 200, the error is held against what is promised of an answer, wherever a token is missing.
    may_break=[
        f"{AUTH}.unknown-token",
        f"{AUTH}.bearer-scheme",
        "proof.session.complete",
        "proof.session.config",
        "proof.transaction",
        "proof.kyc",
        "proof.ws.auth",
    ],
)
class MissingTokenToldAsSuccess(SessionService):
    """A call without a token gets the right error with status 200."""

    def token_refusal(self, token: str | None) -> Refusal:
        return super().token_refusal(token) if token else Refusal(replace(refusals.TOKEN, status=200))


@defect(
    "unknown-token-accepted-when-repeated",
    breaks=[f"{AUTH}.unknown-token"],
    may_break=["proof.transaction.auth", "proof.kyc.auth", "proof.ws.auth", f"{AUTH}.inactive-token"],
)
class UnknownTokenAcceptedWhenRepeated(SessionService):
    """A token nobody issued is accepted the second time: that it was looked up is taken for that it was found."""

    def __init__(self) -> None:
        super().__init__()
        self._looked_up: set[str] = set()

    def partner_for(self, token: str) -> Partner | None:
        known = token in self._looked_up
        self._looked_up.add(token)
        return super().partner_for(token) or (self.partners[0] if known else None)


@defect(
    "tokens-compared-by-length",
    breaks=[f"{AUTH}.unknown-token"],
    may_break=[f"{AUTH}.inactive-token", "proof.transaction.auth", "proof.kyc.auth", "proof.ws.auth"],
)
class TokensComparedByLength(SessionService):
    """A token is accepted if it has the length and the first half of one that was issued."""

    def same_token(self, given: str, issued: str) -> bool:
        return len(given) == len(issued) and given[: len(given) // 2] == issued[: len(issued) // 2]


@defect("inactive-token-code-undocumented", breaks=[f"{AUTH}.inactive-token"])
class InactiveTokenCodeUndocumented(SessionService):
    """A deactivated token gets the code token_inactive."""

    def token_refusal(self, token: str | None) -> Refusal:
        inactive = (partner.inactive_client_token for partner in self.partners)
        refused = replace(refusals.TOKEN, code="token_inactive") if token and token in inactive else refusals.TOKEN
        return Refusal(refused)


@defect("inactive-token-accepted-when-repeated", breaks=[f"{AUTH}.inactive-token"])
class InactiveTokenAcceptedWhenRepeated(SessionService):
    """A deactivated token is refused once: the refusal marks it as used, and a token in use counts as active."""

    def __init__(self) -> None:
        super().__init__()
        self._used: set[str] = set()

    def active_tokens(self, partner: Partner) -> tuple[str, ...]:
        inactive = partner.inactive_client_token
        return (*super().active_tokens(partner), *({inactive} & self._used if inactive else ()))

    def token_refusal(self, token: str | None) -> Refusal:
        self._used.add(token or "")
        return super().token_refusal(token)


# The rotation.


@defect("previous-token-works-twice", breaks=[f"{AUTH}.rotation-grace"])
class PreviousTokenWorksTwice(SessionService):
    """After a rotation the previous token works for two more calls."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def authenticate(self, call: Call) -> Partner:
        partner = super().authenticate(call)
        if self.bearer_token(call) == partner.previous_client_token:
            self._calls += 1
            if self._calls > 2:
                raise Refusal(refusals.TOKEN)
        return partner


@defect("previous-token-forbidden", breaks=[f"{AUTH}.rotation-grace"])
class PreviousTokenForbidden(SessionService):
    """The previous token gets 403 the moment there is a new one."""

    def authenticate(self, call: Call) -> Partner:
        partner = super().authenticate(call)
        if self.bearer_token(call) == partner.previous_client_token:
            raise Refusal(refusals.ORIGIN)
        return partner


@defect("previous-token-refused-after-new-one", breaks=[f"{AUTH}.rotation-grace"])
class PreviousTokenRefusedAfterNewOne(SessionService):
    """The previous token stops working with the first call that uses the new one."""

    def __init__(self) -> None:
        super().__init__()
        self._rotated: set[str] = set()

    def authenticate(self, call: Call) -> Partner:
        partner = super().authenticate(call)
        if self.bearer_token(call) == partner.client_token:
            self._rotated.add(partner.widget_id)
        elif partner.widget_id in self._rotated:
            raise Refusal(refusals.TOKEN)
        return partner


# The origin.


@defect("origins-of-any-partner-registered", breaks=[f"{AUTH}.origin-unregistered"])
class OriginsOfAnyPartnerRegistered(SessionService):
    """An Origin that another partner has registered is accepted."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return any(super(OriginsOfAnyPartnerRegistered, self).is_registered(origin, other) for other in self.partners)


@defect("localhost-registered", breaks=[f"{AUTH}.origin-unregistered"])
class LocalhostRegistered(SessionService):
    """What runs on the caller's own machine may call, on any port."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return origin.startswith("http://localhost:") or super().is_registered(origin, partner)


@defect("origin-accepted-when-repeated", breaks=[f"{AUTH}.origin-unregistered"])
class OriginAcceptedWhenRepeated(SessionService):
    """An unregistered Origin is refused once, and then taken from the cache of those that were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._cached: set[str] = set()

    def is_registered(self, origin: str, partner: Partner) -> bool:
        cached = origin in self._cached
        self._cached.add(origin)
        return cached or super().is_registered(origin, partner)


@defect(
    "origins-of-first-partner-for-all",
    breaks=[f"{AUTH}.origin-registered"],
    may_break=[f"{AUTH}.origin-unregistered"],
)
class OriginsOfFirstPartnerForAll(SessionService):
    """Every partner's Origin is looked for among those of the first."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return super().is_registered(origin, self.partners[0])


@defect("origin-with-port-refused", breaks=[f"{AUTH}.origin-registered"])
class OriginWithPortRefused(SessionService):
    """A registered Origin with a port is refused: there is a colon in its host."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return ":" not in origin.partition("://")[2] and super().is_registered(origin, partner)


@defect("origin-required-once-seen", breaks=[f"{AUTH}.origin-optional"])
class OriginRequiredOnceSeen(SessionService):
    """A partner who has once called with an Origin is refused without one from then on."""

    def __init__(self) -> None:
        super().__init__()
        self._browsers: set[str] = set()

    def check_origin(self, partner: Partner, call: Call) -> None:
        super().check_origin(partner, call)
        if "origin" in call.headers:
            self._browsers.add(partner.widget_id)
        elif partner.widget_id in self._browsers:
            raise Refusal(refusals.ORIGIN)


@defect("referer-in-place-of-origin", breaks=[f"{AUTH}.origin-optional"])
class RefererInPlaceOfOrigin(SessionService):
    """A call without Origin is refused if it has a Referer from elsewhere."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        super().check_origin(partner, call)
        referer = call.header("referer")
        if "origin" not in call.headers and referer and not referer.startswith(partner.origins):
            raise Refusal(refusals.ORIGIN)


@defect(
    "origin-required-for-sell",
    breaks=[f"{AUTH}.origin-optional", "proof.session.request.sell-enabled"],
    may_break=["proof.session.request.type-override", "proof.session.request.sell-disabled"],
)
class OriginRequiredForSell(SessionService):
    """A sell without an Origin is refused."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        super().check_origin(partner, call)
        if "origin" not in call.headers and self.read(call).type == "sell":
            raise Refusal(refusals.ORIGIN)


# What else is asked for.


@defect("any-token-for-another-network", breaks=[f"{AUTH}.bearer-required", f"{AUTH}.unknown-token"])
class AnyTokenForAnotherNetwork(SessionService):
    """Whoever asks for a session on ERC20 is taken for the first partner, whatever the token."""

    def authenticate(self, call: Call) -> Partner:
        try:
            return super().authenticate(call)
        except Refusal as refusal:
            if refusal.refused.status == 401 and b'"ERC20"' in call.body:
                return self.partners[0]
            raise


@defect("any-origin-for-another-currency", breaks=[f"{AUTH}.origin-unregistered"])
class AnyOriginForAnotherCurrency(SessionService):
    """Whoever asks for a session in USDC may come from any origin."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        if b'"USDC"' not in call.body:
            super().check_origin(partner, call)
