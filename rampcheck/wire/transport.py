"""The connections to a target, and the bounds that keep it from holding a run up or filling its memory.

The library is `httpcore`: below it, every wait for the network passes through a backend of one's own, so that one
deadline holds for a whole exchange, whatever the target does with its bytes.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from rampcheck.contract import tls_files
from rampcheck.contract.profile import Egress, Profile
from rampcheck.contract.tls_files import Tls
from rampcheck.contract.urls import is_loopback, is_proxy
from rampcheck.errors import UsageError
from rampcheck.wire import resolver
from rampcheck.wire.exchanges import Headers, Response
from rampcheck.wire.readings import has_zlib_header
from rampcheck.wire.room import HEADER_BYTES, Room

MAX_RESPONSE_BYTES = 256 * 1024  # of a body, before and after its content encoding is undone
MOST_CODINGS = 3  # no server compresses what it has compressed twice
ALERT = b"\x15\x03"  # how a record of TLS begins that tells of an error, RFC 8446 section 5.1
KEPT_ALIVE = 5.0  # seconds that an idle connection is used again; servers close theirs soon after
PIECE = 16 * 1024
NO_FILES = Tls()
# Who names the authorities that a target is known by, where no profile does; the first that is set counts.
AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class NoAnswerError(Exception):
    """There is no response that could be judged; the causes say why. `head` is one without its body, if that came."""

    def __init__(self, head: Response | None = None) -> None:
        super().__init__()
        self.head = head


class TooLargeError(Exception):
    """The body of a response is larger than this client reads."""


class TlsAnswerError(Exception):
    """What was asked without TLS answers with it."""


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
        self._is_new = True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the exchange has only one
        """Gives what has come, at most `max_bytes`. Raises `TlsAnswerError` where it begins with an alert of TLS."""
        came = self._stream.read(max_bytes, self._clock.left())
        is_first, self._is_new = self._is_new, False
        if is_first and came.startswith(ALERT):
            raise TlsAnswerError
        return came

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as in `read`
        """Sends `buffer`, by pieces: a peer that takes it byte by byte would get the time for each anew."""
        for start in range(0, len(buffer), PIECE):
            self._stream.write(buffer[start : start + PIECE], self._clock.left())

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as in `read`
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
        self._answered: dict[str, str] = {}  # the address of a host that answered last

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - as in `read`
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first of the host's addresses that answers; each has an equal part of the time left.

        That address is tried first from then on: one that takes no connection costs its part of the time only once.
        """
        try:
            addresses = resolver.addresses(host, port, self._clock.left())
        except resolver.SlowNameError:
            raise
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        addresses = sorted(addresses, key=lambda address: address != self._answered.get(host))
        for untried in range(len(addresses), 0, -1):
            try:
                stream = self._sockets.connect_tcp(
                    addresses[-untried], port, self._clock.left() / untried, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if untried == 1:
                    raise
            else:
                self._answered[host] = addresses[-untried]
                return TimedStream(stream, self._clock)
        raise httpcore.ConnectError("the host has no address")


@dataclass(frozen=True)
class Proxy:
    """A proxy: its URL, with its login, and what names it: an environment variable or a place in the profile."""

    url: str = field(repr=False)
    named: str

    def __str__(self) -> str:
        return f"{urlsplit(self.url).netloc.rpartition('@')[2]} ({self.named})"


@dataclass(frozen=True)
class Way:
    """How a target is reached: over which proxy, or from which address of this machine, where not None.

    `tls` says by which authorities it is known, and what it is shown.
    """

    proxy: Proxy | None = None
    local_address: str | None = None
    tls: Tls = NO_FILES


def way_of(profile: Profile, *, outside: bool = False) -> Way:
    """Gives the way that HTTP and WebSockets take to the profile's target, with `outside` off the allowlist.

    Raises `UsageError` where the environment names a proxy, or certificates, that are none.
    """
    egress = profile.egress if outside else Egress()
    if egress.outside_proxy:
        proxy: Proxy | None = Proxy(egress.outside_proxy, "the profile's `egress.outside_proxy`")
    else:
        # A loopback target is never behind the proxy that the environment may name.
        proxy = None if is_loopback(profile.base_url) else environment_proxy(profile.base_url)
    if any(url.lower().startswith("https:") for url in (profile.base_url, proxy.url if proxy else "")):
        certificates(profile.tls)
    return Way(proxy, egress.outside_source_address, profile.tls)


def environment_proxy(url: str) -> Proxy | None:
    """Gives the proxy that the environment names for `url` (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either case).

    `NO_PROXY` may hold networks, too, as 10.0.0.0/8. Raises `UsageError`, without the proxy's text, for what is no URL
    of an HTTP proxy. Source: `urllib.request.getproxies`.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    scheme = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(scheme)
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    if _is_in(parts.hostname or "", proxies.get("no", "")):
        return None
    name = next((name for name in os.environ if name.lower() == f"{scheme}_proxy"), "the system's settings")
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not is_proxy(proxy):
        raise UsageError(
            f"{name} is no URL of an HTTP proxy",
            "Write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, in the password %23 for #, %2F "
            "for /, %3F for ?, %40 for @ and %25 for %. Or let NO_PROXY name the target's host.",
        )
    return Proxy(proxy, name)


def _is_in(host: str, networks: str) -> bool:
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        for text in networks.split(","):
            with suppress(ValueError):
                if address in ipaddress.ip_network(text.strip(), strict=False):
                    return True
    return False


def environment_secrets() -> dict[str, str]:
    """Gives the passwords of the proxies that the environment names, as they are and as they are written, by name."""
    secrets: dict[str, str] = {}
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        for variable in (name, name.lower()):
            # The last @ ends the login, also where a # or a / in it would end the host.
            password = os.environ.get(variable, "").rpartition("@")[0].rpartition("://")[2].partition(":")[2]
            secrets |= {f"{variable}_password": unquote(password), f"{variable}_password_as_written": password}
    return {name: value for name, value in secrets.items() if value}


class Transport:
    """Exchanges requests and responses, one at a time. Cookies are not kept, redirects not followed.

    Its responses are counted in `room`; `secure` says that the target speaks TLS.
    """

    def __init__(self, way: Way, room: Room, *, secure: bool = False) -> None:
        self._clock = Clock()
        self._room = room
        self._pool = httpcore.ConnectionPool(
            ssl_context=certificates(way.tls) if secure else None,
            proxy=_proxy(way.proxy.url, way.tls) if way.proxy else None,
            keepalive_expiry=KEPT_ALIVE,
            local_address=way.local_address,
            network_backend=TimedBackend(self._clock),
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
        head: Response | None = None
        try:
            with self._pool.stream(
                request.method,
                _url(request.url),
                headers=request.headers.raw,
                content=content or None,
            ) as answer:
                headers = text_headers(answer.headers)
                head = Response(answer.status, headers, b"")
                response = replace(head, body=decoded(_body(answer), headers))
                self._room.take(size_of(headers, response.body))
                return response
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.ProxyError,
            httpcore.UnsupportedProtocol,
            CodingError,
            TlsAnswerError,
        ) as error:
            raise NoAnswerError from error
        except TooLargeError as error:
            raise NoAnswerError(head) from error

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()


def _body(answer: httpcore.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_stream():
        body += piece
        if len(body) > MAX_RESPONSE_BYTES:
            raise TooLargeError
    return bytes(body)


def size_of(headers: Headers, body: bytes) -> int:
    """Gives how many bytes a message takes, about."""
    return len(body) + sum(len(name) + len(value) + HEADER_BYTES for name, value in headers)


def _held(body: bytes, together: Barrier, clock: Clock) -> Iterator[bytes]:
    """Gives a body in two pieces; the second is its last byte, for which a server has to wait before it begins."""
    yield body[:-1]
    with suppress(BrokenBarrierError):  # Someone did not get this far: the others go without.
        together.wait(clock.left() / 2)
    yield body[-1:]


@cache
def certificates(tls: Tls = NO_FILES) -> ssl.SSLContext:
    """Gives what TLS connections are judged by, and what they show; reading it takes longer than a request.

    The authorities are those of `tls`, or else those that the environment names (`AUTHORITIES`), or certifi's, as httpx
    has them. Raises `UsageError` where there are none in what is named, or a certificate cannot be shown.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca) if tls.ca else _usual()
        tls_files.load(context, tls)
    except OSError as error:
        raise _unusable(tls, error) from error
    return context


def for_proxy(tls: Tls) -> ssl.SSLContext:
    """Gives what a TLS connection to a proxy is judged by: it is not shown the certificate for the target."""
    return certificates(Tls(ca=tls.ca))


def _usual() -> ssl.SSLContext:
    bundle = os.environ.get("REQUESTS_CA_BUNDLE")
    if not bundle or any(os.environ.get(name) for name in AUTHORITIES[:2]):
        return httpx.create_ssl_context()
    # As `requests` reads it: a file, or a folder that `openssl rehash` has made ready.
    if Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def _unusable(tls: Tls, error: OSError) -> UsageError:
    reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
    if tls.ca or tls.client_certificate:  # They were as they should be when the profile was read.
        return UsageError(f"the files of the profile's `tls` cannot be used any more: {reason}", "Were they changed?")
    name = next((name for name in AUTHORITIES if os.environ.get(name)), "")
    named = f"{name} names {os.environ[name]}, which" if name else "certifi's file of authorities"
    return UsageError(f"{named} cannot be used: {reason}", "Name a file of certificates in PEM, or unset the variable.")


def _proxy(url: str, tls: Tls) -> httpcore.Proxy:
    proxy = httpx.Proxy(url)
    secure = proxy.url.scheme == "https"
    return httpcore.Proxy(_url(proxy.url), proxy.raw_auth, ssl_context=for_proxy(tls) if secure else None)


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
                # Some servers send what it does not mean: the data without this frame.
                return _inflated(body, zlib.MAX_WBITS if has_zlib_header(body) else -zlib.MAX_WBITS)
    except zlib.error as error:
        raise CodingError from error
    raise CodingError


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
