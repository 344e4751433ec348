"""A WebSocket to the target: the upgrade, the messages as they come, the close.

The library is `websockets`: its threading client needs no event loop, gives the refused upgrade's response whole, and
the reference's server speaks through the same library.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from rampcheck.wire import resolver
from rampcheck.wire.exchanges import Direction, Exchange, Headers, Message, MessageKind, Response
from rampcheck.wire.room import Room
from rampcheck.wire.transport import (
    MAX_RESPONSE_BYTES,
    CodingError,
    TooLargeError,
    Way,
    certificates,
    decoded,
    for_proxy,
)

MAX_MESSAGES = 256
MAX_CHANNEL_BYTES = 256 * 1024  # of all messages of one WebSocket, as of one answer; what comes after is not read
MOST_UNREAD = 2  # messages that the library reads ahead
ABNORMAL = 1006  # no frame has it: the connection ended without a close of either side (RFC 6455 section 7.4.1)
TOO_BIG = 1009  # the close code for a message that is larger than the other side reads (RFC 6455 section 7.4.1)
MOST_INTERIM = 10
MAX_INTERIM_BYTES = 64 * 1024
INTERIM = re.compile(rb"HTTP/1\.1 1(?!01)\d\d[ \r]")
REFUSAL = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d)[^\r\n]*")
CODING = re.compile(rb"^(transfer-encoding:[^\r\n]*)", re.IGNORECASE | re.MULTILINE)
LONGEST_CLOSE = 2.0  # seconds that a target is given to answer a close
SHORTEST_OPEN = 0.001  # seconds: none at all would be no limit
LONGEST_END = 3.0  # seconds after which a socket is shut down that does not even take a close


class News:
    """Tells one waiting thread that something came in on any of the things that share it."""

    def __init__(self) -> None:
        self._came = threading.Event()

    def tell(self) -> None:
        """Wakes who waits, now or next."""
        self._came.set()

    def wait(self, seconds: float) -> None:
        """Returns as soon as something came in since the last call, at the latest after `seconds`."""
        self._came.wait(max(0.0, seconds))
        self._came.clear()


class RefusedUpgradeError(Exception):
    """The target answered an upgrade with a response that opens no WebSocket; `handshake` names what is wrong."""

    def __init__(self, response: Response, handshake: str) -> None:
        super().__init__(handshake)
        self.response = response
        self.handshake = handshake


@dataclass(frozen=True)
class Socket:
    """An upgraded connection, the headers that were sent, and the response."""

    connection: ClientConnection
    sent: Headers
    response: Response


class _Upgrade(ClientConnection):
    """An upgrade that keeps a refusal's response, and by that keeps `connect` from following redirects.

    Interim responses before the answer are passed over (RFC 9110 section 15.2).
    """

    def __init__(self, socket: Any, protocol: ClientProtocol, **named: Any) -> None:
        protocol.parser = _after_interim(protocol)
        next(protocol.parser)  # As the library starts its own, which takes the first response for the answer.
        super().__init__(socket, protocol, **named)

    def handshake(self, *arguments: Any, **named: Any) -> None:
        try:
            super().handshake(*arguments, **named)
        except InvalidHandshake as error:
            if self.response is None:
                raise
            raise RefusedUpgradeError(_response(self.response), type(error).__name__) from None


def _after_interim(protocol: ClientProtocol) -> Generator[None]:
    """Parses what comes as the library does, without the interim responses before the first other one.

    A refusal is an answer of HTTP like any other, of which the library reads one version and spelling only.
    """
    reader = protocol.reader
    for _ in range(MOST_INTERIM):
        while b"\r\n\r\n" not in reader.buffer and not reader.eof and len(reader.buffer) < MAX_INTERIM_BYTES:
            yield
        head, end, _rest = bytes(reader.buffer).partition(b"\r\n\r\n")
        if not (end and INTERIM.match(head)):
            break
        del reader.buffer[: len(head) + len(end)]
    if end and REFUSAL.match(head):
        reader.buffer[: len(head)] = _respelled(head)
    yield from protocol.parse()


def _respelled(head: bytes) -> bytes:
    """Gives the head of a refusal as the library reads it: HTTP/1.1, a reason, the names of codings in lower case.

    Any server may write it otherwise (RFC 9112 sections 2.3, 4, 7); only an upgrade is HTTP/1.1 (RFC 6455 section 4).
    """
    return CODING.sub(lambda line: line[0].lower(), REFUSAL.sub(rb"HTTP/1.1 \1 Refused", head, count=1))


def open_socket(url: str, headers: Headers, timeout: float, way: Way) -> Socket:
    """Upgrades a connection to the `ws` or `wss` URL within `timeout` seconds, as HTTP would go this `way`.

    What else the environment says of proxies does not count. Raises `RefusedUpgradeError`, and what `websockets` and
    sockets raise where there is no HTTP response at all.
    """
    named: dict[str, Any] = {"source_address": (way.local_address, 0)} if way.local_address else {}
    proxy = way.proxy.url if way.proxy else None
    if proxy is not None and proxy.lower().startswith("https:"):
        named["proxy_ssl"] = for_proxy(way.tls)
    # The library asks the resolver without a deadline: it is asked first, so that the answer is there, or will not be.
    first = urlsplit(proxy or url)
    until = time.monotonic() + timeout
    addresses = resolver.addresses(first.hostname or "", first.port or 0, timeout)
    left = max(SHORTEST_OPEN, until - time.monotonic())
    named["timeout"] = left / max(1, len(addresses))  # of each address: the library tries one after the other
    connection = connect(
        url,
        additional_headers=list(headers),
        user_agent_header=None,
        compression=None,
        proxy=proxy,
        ssl=certificates(way.tls) if url.startswith("wss:") else None,
        open_timeout=left,
        ping_timeout=None,
        close_timeout=LONGEST_CLOSE,
        max_size=MAX_CHANNEL_BYTES,
        max_queue=MOST_UNREAD,
        create_connection=_Upgrade,
        legacy=True,
        **named,
    )
    assert connection.request is not None  # noqa: S101 - it is upgraded
    assert connection.response is not None  # noqa: S101 - it is upgraded
    return Socket(connection, tuple(connection.request.headers.raw_items()), _response(connection.response))


def _response(response: Any) -> Response:
    headers, body = tuple(response.headers.raw_items()), bytes(response.body)
    # How a refusal is written is nobody's promise: what does not fit its coding is kept as it came.
    with suppress(CodingError, TooLargeError):
        body = decoded(body, headers)
    return Response(response.status_code, headers, body[:MAX_RESPONSE_BYTES])


class Channel:
    """A WebSocket that was asked for: open, or refused.

    `upgrade` is the exchange of the upgrade, without messages. A context manager that closes it on leaving; the
    exchange with all its messages is told to `listener` then, once; `heard` is told of each message as it comes, by
    another thread. Messages are read until they are too many, too large, or there is no more `room` in the run; the
    exchange says so (`cut`).
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it tells, and whom
        self,
        upgrade: Exchange,
        socket: Socket | None,
        news: News,
        listener: Callable[[Exchange], None],
        room: Room | None = None,
        heard: Callable[[Exchange, Message], None] = lambda *_: None,
    ) -> None:
        self.upgrade = upgrade
        self._socket = socket
        self._news = news
        self._listener = listener
        self._room = room or Room()
        self._heard = heard
        self._cut = ""
        self._clock = time.perf_counter() - upgrade.elapsed
        self._messages: list[Message] = []
        self._exchange: Exchange | None = None
        self._is_ending = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        if socket is not None:
            self._reader.start()

    @property
    def accepted(self) -> bool:
        """Whether the target upgraded the connection."""
        return self.upgrade.accepted

    @property
    def is_open(self) -> bool:
        """Whether messages may still come."""
        return self._reader.is_alive()

    @property
    def messages(self) -> tuple[Message, ...]:
        """What has come so far."""
        return tuple(self._messages)

    def close(self) -> Exchange:
        """Closes the WebSocket, where it is open, and gives the exchange with all its messages."""
        if self._exchange is None:
            if self._socket is not None:
                self._end(self._socket.connection)
            self._exchange = (
                self.upgrade
                if self._socket is None
                else replace(
                    self.upgrade, messages=self.messages, elapsed=time.perf_counter() - self._clock, cut=self._cut
                )
            )
            self._listener(self._exchange)
        return self._exchange

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, connection: ClientConnection) -> None:
        self._is_ending = True
        # The library asks the target to close, for which it waits until the target has taken what it was sent before.
        last = threading.Timer(LONGEST_END, _shut_down, [connection])
        last.daemon = True
        last.start()
        try:
            connection.close()
        finally:
            last.cancel()
        self._reader.join(LONGEST_END)

    def _read(self) -> None:
        assert self._socket is not None  # noqa: S101 - the thread is started only where there is one
        connection, size = self._socket.connection, 0
        try:
            while not self._cut:
                data = connection.recv()
                kind: MessageKind = "text" if isinstance(data, str) else "binary"
                body = data.encode() if isinstance(data, str) else data
                size += len(body)
                self._cut = self._bound(size)
                if not self._cut:
                    self._room.take(len(body))
                    self._take(Message("incoming", time.time(), body, kind))
            _shut_down(connection)
        except ConnectionClosed as closed:
            frame = closed.rcvd if closed.rcvd_then_sent else closed.sent
            if frame is not None or not self._is_ending:
                told = f"{frame.code} {frame.reason}".strip() if frame else str(ABNORMAL)
                direction: Direction = "incoming" if frame is None or closed.rcvd_then_sent else "outgoing"
                self._take(Message(direction, time.time(), told.encode(), "close"))
                if frame is not None and direction == "outgoing" and frame.code == TOO_BIG:
                    self._cut = self._bound(MAX_CHANNEL_BYTES + 1)
        finally:
            self._news.tell()

    def _take(self, message: Message) -> None:
        self._messages.append(message)
        self._heard(self.upgrade, message)
        self._news.tell()

    def _bound(self, size: int) -> str:
        """Says what keeps a message from being read that makes `size` bytes of all, nothing where it may be."""
        if size > MAX_CHANNEL_BYTES:
            return f"more than {MAX_CHANNEL_BYTES // 1024} KiB came over one WebSocket; the rest was not read"
        if len(self._messages) == MAX_MESSAGES:
            return f"more than {MAX_MESSAGES} messages came over one WebSocket; the rest was not read"
        return "a run keeps no more of what the target sends; the rest was not read" if self._room.is_spent else ""


def _shut_down(connection: ClientConnection) -> None:
    """Ends a connection without asking: whatever waits for it, waits no more."""
    # By its descriptor: closing it wakes nobody, and TLS would first ask the other side.
    with suppress(OSError), socket.socket(fileno=os.dup(connection.socket.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
