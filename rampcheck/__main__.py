"""The program: what is asked of it while its parts are loaded is heard, too."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from rampcheck.running import termination


def main() -> None:
    """Runs the command line and ends the process; Ctrl-C at any moment ends it with exit code 2 and no traceback."""
    try:
        with termination.as_interruption():
            command = _loaded()

            termination.heed()
        try:
            command()
        finally:  # What is left is Python's own end: the exit code is known.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        sys.stderr.write("rampcheck: interrupted\n")
        sys.exit(2)


def _loaded() -> Callable[[], object]:
    try:
        from rampcheck.cli import main as command  # noqa: PLC0415 - it takes half a second
    except Exception:  # An interruption may come out of the compiler as a mistake of syntax.
        termination.heed()
        raise
    return command


if __name__ == "__main__":
    main()
