"""Variants that protect themselves: locks after wrong signatures, limits of a user and of a wallet, gateways."""

# ruff: noqa: ARG002, D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from rampcheck.sandbox.asgi import Reply, headers_of, send_reply
from rampcheck.sandbox.locking import Lock, Quota
from rampcheck.sandbox.variants import variant
from rampcheck.sandbox.wire import Answer, Call

from .refusals import Refused
from .service import WidgetSessionService

LATER = Refused(429, "TOO_MANY_REQUESTS", "Try again later")
PAGE = (("content-type", "text/html"),)


class _Locking(WidgetSessionService):
    """After so many refusals for a signature or a key in a row, nobody is let in for a while."""

    most, seconds = 5, 0.5

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._lock = Lock(self.most, self.seconds)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        usual = super().answered
        return self._lock.answered(lambda: usual(call, operation), lambda: self.locked(call))

    def locked(self, call: Call) -> Answer:
        """What is said to whoever comes meanwhile."""
        return self.error_answer(LATER, call).with_headers(retry_after="1")


@variant("kryptonim", "locked-after-wrong-signatures")
class LockedAfterWrongSignatures(_Locking):
    """After five 401 in a row, everybody gets 429 for half a second, and is asked to wait a second."""


@variant("kryptonim", "blocked-after-wrong-signatures")
class BlockedAfterWrongSignatures(_Locking):
    """After ten 401 in a row, everybody gets a page of the firewall, 403, for half a second."""

    most = 10

    def locked(self, call: Call) -> Answer:
        return Answer(403, b"<!DOCTYPE html><html><body><h1>Access denied</h1></body></html>", dict(PAGE))


class _Limiting(WidgetSessionService):
    """After so many sessions of one kind in ten seconds, there is none of that kind for a while."""

    most, seconds, field = 5, 0.5, "email"

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._quota = Quota(self.most, self.seconds)

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        whose = self.decode(call.body).get(self.field)
        if whose is not None and self._quota.is_spent(whose):
            return self.error_answer(LATER, call).with_headers(retry_after="1")
        return super().session_answer(session, call)


@variant("kryptonim", "few-sessions-of-a-user")
class FewSessionsOfAUser(_Limiting):
    """After five sessions in ten seconds a user, known by the e-mail address, has to wait for half a second: 429."""


@variant("kryptonim", "few-sessions-of-a-wallet")
class FewSessionsOfAWallet(_Limiting):
    """After sixty sessions in ten seconds a wallet has to wait for half a second: 429."""

    most, field = 60, "destinationAddress"


def _unread(app: ASGIApp) -> ASGIApp:
    """Refuses a request of more than 8 KiB by its head, and closes the connection on the rest of it."""
    page = Reply(413, (*PAGE, ("connection", "close")), b"<html><h1>413 Request Entity Too Large</h1></html>")

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        length = dict(headers_of(scope)).get("content-length", "0") if scope["type"] == "http" else "0"
        if int(length) > 1 << 13:
            await send_reply(send, page)
        else:
            await app(scope, receive, send)

    return served


@variant("kryptonim", "refused-before-it-is-read", wrap=_unread)
class RefusedBeforeItIsRead(WidgetSessionService):
    """What is larger than 8 KiB gets a proxy's page, 413, before its body is read, and the connection is closed."""
