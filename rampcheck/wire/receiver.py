"""Where the target's webhooks come in: a server on the profile's `webhook.listen`, for as long as the run needs it.

The server is uvicorn's, which the reference runs on too, with connections that are bounded (`incoming`): on a public
address, anything may come.
"""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from rampcheck.contract.profile import Webhook
from rampcheck.errors import UsageError
from rampcheck.wire.channel import News
from rampcheck.wire.exchanges import Headers
from rampcheck.wire.json_text import NOT_JSON, parse_json, strings
from rampcheck.wire.transport import size_of

if TYPE_CHECKING:
    import uvicorn

MAX_BODY_BYTES = 64 * 1024
MAX_WAITING = 256  # what comes beyond is told to come later, …
MAX_WAITING_BYTES = 4 * 1024 * 1024  # … as it is beyond these
START_SECONDS = 10.0
SHORTEST_PART = 6  # characters
# Below the first port for outgoing connections: Linux has 32768 (ip(7)), others 49152 (RFC 6335 section 6).
PORTS = range(20_000, 32_768)
# Shuffled by the system's randomness, or every process with the same seed would take the same.
_ports = itertools.cycle(random.SystemRandom().sample(PORTS, len(PORTS)))


@dataclass(frozen=True)
class Delivery:
    """A request that came in: `target` is its path and query, `at` and `answered` seconds since the epoch.

    `number` is that of its exchange, given by who is told of it.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    at: float
    answered: float
    number: int = 0

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        return len(self.target) + size_of(self.headers, self.body)


def names(delivery: Delivery, ids: Collection[str]) -> bool:
    """Whether a request names one of these, in a string of its JSON or, where it is none, anywhere in its body.

    A short id has to stand alone: by chance it is part of anything.
    """
    value = parse_json(delivery.body)
    texts = [delivery.body.decode("utf-8", "replace")] if value is NOT_JSON else list(strings(value))
    # All texts at once: the sender chooses how many they are.
    together = "\0".join(texts)
    return not set(ids).isdisjoint(texts) or any(len(known) >= SHORTEST_PART and known in together for known in ids)


def newest(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Gives the last of them, as many as may wait."""
    kept: deque[Delivery] = deque()
    left = MAX_WAITING_BYTES
    for delivery in reversed(deliveries):
        left -= delivery.size
        if left < 0 or len(kept) == MAX_WAITING:
            break
        kept.appendleft(delivery)
    return list(kept)


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

    `arrived` is told of each that is kept before it is answered, by another thread, and gives what is kept. Where more
    waits than there is room for, the answer is 503; but what is the target's own (`is_own`) takes the place of what is
    not. A body that is larger than it reads is answered with 413. `turned_away` counts both, and what was cut short.

    `start` raises `UsageError` where it cannot listen. Requests to other paths are answered with 404, their bodies not
    looked at, and counted in `strays`: on a public address they may come from anybody.
    """

    def __init__(
        self,
        webhook: Webhook,
        news: News,
        is_own: Callable[[Delivery], bool] = lambda _: False,
        arrived: Callable[[Delivery], Delivery] = lambda delivery: delivery,
    ) -> None:
        self.strays = 0
        self.turned_away = 0
        self._webhook = webhook
        self._path = unquote(urlsplit(webhook.public_url).path) or "/"
        self._news = news
        self._is_own = is_own
        self._arrived = arrived
        self._own: deque[Delivery] = deque()
        self._others: deque[Delivery] = deque()
        self._size = 0
        self._changing = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listens from now on."""
        from rampcheck.wire import incoming  # noqa: PLC0415 - most runs receive nothing

        listening = _listen(self._webhook)
        server = self._server = incoming.server(self._serve)
        # The socket listens already: what comes before the server runs waits in its queue.
        listening.listen(128)
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()

    def drain(self) -> list[Delivery]:
        """Gives what has come since the last call, in the order of its coming."""
        with self._changing:
            deliveries = sorted([*self._own, *self._others], key=lambda delivery: delivery.at)
            self._own.clear()
            self._others.clear()
            self._size = 0
        return deliveries

    def stop(self) -> None:
        """Listens no more."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)

    async def _serve(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        at = time.time()
        if scope["path"] != self._path:
            self.strays += 1
            await _answer(send, 404)
            return
        body = await _body(receive)
        if body is None:
            self.turned_away += 1
            return
        query = scope["query_string"].decode("latin-1")
        taken = len(body) <= MAX_BODY_BYTES and self._keep(
            Delivery(
                scope["method"],
                scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
                tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in scope["headers"]),
                body,
                at,
                time.time(),
            )
        )
        await _answer(send, 200 if taken else 503 if len(body) <= MAX_BODY_BYTES else 413)
        if taken:
            self._news.tell()
        else:
            self.turned_away += 1

    def _keep(self, delivery: Delivery) -> bool:
        """Keeps a delivery until it is drained, if there is room for it; says whether there is."""
        is_own = self._is_own(delivery)
        with self._changing:
            while is_own and self._others and not self._fits(delivery):
                self._size -= self._others.popleft().size
                self.turned_away += 1
            if not self._fits(delivery):
                return False
            self._size += delivery.size
            (self._own if is_own else self._others).append(self._arrived(delivery))
            return True

    def _fits(self, delivery: Delivery) -> bool:
        waiting = len(self._own) + len(self._others)
        return waiting < MAX_WAITING and self._size + delivery.size <= MAX_WAITING_BYTES


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
        raise UsageError(
            f"cannot listen on `webhook.listen` {webhook.listen}: {error.strerror}",
            "Name an address of this machine and a free port, or leave `webhook` out.",
        ) from error
    return listening


async def _answer(send: Callable[[dict[str, Any]], Awaitable[None]], status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes | None:
    """Gives a body, or the first of it and more than `MAX_BODY_BYTES`; None where the connection ends before it."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES or not message.get("more_body", False):
            return bytes(body)
