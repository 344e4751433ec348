"""Defects that show now and then: every n-th call of one kind is answered otherwise, as by one server of several."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.gateway_pages import page
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .defects_signing import EighthWrongSignatureAccepted
from .refusals import Refused
from .service import WidgetSessionService

SESSION = "kryptonim.session"


@defect("every-tenth-error-is-a-page", breaks=["kryptonim.errors.envelope"], may_break=["kryptonim.errors"])
class EveryTenthErrorIsAPage(WidgetSessionService):
    """Every tenth error is the page of a gateway, with the status of the error."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._errors = 0

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        self._errors += 1
        return page(refused.status) if self._errors % 10 == 0 else super().error_answer(refused, call)


@defect("every-tenth-error-without-message", breaks=["kryptonim.errors.envelope"], may_break=["kryptonim.errors"])
class EveryTenthErrorWithoutMessage(WidgetSessionService):
    """Every tenth error has no message."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._errors = 0

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        self._errors += 1
        envelope = super().envelope(refused, call)
        return {"code": envelope["code"]} if self._errors % 10 == 0 else envelope


@defect("every-twelfth-signature-unchecked", breaks=["kryptonim.auth.signature-secret"], may_break=["kryptonim.auth"])
class EveryTwelfthSignatureUnchecked(EighthWrongSignatureAccepted):
    """Every twelfth wrong signature passes."""

    every = 12


def _refused(name: str, clause: str, every: int, *in_turn: Refused) -> None:
    """Registers a defect: every so many-th call with good credentials is refused, in one way or another."""
    said = " or ".join(str(refused.status) for refused in in_turn)
    summary = f"One good call in {every} is refused with {said}, whatever it asks for."

    # Before such a refusal is known to come in passing, what met two of them may be blamed.
    @defect(name, breaks=[clause], may_break=[f"{SESSION}.request", "kryptonim.auth"], summary=summary)
    class CallRefused(WidgetSessionService):
        def __init__(self, environment: str) -> None:
            super().__init__(environment)
            self._calls = 0

        def authenticate(self, call: Call) -> None:
            super().authenticate(call)
            self._calls += 1
            if self._calls % every == 0:
                raise refusals.Refusal(in_turn[self._calls // every % len(in_turn)])


_refused("every-second-session-refused", f"{SESSION}.request.optional", 2, refusals.INVALID)
_refused("every-second-session-unauthorised", "kryptonim.auth.signature-bytes", 2, refusals.UNAUTHORIZED)
_refused(
    "every-second-session-refused-in-turn", f"{SESSION}.request.optional", 2, refusals.INVALID, refusals.UNAUTHORIZED
)
