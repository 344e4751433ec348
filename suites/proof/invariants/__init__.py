"""What holds for every exchange with Proof, and for the whole run, whatever provoked it.

What the OpenAPI document can say (types, constants, patterns, the error table) stands there. Times, amounts and
statuses are read by `values`; a `trail` is what a run saw of one transaction over all channels.
"""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.judging.suite import HistoryInvariant, Invariant

from . import errors, internals, known, kyc, session, transaction, webhook, ws

_SECTIONS = (session, errors, internals, transaction, kyc, ws, webhook, known)

INVARIANTS: Sequence[Invariant] = tuple(found for section in _SECTIONS for found in section.INVARIANTS)
HISTORY: Sequence[HistoryInvariant] = tuple(found for section in _SECTIONS for found in section.HISTORY)
