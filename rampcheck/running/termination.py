"""The end of a process that someone else asks for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# A closed terminal sends SIGHUP; a system without it has none.
SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__)
_ASKED = threading.Event()
_LASTING: list[object] = []  # the handlers of each `as_interruption` that lasts, the outermost first


class Interruption(KeyboardInterrupt):
    """Someone asks for the end.

    A class of its own: where `KeyboardInterrupt` itself leaves an `exec` of a text, as `dataclasses` have, CPython ends
    the process by SIGINT in the end, whoever caught it. Source: `run_eval_code_obj` in Python/pythonrun.c.
    """


@contextmanager
def as_interruption() -> Iterator[None]:
    """Makes SIGTERM, with which a pipeline cancels a job, and SIGHUP raise `Interruption` inside, as Ctrl-C does.

    The first of any does; the next ones are ignored, for then what was judged is being written. A SIGINT or SIGHUP that
    is ignored already, as in a shell's background or under nohup, stays ignored. That somebody asked is known until
    the outermost of these is left: `was_asked`.
    """

    def interrupt(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        _ASKED.set()
        raise Interruption

    before = {number: signal.getsignal(number) for number in SIGNALS}
    depth = len(_LASTING)
    _LASTING.append(interrupt)
    for number, handler in before.items():
        if number == signal.SIGTERM or handler != signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        _set_again(before)
        del _LASTING[depth:]
        if not _LASTING:
            _ASKED.clear()


def was_asked() -> bool:
    """Whether somebody has asked for the end."""
    return _ASKED.is_set()


def heed() -> None:
    """Raises `Interruption` where somebody has asked for the end and the work goes on.

    An exception that a signal raises is lost where it meets a finaliser, a callback of C, or code that catches all.
    """
    if _ASKED.is_set():
        raise Interruption


@contextmanager
def put_off() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end nothing inside: what was judged is being written, and that is what they ask for.

    That they came is known afterwards, where `as_interruption` lasts. Outside the main thread, which alone receives
    signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, _remember if _LASTING else signal.SIG_IGN)
    try:
        yield
    finally:
        _set_again(before)


def _set_again(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        # None: a handler that was not set from Python, which it cannot set again.
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _remember(*_: object) -> None:
    _ASKED.set()
