"""WebSockets of a target that floods, drips, lies or goes deaf: each run ends in time, in bounds, with its reports."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.utils import accept_key

from rampcheck.sandbox import builtin_profile, server
from tests.hostile import bounded
from tests.hostile import target as hostile_target
from tests.hostile.target import Behaviour, Peer

KEY = re.compile(rb"^sec-websocket-key: *(\S+)", re.IGNORECASE | re.MULTILINE)
FIN, TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 0x80, 1, 2, 0, 8, 9, 10
UPGRADES = ("-k", "subscribes_to_a_transaction")
FOLLOWING = ("-k", "followed_to_their_end")


def frame(first: int, payload: bytes, says: int | None = None) -> bytes:
    """Gives a frame as a server sends it (RFC 6455 section 5.2); it may say that its payload is longer than it is."""
    length = len(payload) if says is None else says
    if length < 126:
        return bytes([first, length]) + payload
    size = b"\x7e" + length.to_bytes(2, "big") if length < 65536 else b"\x7f" + length.to_bytes(8, "big")
    return bytes([first]) + size + payload


def event(**members: object) -> bytes:
    """Gives a text message in JSON."""
    return frame(FIN | TEXT, json.dumps(members).encode())


def upgrading(upstream: str, behave: Behaviour) -> Behaviour:
    """Makes the behaviour that accepts each WebSocket and then does this, and has all else answered by `upstream`."""

    def front(peer: Peer) -> None:
        request = peer.read_request()
        key = KEY.search(request)
        if key is None:
            hostile_target.relay(peer, upstream, request)
            return
        peer.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key[1].decode()).encode() + b"\r\n\r\n"
        )
        behave(peer)

    return front


def refusing(upstream: str, behave: Behaviour) -> Behaviour:
    """Makes the behaviour that answers each upgrade in this way, and has all else answered by `upstream`."""

    def front(peer: Peer) -> None:
        request = peer.read_request()
        if KEY.search(request):
            behave(peer)
        else:
            hostile_target.relay(peer, upstream, request)

    return front


def forever(content: bytes, start: bytes = b"") -> Behaviour:
    """Makes the behaviour that sends `start`, then the same without an end, and reads nothing."""

    def behave(peer: Peer) -> None:
        peer.send(start)
        peer.send_forever(content)

    return behave


def once(content: bytes) -> Behaviour:
    """Makes the behaviour that sends this, and then neither reads nor closes."""

    def behave(peer: Peer) -> None:
        peer.send(content)
        peer.wait()

    return behave


def secrets_without_end(peer: Peer) -> None:
    """Sends messages that each hold another secret."""
    for number in itertools.count():
        peer.send(event(init_token=f"{number:09d}-{hash(str(number)):x}-a-secret"))


# What each does after the upgrade, by the words with which the run tells what it did not read; "" where it read it all.
FLOODS: dict[str, tuple[Behaviour, str]] = {
    "small messages": (forever(event(status="pending") * 1000), "more than 256 messages"),
    "messages of no byte": (forever(frame(FIN | TEXT, b"") * 1000), "more than 256 messages"),
    "large messages": (forever(frame(FIN | BINARY, b"\x01" * 60_000)), "more than 256 KiB"),
    "a new secret in each message": (secrets_without_end, "more than 256 messages"),
    "a message of a terabyte": (forever(b"x" * 65536, frame(FIN | TEXT, b"", 1 << 40)), "more than 256 KiB"),
    "fragments without an end": (forever(frame(CONTINUED, b"") * 1000, frame(TEXT, b"{")), "more than 256 KiB"),
}
ENDLESS: dict[str, Behaviour] = {
    "pings, and nothing read": forever(frame(FIN | PING, b"x" * 125) * 500),
    "pongs, and nothing read": forever(frame(FIN | PONG, b"x" * 125) * 500),
    "silence, and a close that is not answered": once(b""),
    "a message by drips": lambda peer: peer.drip(frame(FIN | TEXT, b"x" * 100)),
    "half a frame": once(frame(FIN | TEXT, b"{", 100)),
}
BROKEN: dict[str, Behaviour] = {
    "text that is no UTF-8": once(frame(FIN | TEXT, b"\xff\xfe")),
    "an opcode that is none": once(frame(FIN | 0xB, b"")),
    "a close code that is none": once(frame(FIN | CLOSE, b"\x00\x01?")),
    "a close of one byte": once(frame(FIN | CLOSE, b"\x03")),
    "a ping that is too long": once(frame(FIN | PING, b"x" * 200)),
    "the end of a message that never began": once(frame(FIN | CONTINUED, b"x")),
    "HTTP after the upgrade": once(b"HTTP/1.1 200 OK\r\n\r\n"),
}
REFUSALS: dict[str, Behaviour] = {
    "a refusal of a gigabyte": forever(b"x" * 65536, b"HTTP/1.1 403 No\r\nContent-Length: 1000000000\r\n\r\n"),
    "headers without an end": forever(b"X-More: x\r\n" * 1000, b"HTTP/1.1 101 Switching Protocols\r\n"),
    "no answer to the upgrade": once(b""),
    "an upgrade by drips": lambda peer: peer.drip(b"HTTP/1.1 101 Switching Protocols\r\nX: "),
}


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The base URL of a conforming server."""
    with server.start("proof") as running:
        yield running.base_url


def run(
    front: Callable[[str, Behaviour], Behaviour],
    behave: Behaviour,
    upstream: str,
    folder: Path,
    *options: str,
) -> bounded.Bounded:
    """Runs scenarios of Proof's suite against a target whose WebSockets do this."""
    with hostile_target.serve(front(upstream, behave)) as base_url:
        profile = builtin_profile("proof", base_url)
        del profile["credentials"]["second_client_token"], profile["second_partner"]
        profile["limits"] |= {"timeout_seconds": 1, "event_timeout_seconds": 1, "poll_interval_seconds": 0.2}
        return bounded.run(profile, folder, *(options or UPGRADES), codes=frozenset({0, 1, 5}))


@pytest.mark.parametrize(("behave", "told"), FLOODS.values(), ids=list(FLOODS))
def test_a_flood_is_cut_and_not_judged(behave: Behaviour, told: str, reference: str, tmp_path: Path) -> None:
    """What is more than a run reads is told, and what it could have shown does not pass."""
    ended = run(upgrading, behave, reference, tmp_path, *FOLLOWING)
    assert told in " ".join(ended.results["notes"])
    assert ended.clause("proof.ws.only-own")["verdict"] == "not_verified"
    assert "was not read" in ended.clause("proof.ws.only-own")["reason"]
    # What is said of a part holds of a part: an event that did not come may be in the rest.
    accused = [finding["actual"] for finding in ended.clause("proof.ws.event")["findings"]]
    assert not [actual for actual in accused if actual.startswith("the events:")]
    assert ended.code in {1, 5}
    assert max(len(record["messages"]) for record in ended.records("exchange")) <= 257  # with the close


@pytest.mark.parametrize("behave", ENDLESS.values(), ids=list(ENDLESS))
def test_no_wait_is_without_an_end(behave: Behaviour, reference: str, tmp_path: Path) -> None:
    """A WebSocket that takes no close, or never comes to an end of anything, is shut down."""
    ended = run(upgrading, behave, reference, tmp_path)
    assert [record for record in ended.records("exchange") if record["protocol"] == "websocket"]


@pytest.mark.parametrize("behave", BROKEN.values(), ids=list(BROKEN))
def test_what_is_no_websocket_crashes_nothing(behave: Behaviour, reference: str, tmp_path: Path) -> None:
    """Frames against RFC 6455 end the connection, with this run's close, or the network's."""
    ended = run(upgrading, behave, reference, tmp_path)
    closes = [record["messages"][-1] for record in ended.records("exchange") if record["messages"]]
    assert {close["direction"] for close in closes} <= {"outgoing"}


@pytest.mark.parametrize("behave", REFUSALS.values(), ids=list(REFUSALS))
def test_an_upgrade_without_an_end_is_no_answer(behave: Behaviour, reference: str, tmp_path: Path) -> None:
    """An upgrade is answered within the time of any request, or not at all."""
    ended = run(refusing, behave, reference, tmp_path)
    assert ended.clause("proof.ws.connect")["verdict"] in {"not_verified", "failed"}
