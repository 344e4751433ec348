"""How defects that change a session are registered: one row each, of name, clauses, summary and change."""

# ruff: noqa: ARG005 - every change takes the session and the request.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rampcheck.sandbox.defects import defect, defects

from .partners import Partner
from .request import SessionRequest
from .service import SessionService

SESSION = "proof.session"
# What is told later of a session's transaction, and is told wrong where the session was.
FOLLOWING = ("proof.transaction", "proof.ws", "proof.webhook")

# Takes a conforming session and its request; gives the fields that shall be otherwise.
Change = Callable[[Mapping[str, Any], SessionRequest], Mapping[str, Any]]


# Every session gets the values that `change` gives.
changed = defects(
    SessionService,
    "session",
    lambda change, _, inherited, partner, request, address: (
        (session := inherited(partner, request, address)) | change(session, request)
    ),
    section=SESSION,
)


def always(**values: Any) -> Change:
    """The change that sets these fields in every session."""
    return lambda session, request: values


def without(
    name: str, field: str, summary: str, may_break: Sequence[str], applies: Callable[[SessionRequest], bool]
) -> None:
    """Registers a defect: the sessions for requests to which it applies lack a field."""

    @defect(name, breaks=_full(["complete"]), may_break=_full(may_break), summary=summary)
    class Without(SessionService):
        def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
            session = super().session(partner, request, address)
            if applies(request):
                del session[field]
            return session


def _full(clauses: Sequence[str]) -> list[str]:
    return [clause if clause.startswith("proof.") else f"{SESSION}.{clause}" for clause in clauses]
