"""The routes of the Proof server."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Route

from rampcheck.reference.proof.service import SessionService
from rampcheck.reference.wire import Endpoint


def create_app(defects: Sequence[type], _environment: str, latency: float) -> Starlette:
    """The ASGI application of a Proof server.

    `defects` are the classes that override parts of `SessionService`, the first one outermost. The
    environment makes no difference. Every answer waits `latency` seconds.
    """
    service: SessionService = type("Service", (*defects, SessionService), {})()
    return Starlette(
        routes=[
            Route("/widget/session", Endpoint(service.post_session, latency)),
            Route("/{path:path}", Endpoint(service.unknown_path, latency)),
        ]
    )
