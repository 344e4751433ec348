"""Targets that are hostile rather than wrong: endless, slow, swollen, cut short, or not quite HTTP."""

from __future__ import annotations

import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from urllib.parse import urlsplit

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIP_SECONDS = 0.2
NUMBERS = count(1)


class Peer:
    """One connection of the client, already accepted; `ended` is set when the target stops."""

    def __init__(self, connection: socket.socket, ended: threading.Event, elsewhere: str) -> None:
        self._connection = connection
        self._ended = ended
        self.elsewhere = elsewhere

    def read_request(self) -> bytes:
        """Gives the request, head and body; what has come of it where the client closes early."""
        received = b""
        while b"\r\n\r\n" not in received and (piece := self._connection.recv(65536)):
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line.partition(b":")[2] for line in head.splitlines() if line.lower().startswith(b"content-length:")]
        missing = int(lengths[0]) - len(body) if lengths else 0
        while missing > 0 and (piece := self._connection.recv(65536)):
            received += piece
            missing -= len(piece)
        return received

    def wait(self) -> None:
        """Does nothing until the target stops."""
        self._ended.wait(60)

    def send(self, content: bytes) -> None:
        """Sends it all."""
        self._connection.sendall(content)

    def send_forever(self, content: bytes) -> None:
        """Sends it again and again, until the client closes."""
        while not self._ended.is_set():
            self.send(content)

    def drip(self, content: bytes) -> None:
        """Sends byte after byte, with a pause before each, then without an end the last one."""
        for byte in content:
            if self._ended.wait(DRIP_SECONDS):
                return
            self.send(bytes([byte]))
        while not self._ended.wait(DRIP_SECONDS):
            self.send(content[-1:])


Behaviour = Callable[[Peer], None]


def session(**more: object) -> bytes:
    """Gives the JSON of a session as Kryptonim promises it, with other members before its own."""
    return json.dumps(
        {
            **more,
            "sessionId": f"session-{next(NUMBERS)}",
            "widgetUrl": "https://widget.example/pay",
            "expiresAt": f"{datetime.now(UTC) + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}",
        }
    ).encode()


def noted(note: bytes) -> bytes:
    """Gives the JSON of a session with a member of these very bytes."""
    return session(note=None).replace(b"null", note, 1)


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Gives a response that is as long as it says."""
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Date: {format_datetime(datetime.now(UTC))}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answering(make: Callable[[], bytes]) -> Behaviour:
    """Makes the behaviour that reads the request, sends one answer and closes."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(make())

    return behave


def flooding(start: bytes, repeated: bytes) -> Behaviour:
    """Makes the behaviour that reads the request and begins an answer that never ends."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.send_forever(repeated)

    return behave


def dripping(start: bytes, content: bytes) -> Behaviour:
    """Makes the behaviour that goes on byte by byte after `start`."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.drip(content)

    return behave


def bomb(coding: str, window: int) -> Behaviour:
    """Makes the behaviour that answers with ten gigabytes of zeros, compressed."""
    engine = zlib.compressobj(9, wbits=window)
    start = engine.compress(bytes(1024)) + engine.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers to what came before, so that the piece may stand any number of times.
    megabyte = engine.compress(bytes(1 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    length = len(start) + 10_000 * len(megabyte)
    head = OK + f"Content-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n".encode()
    return flooding(head + start, megabyte * 16)


def packed_twice() -> bytes:
    """Gives a response of a hundred kilobytes that are a hundred megabytes, compressed twice."""
    engine = zlib.compressobj(9, wbits=31)
    once = b"".join(engine.compress(bytes(1 << 20)) for _ in range(100)) + engine.flush()
    again = zlib.compressobj(9, wbits=31)
    return whole(again.compress(once) + again.flush(), "Content-Encoding: gzip, gzip")


def close_at_once(_: Peer) -> None:
    """Closes the connection without having read anything."""


def close_after_the_request(peer: Peer) -> None:
    """Reads the request and closes."""
    peer.read_request()


def answer_unasked(peer: Peer) -> None:
    """Answers before anything was asked, and closes without reading."""
    peer.send(whole(session()))


def redirect_to_itself(peer: Peer) -> None:
    """Sends the client to the same path again."""
    path = peer.read_request().split(b" ", 2)[1].decode()
    peer.send(whole(b"{}", f"Location: {path}", status="302 Found"))


def redirect_elsewhere(peer: Peer) -> None:
    """Sends the client to another server."""
    peer.read_request()
    peer.send(whole(b"{}", f"Location: {peer.elsewhere}/v1/widget-sessions", status="307 Temporary Redirect"))


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# No answer comes of these, or none that can be judged.
UNANSWERED: dict[str, Behaviour] = {
    "a body without an end": flooding(OK + b"\r\n", b" " * 65536),
    "a body of a terabyte": flooding(OK + b"Content-Length: 1000000000000\r\n\r\n", b" " * 65536),
    "chunks without an end": flooding(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "tiny chunks without an end": flooding(CHUNKED, b"1\r\n \r\n" * 10_000),
    "a status line by drips": dripping(b"", b"HTTP/1.1 200 OK"),
    "headers by drips": dripping(OK, b"X-Slow: a"),
    "a body by drips": dripping(OK + b"Content-Length: 1000\r\n\r\n", b"{ "),
    "chunks by drips": dripping(CHUNKED, b"1\r\n \r\n" * 1000),
    "a header of a megabyte": answering(lambda: whole(session(), f"X-Large: {'x' * (1 << 20)}")),
    "a hundred thousand headers": answering(lambda: whole(session(), *[f"X-{n}: x" for n in range(100_000)])),
    "a chunk extension without an end": flooding(CHUNKED + b"5;note=", b"x" * 65536),
    "trailers without an end": flooding(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Trailer: x\r\n" * 1000),
    "chunks cut short": answering(lambda: CHUNKED + b"100\r\n{"),
    "a body cut short": answering(lambda: OK + b"Content-Length: 100\r\n\r\n{"),
    "closed at once": close_at_once,
    "closed after the request": close_after_the_request,
    "ten gigabytes in gzip": bomb("gzip", 31),
    "ten gigabytes in deflate": bomb("deflate", 15),
    "a hundred megabytes in gzip in gzip": answering(packed_twice),
    "an unknown content coding": answering(lambda: whole(session(), "Content-Encoding: rampcheck")),
    "a thousand content codings": answering(lambda: whole(session(), f"Content-Encoding: {'gzip, ' * 1000}gzip")),
    "gzip that is none": answering(lambda: whole(session(), "Content-Encoding: gzip")),
    "100 Continue without an end": flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a status that is no number": answering(lambda: whole(session(), status="2OO OK")),
    "a status of four digits": answering(lambda: whole(session(), status="2000 OK")),
    "HTTP/0.9": answering(session),
    "an upgrade that nobody asked for": answering(
        lambda: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: none\r\nConnection: upgrade\r\n\r\n"
    ),
    "two lengths": answering(lambda: whole(session(), "Content-Length: 1")),
}
# An answer that no documented request deserves.
REFUSED: dict[str, Behaviour] = {
    "a redirect to itself": redirect_to_itself,
    "a redirect elsewhere": redirect_elsewhere,
    "status 999": answering(lambda: whole(b"{}", status="999 Nine")),
}
# A 2xx that is no session.
BROKEN: dict[str, Behaviour] = {
    "100,000 levels of nesting": answering(lambda: whole(noted(b"[" * 100_000 + b"]" * 100_000))),
    "an object 5,000 levels deep": answering(lambda: whole(noted(b'{"":' * 5_000 + b"0" + b"}" * 5_000))),
    "bytes that are no UTF-8": answering(lambda: whole(noted(b'"\xff\xfe\x80"'))),
    "NaN": answering(lambda: whole(noted(b"NaN"))),
    "Infinity": answering(lambda: whole(noted(b"-Infinity"))),
}
# Accepted, and nothing in it that belongs to a session.
STRANGE: dict[str, Behaviour] = {
    "204 with a body": answering(lambda: whole(session(), status="204 No Content")),
    "a flat array of 80,000 objects": answering(lambda: whole(b"[" + b"{}," * 80_000 + b"{}]")),
    "20,000 members": answering(lambda: whole(b'{"a":0' + b"".join(b',"%05x":0' % n for n in range(20_000)) + b"}")),
}
# A session all the same: odd, and nothing that the documentation speaks of.
ODD: dict[str, Behaviour] = {
    "every member twice": answering(lambda: whole(b'{"sessionId":7,"widgetUrl":7,' + session()[1:])),
    "a number of 4,999 digits": answering(lambda: whole(noted(b"9" * 4999))),
    "a number beyond all floats": answering(lambda: whole(noted(b"-1e999999"))),
    "99 levels of nesting": answering(lambda: whole(noted(b"[" * 98 + b"]" * 98))),
    "a cookie bomb": answering(lambda: whole(session(), *[f"Set-Cookie: c{n}={'x' * 1000}" for n in range(80)])),
    "40,000 escapes": answering(lambda: whole(noted(b'"' + b"\\u0025" * 40_000 + b'"'))),
    "answered before it was asked": answer_unasked,
}
# As large as this client reads; one letter beyond the basic plane makes Python keep each in four bytes.
LARGE = answering(lambda: whole(noted('"{}\U0001f4b8"'.format("\xe9" * 120_000).encode())))
ALL = UNANSWERED | REFUSED | STRANGE | BROKEN | ODD


def relay(peer: Peer, upstream: str, request: bytes) -> bytes:
    """Asks another server, passes its answer on, and gives it."""
    host, port = urlsplit(upstream).netloc.rsplit(":", 1)
    answer = b""
    with socket.create_connection((host, int(port))) as onward:
        onward.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        while piece := onward.recv(65536):
            answer += piece
            peer.send(piece)
    return answer


@contextmanager
def serve(*behaviours: Behaviour, upstream: str = "", good: int = 0) -> Iterator[str]:
    """Serves on a free port of the loopback interface; gives the base URL.

    The first `good` connections are relayed to `upstream`, each of the following gets the next of the `behaviours`.
    After the last one, connections are relayed again, or get the last one again where there is no `upstream`. Fails
    where a client came to the place that only a redirect names.
    """
    ended = threading.Event()
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as listening,
        socket.create_server(("127.0.0.1", 0)) as trap,
    ):
        trap.setblocking(False)
        elsewhere = f"http://127.0.0.1:{trap.getsockname()[1]}"

        def treat(connection: socket.socket, number: int) -> None:
            # Most clients close first, as they should.
            with connection, suppress(OSError):
                peer = Peer(connection, ended, elsewhere)
                turn = number - good
                if turn < 0 or (upstream and turn >= len(behaviours)):
                    relay(peer, upstream, peer.read_request())
                else:
                    behaviours[min(turn, len(behaviours) - 1)](peer)

        def accept() -> None:
            for number in count():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if ended.is_set():
                    connection.close()
                    return
                threading.Thread(target=treat, args=[connection, number], daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            socket.create_connection(listening.getsockname()).close()
            accepting.join()
        try:
            trap.accept()
        except BlockingIOError:
            return
        raise AssertionError("the client followed a redirect")
