"""Standard output and error of a process: closed from the start, or broken while the work goes on."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import IO, TextIO

_DESCRIPTORS = {"stdin": 0, "stdout": 1, "stderr": 2}
# What our own words hold that a narrow encoding lacks, as a Windows console (cp1252) does. Each stays one of its own.
PLAIN = {"✓": "+", "✗": "x", "≈": "~", "○": "o", "◇": "*", "◐": "%", "◔": "%", "△": "!", "→": "->", "…": "..."}
NARROW = "rampcheck.narrow"  # how what an encoding lacks is written


def _narrowed(error: UnicodeError) -> tuple[str | bytes, int]:
    """Gives what stands for the first character that an encoding lacks: a plain one, or its escape."""
    if isinstance(error, UnicodeEncodeError):
        error.end = error.start + 1
        if plain := PLAIN.get(error.object[error.start]):
            return plain, error.end
    return codecs.backslashreplace_errors(error)


codecs.register_error(NARROW, _narrowed)


class Outlet(io.RawIOBase):
    """A descriptor that takes everything: once writing fails, `error` says why, and the rest is dropped."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.error: OSError | None = None
        self._descriptor = descriptor

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """Gives the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Writes what can be written at once, and gives how much that was; everything where writing has failed."""
        while self.error is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return len(data)


def keep() -> None:
    """Puts outlets in the place of `sys.stdout` and `sys.stderr`, and nothing in the place of what is closed.

    What is opened later would otherwise take a closed stream's descriptor, and with it what others print. Streams that
    something else has put in their place stay, as in a test.
    """
    for name in _DESCRIPTORS:
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: the closed one
            os.set_inheritable(nowhere, True)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(nowhere, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - lasts
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # Python without buffers has no raw stream below.
        if type(stream) is io.TextIOWrapper and isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):
            with suppress(OSError):
                stream.flush()
            lines = stream.line_buffering or stream.write_through
            setattr(sys, name, _text(Outlet(stream.fileno()), stream.encoding, lines=lines))


def _text(outlet: io.RawIOBase, encoding: str, *, lines: bool) -> io.TextIOWrapper:
    # A pipe or a console in a narrow encoding gets plain characters and escapes, not a traceback.
    return io.TextIOWrapper(io.BufferedWriter(outlet), encoding=encoding, errors=NARROW, line_buffering=lines)


def twin() -> TextIO:
    """Gives another stream to where standard output leads now, which stays when pytest captures what scenarios print.

    It is standard output itself where that is no file of the system, as in a test.
    """
    stream = sys.stdout
    try:
        stream.flush()
        return _text(Outlet(os.dup(stream.fileno())), stream.encoding, lines=True)
    except (OSError, ValueError):
        return stream


def into(file: IO[bytes]) -> TextIO:
    """Gives a stream in UTF-8 that writes to the descriptor of a file."""
    return _text(Outlet(file.fileno()), "utf-8", lines=True)


def say(text: str) -> None:
    """Writes a line to standard error, wherever that leads."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return  # It is broken, closed or gone: nobody reads it.


def loss() -> str:
    """Says why standard output could not be written; nothing where it could, or where only its reader had left."""
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(getattr(stream.buffer, "raw", None), Outlet):
        return ""
    stream.flush()
    error = stream.buffer.raw.error
    return "" if error is None or error.errno == errno.EPIPE else os.strerror(error.errno or 0)
