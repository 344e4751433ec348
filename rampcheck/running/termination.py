"""The end of a process that someone else asks for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# A closed terminal sends SIGHUP; a system without it has none.
SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__)


@contextmanager
def as_interruption() -> Iterator[None]:
    """Makes SIGTERM, with which a pipeline cancels a job, and SIGHUP raise `KeyboardInterrupt` inside, as Ctrl-C does.

    The first of any does; the next ones are ignored, for then what was judged is being written. A SIGINT or SIGHUP that
    is ignored already, as in a shell's background or under nohup, stays ignored.
    """

    def interrupt(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if number == signal.SIGTERM or handler != signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def put_off() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM do nothing inside: what was judged is being written, and that is what they ask for.

    Outside the main thread, which alone receives signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            # None: a handler that was not set from Python, which it cannot set again.
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
