"""What holds for every exchange, or for the whole run, whatever provoked it.

What the OpenAPI document can say (required members, types, patterns) stands there.
"""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.judging.history import never_repeated
from rampcheck.judging.invariants import Endpoint, given, not_a_gateways
from rampcheck.judging.suite import HistoryInvariant, Invariant

from .requests import PATH

SESSION = Endpoint("POST", PATH)

INVARIANTS: Sequence[Invariant] = (not_a_gateways("vendorname.errors.gateway-envelope", SESSION.asked),)

HISTORY: Sequence[HistoryInvariant] = (
    never_repeated(
        "vendorname.session.id",
        "`id`",
        SESSION.answered,
        lambda exchange: given(exchange, "id"),
    ),
)
