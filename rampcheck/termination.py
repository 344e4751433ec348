"""The end of a process that someone else asks for."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_interruption() -> Iterator[None]:
    """Makes SIGTERM, with which a pipeline cancels a job, raise `KeyboardInterrupt` inside, as Ctrl-C does."""
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
