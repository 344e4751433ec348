"""Copies of exchanges: what several recorders have written down of one and the same."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from hashlib import blake2b
from math import inf

from rampcheck.recorded.entries import BODY, STARTED, Entry
from rampcheck.recorded.files import File

NEAR = 300.0  # seconds, as far as the clocks of two recorders may be apart
UNKNOWN = -inf  # when it was sent

# When exchanges were sent, in order, by whose credential they carry; "" where that is not known.
_Times = defaultdict[str, list[float]]


class _Alike:
    """The exchanges with one method, path, bodies and status.

    `firsts` are those that are no copies, `open` those of them that other files have, and of which the file that is
    read has had no copy yet; `last` is what it had last.
    """

    __slots__ = ("file", "firsts", "last", "open")

    def __init__(self, file: File) -> None:
        self.file = file
        self.firsts: _Times = defaultdict(list)
        self.open: _Times = defaultdict(list)
        self.last: tuple[object, ...] | None = None

    def begin(self, file: File) -> None:
        """Reads the next file: each of its exchanges may be a copy of one of the others'."""
        self.file = file
        self.open = defaultdict(list, {whose: list(times) for whose, times in self.firsts.items()})
        self.last = None

    def takes(self, whose: str, started: float) -> bool:
        """Whether an exchange is a copy of an open one, which is open no longer then."""
        known = (whose, "") if whose else tuple(self.open)
        return any(_takes(self.open[one], started) for one in known if one in self.open)


def _takes(times: list[float], started: float) -> bool:
    if not times:
        return False
    if started == UNKNOWN:
        times.pop()
        return True
    place = bisect_left(times, started - NEAR)
    if place < len(times) and times[place] <= started + NEAR:
        del times[place]
        return True
    if times[0] == UNKNOWN:
        del times[0]
        return True
    return False


class Copies:
    """Knows copies among the exchanges of files that are read one after the other.

    Who gives what a gateway recorded and what a partner did gives everything twice, which is no repetition. A
    repetition is what a file has twice, at different times or with different credentials; what two files have at
    different times; and what they have with the credentials of two partners.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, _Alike] = {}

    def has(self, entry: Entry, path: str, whose: str, carried: object, file: File) -> bool:
        """Whether an exchange is a copy of one that was asked for before.

        `whose` is the name of its credential, "" where that is not known: recorders hide it, each in its own way.
        `carried` is the credential as this file has it.
        """
        if BODY in entry.request.lacking or BODY in entry.response.lacking:
            return False
        alike = self._seen.setdefault(_digest(entry, path), _Alike(file))
        if alike.file is not file:
            alike.begin(file)
        started = UNKNOWN if STARTED in entry.lacking else entry.started
        told = (started, carried)
        if started != UNKNOWN and alike.last == told:
            return True
        alike.last = told
        if alike.takes(whose, started):
            return True
        insort(alike.firsts[whose], started)
        return False


def _digest(entry: Entry, path: str) -> bytes:
    digest = blake2b(digest_size=16)
    for part in (
        entry.method.encode(),
        path.encode(),
        entry.request.body,
        b"%d" % entry.status,
        entry.response.body,
    ):
        digest.update(b"%d:" % len(part) + part)
    return digest.digest()
