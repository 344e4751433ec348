"""Defects that show now and then: every n-th call of one kind is answered otherwise, as by one server of several."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.gateway_pages import page
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .base import BaseService
from .partners import Partner
from .refusals import Refusal, Refused
from .service import SessionService
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService


@defect("every-third-poll-not-found", breaks=["proof.transaction.terminal"], may_break=["proof.transaction"])
class EveryThirdPollNotFound(StatusService):
    """Every third poll finds no transaction, as if one of three servers knew none."""

    def __init__(self) -> None:
        super().__init__()
        self._polls = 0

    def polled(self, transaction: Transaction) -> None:
        self._polls += 1
        if self._polls % 3 == 0:
            raise Refusal(refusals.TRANSACTION)
        super().polled(transaction)


@defect("every-fourth-user-not-found", breaks=["proof.kyc.stable"], may_break=["proof.kyc"])
class EveryFourthUserNotFound(StatusService):
    """Every fourth question for a known user finds none, as if one of four servers knew none."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    def check_user(self, partner: Partner, user: str) -> None:
        super().check_user(partner, user)
        self._asked += 1
        if self._asked % 4 == 0:
            raise Refusal(refusals.USER)


@defect("every-third-poll-status-unknown", breaks=["proof.transaction.complete"], may_break=["proof.transaction"])
class EveryThirdPollStatusUnknown(StatusService):
    """Every third poll shows the status unknown."""

    def __init__(self) -> None:
        super().__init__()
        self._polls = 0

    def transaction_document(self, transaction: Transaction) -> dict[str, Any]:
        self._polls += 1
        return super().transaction_document(transaction) | ({"status": "unknown"} if self._polls % 3 == 0 else {})


@defect("every-tenth-error-is-a-page", breaks=["proof.errors.envelope"], may_break=["proof.errors"])
class EveryTenthErrorIsAPage(BaseService):
    """Every tenth error is the page of a gateway, with the status of the error."""

    def __init__(self) -> None:
        super().__init__()
        self._errors = 0

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        self._errors += 1
        return page(refused.status) if self._errors % 10 == 0 else super().error_answer(refused, call)


@defect("every-tenth-error-without-code", breaks=["proof.errors.envelope"], may_break=["proof.errors"])
class EveryTenthErrorWithoutCode(BaseService):
    """Every tenth error has no code and no message, as of a server of an older release."""

    def __init__(self) -> None:
        super().__init__()
        self._errors = 0

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        self._errors += 1
        envelope = super().envelope(refused, call)
        return {"error": envelope["error"]} if self._errors % 10 == 0 else envelope


@defect("every-tenth-error-without-request-id", breaks=["proof.errors.request-id"], may_break=["proof.errors"])
class EveryTenthErrorWithoutRequestId(BaseService):
    """Every tenth error has an empty request id."""

    def __init__(self) -> None:
        super().__init__()
        self._errors = 0

    def request_id(self, answer: Answer, call: Call) -> str:
        self._errors += answer.status >= 400
        return "" if answer.status >= 400 and self._errors % 10 == 0 else super().request_id(answer, call)


def _upgrade_refused(name: str, every: int, refused: Refused) -> None:
    """Registers a defect: every so many-th upgrade is refused."""

    summary = f"One upgrade in {every} is refused with {refused.status}."

    @defect(name, breaks=["proof.ws.connect"], may_break=["proof.ws", "proof.auth"], summary=summary)
    class UpgradeRefused(UpdateService):
        def __init__(self) -> None:
            super().__init__()
            self._upgrades = 0

        def subscribed(self, partner: Partner, tx_id: str) -> Transaction:
            found = super().subscribed(partner, tx_id)
            self._upgrades += 1
            if self._upgrades % every == 0:
                raise Refusal(refused)
            return found


_upgrade_refused("every-second-upgrade-forbidden", 2, refusals.ORIGIN)
_upgrade_refused("every-fourth-upgrade-unauthorised", 4, refusals.TOKEN)


@defect(
    "every-eighth-token-unchecked",
    # Which of them meets it is chance.
    breaks=[f"proof.auth.{name}" for name in ("unknown-token", "inactive-token", "bearer-required", "bearer-scheme")],
    may_break=[f"proof.{name}" for name in ("auth", "transaction", "kyc", "ws")],
)
class EveryEighthTokenUnchecked(BaseService):
    """Every eighth wrong token is taken for the first partner's."""

    def __init__(self) -> None:
        super().__init__()
        self._wrong = 0

    def authenticate(self, call: Call) -> Partner:
        try:
            return super().authenticate(call)
        except Refusal as refusal:
            self._wrong += refusal.refused.status == 401
            if refusal.refused.status != 401 or self._wrong % 8:
                raise
            return self.partners[0]


def _session_refused(name: str, every: int, *refusals_in_turn: Refused) -> None:
    """Registers a defect: every so many-th call for a session with a good token is refused, in one way or another."""
    said = " or ".join(str(refused.status) for refused in refusals_in_turn)

    @defect(
        name,
        breaks=["proof.session.request.client-ip-optional"],
        # Before such a refusal is known to come in passing, what met two of them may be blamed.
        may_break=["proof.errors.upstream", "proof.session.request", "proof.auth"],
        summary=f"One call for a session in {every} is refused with {said}, whatever it asks for.",
    )
    class SessionRefused(SessionService):
        def __init__(self) -> None:
            super().__init__()
            self._calls = 0

        def check_origin(self, partner: Partner, call: Call) -> None:
            self._calls += 1
            if self._calls % every == 0:
                raise Refusal(refusals_in_turn[self._calls // every % len(refusals_in_turn)])
            super().check_origin(partner, call)


_session_refused("every-second-session-refused", 2, refusals.VALIDATION)
_session_refused("every-second-session-unauthorised", 2, refusals.TOKEN)
_session_refused("every-second-session-refused-in-turn", 2, refusals.VALIDATION, refusals.TOKEN)
_session_refused("every-tenth-session-unauthorised", 10, refusals.TOKEN)
