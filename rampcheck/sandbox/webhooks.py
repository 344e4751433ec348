"""Posting webhooks: best effort, without anybody waiting for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Hashable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rampcheck.errors import UsageError

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 5.0
DEFAULT_PORTS = {"http": 80, "https": 443}

# As a whole, or in the chunks in which it is sent.
Body = bytes | AsyncIterable[bytes]

logger = logging.getLogger(__name__)


def listening_address(url: str) -> str:
    """The `host:port` to listen on for what is posted to `url`. Raises `UsageError` if that is no http(s) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError):
        port = 0
    if not port or not parts.hostname:
        raise UsageError(f"{url!r} cannot take webhooks", "Give a URL like http://127.0.0.1:8099/webhooks.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}"


class Webhooks:
    """Posts to one URL, once each; what cannot be delivered is logged and forgotten.

    Raises `UsageError` if the URL is none.
    """

    def __init__(self, url: str) -> None:
        listening_address(url)
        self._url = url
        self._last: dict[Hashable, asyncio.Task[None]] = {}
        self._opening: asyncio.Task[httpx.AsyncClient] | None = None

    def post(
        self, key: Hashable, headers: Mapping[str, str], body: Body, method: str = "POST", query: str = ""
    ) -> None:
        """Posts the body in the background, after all that was to be posted before with the same key.

        A server with a defect uses another method than POST, or adds a query to the URL.
        """
        request = (method, f"{self._url}?{query}" if query else self._url, headers, body)
        task = asyncio.get_running_loop().create_task(self._send_after(self._last.get(key), *request))
        self._last[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: Hashable, done: asyncio.Task[None]) -> None:
        if self._last.get(key) is done:
            del self._last[key]

    async def _send_after(
        self, before: asyncio.Task[None] | None, method: str, url: str, headers: Mapping[str, str], body: Body
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        client = await self._client()
        import httpx  # noqa: PLC0415 - a server that posts nothing does without

        try:
            response = await client.request(method, url, headers=headers, content=body)
            response.raise_for_status()
        except httpx.HTTPError as error:
            logger.warning("a webhook was not taken: %s: %s", type(error).__name__, error)

    async def _client(self) -> httpx.AsyncClient:
        if self._opening is None:
            # In a thread, because the import would hold up everyone else.
            self._opening = asyncio.create_task(asyncio.to_thread(_open_client))
        return await self._opening


def _open_client() -> httpx.AsyncClient:
    import httpx  # noqa: PLC0415 - see above

    return httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS)
