"""Defects of the redemption."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.refusal import Refusal

from .refusals import REDEEMED, UNKNOWN
from .service import Session, SessionService


@defect("redeemed-stays-open", breaks=["tinyramp.redeem.first"])
class RedeemedStaysOpen(SessionService):
    """A redeemed session has the status open."""

    def redeemed(self, session: Session) -> dict[str, Any]:
        return {**super().redeemed(session), "status": "open"}


@defect("first-redemption-refused", breaks=["tinyramp.redeem.first"])
class FirstRedemptionRefused(SessionService):
    """A session counts as redeemed from its beginning."""

    def check_redeemed(self, session: Session) -> None:
        raise Refusal(REDEEMED)


@defect("link-works-twice", breaks=["tinyramp.redeem.once"])
class LinkWorksTwice(SessionService):
    """A session can be redeemed twice."""

    def check_redeemed(self, session: Session) -> None:
        if session.times > 1:
            super().check_redeemed(session)


@defect("redeemed-as-gone", breaks=["tinyramp.redeem.once"])
class RedeemedAsGone(SessionService):
    """A session that was redeemed is refused with 410."""

    def check_redeemed(self, session: Session) -> None:
        if session.times:
            raise Refusal(replace(REDEEMED, status=410))


@defect("expired-link-works", breaks=["tinyramp.redeem.expired"])
class ExpiredLinkWorks(SessionService):
    """A session can be redeemed after its end."""

    def check_end(self, session: Session) -> None:
        pass


@defect("expired-as-unknown", breaks=["tinyramp.redeem.expired"])
class ExpiredAsUnknown(SessionService):
    """An expired session is refused as if there had been none."""

    def check_end(self, session: Session) -> None:
        try:
            super().check_end(session)
        except Refusal as refusal:
            raise Refusal(UNKNOWN) from refusal
