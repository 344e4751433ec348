"""Which endpoint serves a request, by the segments of its path as they were sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
VARIABLE = "{}"


@dataclass(frozen=True)
class Route:
    """An endpoint for one path of a protocol, `http` or `websocket`.

    The template's segments stand for themselves, but `{}` for any that is not empty, whatever is
    percent-encoded in it, a `/` too; its endpoint gets that as the call's parameter. A template of None is for
    any path.
    """

    protocol: str
    template: str | None
    endpoint: ASGIApp

    def match(self, segments: Sequence[str | None]) -> dict[str, str] | None:
        """The path's parameter, if there is one, where the decoded segments match the template, else None."""
        if self.template is None:
            return {}
        pattern = self.template.split("/")
        if len(pattern) != len(segments):
            return None
        found = {}
        for expected, segment in zip(pattern, segments, strict=True):
            if expected == VARIABLE and segment:
                found["parameter"] = segment
            elif expected != segment:
                return None
        return found


class Routes:
    """An ASGI application: the first of the routes that matches serves the request; the last must match all."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request (ASGI 3)."""
        segments = [decoded(segment) for segment in scope["raw_path"].split(b"/")]
        for route in self._routes:
            parameters = route.match(segments) if route.protocol == scope["type"] else None
            if parameters is not None:
                await route.endpoint({**scope, "path_params": parameters}, receive, send)
                return


def decoded(segment: bytes) -> str | None:
    """A path segment without its percent-encoding (RFC 3986 §2.1), or None where it is wrong or hides no UTF-8."""
    if STRAY_PERCENT.search(segment):
        return None
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        return None
