"""Looking at very many exchanges in several processes: what comes of it is the same, in the same order.

A process is given some exchanges, and gives what they show; it keeps nothing, and ends with this one. Where it does not
answer, because it was killed, has no memory left, or hangs, its exchanges are looked at here.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from rampcheck.recorded.sight import Seen, Setting, Sight
from rampcheck.recorded.traffic import Recording
from rampcheck.running.beside import processors

FEWEST = 5_000  # exchanges for which several processes are worth what it takes to start them
MOST_PROCESSES = 4  # each takes as much memory as a small run
CHUNK = 200  # exchanges that a process is given at once
START_SECONDS = 60.0
ANSWER_SECONDS = 120.0
STOP_SECONDS = 10.0


def worth(exchanges: int) -> int:
    """Gives how many processes should look at so many exchanges: 0 where this one had better do it itself."""
    can_wait = hasattr(signal, "pthread_sigmask")  # elsewhere Ctrl-C would reach each of them
    is_worth_it = can_wait and processors() > 1 and exchanges >= FEWEST
    return min(processors(), MOST_PROCESSES) if is_worth_it else 0


class Looker:
    """Looks at exchanges, in so many `processes`, or here where that is 0; they end with the `with` that it is used in.

    `setting` is what they are looked at with.
    """

    def __init__(self, setting: Setting, processes: int) -> None:
        self._setting = setting
        self._here: Sight | None = None
        self._count = processes
        self._helpers: list[Helper] = []

    def __enter__(self) -> Looker:
        """Starts the processes."""
        try:
            with _no_interruption():  # which they inherit: Ctrl-C is for this process, which ends them
                for _ in range(self._count):
                    self._helpers.append(Helper(self._setting))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the processes, whatever they do."""
        for helper in self._helpers:
            helper.end()

    def seen(self, recordings: Sequence[Recording]) -> Iterator[Seen]:
        """Gives what each of the exchanges shows, in their order; whoever takes it may put another one in their place.

        Each process has been given the next ones before what it has found in the last ones is taken.
        """
        if not self._helpers:
            yield from map(self._sight.seen, recordings)
            return
        chunks = (recordings[start : start + CHUNK] for start in range(0, len(recordings), CHUNK))
        asked = [(helper, helper.ask(next(chunks, ()))) for helper in self._helpers]
        turns = cycle(range(len(asked)))
        for turn in turns:
            helper, chunk = asked[turn]
            if not chunk:
                return
            found = helper.answer()
            asked[turn] = helper, helper.ask(next(chunks, ()))
            yield from found if found is not None else map(self._sight.seen, chunk)

    @property
    def _sight(self) -> Sight:
        """Looks at exchanges in this process."""
        if self._here is None:
            self._here = Sight(self._setting)
        return self._here


class Helper:
    """Another `process` that looks at exchanges, and what it was asked."""

    def __init__(self, setting: Setting) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        bound(ours, ANSWER_SECONDS)
        self._connection: Connection | None = ours
        self.process: BaseProcess = context.Process(target=_look, args=(theirs, setting), daemon=True)
        self.process.start()
        theirs.close()
        self._is_ready = False

    def ask(self, chunk: Sequence[Recording]) -> Sequence[Recording]:
        """Lets it look at some exchanges, and gives them. It listens: it has said so, or has answered."""
        if chunk and self._connection is not None:
            if not self._is_ready:
                self._is_ready = self._told(START_SECONDS) is not None
            with suppress(OSError):  # it has ended, which the answer will show
                if self._connection is not None:
                    self._connection.send(chunk)
        return chunk

    def answer(self) -> Sequence[Seen] | None:
        """Gives what it has found; None where it could not, and from then on."""
        return self._told(ANSWER_SECONDS)

    def _told(self, seconds: float) -> Sequence[Seen] | None:
        if self._connection is None:
            return None
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            if self._connection.poll(seconds):
                told: Sequence[Seen] | None = self._connection.recv()
                if told is not None:
                    return told
        self.end()
        return None

    def end(self) -> None:
        """Ends it."""
        if self._connection is None:
            return
        self._connection.close()
        self._connection = None
        self.process.kill()  # it has nothing to tidy up
        self.process.join(STOP_SECONDS)


def bound(connection: Connection, seconds: float) -> None:
    """Lets no sending or receiving over a pipe's end take longer than this at once; `OSError` tells then.

    Source: socket(7), SO_RCVTIMEO and SO_SNDTIMEO; such an end is a socket wherever `worth` gives a process.
    """
    whole, part = divmod(seconds, 1)
    with socket.socket(fileno=os.dup(connection.fileno())) as shared:
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            shared.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(whole), int(part * 1_000_000)))


def _look(connection: Connection, setting: Setting) -> None:
    """What such a process does, until the other end is closed. Why it cannot, the other one finds out by trying."""
    with suppress(EOFError, OSError):
        try:
            sight = Sight(setting)
            connection.send(())
            while True:
                connection.send([sight.seen(recording) for recording in connection.recv()])
        except Exception:  # noqa: BLE001 - whatever it is, it will come again where it can be told
            connection.send(None)


@contextmanager
def _no_interruption() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
