"""Upgrades that are refused: an answer of HTTP as any server may write it."""

from __future__ import annotations

import gzip

import pytest

from rampcheck.wire.exchanges import Exchange
from tests.test_channel import UPGRADE, a_client, raw_server

BODY = b'{"error":"unauthorised"}'
LENGTH = b"\r\nContent-Length: %d\r\n\r\n" % len(BODY)
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 401 Unauthorized" + LENGTH + BODY,
        b"HTTP/1.0 401 Unauthorized\r\n\r\n" + BODY,
        b"HTTP/1.1 401" + LENGTH + BODY,
        b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: Chunked\r\n\r\n" + CHUNKED,
    ],
    ids=["HTTP/1.0", "HTTP/1.0 to the end", "no reason", "a coding in capitals"],
)
def test_a_refusal_may_be_written_in_any_way(answer: bytes) -> None:
    """The library for WebSockets reads one spelling; what HTTP leaves open is no failure of the target."""
    seen: list[Exchange] = []
    with raw_server(answer) as (base_url, _):
        exchange = a_client(base_url, seen).send(UPGRADE, "a test")
    assert exchange.response is not None
    assert (exchange.status, exchange.response.body) == (401, BODY)


def test_an_upgrade_in_http_1_0_is_none() -> None:
    """Only a refusal may be of HTTP/1.0 (RFC 6455 section 4.2.2)."""
    seen: list[Exchange] = []
    with raw_server(b"HTTP/1.0 101 Switching Protocols\r\n\r\n") as (base_url, _):
        a_client(base_url, seen).send(UPGRADE, "a test")
    assert not seen[-1].accepted


def test_the_coding_of_a_refusal_is_undone() -> None:
    """A refusal that is compressed is read, and one whose coding does not fit is kept as it came."""
    error = b'{"error":"unauthorised"}'
    for body in (gzip.compress(error), b"no gzip"):
        seen: list[Exchange] = []
        head = b"HTTP/1.1 401 x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        with raw_server(head + body) as (base_url, _):
            exchange = a_client(base_url, seen).send(UPGRADE, "a test")
        assert exchange.response is not None
        assert exchange.response.body == (b"no gzip" if body == b"no gzip" else error)
