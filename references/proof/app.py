"""The routes of the Proof server."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.sandbox.routes import Route, Routes
from rampcheck.sandbox.webhooks import Webhooks
from rampcheck.sandbox.websocket import SocketEndpoint
from rampcheck.sandbox.wire import Endpoint

from .service import SessionService
from .status import StatusService
from .updates import UpdateService


class ProofService(SessionService, StatusService, UpdateService):
    """A conforming Proof server."""


def create_app(defects: Sequence[type], _environment: str, latency: float, webhook_url: str | None = None) -> Routes:
    """The ASGI application of a Proof server.

    `defects` are the classes that override parts of `ProofService`, the first one outermost. The environment
    makes no difference. Every answer waits `latency` seconds. The first partner's webhooks go to
    `webhook_url`; without one there are none. Raises `UsageError` if that is no URL.
    """
    service: ProofService = type("Service", (*defects, ProofService), {})()
    # No step before the answer to the session, or nobody could subscribe in time.
    service.step_seconds += latency
    if webhook_url is not None:
        service.webhooks = Webhooks(webhook_url)
    return Routes(
        [
            Route("http", "/widget/session", Endpoint(service.post_session, latency)),
            Route("http", "/widget/transactions/{}", Endpoint(service.get_transaction, latency)),
            Route("http", "/widget/users/{}/kyc-status", Endpoint(service.get_kyc_status, latency)),
            Route("http", "/ws", Endpoint(service.get_without_upgrade, latency)),
            Route("http", None, Endpoint(service.unknown_path, latency)),
            Route("websocket", "/ws", SocketEndpoint(service.get_updates, latency)),
            Route("websocket", None, SocketEndpoint(service.unknown_path, latency)),
        ]
    )
