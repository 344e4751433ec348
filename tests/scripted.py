"""A server whose answer to each request a test decides, over real sockets, one connection for each request."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.answering import SESSION, answer

ENVELOPE = '{"error":"invalid_request","code":"validation_error","message":"z"}'
REFUSED = answer(400, "Content-Type: application/json", "X-Request-Id: r", body=ENVELOPE)
PAGE = answer(403, "Content-Type: text/html", body="<title>Access denied</title>")

# Takes the request's JSON object; gives the bytes to answer, None to close without any.
Respond = Callable[[dict[str, Any]], bytes | None]


class Away(Exception):
    """What `Respond` raises for a server that goes away: this and the next `args[0]` connections find nobody."""


class Late(Exception):
    """What `Respond` raises for an answer that does not come, while the connection stays open."""


@contextmanager
def scripted(respond: Respond) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serves with `respond`; gives the base URL and the list of the bodies that came."""
    bodies: list[dict[str, Any]] = []
    away = [0]

    def serve_one(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"}"):
            piece = connection.recv(65536)
            if not piece:
                return
            received += piece
        body = json.loads(received.partition(b"\r\n\r\n")[2])
        if away[0]:
            away[0] -= 1
            return
        bodies.append(body)
        try:
            content = respond(body)
        except Away as gone:
            away[0] = gone.args[0]
            return
        except Late:
            kept.enter_context(connection.dup())
            return
        if content is not None:
            connection.sendall(content.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))

    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as kept:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    serve_one(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", bodies
        listening.shutdown(socket.SHUT_RDWR)


def well(_: dict[str, Any]) -> bytes:
    """The answer of a server on which nothing is wrong."""
    return SESSION
