"""A server that gives prepared answers, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

_BODY = b'{"merchant_transaction_id":"x","init_token":"y"}'
SESSION = OK.replace(b"Content-Length: 2\r\n\r\n{}", b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY))


def answer(status: int, *headers: str, body: str = "") -> bytes:
    """Gives a response, without a body unless there is one."""
    return "\r\n".join([f"HTTP/1.1 {status} x", *headers, f"Content-Length: {len(body)}", "", body]).encode()


@contextmanager
def answering(*answers: bytes, close: bool = True) -> Iterator[str]:
    """Serves connections one after the other, each request with the next of the answers; gives the base URL.

    A request ends with a brace: its body is a JSON object.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for content in answers:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    received = b""
                    while not received.endswith(b"}"):
                        received += connection.recv(65536)
                    connection.sendall(content.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
                    if not close:
                        connection.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
