"""A WebSocket to the target: the upgrade, the messages as they come, the close.

The library is `websockets`: its threading client needs no event loop, gives the refused upgrade's response whole, and
the reference's server speaks through the same library.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from rampcheck.exchanges import Exchange, Headers, Message, Response
from rampcheck.transport import CodingError, TooLargeError, certificates, decoded

# A proxy's URL, True for the one that the environment names, None for none.
Proxy = str | Literal[True] | None

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_MESSAGES = 1000
MAX_CHANNEL_BYTES = 4 * 1024 * 1024  # of all messages of one WebSocket; what comes after is not read
MOST_INTERIM = 10
MAX_INTERIM_BYTES = 64 * 1024
INTERIM = re.compile(rb"HTTP/1\.1 1(?!01)\d\d[ \r]")
LONGEST_CLOSE = 2.0  # seconds that a target is given to answer a close


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
    """Parses what comes as the library does, without the interim responses before the first other one."""
    reader = protocol.reader
    for _ in range(MOST_INTERIM):
        while b"\r\n\r\n" not in reader.buffer and not reader.eof and len(reader.buffer) < MAX_INTERIM_BYTES:
            yield
        head, end, _rest = bytes(reader.buffer).partition(b"\r\n\r\n")
        if not (end and INTERIM.match(head)):
            break
        del reader.buffer[:len(head) + len(end)]
    yield from protocol.parse()


def open_socket(url: str, headers: Headers, timeout: float, proxy: Proxy, source: str | None) -> Socket:
    """Upgrades a connection to the `ws` or `wss` URL within `timeout` seconds.

    `source` is an address of this machine to connect from; certificates are judged as httpx judges them. Raises
    `RefusedUpgradeError`, and what `websockets` and sockets raise where there is no HTTP response at all.
    """
    way: dict[str, Any] = {"source_address": (source, 0)} if source else {}
    connection = connect(
        url, additional_headers=list(headers), user_agent_header=None, compression=None, proxy=proxy,
        ssl=certificates() if url.startswith("wss:") else None,
        open_timeout=timeout, ping_timeout=None, close_timeout=LONGEST_CLOSE, max_size=MAX_MESSAGE_BYTES,
        create_connection=_Upgrade, legacy=True, **way,
    )
    assert connection.request is not None  # noqa: S101 - it is upgraded
    assert connection.response is not None  # noqa: S101 - it is upgraded
    return Socket(connection, tuple(connection.request.headers.raw_items()), _response(connection.response))


def _response(response: Any) -> Response:
    headers, body = tuple(response.headers.raw_items()), bytes(response.body)
    # How a refusal is written is nobody's promise: what does not fit its coding is kept as it came.
    with suppress(CodingError, TooLargeError):
        body = decoded(body, headers)
    return Response(response.status_code, headers, body)


class Channel:
    """A WebSocket that was asked for: open, or refused.

    `upgrade` is the exchange of the upgrade, without messages. A context manager that closes it on leaving; the
    exchange with all its messages is told to `listener` then, once.
    """

    def __init__(
        self, upgrade: Exchange, socket: Socket | None, news: News, listener: Callable[[Exchange], None],
    ) -> None:
        self.upgrade = upgrade
        self._socket = socket
        self._news = news
        self._listener = listener
        self._clock = time.perf_counter() - upgrade.elapsed
        self._messages: list[Message] = []
        self._exchange: Exchange | None = None
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
                self._socket.connection.close()
                self._reader.join()
            self._exchange = self.upgrade if self._socket is None else replace(
                self.upgrade, messages=self.messages, elapsed=time.perf_counter() - self._clock)
            self._listener(self._exchange)
        return self._exchange

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        assert self._socket is not None  # noqa: S101 - the thread is started only where there is one
        room = MAX_CHANNEL_BYTES
        try:
            while room > 0 and len(self._messages) < MAX_MESSAGES:
                data = self._socket.connection.recv()
                kind, body = ("text", data.encode()) if isinstance(data, str) else ("binary", data)
                room -= len(body)
                self._messages.append(Message("incoming", time.time(), body, kind))
                self._news.tell()
        except ConnectionClosed as closed:
            frame = closed.rcvd if closed.rcvd_then_sent else closed.sent
            # Without a frame of either side the connection was lost: the network's affair.
            if frame is not None:
                body = f"{frame.code} {frame.reason}".strip().encode()
                direction = "incoming" if closed.rcvd_then_sent else "outgoing"
                self._messages.append(Message(direction, time.time(), body, "close"))
        finally:
            self._news.tell()
