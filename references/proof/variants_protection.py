"""Variants that protect themselves: locks after wrong tokens, limits of a user and of an e-mail address."""

# ruff: noqa: D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rampcheck.sandbox.locking import Lock, Quota
from rampcheck.sandbox.variants import variant
from rampcheck.sandbox.wire import Answer, Call

from .base import BaseService
from .partners import Partner
from .refusals import Refusal, Refused
from .request import SessionRequest
from .service import SessionService
from .transactions import Transaction
from .updates import UpdateService

own = partial(variant, "proof")

LATER = Refused(429, "too_many_requests", "too_many_requests", "Try again later.")
PAGE = b"<!DOCTYPE html><html><body><h1>Access denied</h1></body></html>"


class _Locking(BaseService):
    """After so many refusals of a token in a row, nobody is let in for a while."""

    most, seconds = 5, 0.5

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock(self.most, self.seconds)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        usual = super().answered
        return self._lock.answered(lambda: usual(call, operation), lambda: self.locked(call))

    def locked(self, call: Call) -> Answer:
        """What is said to whoever comes meanwhile."""
        return self.identified(self.error_answer(LATER, call), call).with_headers(retry_after="1")


@own("locked-after-wrong-tokens")
class LockedAfterWrongTokens(_Locking):
    """After five 401 in a row, everybody gets 429 for half a second, and is asked to wait a second."""


@own("blocked-after-wrong-tokens")
class BlockedAfterWrongTokens(_Locking):
    """After ten 401 in a row, everybody gets a page of the firewall, 403, for half a second."""

    most = 10

    def locked(self, call: Call) -> Answer:  # noqa: ARG002 - a firewall tells everybody the same
        return Answer(403, PAGE, {"content-type": "text/html"})


class _Limiting(SessionService):
    """After so many sessions of one user in ten seconds, there is none of that user for a while."""

    most, seconds, field = 5, 0.5, "partner_user_id"

    def __init__(self) -> None:
        super().__init__()
        self._quota = Quota(self.most, self.seconds)

    def check_provider(self, partner: Partner, request: SessionRequest) -> None:
        super().check_provider(partner, request)
        if self._quota.is_spent(getattr(request, self.field)):
            raise Refusal(LATER)

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        answer = super().error_answer(refused, call)
        return answer.with_headers(retry_after="1") if refused is LATER else answer


@own("few-sessions-of-a-user")
class FewSessionsOfAUser(_Limiting):
    """After five sessions in ten seconds a user has to wait for half a second: 429."""


@own("few-sessions-of-an-e-mail-address")
class FewSessionsOfAnEmailAddress(_Limiting):
    """After five sessions in ten seconds an e-mail address has to wait for half a second: 429."""

    field = "user_email"


@own("one-session-of-a-user")
class OneSessionOfAUser(SessionService, UpdateService):
    """A new session of a user cancels the user's transactions that are still pending, and everybody is told."""

    def created(self, transaction: Transaction) -> None:
        for before in self.ledger.transactions(transaction.partner):
            is_theirs = before.partner_user_id == transaction.partner_user_id and before.id != transaction.id
            if is_theirs and before.status == "pending":
                self.changed(before, status="cancelled")
        super().created(transaction)

    def process(self, transaction: Transaction) -> None:
        now = self.ledger.transaction(transaction.partner, transaction.id)
        if now is None or not now.is_terminal:
            super().process(transaction)
