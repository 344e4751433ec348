"""Probes that follow a transaction of Proof to its end, or ask what follows from a session; see `variant_probes`."""

from __future__ import annotations

import json
import queue
import re
import socketserver
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from rampcheck.sandbox.server import RunningReference
from tests import references
from tests.variant_probes import SECOND, Connection, Probe, proof, raw, read_message

DEADLINE = 30.0
LONG_AFTER = 6.0  # seconds in which a transaction comes to its end, and what comes after it
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
END = re.compile(r'"status": "(completed|failed|cancelled)"')
CLOSE = 8
# With a code of its own, so that a server that only answers it is told from one that closes; the mask is of zeros.
GOODBYE = b"\x88\x82\0\0\0\0\x0f\xa0"


def read_frame(stream: BinaryIO) -> bytes:
    """Gives the next frame of a server (RFC 6455 section 5.2), nothing at the end."""
    frame = stream.read(2)
    size = frame[1] if frame else 0
    if size == 126:
        frame += stream.read(2)
        size = int.from_bytes(frame[-2:], "big")
    return frame + stream.read(size)


def _token(reference: RunningReference, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {reference.profile()['credentials'][name]}"}


def _created(connection: Connection, reference: RunningReference, user: str) -> tuple[str, str]:
    """Creates a session; gives the answer, and the transaction's id."""
    answer = connection.ask(proof(reference.profile()["credentials"], partner_user_id=user, amount="100.25")).decode()
    return answer, json.loads(answer.rpartition("\r\n\r\n")[2])["merchant_transaction_id"]


def _get(reference: RunningReference, path: str, token: str = "client_token", **headers: str) -> bytes:
    return raw("GET", path, {**_token(reference, token), **headers}, b"")


def followed(reference: RunningReference) -> str:
    """Gives what comes over the WebSocket of a transaction, and after each frame the statuses of it and of its user.

    After the last status a close is sent with the code 4000. The last line says when, by the clock here, the
    transaction was created, how long it took, how much later than polls the last event dates it, and over how long a
    time there were events.
    """
    user = f"auto-complete-{uuid.uuid4()}"
    with Connection(reference.base_url) as asking, Connection(reference.base_url) as socket:
        answer, transaction = _created(asking, reference, user)
        questions = [
            _get(reference, path)
            for path in (f"/widget/transactions/{quote(transaction, safe='')}", f"/widget/users/{user}/kyc-status")
        ]
        said = [answer, socket.ask(_get(reference, f"/ws?tx_id={quote(transaction, safe='')}", **UPGRADE)).decode()]
        said += (asking.ask(question).decode("latin-1") for question in questions)
        while frame := read_frame(socket.stream):
            said.append(frame.decode("latin-1"))
            said += (asking.ask(question).decode("latin-1") for question in questions)
            if END.search(said[-3]) or frame[0] & 15 == CLOSE:
                socket.send(GOODBYE)
                break
        said += iter(lambda: read_frame(socket.stream).decode("latin-1"), "")
    return "\n".join([*said, _times("\n".join(said))])


def _times(text: str) -> str:
    created, updated, occurred = (
        [datetime.fromisoformat(time) for time in re.findall(rf'"{name}": "([^"\n]*)"', text)]
        for name in ("created_at", "updated_at", "occurred_at")
    )
    ahead = round((created[-1] - datetime.now(UTC)).total_seconds() / 10) * 10
    told = [
        f"told {(time - updated[-1]).total_seconds():+.1f} s, over {(time - occurred[0]).total_seconds():.1f} s"
        for time in occurred[-1:]
    ]
    return ", ".join([f"created {ahead:+d} s", f"took {(updated[-1] - created[-1]).total_seconds():.1f} s", *told])


def dated(reference: RunningReference) -> str:
    """Says whether a transaction is dated anew some time after its end."""
    deadline, first = time.monotonic() + LONG_AFTER, ""
    with Connection(reference.base_url) as connection:
        _, transaction = _created(connection, reference, f"auto-complete-{uuid.uuid4()}")
        question = _get(reference, f"/widget/transactions/{quote(transaction, safe='')}")
        while time.monotonic() < deadline:
            said = connection.ask(question).decode("latin-1")
            date = re.search(r'"updated_at": "([^"]*)"', said)
            if date and END.search(said):
                first = first or date[1]
                if date[1] != first:
                    return "dated anew"
            threading.Event().wait(0.1)
    return "dated once"


def replaced(reference: RunningReference) -> str:
    """Gives what is said of a transaction after its user has got another session."""
    with Connection(reference.base_url) as connection:
        _, transaction = _created(connection, reference, "user-1")
        _created(connection, reference, "user-1")
        return connection.ask(_get(reference, f"/widget/transactions/{quote(transaction, safe='')}")).decode("latin-1")


def again(reference: RunningReference) -> str:
    """Gives what is said of a user's second transaction as the first one ends, and of them to the other partner."""
    user, deadline = f"auto-complete-{uuid.uuid4()}", time.monotonic() + DEADLINE
    credentials = reference.profile()["credentials"]
    with Connection(reference.base_url) as connection:
        connection.ask(proof(credentials, token="second_client_token", partner_user_id=user, **SECOND))
        (_, first), (_, second) = (_created(connection, reference, user) for _ in range(2))
        questions = [_get(reference, f"/widget/transactions/{quote(name, safe='')}") for name in (first, second)]
        said = ["", ""]
        while not END.search(said[0]) and time.monotonic() < deadline:
            said = [connection.ask(question).decode("latin-1") for question in questions]
        asked = _get(reference, f"/widget/users/{user}/kyc-status", "second_client_token")
        return f"{said[1]}\n{connection.ask(asked).decode('latin-1')}"


def _last_frame(connection: Connection) -> bytes:
    """Gives what comes over a WebSocket that is closed at once; `gone` where its connection has ended already."""
    try:
        connection.send(GOODBYE)
        return read_frame(connection.stream) or b"gone"
    except ConnectionError:
        return b"gone"


def asks(path: str, token: str = "client_token", spelled: Callable[[str], str] = str, **headers: str) -> Probe:
    """Makes the probe that asks for a path, in which `{}` is the id, `spelled`, of a transaction just created."""

    def probe(reference: RunningReference) -> str:
        with Connection(reference.base_url) as connection:
            _, transaction = _created(connection, reference, "user-1")
            asked = _get(reference, path.format(quote(spelled(transaction), safe="")), token, **headers)
            said = connection.ask(asked)
            if b" 101 " in said.partition(b"\r\n")[0]:
                said += b"\n" + _last_frame(connection)
        return f"\n{said.decode('latin-1')}"

    return probe


def upgrades(path: str = "/ws?tx_id={}", token: str = "client_token") -> Probe:
    """Makes the probe that asks for a WebSocket; a close with the code 4000 is sent over it at once."""
    return asks(path, token, **UPGRADE)


# Webhooks.


class _Delivery(socketserver.StreamRequestHandler):
    """One connection to the receiver: each request goes as it came into its queue."""

    def handle(self) -> None:
        """Takes all requests of the connection."""
        while request := read_message(self.rfile):
            self.server.deliveries.put(request.decode("latin-1"))  # type: ignore[attr-defined]
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


class _Receiver(socketserver.ThreadingTCPServer):
    """A partner's webhook on a free port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Delivery)
        self.deliveries: queue.Queue[str] = queue.Queue()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/webhooks"

    def until(self, *patterns: str) -> str:
        """Waits until each of these patterns is found in what has come; gives that."""
        came = ""
        while not all(re.search(pattern, came) for pattern in patterns):
            came += f"\n{self.deliveries.get(timeout=DEADLINE)}"
        return came


def webhooks(reference: RunningReference) -> str:
    """Gives the webhooks of a transaction as they came, up to those that a server like this one sends at the least."""
    with _Receiver() as receiver:
        thread: Any = threading.Thread(target=receiver.serve_forever, args=[0.05], daemon=True)
        thread.start()
        with (
            references.start("proof", variants=reference.variants, webhook_url=receiver.url) as same,
            Connection(same.base_url) as connection,
        ):
            _created(connection, same, f"auto-complete-{uuid.uuid4()}")
            came = receiver.until('"status": "processing"', END.pattern)
        receiver.shutdown()
        thread.join()
    return came
