"""The transport: content encodings, proxies, and one deadline for all that an exchange waits for."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import httpcore
import httpx
import pytest

from rampcheck.errors import BudgetSpent, UsageError
from rampcheck.wire.room import Room
from rampcheck.wire.transport import (
    MAX_RESPONSE_BYTES,
    CodingError,
    NoAnswerError,
    Proxy,
    TooLargeError,
    Transport,
    Way,
    decoded,
    environment_proxy,
    environment_secrets,
)
from tests.hostile import target as hostile_target

TEXT = b'{"a": 1}' * 100
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(TEXT) + RAW.flush()


@pytest.fixture
def transport() -> Iterator[Transport]:
    """Connections that go straight to the target."""
    made = Transport(Way(), Room())
    yield made
    made.close()


def get(url: str) -> httpx.Request:
    """Gives a request."""
    return httpx.Request("GET", url)


@pytest.mark.parametrize(
    ("coding", "body", "content"),
    [
        ("gzip", gzip.compress(TEXT), TEXT),
        ("x-gzip", gzip.compress(TEXT), TEXT),
        ("GZIP", gzip.compress(TEXT), TEXT),
        ("gzip", gzip.compress(TEXT) + gzip.compress(b"more"), TEXT + b"more"),
        ("deflate", zlib.compress(TEXT), TEXT),
        ("deflate", RAW_DEFLATE, TEXT),
        ("identity", TEXT, TEXT),
        ("", TEXT, TEXT),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT)), TEXT),
        ("gzip", b"", b""),
    ],
    ids=[
        "gzip",
        "old name",
        "letter case",
        "two members",
        "deflate",
        "deflate without a frame",
        "identity",
        "no name",
        "two codings",
        "no body",
    ],
)
def test_an_encoding_is_undone(coding: str, body: bytes, content: bytes) -> None:
    """What was asked for is read, in the forms that servers use."""
    assert decoded(body, (("Content-Encoding", coding),)) == content


@pytest.mark.parametrize(
    ("coding", "body", "problem"),
    [
        ("gzip", gzip.compress(TEXT)[:-9], CodingError),
        ("gzip", TEXT, CodingError),
        ("gzip", gzip.compress(TEXT) + b"more", CodingError),
        ("deflate", TEXT, CodingError),
        ("br", TEXT, CodingError),
        ("gzip, gzip, gzip, gzip", gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT)))), CodingError),
        ("gzip", gzip.compress(bytes(MAX_RESPONSE_BYTES + 1)), TooLargeError),
        ("gzip", gzip.compress(bytes(MAX_RESPONSE_BYTES)) + gzip.compress(b"0"), TooLargeError),
    ],
    ids=[
        "cut short",
        "none",
        "something after it",
        "no deflate",
        "not asked for",
        "too many",
        "too large",
        "too large together",
    ],
)
def test_what_does_not_fit_its_encoding(coding: str, body: bytes, problem: type[Exception]) -> None:
    """It is no answer, rather than half of one."""
    with pytest.raises(problem):
        decoded(body, (("content-encoding", coding),))


def test_the_largest_content_is_read() -> None:
    """The bound itself is within bounds."""
    assert len(decoded(gzip.compress(bytes(MAX_RESPONSE_BYTES)), (("content-encoding", "gzip"),))) == MAX_RESPONSE_BYTES


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_environment_names_a_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """`<scheme>_PROXY` or `ALL_PROXY`, except for the hosts of `NO_PROXY`."""
    for other in list(os.environ):
        if other.lower().endswith("_proxy"):
            monkeypatch.delenv(other)
    monkeypatch.setenv(name, "proxy.example:3128")
    assert environment_proxy("https://api.example") == Proxy("http://proxy.example:3128", name)
    monkeypatch.setenv("NO_PROXY", ".example")
    assert environment_proxy("https://api.example:8443/v1") is None
    assert environment_proxy("https://api.other") == Proxy("http://proxy.example:3128", name)


def test_a_proxy_is_asked() -> None:
    """A request goes to the proxy, with the name of the target and the proxy's own credentials."""
    heard: list[bytes] = []

    def proxy(peer: hostile_target.Peer) -> None:
        heard.append(peer.read_request())
        peer.send(hostile_target.whole(b"{}"))

    with hostile_target.serve(proxy) as url:
        through = Transport(Way(Proxy(url.replace("://", "://user:word@"), "HTTP_PROXY")), Room())
        assert through.exchange(get("http://api.example/v1"), 10).body == b"{}"
        through.close()
    assert heard[0].startswith(b"GET http://api.example/v1 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjp3b3Jk" in heard[0]


def test_a_tunnel_is_asked_for_where_the_target_speaks_tls() -> None:
    """The proxy is asked for a tunnel, and what it refuses is no answer."""
    heard: list[bytes] = []

    def proxy(peer: hostile_target.Peer) -> None:
        heard.append(peer.read_request())
        peer.send(hostile_target.whole(b"", status="403 Forbidden"))

    with hostile_target.serve(proxy) as url:
        through = Transport(Way(Proxy(url, "HTTPS_PROXY")), Room())
        with pytest.raises(NoAnswerError) as refused:
            through.exchange(get("https://api.example/v1"), 10)
        through.close()
    assert heard[0].startswith(b"CONNECT api.example:443 HTTP/1.1\r\n")
    assert isinstance(refused.value.__cause__, httpcore.ProxyError)


def test_the_deadline_holds_for_the_handshake_of_tls(transport: Transport) -> None:
    """A target that answers the handshake byte by byte, without an end, is given up."""
    with (
        hostile_target.serve(lambda peer: peer.drip(b"\x16\x03\x03\x40\x00\x02")) as url,
        pytest.raises(NoAnswerError) as given_up,
    ):
        transport.exchange(get(url.replace("http:", "https:")), 0.5)
    assert isinstance(given_up.value.__cause__, httpcore.TimeoutException)


def test_the_deadline_holds_where_nobody_reads(transport: Transport) -> None:
    """A target that does not take the request is given up."""
    ended = threading.Event()
    with hostile_target.serve(lambda _: ended.wait()) as url, pytest.raises(NoAnswerError) as given_up:
        transport.exchange(httpx.Request("POST", url, content=bytes(1 << 25)), 0.5)
    ended.set()
    assert isinstance(given_up.value.__cause__, httpcore.TimeoutException)


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
    """A host with several addresses is reached at the first that answers, and there again, before any other."""
    tried: list[str] = []
    connect_tcp = httpcore.SyncBackend.connect_tcp

    def trying(backend: httpcore.SyncBackend, host: str, *arguments: Any) -> httpcore.NetworkStream:
        tried.append(host)
        return connect_tcp(backend, host, *arguments)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", trying)
    with hostile_target.serve(hostile_target.answering(lambda: hostile_target.whole(b"{}"))) as url:
        port = int(url.rpartition(":")[2])
        look_up = socket.getaddrinfo

        def found(host: str, *arguments: Any, **named: Any) -> list[Any]:
            names = ("127.0.0.9", "127.0.0.1") if host == "several.example" else (host,)
            return [address for name in names for address in look_up(name, *arguments, **named)]

        monkeypatch.setattr("rampcheck.wire.resolver.socket.getaddrinfo", found)
        for _ in range(2):
            assert transport.exchange(get(f"http://several.example:{port}/"), 10).status == 200
    assert tried == ["127.0.0.9", "127.0.0.1", "127.0.0.1"]


def test_answers_are_counted_with_their_headers() -> None:
    """What a run keeps is counted, whether it came as a body or as headers."""
    room = Room(5000)
    answers = iter([hostile_target.whole(b"12345"), hostile_target.whole(b"12345", f"X-Large: {'x' * 5000}")])
    with hostile_target.serve(hostile_target.answering(lambda: next(answers))) as url:
        transport = Transport(Way(), room)
        assert transport.exchange(get(url), 10).body == b"12345"
        room.demand()
        transport.exchange(get(url), 10)
        with pytest.raises(BudgetSpent, match="MiB that a run keeps"):
            room.demand()
        transport.close()


def test_cookies_are_not_kept(transport: Transport) -> None:
    """No request depends on an earlier answer."""
    heard: list[bytes] = []

    def remember(peer: hostile_target.Peer) -> None:
        heard.append(peer.read_request())
        peer.send(hostile_target.whole(b"{}", "Set-Cookie: session=1; Path=/"))

    with hostile_target.serve(remember) as url:
        for _ in range(2):
            transport.exchange(get(url), 10)
    assert len(heard) == 2
    assert not any(b"cookie" in request.lower() for request in heard)


@pytest.mark.parametrize("sign", "#/?")
def test_a_proxy_whose_login_ends_its_host_is_refused_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
    sign: str,
) -> None:
    """No message, and no cause of it, shows the password; it is a known secret, written rightly or not."""
    password = f"Sup3rS3cret{sign}1"
    monkeypatch.setenv("HTTPS_PROXY", f"http://ci:{password}@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(UsageError) as caught:
        environment_proxy("https://sandbox.example")
    assert "Sup3r" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"
    assert password in environment_secrets().values()
