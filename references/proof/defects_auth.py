"""Defects of authentication and access (`proof.auth.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .partners import Partner
from .refusals import Refusal, Refused
from .request import SessionRequest
from .service import SessionService

# The other endpoints check the token by the same rule.
EVERYWHERE = ("proof.transaction.auth", "proof.kyc.auth", "proof.ws.auth")

# The token.


@defect("missing-token-accepted", breaks=["proof.auth.bearer-required"], may_break=EVERYWHERE)
class MissingTokenAccepted(SessionService):
    """A call without an Authorization header is taken for the first partner's."""

    def bearer_token(self, call: Call) -> str | None:
        return super().bearer_token(call) if "authorization" in call.headers else self.partners[0].client_token


@defect("missing-token-forbidden", breaks=["proof.auth.bearer-required"], may_break=EVERYWHERE)
class MissingTokenForbidden(SessionService):
    """A call without an Authorization header gets 403 in place of 401."""

    def bearer_token(self, call: Call) -> str | None:
        if "authorization" not in call.headers:
            raise Refusal(refusals.ORIGIN)
        return super().bearer_token(call)


@defect("unknown-token-accepted", breaks=["proof.auth.unknown-token"], may_break=EVERYWHERE)
class UnknownTokenAccepted(SessionService):
    """A token nobody issued is taken for the first partner's."""

    def partner_for(self, token: str) -> Partner | None:
        if token in (partner.inactive_client_token for partner in self.partners):
            return None
        return super().partner_for(token) or self.partners[0]


@defect("token-compared-by-prefix", breaks=["proof.auth.unknown-token"], may_break=EVERYWHERE)
class TokenComparedByPrefix(SessionService):
    """A partner's token with anything after it is accepted."""

    def same_token(self, given: str, issued: str) -> bool:
        return given.startswith(issued)


@defect("token-compared-by-length-of-given", breaks=["proof.auth.unknown-token"])
class TokenComparedByLengthOfGiven(SessionService):
    """The first characters of a partner's token, sixteen or more, are accepted."""

    def same_token(self, given: str, issued: str) -> bool:
        return len(given) >= 16 and issued.startswith(given)


@defect("token-compared-without-case", breaks=["proof.auth.unknown-token"])
class TokenComparedWithoutCase(SessionService):
    """A partner's token in upper case is accepted."""

    def same_token(self, given: str, issued: str) -> bool:
        return given.lower() == issued.lower()


@defect("unknown-token-forbidden", breaks=["proof.auth.unknown-token"], may_break=EVERYWHERE)
class UnknownTokenForbidden(SessionService):
    """A token nobody issued gets 403 in place of 401."""

    def token_refusal(self, token: str | None) -> Refusal:
        known = (None, *(partner.inactive_client_token for partner in self.partners))
        return super().token_refusal(token) if token in known else Refusal(refusals.ORIGIN)


@defect("unknown-token-code-in-capitals", breaks=["proof.auth.unknown-token"])
class UnknownTokenCodeInCapitals(SessionService):
    """A token nobody issued gets the code INVALID_TOKEN."""

    def token_refusal(self, token: str | None) -> Refusal:
        known = (None, *(partner.inactive_client_token for partner in self.partners))
        refused = refusals.TOKEN if token in known else replace(refusals.TOKEN, code="INVALID_TOKEN")
        return Refusal(refused)


@defect("scheme-ignored", breaks=["proof.auth.bearer-scheme"])
class SchemeIgnored(SessionService):
    """A good token is accepted under any scheme."""

    def is_bearer(self, scheme: str) -> bool:
        return True


@defect("scheme-token-accepted", breaks=["proof.auth.bearer-scheme"])
class SchemeTokenAccepted(SessionService):
    """A good token is accepted under the scheme Token, too."""

    def is_bearer(self, scheme: str) -> bool:
        return super().is_bearer(scheme) or scheme.lower() == "token"


@defect("bare-token-accepted", breaks=["proof.auth.bearer-scheme"])
class BareTokenAccepted(SessionService):
    """A good token is accepted without a scheme."""

    def bearer_token(self, call: Call) -> str | None:
        value = call.header("authorization") or ""
        return super().bearer_token(call) if " " in value else value or None


@defect("password-of-basic-accepted", breaks=["proof.auth.bearer-scheme"])
class PasswordOfBasicAccepted(SessionService):
    """A good token is accepted as the password of Basic (RFC 7617), too."""

    def bearer_token(self, call: Call) -> str | None:
        scheme, _, credentials = (call.header("authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return super().bearer_token(call)
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[2] or None
        except ValueError:
            return None


@defect("wrong-scheme-as-invalid-request", breaks=["proof.auth.bearer-scheme"])
class WrongSchemeAsInvalidRequest(SessionService):
    """A good token under another scheme gets 400 in place of 401."""

    def bearer_token(self, call: Call) -> str | None:
        token = super().bearer_token(call)
        if token is None and "authorization" in call.headers:
            self.invalid("Authorization must be a bearer token.")
        return token


@defect("inactive-token-accepted", breaks=["proof.auth.inactive-token"])
class InactiveTokenAccepted(SessionService):
    """A deactivated token still works."""

    def active_tokens(self, partner: Partner) -> tuple[str, ...]:
        return (*super().active_tokens(partner), partner.inactive_client_token or partner.client_token)


@defect("inactive-token-forbidden", breaks=["proof.auth.inactive-token"])
class InactiveTokenForbidden(SessionService):
    """A deactivated token gets 403 in place of 401."""

    def token_refusal(self, token: str | None) -> Refusal:
        inactive = (partner.inactive_client_token for partner in self.partners)
        return Refusal(refusals.ORIGIN) if token and token in inactive else super().token_refusal(token)


@defect("rotation-without-grace", breaks=["proof.auth.rotation-grace"])
class RotationWithoutGrace(SessionService):
    """The previous token stops working the moment there is a new one."""

    def active_tokens(self, partner: Partner) -> tuple[str, ...]:
        return (partner.client_token,)


# The address.


@defect("allowlist-not-enforced", breaks=["proof.auth.ip-allowlist"])
class AllowlistNotEnforced(SessionService):
    """A call from any address is served."""

    def check_address(self, partner: Partner, call: Call) -> None:
        """Nothing is checked."""


@defect("allowlist-matches-whole-network", breaks=["proof.auth.ip-allowlist"])
class AllowlistMatchesWholeNetwork(SessionService):
    """An address is accepted if its first number is that of an address on the allowlist."""

    def check_address(self, partner: Partner, call: Call) -> None:
        first = call.source.partition(".")[0]
        if not any(str(network).startswith(f"{first}.") for network in partner.allowlist):
            super().check_address(partner, call)


@defect("address-refused-as-unauthorised", breaks=["proof.auth.ip-allowlist"])
class AddressRefusedAsUnauthorised(SessionService):
    """A call from an address off the allowlist gets 401 in place of 403."""

    def check_address(self, partner: Partner, call: Call) -> None:
        try:
            super().check_address(partner, call)
        except Refusal as refusal:
            raise Refusal(refusals.TOKEN) from refusal


# The origin.


@defect("origin-not-checked", breaks=["proof.auth.origin-unregistered"])
class OriginNotChecked(SessionService):
    """Any Origin is accepted."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return True


@defect("origin-compared-by-prefix", breaks=["proof.auth.origin-unregistered"])
class OriginComparedByPrefix(SessionService):
    """An Origin that begins with a registered one is accepted, such as https://app.example.com.evil.example."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return origin.startswith(partner.origins)


@defect("origin-compared-by-suffix", breaks=["proof.auth.origin-unregistered"])
class OriginComparedBySuffix(SessionService):
    """An Origin whose host ends in a registered host is accepted, such as https://evil-app.example.com."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return any(origin.endswith(registered.removeprefix("https://")) for registered in partner.origins)


@defect("origin-scheme-ignored", breaks=["proof.auth.origin-unregistered"])
class OriginSchemeIgnored(SessionService):
    """A registered host is accepted over plain http."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return super().is_registered(origin.replace("http://", "https://", 1), partner)


@defect("origin-port-ignored", breaks=["proof.auth.origin-unregistered"])
class OriginPortIgnored(SessionService):
    """A registered host is accepted on any port."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        scheme, _, rest = origin.partition("://")
        bare = f"{scheme}://{rest.partition(':')[0]}"
        return super().is_registered(origin, partner) or super().is_registered(bare, partner)


@defect("origin-with-dot-at-its-end-accepted", breaks=["proof.auth.origin-unregistered"])
class OriginWithDotAtItsEndAccepted(SessionService):
    """A registered host is accepted as its absolute name, too."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return super().is_registered(origin.removesuffix("."), partner)


@defect("origin-null-accepted", breaks=["proof.auth.origin-unregistered"])
class OriginNullAccepted(SessionService):
    """The opaque origin `null` is accepted."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return origin == "null" or super().is_registered(origin, partner)


@defect("origin-refused-as-unauthorised", breaks=["proof.auth.origin-unregistered"])
class OriginRefusedAsUnauthorised(SessionService):
    """An unregistered Origin gets 401 in place of 403."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        try:
            super().check_origin(partner, call)
        except Refusal as refusal:
            raise Refusal(refusals.TOKEN) from refusal


@defect("origin-code-undocumented", breaks=["proof.auth.origin-unregistered"])
class OriginCodeUndocumented(SessionService):
    """An unregistered Origin gets the code origin_not_allowed."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        try:
            super().check_origin(partner, call)
        except Refusal as refusal:
            raise Refusal(replace(refusal.refused, code="origin_not_allowed")) from refusal


@defect("registered-origin-refused", breaks=["proof.auth.origin-registered"])
class RegisteredOriginRefused(SessionService):
    """No Origin is accepted, not even a registered one."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return False


@defect("only-first-origin-registered", breaks=["proof.auth.origin-registered"])
class OnlyFirstOriginRegistered(SessionService):
    """Of several registered origins only the first one is accepted."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        return origin == partner.origins[0]


@defect("origin-required", breaks=["proof.auth.origin-optional"])
class OriginRequired(SessionService):
    """A call without an Origin is refused."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        if "origin" not in call.headers:
            raise Refusal(refusals.ORIGIN)
        super().check_origin(partner, call)


# The secrecy of the token.


def _sent_token(call: Call) -> str:
    return (call.header("authorization") or "").rpartition(" ")[2]


@defect("token-in-header", breaks=["proof.auth.token-secrecy"])
class TokenInHeader(SessionService):
    """A response header shows the token of the call."""

    def identified(self, answer: Answer, call: Call) -> Answer:
        return super().identified(answer, call).with_headers(x_client=_sent_token(call))


@defect("token-in-error-message", breaks=["proof.auth.token-secrecy"])
class TokenInErrorMessage(SessionService):
    """The message of an error names the token of the call."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        message = f"{refused.message} (client {_sent_token(call)})"
        return super().envelope(refused, call) | {"message": message}


@defect("token-in-error-message-in-base64", breaks=["proof.auth.token-secrecy"])
class TokenInErrorMessageInBase64(SessionService):
    """The message of an error quotes the Authorization header in base64."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        quoted = base64.b64encode((call.header("authorization") or "").encode()).decode()
        return super().envelope(refused, call) | {"message": f"{refused.message} [{quoted}]"}


@defect("token-in-init-token", breaks=["proof.auth.token-secrecy"])
class TokenInInitToken(SessionService):
    """The init_token, read as base64url, holds the partner's token next to its random part."""

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        claims = f'{{"nonce":"{super().init_token(partner, request)}","client":"{partner.client_token}"}}'
        return base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")


@defect("token-in-session", breaks=["proof.auth.token-secrecy"])
class TokenInSession(SessionService):
    """A session has one field more: the partner's token."""

    def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
        return super().session(partner, request, address) | {"client_token": partner.client_token}
