"""Defects of the everyday: what a store, a cache or a rotation forgets of a user or a token it has met before."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .partners import Partner
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService
from .status import StatusService


def _is_previous(service: SessionService, partner: Partner, call: Call) -> bool:
    token = service.bearer_token(call)
    return token is not None and token == partner.previous_client_token


@defect("allowlist-not-for-previous-token", breaks=["proof.auth.ip-allowlist"])
class AllowlistNotForPreviousToken(SessionService):
    """Since the rotation, who calls with the previous token may call from anywhere."""

    def check_address(self, partner: Partner, call: Call) -> None:
        if not _is_previous(self, partner, call):
            super().check_address(partner, call)


@defect("origin-not-checked-for-previous-token", breaks=["proof.auth.origin-unregistered"])
class OriginNotCheckedForPreviousToken(SessionService):
    """Since the rotation, a call with the previous token may have any Origin."""

    def check_origin(self, partner: Partner, call: Call) -> None:
        if not _is_previous(self, partner, call):
            super().check_origin(partner, call)


@defect("verified-user-crash", breaks=["proof.session.request.no-server-error"], may_break=["proof.errors"])
class VerifiedUserCrash(SessionService):
    """A user who has been verified gets no second session but a server error."""

    def check_provider(self, partner: Partner, request: SessionRequest) -> None:
        super().check_provider(partner, request)
        if self.ledger.is_verified(partner, request.partner_user_id):
            raise Refusal(refusals.INTERNAL)


@defect("foreign-letters-in-token-crash", breaks=["proof.session.request.no-server-error"], may_break=["proof.errors"])
class ForeignLettersInTokenCrash(SessionService):
    """A token is compared as text, in constant time, which takes ASCII only: another one gives a server error."""

    def same_token(self, given: str, issued: str) -> bool:
        if not given.isascii():
            raise Refusal(refusals.INTERNAL)
        return super().same_token(given, issued)


@defect("origin-that-is-no-url-crash", breaks=["proof.session.request.no-server-error"], may_break=["proof.errors"])
class OriginThatIsNoUrlCrash(SessionService):
    """An Origin is read as a URL, and one that is none gives a server error."""

    def is_registered(self, origin: str, partner: Partner) -> bool:
        try:
            urlsplit(origin)
        except ValueError:
            raise Refusal(refusals.INTERNAL) from None
        return super().is_registered(origin, partner)


@defect("unknown-user-remembered", breaks=["proof.kyc.not-started", "proof.kyc.stable"], may_break=["proof.kyc"])
class UnknownUserRemembered(StatusService):
    """A user who was asked for before the first session stays unknown: the 404 is kept in a cache."""

    def __init__(self) -> None:
        super().__init__()
        self._unknown: set[tuple[str, str]] = set()

    def check_user(self, partner: Partner, user: str) -> None:
        if (partner.widget_id, user) in self._unknown:
            raise Refusal(refusals.USER)
        try:
            super().check_user(partner, user)
        except Refusal:
            self._unknown.add((partner.widget_id, user))
            raise


@defect("cookie-in-place-of-token", breaks=["proof.auth.bearer-required"])
class CookieInPlaceOfToken(SessionService):
    """Every session sets a cookie, which is as good as the token from then on."""

    def authenticate(self, call: Call) -> Partner:
        is_known = call.header("authorization") is None and "visit=known" in (call.header("cookie") or "")
        return self.partners[0] if is_known else super().authenticate(call)

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return super().session_answer(session, call).with_headers(set_cookie="visit=known; Path=/; HttpOnly")


@defect("previous-token-refused-every-second-time", breaks=["proof.auth.rotation-grace"])
class PreviousTokenRefusedEverySecondTime(SessionService):
    """One of two servers behind a balancer knows no previous token: every second call with it is refused."""

    def __init__(self) -> None:
        super().__init__()
        self._calls_with_previous = 0

    def authenticate(self, call: Call) -> Partner:
        partner = super().authenticate(call)
        if _is_previous(self, partner, call):
            self._calls_with_previous += 1
            if self._calls_with_previous % 2 == 0:
                raise self.token_refusal(self.bearer_token(call))
        return partner
