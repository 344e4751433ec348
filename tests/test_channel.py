"""WebSockets to a target and webhooks from it: what is recorded of each, over real sockets."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_websocket
from websockets.utils import accept_key

from rampcheck.contract import profile
from rampcheck.contract.profile import Webhook
from rampcheck.errors import UsageError
from rampcheck.judging import suite
from rampcheck.wire import receiver
from rampcheck.wire.channel import MAX_CHANNEL_BYTES, Channel, News
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.journal import Journal, folded, read_records
from rampcheck.wire.limits import Budget
from rampcheck.wire.receiver import MAX_WAITING, Receiver
from rampcheck.wire.redaction import Redactor

UPGRADE = Request("GET", "/ws?tx_id=a%2Fb", credential="client_token", protocol="websocket")
DEADLINE = 10.0


def a_client(base_url: str, seen: list[Exchange], journal: Journal | None = None, **more: object) -> Client:
    """A client of a target at `base_url`, whose exchanges are put into `seen`."""
    described = profile.from_mapping(
        {
            "contract": "proof",
            "base_url": base_url,
            "credentials": {"client_token": "a-token-of-some-length"},
            "limits": {"timeout_seconds": 3},
            **more,
        },
        {},
    )
    return Client(
        described, suite.load("proof").authenticate, Lane("run"), Budget(0, 100), seen.append, journal=journal
    )


@contextmanager
def websocket_server(handler: Callable[[ServerConnection], None]) -> Iterator[str]:
    """Serves WebSockets with `handler`; gives the base URL."""
    with serve_websocket(handler, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


@contextmanager
def raw_server(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answers each connection's request with these bytes and closes; gives the base URL and the requests."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    requests.append(connection.recv(65536))
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", requests


def wait_for(client: Client, is_there: Callable[[], bool]) -> None:
    """Waits for news until `is_there`."""
    end = time.monotonic() + DEADLINE
    while not is_there():
        assert time.monotonic() < end, "nothing came"
        client.news.wait(end - time.monotonic())


def test_messages_and_the_close_are_recorded() -> None:
    """Text, binary and the target's close are told apart, with the upgrade's own headers."""

    def handler(connection: ServerConnection) -> None:
        connection.send('{"a": 1}')
        connection.send(b"\x00\xff")
        connection.close(1000, "done")

    seen: list[Exchange] = []
    with websocket_server(handler) as base_url:
        client = a_client(base_url, seen)
        with client.subscribe(UPGRADE, "a test") as channel:
            assert channel.accepted
            wait_for(client, lambda: not channel.is_open)
        client.close()
    (exchange,) = seen
    assert exchange.accepted
    assert exchange.request.url.startswith("ws://127.0.0.1")
    assert exchange.request.url.endswith("/ws?tx_id=a%2Fb")
    assert exchange.request.header("authorization") == "Bearer a-token-of-some-length"
    assert "exchange 1" in (exchange.request.header("user-agent") or "")
    assert [(message.kind, message.direction, message.body) for message in exchange.messages] == [
        ("text", "incoming", b'{"a": 1}'),
        ("binary", "incoming", b"\x00\xff"),
        ("close", "incoming", b"1000 done"),
    ]
    assert next(message.json for message in exchange.events) == {"a": 1}
    assert exchange.closed is not None


def test_this_runs_own_close_is_not_the_targets() -> None:
    """A WebSocket that this run closes has no close of the target."""
    seen: list[Exchange] = []
    with websocket_server(lambda connection: connection.recv()) as base_url:
        client = a_client(base_url, seen)
        exchange = client.send(UPGRADE, "a test")
        client.close()
    assert exchange.accepted
    assert exchange.closed is None
    assert [message.direction for message in exchange.messages] == ["outgoing"]


def test_a_connection_that_the_target_ends_without_a_close_has_that_of_rfc_6455() -> None:
    """1006, which no frame has: whether the network or the target lost it, it is not open any more."""
    seen: list[Exchange] = []
    with websocket_server(lambda connection: connection.socket.shutdown(socket.SHUT_RDWR)) as base_url:
        client = a_client(base_url, seen)
        with client.subscribe(UPGRADE, "a test") as channel:
            wait_for(client, lambda: not channel.is_open)
    assert [(message.direction, message.kind, message.body) for message in seen[0].messages] == [
        ("incoming", "close", b"1006")
    ]
    assert seen[0].summary() == "101, and ended at once without a close"


def test_an_open_websocket_is_recorded_when_the_client_closes() -> None:
    """What came in is not lost where a run ends early."""
    seen: list[Exchange] = []
    with websocket_server(lambda connection: (connection.send("x"), connection.recv())) as base_url:
        client = a_client(base_url, seen)
        channel: Channel = client.subscribe(UPGRADE, "a test")
        wait_for(client, lambda: bool(channel.messages))
        client.close()
        client.close()
    assert [message.body for message in seen[0].events] == [b"x"]


def test_a_flood_of_messages_is_cut() -> None:
    """A target that sends without end fills no memory: the rest is not read."""

    def handler(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                connection.send(b"x" * 100_000)

    seen: list[Exchange] = []
    with websocket_server(handler) as base_url:
        client = a_client(base_url, seen)
        with client.subscribe(UPGRADE, "a test") as channel:
            wait_for(client, lambda: not channel.is_open)
    size = sum(len(message.body) for message in seen[0].messages)
    assert MAX_CHANNEL_BYTES - 100_000 < size <= MAX_CHANNEL_BYTES
    assert "256 KiB" in seen[0].cut


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 401 x\r\nX-Request-Id: 7\r\nContent-Length: 2\r\n\r\n{}", 401),
        (b"HTTP/1.1 302 x\r\nLocation: ws://127.0.0.1:9/elsewhere\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200),
    ],
)
def test_a_refused_upgrade_is_a_response(answer: bytes, status: int) -> None:
    """A refusal is recorded whole, and a redirect is not followed."""
    seen: list[Exchange] = []
    with raw_server(answer) as (base_url, requests):
        exchange = a_client(base_url, seen).send(UPGRADE, "a test")
    assert seen == [exchange]
    assert len(requests) == 1
    assert not exchange.accepted
    assert exchange.response is not None
    assert exchange.status == status
    if status != 302:
        assert exchange.response.body == b"{}"


def test_an_upgrade_with_a_wrong_key_is_no_upgrade() -> None:
    """101 without the key's answer (RFC 6455 section 4.1) is a response, but no acceptance."""
    seen: list[Exchange] = []
    with raw_server(
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
    ) as (base_url, _):
        exchange = a_client(base_url, seen).send(UPGRADE, "a test")
    assert exchange.status == 101
    assert not exchange.accepted
    assert "no valid upgrade" in exchange.summary()


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n"])
def test_no_response_to_an_upgrade_is_silence(answer: bytes) -> None:
    """A connection that closes early, or speaks no HTTP, is an exchange without a response."""
    seen: list[Exchange] = []
    with raw_server(answer) as (base_url, _):
        a_client(base_url, seen).send(UPGRADE, "a test")
    assert seen[-1].failure is not None
    assert seen[-1].failure.kind == "truncated"


def test_a_port_without_server_is_silence() -> None:
    """A refused connection is an exchange without a response."""
    seen: list[Exchange] = []
    a_client(f"http://127.0.0.1:{receiver.free_port()}", seen).send(UPGRADE, "a test")
    assert seen[0].failure is not None
    assert seen[0].failure.kind == "refused"


# The receiver


@contextmanager
def creating_server(*ids: str) -> Iterator[str]:
    """Answers each request with a session, whose transactions are these in turn; gives the base URL."""
    answers = iter(ids)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_POST(self) -> None:
            body = json.dumps({"merchant_transaction_id": next(answers)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


CREATE = Request("POST", "/widget/session", credential="client_token")
ID = "tx-0123/456"


@contextmanager
def receiving(
    seen: list[Exchange],
    *ids: str,
    path: str = "/a%20hook",
    journal: Journal | None = None,
) -> Iterator[tuple[Client, str]]:
    """Gives a client that receives webhooks, for sessions of these ids to be created, and where it does."""
    port = receiver.free_port()
    with creating_server(*ids) as base_url:
        client = a_client(
            base_url,
            seen,
            journal,
            webhook={"listen": f"127.0.0.1:{port}", "public_url": f"https://hooks.example{path}"},
        )
        client.webhooks.open()
        yield client, f"http://127.0.0.1:{port}"
        client.close()


def delivered(client: Client, times: int = 1) -> list[Exchange]:
    """Waits for so many webhooks, and gives all that came."""
    came: list[Exchange] = []
    wait_for(client, lambda: bool(came.extend(client.webhooks.take("a test"))) or len(came) >= times)
    return came


def test_a_webhook_is_on_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    """What names a session that is known stands in the journal when it is answered, by the number of its exchange."""
    seen: list[Exchange] = []
    journal = Journal(tmp_path / "journal.jsonl", Redactor(b"key"), frozenset())
    with receiving(seen, ID, journal=journal) as (client, base_url):
        client.send(CREATE, "a test")
        for body in (b"[]", json.dumps([ID]).encode()):
            assert httpx.post(f"{base_url}/a%20hook", content=body).status_code == 200
        (record,) = folded(list(read_records(journal.path)))
        assert (record["kind"], record["protocol"], record["request"]["body"]) == ("exchange", "webhook", f'["{ID}"]')
        (exchange,) = delivered(client)
    assert exchange.number == record["number"]


def test_webhooks_become_exchanges() -> None:
    """What names a transaction of this run is recorded byte for byte, chunked bodies too; other paths are not."""
    seen: list[Exchange] = []
    with receiving(seen, ID) as (client, base_url):
        client.webhooks.open()
        client.send(CREATE, "a test")
        assert httpx.post(f"{base_url}/other", content=b"{}").status_code == 404
        # An iterator's length is not known, so httpx sends chunks.
        assert (
            httpx.post(
                f"{base_url}/a%20hook?x=1",
                content=iter([b'{"a"', b': [{"b": "tx-0123\\/456"}]}']),
                headers={"Content-Type": "application/json"},
            ).status_code
            == 200
        )
        wait_for(client, lambda: bool(client.webhooks.take("a test") or len(seen) > 1))
    _, exchange = seen
    assert (exchange.protocol, exchange.direction, exchange.number) == ("webhook", "incoming", 2)
    assert exchange.request.method == "POST"
    assert exchange.path == "/a%20hook?x=1"
    assert exchange.request.json == {"a": [{"b": ID}]}
    assert not client.webhooks.strays
    with pytest.raises(httpx.ConnectError):
        httpx.get(base_url)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"id": ID}),
        json.dumps([[ID]]),
        json.dumps(json.dumps({"id": ID})),
        f"id={ID}",
        f"no JSON {{ {ID}",
    ],
)
def test_what_names_a_transaction_is_the_targets(content: str) -> None:
    """Wherever in its body a request names a transaction, in JSON or not, it is a webhook to be judged."""
    seen: list[Exchange] = []
    with receiving(seen, ID) as (client, base_url):
        client.send(CREATE, "a test")
        httpx.post(f"{base_url}/a%20hook", content=content)
        delivered(client)
    assert not client.webhooks.strays


def test_what_names_no_transaction_is_nobodys() -> None:
    """Probes, and webhooks of other runs, are no exchanges; they are counted, and told in the end."""
    seen: list[Exchange] = []
    with receiving(seen, ID) as (client, base_url):
        client.send(CREATE, "a test")
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            answer = httpx.request(method, f"{base_url}/a%20hook")
            assert (answer.status_code, answer.content) == (200, b"")
        httpx.post(f"{base_url}/a%20hook", json={"merchant_transaction_id": "another one"})
        assert client.webhooks.take("a test") == []
    assert client.webhooks.strays == {"GET": 1, "HEAD": 1, "OPTIONS": 1, "POST": 2}
    assert [exchange.direction for exchange in seen] == ["outgoing"]


def test_a_short_id_has_to_stand_alone() -> None:
    """An id of few characters may be part of any text by chance."""
    seen: list[Exchange] = []
    with receiving(seen, "T7") as (client, base_url):
        client.send(CREATE, "a test")
        for body in ({"id": "T77"}, {"id": "T7"}):
            httpx.post(f"{base_url}/a%20hook", json=body)
        assert [exchange.request.json for exchange in delivered(client)] == [{"id": "T7"}]
    assert client.webhooks.strays == {"POST": 1}


def test_a_webhook_may_come_before_the_answer() -> None:
    """A webhook that comes before its transaction is known is the target's once it is."""
    seen: list[Exchange] = []
    with receiving(seen, ID) as (client, base_url):
        httpx.post(f"{base_url}/a%20hook", json={"id": ID})
        assert client.webhooks.take("a test") == []
        client.send(CREATE, "a test")
        delivered(client)
    assert not client.webhooks.strays


def test_a_late_webhook_is_not_lost() -> None:
    """What came in before the end is recorded at the end, though no scenario asked for it."""
    seen: list[Exchange] = []
    with receiving(seen, ID) as (client, base_url):
        client.send(CREATE, "a test")
        httpx.post(f"{base_url}/a%20hook", content=ID.encode())
    assert [exchange.request.body for exchange in seen[1:]] == [ID.encode()]


def test_a_flood_of_webhooks_is_told_to_come_later() -> None:
    """Only so much waits at a time; what was taken is kept."""
    seen: list[Exchange] = []
    with receiving(seen, ID, path="/") as (client, base_url), httpx.Client() as sender:
        client.send(CREATE, "a test")
        statuses = [sender.post(base_url, content=ID).status_code for _ in range(MAX_WAITING + 1)]
        assert statuses == [200] * MAX_WAITING + [503]
        assert len(delivered(client, MAX_WAITING)) == MAX_WAITING
        assert sender.post(base_url, content=ID).status_code == 200


def test_a_port_that_is_taken_is_named() -> None:
    """Where nothing can listen, the message says where and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        webhook = Webhook(f"127.0.0.1:{taken.getsockname()[1]}", "https://hooks.example")
        with pytest.raises(UsageError, match=r"cannot listen on `webhook\.listen` 127\.0\.0\.1"):
            Receiver(webhook, News()).start()
        with pytest.raises(UsageError, match="free port"):
            receiver.check(webhook)


def test_a_free_port_is_given_once() -> None:
    """Two that ask at the same time do not get the same port, and no outgoing connection takes it."""
    ports = [receiver.free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
    assert set(ports) <= set(receiver.PORTS)


def test_a_port_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody listens on is not given."""
    free = receiver.free_port()
    with socket.create_server(("127.0.0.1", receiver.free_port())) as taken:
        monkeypatch.setattr(receiver, "_ports", iter([taken.getsockname()[1], free]))
        assert receiver.free_port() == free


# What comes before the answer, and how a refusal is written

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


def accepting(before: bytes) -> Callable[[socket.socket], None]:
    """Makes what answers an upgrade with these bytes, then with 101, one message and a close."""

    def answer(connection: socket.socket) -> None:
        lines = connection.recv(65536).split(b"\r\n")
        key = next(line for line in lines if line.lower().startswith(b"sec-websocket-key"))
        token = accept_key(key.partition(b":")[2].strip().decode()).encode()
        for piece in (before, SWITCHING + token + b"\r\n\r\n", b"\x81\x02{}", b"\x88\x02\x03\xe8"):
            connection.sendall(piece)
        connection.recv(65536)

    return answer


@pytest.mark.parametrize(
    "before",
    [b"", HINTS, HINTS * 3, b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS],
    ids=["nothing", "one", "three", "two kinds"],
)
def test_interim_responses_before_an_upgrade_are_passed_over(before: bytes) -> None:
    """A gateway may give hints before the answer (RFC 8297): the upgrade is what comes after them."""
    seen: list[Exchange] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                accepting(before)(connection)

        threading.Thread(target=serve, daemon=True).start()
        client = a_client(f"http://127.0.0.1:{listening.getsockname()[1]}", seen)
        with client.subscribe(UPGRADE, "a test") as channel:
            wait_for(client, lambda: not channel.is_open)
    (exchange,) = seen
    assert exchange.accepted
    assert [message.body for message in exchange.events] == [b"{}"]


def test_interim_responses_without_end_are_no_answer() -> None:
    """Only so many are passed over: the next one is taken for the answer, which it is not."""
    seen: list[Exchange] = []
    with raw_server(HINTS * 50) as (base_url, _):
        a_client(base_url, seen).send(UPGRADE, "a test")
    assert not seen[-1].accepted


def test_an_upgrade_that_is_closed_at_once_says_so() -> None:
    """What a summary tells of it is the close, with its code and reason."""
    seen: list[Exchange] = []
    with websocket_server(lambda connection: connection.close(1008, "not yours")) as base_url:
        client = a_client(base_url, seen)
        with client.subscribe(UPGRADE, "a test") as channel:
            wait_for(client, lambda: not channel.is_open)
    assert seen[0].summary() == "101, and closed at once with 1008 not yours"
