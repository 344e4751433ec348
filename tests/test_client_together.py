"""The client sends requests at the same time; over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rampcheck import profile, resources
from rampcheck.client import Client, Lane
from rampcheck.errors import Unjudged
from rampcheck.exchanges import Exchange, Request
from rampcheck.limits import Budget

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


def client_of(base_url: str, seen: list[Exchange], timeout: float = 20) -> Client:
    """Gives a client, the second of three workers, that tells `seen` of its exchanges."""
    described = profile.from_mapping({
        "contract": "proof", "base_url": base_url, "credentials": {"client_token": "a-token-of-some-length"},
        "limits": {"timeout_seconds": timeout},
    }, {})
    return Client(described, resources.suite("proof"), Lane("run", 1, 3), Budget(0, 100), seen.append)


def requests_of(count: int) -> list[Request]:
    """Gives requests that their bodies tell apart."""
    headers = (("Content-Type", "application/json"),)
    return [Request("POST", "/widget/session", headers, b"[%d]" % number, credential="client_token")
            for number in range(count)]


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


def test_no_answer_judges_nothing() -> None:
    """Where one of them has no answer, the exchanges are told all the same."""
    seen: list[Exchange] = []
    client = client_of("http://127.0.0.1:9", seen)
    with pytest.raises(Unjudged, match="could not be reached"):
        client.send_together(requests_of(2), "a test")
    client.close()
    assert [exchange.failure is not None for exchange in seen] == [True, True]
