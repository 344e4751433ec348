"""Defects of the session that is returned."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect

from .service import LIFETIME, Session, SessionService


@defect("url-missing", breaks=["tinyramp.session.complete"])
class UrlMissing(SessionService):
    """A session has no url."""

    def shown(self, session: Session, request: dict[str, Any]) -> dict[str, Any]:
        shown = super().shown(session, request)
        del shown["url"]
        return shown


@defect("status-pending", breaks=["tinyramp.session.complete"])
class StatusPending(SessionService):
    """A session has the status pending."""

    def shown(self, session: Session, request: dict[str, Any]) -> dict[str, Any]:
        return {**super().shown(session, request), "status": "pending"}


@defect("amount-normalised", breaks=["tinyramp.session.echo"])
class AmountNormalised(SessionService):
    """An amount comes back without zeros at its end."""

    def shown(self, session: Session, request: dict[str, Any]) -> dict[str, Any]:
        return super().shown(session, {**request, "amount": f"{Decimal(request['amount']).normalize():f}"})


@defect("reference-cut", breaks=["tinyramp.session.echo"])
class ReferenceCut(SessionService):
    """A reference comes back without what is not ASCII."""

    def shown(self, session: Session, request: dict[str, Any]) -> dict[str, Any]:
        shown = super().shown(session, request)
        return {
            **shown,
            **({"reference": shown["reference"].encode("ascii", "ignore").decode()} if "reference" in shown else {}),
        }


@defect("lifetime-ignored", breaks=["tinyramp.session.expires-at"], may_break=["tinyramp.redeem.expired"])
class LifetimeIgnored(SessionService):
    """A session lives 15 minutes, whatever was asked for."""

    def lifetime(self, request: dict[str, Any]) -> float:
        return LIFETIME


@defect("lifetime-in-minutes", breaks=["tinyramp.session.expires-at"], may_break=["tinyramp.redeem.expired"])
class LifetimeInMinutes(SessionService):
    """What was asked for in seconds is taken for minutes."""

    def lifetime(self, request: dict[str, Any]) -> float:
        return super().lifetime(request) * (60 if "expires_in" in request else 1)


@defect("id-of-the-second", breaks=["tinyramp.session.id"], may_break=["tinyramp.redeem."])
class IdOfTheSecond(SessionService):
    """All sessions of a second have the same id."""

    def session_id(self, request: dict[str, Any]) -> str:
        return str(int(time.time()))


@defect("id-of-the-request", breaks=["tinyramp.session.id"], may_break=["tinyramp.redeem."])
class IdOfTheRequest(SessionService):
    """The same request gets the same id again."""

    def session_id(self, request: dict[str, Any]) -> str:
        return f"{request['asset']}-{request['amount']}"
