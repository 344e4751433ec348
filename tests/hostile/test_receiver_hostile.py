"""The webhook's public address under attack: bounded in memory and time, and open to the target's own webhooks."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from rampcheck.contract.profile import Webhook
from rampcheck.sandbox import builtin_profile, server
from rampcheck.wire import incoming, receiver
from rampcheck.wire.channel import News
from rampcheck.wire.webhooks import MOST_WEBHOOKS
from tests.hostile import bounded
from tests.hostile import target as hostile_target
from tests.hostile.raw import Raw
from tests.hostile.target import Behaviour

MOST_MEMORY = 50 * 1000 * 1000  # bytes that a receiver may take, whatever comes
HUNG = 60  # seconds
AT_ONCE = 64
MOST_SENT = 5000  # webhooks about each session
TRIES = 10  # of a sender that has a webhook to deliver
# A receiver by itself: it says when it listens, and at the end of its input what it has kept, and what that took.
RECEIVING = """
import json, pathlib, re, resource, sys
import httpx
from rampcheck.wire.channel import News
from rampcheck.contract.profile import Webhook
from rampcheck.wire.receiver import Receiver

def peak():
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # What getrusage gives is, on Linux, at least what the parent had.
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

port = sys.argv[1]
receiver = Receiver(Webhook("127.0.0.1:" + port, "https://hooks.example/hook"), News(), lambda it: b"own" in it.body)
receiver.start()
httpx.post(f"http://127.0.0.1:{port}/other")  # All is imported by now.
before = peak()
print("listening", flush=True)
sys.stdin.read()
kept = [delivery.body.decode("latin-1") for delivery in receiver.drain()]
grown = peak() - before
receiver.stop()
print(json.dumps({"kept": [body[:40] for body in kept], "turned_away": receiver.turned_away,
                  "strays": receiver.strays, "grown": grown}))
"""
JUNK = b"j" * 60_000


def post(path: str, *headers: str, body: bytes = b"") -> bytes:
    """Gives a request, with the headers that are given and no other."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: hooks.example", *headers, "", ""]).encode() + body


def whole(path: str, body: bytes) -> bytes:
    """Gives a request that is complete."""
    return post(path, f"Content-Length: {len(body)}", body=body)


def repeated(content: bytes, start: bytes = b"", times: int = 200) -> Callable[[Raw], None]:
    """Makes what sends `start`, then the same again and again, and reads nothing."""

    def attack(raw: Raw) -> None:
        raw.send(start)
        for _ in range(times):
            raw.send(content)

    return attack


def held(path: str) -> Callable[[Raw], None]:
    """Makes what holds a body open of which a part has come."""
    return repeated(JUNK, post(path, "Content-Length: 1000000000"), 10)


# What each of many connections does; none of them is closed before the end.
ATTACKS: dict[str, tuple[int, Callable[[Raw], None]]] = {
    "bodies held open": (100, held("/hook")),
    "bodies held open on another path": (100, held("/other")),
    "bodies without an end": (64, repeated(JUNK, post("/hook", "Content-Length: 1000000000"))),
    "chunks without an end": (64, repeated(b"1\r\nx\r\n" * 1000, post("/hook", "Transfer-Encoding: chunked"))),
    "a chunk of a terabyte": (64, repeated(JUNK, post("/hook", "Transfer-Encoding: chunked", body=b"ffffffffff\r\n"))),
    "nothing at all": (200, lambda _: None),
    "half a request line": (100, repeated(b"", b"POST /ho", 1)),
    "a header without an end": (64, repeated(JUNK, b"POST /hook HTTP/1.1\r\nX: ", 20)),
    "headers without an end": (64, repeated(b"a:\r\n" * 10_000, b"POST /hook HTTP/1.1\r\n", 20)),
    "a head of many headers at once": (64, repeated(b"", post("/hook", *["a:"] * 60_000), 1)),
    "waiting to be asked for the body": (
        100,
        repeated(b"", post("/hook", "Expect: 100-continue", "Content-Length: 9"), 1),
    ),
    "requests in a row, no answer read": (32, repeated(post("/other", "Content-Length: 0") * 100, times=100)),
    "no HTTP": (64, repeated(b"\x00\xff" * 10_000)),
    "others' webhooks": (200, repeated(b"", whole("/hook", JUNK), 1)),
    "others' small webhooks": (200, repeated(b"", whole("/hook", b"{}") * 10, 1)),
    "webhooks of many headers": (200, repeated(b"", post("/hook", *["a:b"] * 1000, "Content-Length: 0"), 1)),
    "the target's own, too many": (200, repeated(b"", whole("/hook", b"own " + JUNK), 1)),
    "the target's own, too large": (64, repeated(b"", whole("/hook", b"own " + JUNK * 4), 1)),
}


@dataclass
class Attacked:
    """A receiver in a process of its own, and after `end` what it says of itself."""

    port: int
    process: subprocess.Popen[str]

    def end(self) -> dict[str, Any]:
        """Ends the receiver and gives what it kept, and what that took."""
        said, _ = self.process.communicate(timeout=HUNG)
        told: dict[str, Any] = json.loads(said)
        return told


@contextmanager
def attacked() -> Iterator[Attacked]:
    """Starts a receiver in a process of its own."""
    port = receiver.free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", RECEIVING, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        try:
            yield Attacked(port, process)
        finally:
            process.kill()


def deliver(port: int, content: bytes) -> int:
    """Sends a webhook, again where it is not taken; gives the last status."""
    status = 0
    for _ in range(TRIES):
        with suppress(httpx.TransportError):
            status = httpx.post(f"http://127.0.0.1:{port}/hook", content=content, timeout=5).status_code
        if status == 200:
            break
    return status


@pytest.mark.parametrize(("connections", "attack"), ATTACKS.values(), ids=list(ATTACKS))
def test_what_attacks_the_receiver_takes_little(connections: int, attack: Callable[[Raw], None]) -> None:
    """Whatever comes, and however much, the memory is bounded, and a webhook of the target's is taken meanwhile."""
    with attacked() as ours, ExitStack() as opened, ThreadPoolExecutor(AT_ONCE) as threads:

        def strike(_: int) -> None:
            with suppress(OSError):
                attack(opened.enter_context(Raw(ours.port)))

        list(threads.map(strike, range(connections)))
        status = deliver(ours.port, b"own webhook")
        told = ours.end()
    assert told["grown"] < MOST_MEMORY
    flooded = [body for body in told["kept"] if body.startswith("own j")]
    assert status == 200 or flooded
    assert "own webhook" in told["kept"] or flooded
    assert len(told["kept"]) <= receiver.MAX_WAITING


@contextmanager
def receiving() -> Iterator[int]:
    """Runs a receiver in this process; gives its port."""
    port = receiver.free_port()
    ours = receiver.Receiver(Webhook(f"127.0.0.1:{port}", "https://hooks.example/hook"), News())
    ours.start()
    yield port
    ours.stop()


def test_who_keeps_a_request_back_makes_room_for_others() -> None:
    """One connection more than there may be: the one that has waited for longest is closed, the last one served."""
    with receiving() as port, ExitStack() as opened:
        waiting = []
        for _ in range(incoming.MOST_CONNECTIONS):
            waiting.append(opened.enter_context(Raw(port)))
            waiting[-1].send(b"POST /hook HTTP/1.1\r\n")
        last = opened.enter_context(Raw(port))
        last.send(whole("/hook", b"{}"))
        assert last.receive().startswith(b"HTTP/1.1 200")
        assert waiting[0].is_closed()


def test_a_request_has_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is not there in time is not waited for, on whatever path, and whatever has come of it."""
    monkeypatch.setattr(incoming, "REQUEST_SECONDS", 0.2)
    with receiving() as port:
        for start in (b"", b"POST /hook", post("/hook", "Content-Length: 9"), post("/other", "Content-Length: 9")):
            with Raw(port) as raw:
                raw.send(start)
                assert raw.is_closed()


def test_a_head_and_a_request_have_a_size() -> None:
    """Also where they come in one piece; what is passed over, on another path, counts too."""
    with receiving() as port:
        with Raw(port) as raw:
            raw.send(post("/hook", *["X-More: x"] * 3000, "Content-Length: 0"))
            assert raw.receive().startswith(b"HTTP/1.1 400")
        with Raw(port) as raw, pytest.raises(OSError, match=r"reset|Broken pipe"):
            repeated(JUNK, post("/other", "Content-Length: 1000000000"), 1000)(raw)


def test_a_body_that_is_cut_short_is_not_taken() -> None:
    """What was cut short is no webhook, and is told."""
    with attacked() as ours:
        with Raw(ours.port) as raw:
            raw.send(post("/hook", "Content-Length: 100", body=b"own"))
        assert deliver(ours.port, b"own webhook") == 200
        told = ours.end()
    assert told["kept"] == ["own webhook"]
    assert told["turned_away"] == 1


def test_another_path_is_answered_before_its_body() -> None:
    """Who is at the wrong address is told so at once, whatever it still has to send."""
    with attacked() as ours, Raw(ours.port) as raw:
        raw.send(post("/other", "Content-Length: 1000000", body=b"x"))
        assert raw.receive().startswith(b"HTTP/1.1 404")
        told = ours.end()
    assert told["strays"] == 2
    assert told["turned_away"] == 0


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The base URL of a conforming server that sends no webhooks."""
    with server.start("proof") as running:
        yield running.base_url


def flooding(upstream: str, hook: str, document: Callable[[str], bytes]) -> Behaviour:
    """Makes the behaviour that conforms, and for each session sends webhooks about it without an end."""

    def send(transaction: str) -> None:
        with httpx.Client(trust_env=False) as sender, suppress(httpx.TransportError):
            for _ in range(MOST_SENT):
                sender.post(hook, content=document(transaction))

    def front(peer: hostile_target.Peer) -> None:
        request = peer.read_request()
        answer = hostile_target.relay(peer, upstream, request)
        if transaction := re.search(rb'"merchant_transaction_id": ?"([^"]+)"', answer):
            threading.Thread(target=send, args=[transaction[1].decode()], daemon=True).start()

    return front


DOCUMENTS: dict[str, Callable[[str], bytes]] = {
    "small": lambda transaction: json.dumps({"merchant_transaction_id": transaction}).encode(),
    "large": lambda transaction: json.dumps({"merchant_transaction_id": transaction, "x": "\x01" * 9_000}).encode(),
    "no JSON": lambda transaction: transaction.encode() + b"\x01" * 60_000,
    "a secret in each": lambda transaction: json.dumps(
        {"merchant_transaction_id": transaction, "init_token": secrets.token_hex(20)}
    ).encode(),
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_a_flood_of_webhooks_fills_no_journal(
    document: Callable[[str], bytes],
    reference: str,
    tmp_path: Path,
) -> None:
    """Webhooks of the target's own without an end: what a run keeps is judged.

    That of the end, which never comes, is said to be missing, or that not all was read which may have been it. Both
    where all that came in time was read, and not what came after.
    """
    hook = f"http://127.0.0.1:{receiver.free_port()}/hook"
    with hostile_target.serve(flooding(reference, hook, document)) as base_url:
        profile = builtin_profile("proof", base_url, None, hook)
        profile["limits"] |= {"event_timeout_seconds": 2, "poll_interval_seconds": 0.2}
        ended = bounded.run(profile, tmp_path, "-k", "followed_to_their_end", codes=frozenset({1, 5}))
    came = [record for record in ended.records("exchange") if record["protocol"] == "webhook"]
    assert 0 < len(came) <= MOST_WEBHOOKS
    is_told = "requests to the webhook's address" in " ".join(ended.results["notes"])
    missing = [
        finding for finding in ended.clause("proof.webhook.delivered")["findings"] if "within" in finding["expected"]
    ]
    assert is_told or missing
