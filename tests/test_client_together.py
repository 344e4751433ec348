"""The client sends requests at the same time; over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from rampcheck.contract import profile
from rampcheck.errors import Throttled, Unjudged
from rampcheck.judging import suite
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.limits import Budget, Deadline
from rampcheck.wire.presence import Presence
from rampcheck.wire.room import Room
from rampcheck.wire.transport import Transport, Way
from tests.answering import OK, answer, answering

TOGETHER = 4


@contextmanager
def meeting(expected: int) -> Iterator[str]:
    """Serves requests, and answers none before `expected` of them are there; gives the base URL."""
    barrier = threading.Barrier(expected)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            barrier.wait(10)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def client_of(
    base_url: str,
    seen: list[Exchange],
    timeout: float = 20,
    proxy: str | None = None,
    budget: Budget | None = None,
    *,
    presence: Presence | None = None,
) -> Client:
    """Gives a client, the second of three workers, that tells `seen` of its exchanges."""
    given = {
        "contract": "proof",
        "base_url": base_url,
        "credentials": {"client_token": "a-token-of-some-length"},
        "limits": {"timeout_seconds": timeout},
    }
    described = profile.from_mapping(given | ({"egress": {"outside_proxy": proxy}} if proxy else {}), {})
    budget = budget or Budget(0, 100)
    return Client(described, suite.load("proof").authenticate, Lane("run", 1, 3), budget, seen.append, presence)


def requests_of(count: int) -> list[Request]:
    """Gives requests that their bodies tell apart."""
    headers = (("Content-Type", "application/json"),)
    return [
        Request("POST", "/widget/session", headers, b"[%d]" % number, credential="client_token")
        for number in range(count)
    ]


def test_requests_are_on_the_way_together() -> None:
    """A server that answers none of them before all have come gets them all, and each gets its own answer."""
    seen: list[Exchange] = []
    with meeting(TOGETHER) as base_url:
        client = client_of(base_url, seen)
        exchanges = client.send_together(requests_of(TOGETHER), "a test")
        client.close()
    assert [exchange.response.json for exchange in exchanges if exchange.response] == [[0], [1], [2], [3]]
    assert seen == exchanges


def test_their_numbers_are_the_workers_next() -> None:
    """Exchange numbers stay unique over requests sent together, before and after, and over workers."""
    seen: list[Exchange] = []
    with meeting(1) as base_url:
        client = client_of(base_url, seen)
        client.send(requests_of(1)[0], "a test")
        client.send_together(requests_of(2), "a test")
        client.send(requests_of(1)[0], "a test")
        client.close()
    assert [exchange.number for exchange in seen] == [2, 5, 8, 11]


def test_those_without_an_answer_are_told() -> None:
    """Where nobody answers, each is an exchange with its failure."""
    seen: list[Exchange] = []
    client = client_of("http://127.0.0.1:9", seen)
    exchanges = client.send_together(requests_of(2), "a test")
    client.close()
    assert [exchange.is_silent for exchange in seen] == [True, True]
    assert exchanges == seen


def test_a_request_lacks_its_last_byte_until_the_others_are_as_far() -> None:
    """A server cannot begin before all requests are there but for one byte each, then it has them in one moment."""
    together = threading.Barrier(2)
    got: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        transport = Transport(Way(), Room())
        request = httpx.Request("POST", f"http://127.0.0.1:{listening.getsockname()[1]}/", content=b"0123456789")
        sending = threading.Thread(target=lambda: got.append(transport.exchange(request, 60, together).body))
        sending.start()
        connection, _ = listening.accept()
        with connection:
            received = b""
            while b"012345678" not in received:
                received += connection.recv(65536)
            held_back = not received.endswith(b"9")
            together.wait(30)
            while not received.endswith(b"9"):
                received += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            sending.join(30)
        transport.close()
    assert held_back
    assert received.endswith(b"\r\n\r\n0123456789")
    assert got == [b"ok"]


def test_one_that_cannot_connect_does_not_hold_the_others_up() -> None:
    """They are sent without it, long before they would have waited for it long enough."""
    seen: list[Exchange] = []
    with meeting(2) as base_url:
        client = client_of(base_url, seen, timeout=600, proxy="http://127.0.0.1:9")
        first, second, third = requests_of(3)
        client.send_together([first, replace(second, outside=True), third], "a test")
        client.close()
    assert [exchange.status for exchange in seen] == [200, 0, 200]
    assert max(exchange.elapsed for exchange in seen) < 300


def test_no_more_go_at_once_than_the_rate_lets_through() -> None:
    """Where two may go at once, three requests are two at the same time and one after them."""
    asked: list[int] = []

    class TwoAtOnce(Budget):
        def take(self, count: int = 1) -> int:
            asked.append(count)
            return super().take(min(count, 2))

    seen: list[Exchange] = []
    with meeting(1) as base_url:
        client = client_of(base_url, seen, budget=TwoAtOnce(0, 100))
        client.send_together(requests_of(3), "a test")
        client.close()
    assert asked == [3, 1]
    assert [exchange.response.json for exchange in seen if exchange.response] == [[0], [1], [2]]


@pytest.mark.parametrize(("per_second", "at_once"), [(0, 12), (50, 12), (5, 5), (1, 1), (0.5, 1)])
def test_the_budget_says_how_many_may_go_at_once(per_second: float, at_once: int) -> None:
    """As many as are asked for, or as the rate lets through in its window; they are counted."""
    budget = Budget(per_second, 20)
    assert budget.take(12) == at_once
    with pytest.raises(Unjudged, match="used up"):
        Budget(per_second, at_once - 1).take(12)


def test_what_the_retry_policy_sends_again_goes_by_itself() -> None:
    """A request that the target was too busy for is sent again, as if it had been sent alone."""
    seen: list[Exchange] = []
    busy = answer(429, "Retry-After: 0")
    with answering(busy, OK) as base_url:
        client = client_of(base_url, seen)
        (exchange,) = client.send_together([replace(requests_of(1)[0], body=b"{}")], "a test")
        client.close()
    assert [(one.status, one.attempt, one.final) for one in seen] == [(429, 1, False), (200, 2, True)]
    assert exchange is seen[-1]


def test_what_was_answered_is_told_where_the_requests_are_used_up() -> None:
    """Nothing is left to send the rest, or to send one again with: the exchanges that were made are in the journal."""
    seen: list[Exchange] = []
    with meeting(1) as base_url:
        client = client_of(base_url, seen, budget=Budget(2, 3))
        with pytest.raises(Unjudged, match="used up"):
            client.send_together(requests_of(4), "a test")
        client.close()
    with answering(answer(429, "Retry-After: 0"), OK) as base_url:
        client = client_of(base_url, seen, budget=Budget(0, 2))
        with pytest.raises(Unjudged, match="used up"):
            client.send_together([replace(request, body=b"{}") for request in requests_of(2)], "a test")
        client.close()
    assert [exchange.status for exchange in seen[:2]] == [200, 200]
    assert sorted((exchange.status, exchange.final) for exchange in seen[2:]) == [(200, True), (429, False)]


def test_an_exchange_is_told_once_where_no_time_is_left_to_send_it_again() -> None:
    """The policy would wait longer than the run lasts: the answer is the last one, and no number is told twice."""
    seen: list[Exchange] = []
    with answering(answer(429, "Retry-After: 50"), OK) as base_url:
        client = client_of(base_url, seen, presence=Presence(30, deadline=Deadline(0.5)))
        with pytest.raises(Throttled):
            client.send_together([replace(requests_of(1)[0], body=b"{}")], "a test")
        client.close()
    assert [(one.number, one.status, one.final) for one in seen] == [(2, 429, True)]
