"""A connection that sends whatever bytes it likes."""

from __future__ import annotations

import socket

PATIENCE = 5.0  # seconds


class Raw:
    """A connection to a port of 127.0.0.1, a context manager; sending to one that was closed raises `OSError`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)

    def send(self, content: bytes) -> None:
        """Sends it all."""
        self._socket.sendall(content)

    def receive(self) -> bytes:
        """Gives what has come."""
        return self._socket.recv(65536)

    def is_closed(self) -> bool:
        """Whether the other side closes the connection, whatever it says before; `TimeoutError` where it stays."""
        try:
            while self.receive():
                pass
        except ConnectionError:
            pass
        return True

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
