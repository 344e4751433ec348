"""The addresses of a name, in time: the system's resolver may take minutes, and knows no deadline of ours."""

from __future__ import annotations

import ipaddress
import socket
import threading

import httpcore


class SlowNameError(httpcore.ConnectTimeout, TimeoutError):
    """A name was not resolved in time."""


class _Lookup(threading.Thread):
    """One question to the system's resolver. Whoever waits for it may leave; it ends with the process."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(name="rampcheck-resolver", daemon=True)
        self._asked = host, port
        self.addresses: list[str] = []
        self.error: OSError | UnicodeError | None = None

    def run(self) -> None:
        """Asks."""
        try:
            found = socket.getaddrinfo(*self._asked, type=socket.SOCK_STREAM)
            self.addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        except (OSError, UnicodeError) as error:  # the latter for a name that is none, as a..b
            self.error = error


_asked: dict[tuple[str, int], _Lookup] = {}  # those that may still go on
_lock = threading.Lock()


def addresses(host: str, port: int, seconds: float) -> list[str]:
    """Gives the addresses of a host, in the system's order.

    Raises `SlowNameError` after so many `seconds`, `OSError` or `UnicodeError` where it has none. Who asks for the same
    while the resolver still takes its time waits for that answer: a run against a slow one starts no more threads.
    """
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    with _lock:
        lookup = _asked.get((host, port))
        if lookup is None or not lookup.is_alive():
            lookup = _asked[host, port] = _Lookup(host, port)
            lookup.start()
    lookup.join(seconds)
    if lookup.is_alive():
        raise SlowNameError(f"the name was not resolved within {seconds:g} s")
    if lookup.error is not None:
        raise lookup.error
    return lookup.addresses
