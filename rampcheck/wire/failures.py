"""Why an exchange has no response: the failures of the network, by the exceptions that tell of them."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpcore
from websockets.exceptions import InvalidMessage, ProxyError

from rampcheck.contract.profile import Profile
from rampcheck.wire import resolver, transport
from rampcheck.wire.exchanges import Failure

Causes = Sequence[BaseException]


def _any_is(*classes: type[BaseException]) -> Callable[[Causes], bool]:
    return lambda causes: any(isinstance(cause, classes) for cause in causes)


def _lacks_address(causes: Causes) -> bool:
    return any(isinstance(cause, OSError) and cause.errno == errno.EADDRNOTAVAIL for cause in causes)


def _is_head_too_large(causes: Causes) -> bool:
    # h11 says by the status of RFC 6585 section 5 that it stopped at a head, a chunk's or the trailers.
    return any(getattr(cause, "error_status_hint", None) == 431 for cause in causes)


def _is_plain_socket_error(causes: Causes) -> bool:
    return isinstance(causes[0], OSError)


def _is_dropped(causes: Causes) -> bool:
    # The words are httpcore's, for a connection that ended before the first byte of a response.
    return any(
        isinstance(cause, httpcore.RemoteProtocolError) and "without sending a response" in str(cause)
        for cause in causes
    )


def _lacks_name(causes: Causes) -> bool:
    return any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes)


def _is_tls_error(*reasons: str) -> Callable[[Causes], bool]:
    """Knows what OpenSSL says where something else than TLS comes."""
    return lambda causes: any(
        reason in str(cause) for cause in causes if isinstance(cause, ssl.SSLError) for reason in reasons
    )


def _wants_login(causes: Causes) -> bool:
    # The words are httpcore's, and those of websockets: the status of the proxy's answer, RFC 9110 section 15.5.8.
    return any(isinstance(cause, httpcore.ProxyError | ProxyError) and "407" in str(cause) for cause in causes)


UNREACHABLE = "{first} refused the connection or could not be reached"

# The first that fits says why there is no response: its kind, what it is known by, a sentence without a secret.
FAILURES: tuple[tuple[str, Callable[[Causes], bool], str], ...] = (
    (
        "too_large",
        _any_is(transport.TooLargeError),
        f"the response of {{host}} is larger than {transport.MAX_RESPONSE_BYTES} bytes",
    ),
    ("too_large", _is_head_too_large, "the response of {host} has headers without an end"),
    (
        "tls",
        _is_tls_error("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
        "no TLS connection to {host}: what answers there does not speak TLS, perhaps http",
    ),
    ("tls", _any_is(ssl.SSLError), "no TLS connection to {host}: {tls}"),
    ("tls", _any_is(transport.TlsAnswerError), "{host} answers http in TLS: it speaks https"),
    (
        "dns",
        _any_is(resolver.SlowNameError),
        "the name of {first} was not resolved within {timeout:g} s: this machine's resolver does not answer in time",
    ),
    ("dns", _lacks_name, "the name of {first} could not be resolved"),
    ("address", _lacks_address, "this machine has no address like the profile's `egress.outside_source_address`"),
    (
        "timeout",
        _any_is(httpcore.TimeoutException, TimeoutError),
        "no complete answer from {host} within {timeout:g} s{over}",
    ),
    ("proxy", _wants_login, "{first} asks for a login to connect to {host}, or refuses the one that it was given"),
    ("proxy", _any_is(httpcore.ProxyError, ProxyError), "{first} refused to connect to {host}"),
    ("refused", _any_is(httpcore.ConnectError, ConnectionRefusedError), UNREACHABLE),
    (
        "reset",
        _any_is(httpcore.ReadError, httpcore.WriteError, ConnectionError),
        "the connection to {host} was reset{over}",
    ),
    ("reset", _is_dropped, "{host} closed the connection without an answer{over}"),
    ("refused", _is_plain_socket_error, UNREACHABLE),
    (
        "truncated",
        _any_is(httpcore.RemoteProtocolError, InvalidMessage),
        "{host} closed the connection early, or its answer was not HTTP",
    ),
    ("encoding", _any_is(transport.CodingError), "the answer of {host} does not fit its Content-Encoding"),
    ("protocol", lambda _: True, "{host} did not answer in HTTP"),
)


def failure_of(error: Exception, profile: Profile, proxy: transport.Proxy | None = None) -> Failure:
    """Says in a word and a sentence why an exchange has no response. No secret is in it: no URL, no header.

    With a proxy on the way, what is first connected to is the proxy, and that is what is named.
    """
    causes = _causes(error)
    kind, sentence = next((kind, sentence) for kind, fits, sentence in FAILURES if fits(causes))
    tls = next((str(cause) for cause in causes if isinstance(cause, ssl.SSLError)), "")
    host = urlsplit(profile.base_url).netloc
    first, over = (f"the proxy {proxy}", f", over the proxy {proxy}") if proxy else (host, "")
    if proxy and kind in {"dns", "refused"}:
        kind = "proxy"
    return Failure(
        kind, sentence.format(host=host, first=first, over=over, tls=tls, timeout=profile.limits.timeout_seconds)
    )


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in causes:
        causes.append(current)
        current = current.__cause__ or current.__context__
    return causes
