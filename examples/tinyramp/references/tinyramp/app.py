"""The routes of the server."""

from __future__ import annotations

from collections.abc import Sequence

from rampcheck.sandbox.routes import Route, Routes
from rampcheck.sandbox.wire import Endpoint

from .service import SessionService


def create_app(defects: Sequence[type], _environment: str, latency: float, _webhook_url: str | None = None) -> Routes:
    """The ASGI application of a server; `defects` are the classes that override parts of it, the first outermost."""
    service: SessionService = type("Service", (*defects, SessionService), {})()
    return Routes(
        [
            Route("http", "/v1/sessions", Endpoint(service.post_session, latency)),
            Route("http", "/v1/sessions/{}/redeem", Endpoint(service.post_redemption, latency)),
            Route("http", None, Endpoint(service.unknown_path, latency)),
        ]
    )
