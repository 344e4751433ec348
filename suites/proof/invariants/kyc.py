"""What holds for the KYC status of a user (status page)."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.suites.proof.endpoints import KYC

from rampcheck.exchanges import Exchange
from rampcheck.invariants import given, never_accepted, same
from rampcheck.profile import Partner
from rampcheck.suite import Broken, HistoryInvariant, Invariant, invariant


@invariant("proof.kyc.echo", KYC.answered_with("partner_user_id"))
def user_is_the_one_asked_for(exchange: Exchange, _: Partner) -> Broken | None:
    """The user in the answer is the one in the path, character for character."""
    return same("partner_user_id", KYC.parameter(exchange), given(exchange, "partner_user_id"))


INVARIANTS: Sequence[Invariant] = (
    user_is_the_one_asked_for,
    never_accepted("proof.kyc.auth", KYC, "no Authorization header",
                   lambda exchange, _: not exchange.request.header("authorization")),
)
HISTORY: Sequence[HistoryInvariant] = ()
