"""Where the target's webhooks come in: a server on the profile's `webhook.listen`, for as long as the run needs it.

The server is uvicorn's, which the reference runs on too: it reads chunked bodies, keeps connections and bounds headers.
"""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from rampcheck.channel import News
from rampcheck.errors import UsageError
from rampcheck.exchanges import NOT_JSON, Headers, parse_json
from rampcheck.invariants import strings
from rampcheck.profile import Webhook

if TYPE_CHECKING:
    import uvicorn

MAX_BODY_BYTES = 256 * 1024
MAX_WAITING = 256  # what comes beyond is told to come later
START_SECONDS = 10.0
SHORTEST_PART = 6  # characters
# Below the first port for outgoing connections: Linux has 32768 (ip(7)), others 49152 (RFC 6335 section 6).
PORTS = range(20_000, 32_768)
# Shuffled by the system's randomness, or every process with the same seed would take the same.
_ports = itertools.cycle(random.SystemRandom().sample(PORTS, len(PORTS)))


@dataclass(frozen=True)
class Delivery:
    """A request that came in: `target` is its path and query, `at` and `answered` seconds since the epoch."""

    method: str
    target: str
    headers: Headers
    body: bytes
    at: float
    answered: float


def names(delivery: Delivery, ids: Iterable[str]) -> bool:
    """Whether a request names one of these, in a string of its JSON or, where it is none, anywhere in its body.

    A short id has to stand alone: by chance it is part of anything.
    """
    value = parse_json(delivery.body)
    texts = [delivery.body.decode("utf-8", "replace")] if value is NOT_JSON else list(strings(value))
    return any(text == known or (len(known) >= SHORTEST_PART and known in text) for known in ids for text in texts)


def check(webhook: Webhook) -> None:
    """Raises `UsageError` where `webhook.listen` cannot be listened on."""
    _listen(webhook).close()


def free_port() -> int:
    """Gives a port of 127.0.0.1 that nothing uses now, and another one at each call.

    It is none of those that a system takes for outgoing connections: one of them could take it before it is used.
    Raises `UsageError` where there is none.
    """
    for _ in PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port := next(_ports))):
            return port
    raise UsageError("no port of 127.0.0.1 is free", "Name one under `webhook.listen` in a profile.")


class Receiver:
    """Takes what is sent to the path of `webhook.public_url`, answers 200, and keeps it until `drain`.

    Where more waits than it keeps, the answer is 503.

    `start` raises `UsageError` where it cannot listen. Requests to other paths are answered with 404 and counted in
    `strays`: on a public address they may come from anybody.
    """

    def __init__(self, webhook: Webhook, news: News) -> None:
        self.strays = 0
        self._webhook = webhook
        self._path = unquote(urlsplit(webhook.public_url).path) or "/"
        self._news = news
        self._deliveries: deque[Delivery] = deque()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listens from now on."""
        import uvicorn  # noqa: PLC0415 - most runs receive nothing

        listening = _listen(self._webhook)
        server = self._server = uvicorn.Server(uvicorn.Config(
            self._serve, interface="asgi3", loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None,
            log_level="critical", access_log=False, proxy_headers=False, timeout_graceful_shutdown=1,
        ))
        # The socket listens already: what comes before the server runs waits in its queue.
        listening.listen(128)
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()

    def drain(self) -> list[Delivery]:
        """Gives what has come since the last call, in the order of its coming."""
        deliveries = []
        while self._deliveries:
            deliveries.append(self._deliveries.popleft())
        return deliveries

    def stop(self) -> None:
        """Listens no more."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)

    async def _serve(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        at = time.time()
        body = await _body(receive)
        expected = scope["path"] == self._path
        is_full = len(self._deliveries) >= MAX_WAITING
        status = 404 if not expected else 503 if is_full else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        if not expected:
            self.strays += 1
        if status != 200:
            return
        query = scope["query_string"].decode("latin-1")
        self._deliveries.append(Delivery(
            scope["method"], scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
            tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in scope["headers"]),
            body, at, time.time(),
        ))
        self._news.tell()


def _listen(webhook: Webhook) -> socket.socket:
    host, _, port = webhook.listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, int(port)))
    except OSError as error:
        listening.close()
        raise UsageError(f"cannot listen on `webhook.listen` {webhook.listen}: {error.strerror}",
                         "Name an address of this machine and a free port, or leave `webhook` out.") from error
    return listening


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
    body = b""
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk[: MAX_BODY_BYTES - len(body)]
        if not message.get("more_body", False):
            return body
