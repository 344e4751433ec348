"""Who may call: the token, the address and the origin, in this order."""

# ruff: noqa: ARG002 - a method that overrides one of these may need what the conforming one does not.

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from rampcheck.sandbox.wire import Call

from . import refusals
from .partners import FIRST, SECOND, Partner


class Access:
    """Which partner a call comes from, one decision a method (session page, Headers; onboarding page)."""

    partners: Sequence[Partner] = (FIRST, SECOND)

    def authenticate(self, call: Call) -> Partner:
        """The partner who calls. Raises `Refusal`: 401 for the token, 403 for the address."""
        token = self.bearer_token(call)
        partner = None if token is None else self.partner_for(token)
        if partner is None:
            raise self.token_refusal(token)
        self.check_address(partner, call)
        return partner

    def bearer_token(self, call: Call) -> str | None:
        """The token of a bearer Authorization header, or None (RFC 6750 §2.1)."""
        scheme, _, token = (call.header("authorization") or "").partition(" ")
        return token.strip(" ") if self.is_bearer(scheme) else None

    def is_bearer(self, scheme: str) -> bool:
        """Whether the scheme is Bearer; scheme names have no case (RFC 9110 §11.1)."""
        return scheme.lower() == "bearer"

    def partner_for(self, token: str) -> Partner | None:
        """The partner the token was issued to, if it is active."""
        return next(
            (
                partner
                for partner in self.partners
                if any(self.same_token(token, active) for active in self.active_tokens(partner))
            ),
            None,
        )

    def active_tokens(self, partner: Partner) -> tuple[str, ...]:
        """The tokens that are accepted: the current one and, since the last rotation, the previous one."""
        tokens = (partner.client_token, partner.previous_client_token)
        return tuple(token for token in tokens if token is not None)

    def same_token(self, given: str, issued: str) -> bool:
        """Whether two tokens are the same, character for character, in constant time."""
        return hmac.compare_digest(given.encode(), issued.encode())

    def token_refusal(self, token: str | None) -> refusals.Refusal:
        """The refusal for a token that is missing (None), unknown or inactive."""
        return refusals.Refusal(refusals.TOKEN)

    def check_address(self, partner: Partner, call: Call) -> None:
        """Raises `Refusal` if the caller's address is not on the partner's allowlist."""
        source = ip_address(call.source)
        # A socket for both families tells of an IPv4 address as one of IPv6 (RFC 4291 §2.5.5.2).
        if isinstance(source, IPv6Address) and source.ipv4_mapped is not None:
            source = source.ipv4_mapped
        if not any(source in network for network in partner.allowlist):
            raise refusals.Refusal(refusals.ADDRESS)

    def check_origin(self, partner: Partner, call: Call) -> None:
        """Raises `Refusal` if there is an Origin header and the partner has not registered it."""
        origin = call.header("origin")
        if origin is not None and not self.is_registered(origin, partner):
            raise refusals.Refusal(refusals.ORIGIN)

    def is_registered(self, origin: str, partner: Partner) -> bool:
        """Whether the origin is, character for character, one of the partner's."""
        return origin in partner.origins
