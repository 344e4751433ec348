"""What holds for the KYC status of a user (status page)."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.judging.invariants import locked, never_accepted, succeeds_with
from rampcheck.judging.suite import HistoryInvariant, Invariant

from ..endpoints import KYC

INVARIANTS: Sequence[Invariant] = (
    succeeds_with("proof.kyc.complete", KYC, 200),
    locked("proof.kyc.echo", KYC, "partner_user_id", lambda exchange, _: KYC.parameter(exchange)),
    never_accepted(
        "proof.kyc.auth",
        KYC,
        "no Authorization header",
        lambda exchange, _: not exchange.request.header("authorization"),
    ),
)
HISTORY: Sequence[HistoryInvariant] = ()
