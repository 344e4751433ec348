"""The routes of the Kryptonim server."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Route

from rampcheck.errors import UsageError
from rampcheck.sandbox.wire import Endpoint

from .partner import OFFERS
from .service import WidgetSessionService


def create_app(defects: Sequence[type], environment: str, latency: float, _webhook_url: str | None = None) -> Starlette:
    """The ASGI application of a Kryptonim server.

    `defects` are the classes that override parts of `WidgetSessionService`, the first one outermost.
    `environment` is testnet or production. Every answer waits `latency` seconds. There are no webhooks. Raises
    `UsageError` for an unknown environment.
    """
    if environment not in OFFERS:
        raise UsageError(f"there is no environment {environment!r}", f"Known: {', '.join(OFFERS)}.")
    service: WidgetSessionService = type("Service", (*defects, WidgetSessionService), {})(environment)
    return Starlette(
        routes=[
            Route("/v1/widget-sessions", Endpoint(service.post_session, latency)),
            Route("/{path:path}", Endpoint(service.unknown_path, latency)),
        ]
    )
