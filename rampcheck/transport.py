"""The connections to a target, and the bounds that keep it from holding a run up or filling its memory.

The library is `httpcore`: below it, every wait for the network passes through a backend of one's own, so that one
deadline holds for a whole exchange, whatever the target does with its bytes.
"""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Barrier, BrokenBarrierError
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from rampcheck.errors import UsageError
from rampcheck.exchanges import Headers, Response

MAX_RESPONSE_BYTES = 256 * 1024  # of a body, before and after its content encoding is undone
MEAN_RESPONSE_BYTES = 16 * 1024  # of the bodies of a run, which all end in one report
MOST_CODINGS = 3  # no server compresses what it has compressed twice
KEPT_ALIVE = 5.0  # seconds that an idle connection is used again; servers close theirs soon after
PIECE = 16 * 1024


class NoAnswerError(Exception):
    """There is no response that could be judged; the causes say why."""


class TooLargeError(Exception):
    """The body of a response is larger than this client reads."""


class AllTooLargeError(Exception):
    """The responses of a run together are larger than this client reads."""


class CodingError(Exception):
    """The body of a response does not fit its Content-Encoding."""


class Clock:
    """How long one exchange may still take."""

    def __init__(self) -> None:
        self._deadline = time.monotonic()

    def start(self, seconds: float) -> None:
        """Begins an exchange of at most `seconds`."""
        self._deadline = time.monotonic() + seconds

    def left(self) -> float:
        """Gives the seconds that are left. Raises `httpcore.ReadTimeout` where none are."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout("the exchange was not complete in time")
        return seconds


class TimedStream(httpcore.NetworkStream):
    """A connection on which every wait ends with the exchange. Source: httpcore's documentation, "Network Backends"."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the exchange has only one
        """Gives what has come, at most `max_bytes`."""
        return self._stream.read(max_bytes, self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Sends `buffer`, by pieces: a peer that takes it byte by byte would get the time for each anew."""
        for start in range(0, len(buffer), PIECE):
            self._stream.write(buffer[start:start + PIECE], self._clock.left())

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Gives the connection with TLS on it."""
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, self._clock.left()), self._clock)

    def get_extra_info(self, info: str) -> object:
        """Gives what the connection knows of itself."""
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore.NetworkBackend):
    """Opens connections on which every wait ends with the exchange."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first of the host's addresses that answers; each has an equal part of the time left."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        for untried in range(len(addresses), 0, -1):
            try:
                stream = self._sockets.connect_tcp(
                    addresses[-untried], port, self._clock.left() / untried, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if untried == 1:
                    raise
            else:
                return TimedStream(stream, self._clock)
        raise httpcore.ConnectError("the host has no address")


@dataclass(frozen=True)
class Way:
    """How a target is reached: over which proxy's URL, or from which address of this machine, where not None."""

    proxy: str | None = None
    local_address: str | None = None


def environment_proxy(url: str) -> str | None:
    """Gives the URL of the proxy that the environment names for `url` (`HTTPS_PROXY`, `NO_PROXY` and the like).

    Raises `UsageError` for one that is no HTTP proxy.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme.lower() not in {"http", "https"}:
        raise UsageError("the environment names a proxy that is no HTTP proxy",
                         "Set HTTPS_PROXY to an HTTP proxy, or NO_PROXY to the target's host.")
    return proxy


class Transport:
    """Exchanges requests and responses, one at a time. Cookies are not kept, redirects not followed.

    `room` is how many bytes the bodies of all its responses may have together.
    """

    def __init__(self, way: Way, room: int) -> None:
        self._clock = Clock()
        self._room = room
        self._pool = httpcore.ConnectionPool(
            ssl_context=certificates(),
            proxy=_proxy(way.proxy) if way.proxy else None,
            keepalive_expiry=KEPT_ALIVE, local_address=way.local_address, network_backend=TimedBackend(self._clock),
        )

    def exchange(self, request: httpx.Request, seconds: float, together: Barrier | None = None) -> Response:
        """Gives the response to `request`, whole and with its content encoding undone.

        `together` holds the last byte of its body back until the other requests are as far, half of `seconds` at most.
        Raises `NoAnswerError` where there is no response after `seconds`, connecting included.
        """
        self._clock.start(seconds)
        content: bytes | Iterator[bytes] = request.content
        if together is not None:
            content = _held(request.content, together, self._clock)
        try:
            with self._pool.stream(
                request.method, _url(request.url), headers=request.headers.raw, content=content or None,
            ) as answer:
                headers = text_headers(answer.headers)
                return Response(answer.status, headers, decoded(self._body(answer), headers))
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
                httpcore.UnsupportedProtocol, TooLargeError, AllTooLargeError, CodingError) as error:
            raise NoAnswerError from error

    def _body(self, answer: httpcore.Response) -> bytes:
        body = bytearray()
        for piece in answer.iter_stream():
            body += piece
            if len(body) > MAX_RESPONSE_BYTES:
                raise TooLargeError
        self._room -= len(body)
        if self._room < 0:
            raise AllTooLargeError
        return bytes(body)

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()


def _held(body: bytes, together: Barrier, clock: Clock) -> Iterator[bytes]:
    """Gives a body in two pieces; the second is its last byte, for which a server has to wait before it begins."""
    yield body[:-1]
    with suppress(BrokenBarrierError):  # Someone did not get this far: the others go without.
        together.wait(clock.left() / 2)
    yield body[-1:]


@cache
def certificates() -> ssl.SSLContext:
    """Gives what TLS connections are judged by, as httpx does; reading it takes longer than a request."""
    return httpx.create_ssl_context()


def _proxy(url: str) -> httpcore.Proxy:
    proxy = httpx.Proxy(url)
    return httpcore.Proxy(_url(proxy.url), proxy.raw_auth)


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def text_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Gives headers as text, whatever their bytes are."""
    return tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in raw)


def decoded(body: bytes, headers: Headers) -> bytes:
    """Undoes the content encoding of a body (RFC 9110 section 8.4).

    Raises `CodingError` for one that was not asked for or that the body does not fit, `TooLargeError` where what
    comes out is larger than this client reads.
    """
    named = ",".join(value for name, value in headers if name.lower() == "content-encoding").lower().split(",")
    codings = [coding for coding in map(str.strip, named) if coding not in ("", "identity")]
    if len(codings) > MOST_CODINGS:
        raise CodingError
    for coding in reversed(codings):
        body = _undone(coding, body)
    return body


def _undone(coding: str, body: bytes) -> bytes:
    if not body:
        return body
    try:
        match coding:
            case "gzip" | "x-gzip":
                return _inflated(body, 16 + zlib.MAX_WBITS)
            case "deflate":
                return _inflated(body, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS)
    except zlib.error as error:
        raise CodingError from error
    raise CodingError


def _has_zlib_header(body: bytes) -> bool:
    # RFC 1950 section 2.2. Some servers send what `deflate` does not mean: the data without this frame.
    return body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0


def _inflated(body: bytes, window: int) -> bytes:
    content = bytearray()
    while body:  # gzip may have several members, RFC 1952 section 2.2
        engine = zlib.decompressobj(window)
        content += engine.decompress(body, MAX_RESPONSE_BYTES + 1 - len(content))
        if len(content) > MAX_RESPONSE_BYTES:
            raise TooLargeError
        if not engine.eof:
            raise CodingError
        body = engine.unused_data
    return bytes(content)
