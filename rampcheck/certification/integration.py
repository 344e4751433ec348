"""The partner's own test command: one process for each step, ended with all that it started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rampcheck.errors import UsageError

PREFIX = "RAMPCHECK_"
PATIENCE = 2.0  # seconds between asking a process to end and ending it
LOOK = 0.02
LAST, TAIL = 3, 1 << 16  # lines of what a command printed that are told of, and bytes of which they are


@dataclass(frozen=True)
class End:
    """How a purchase ended: `by_itself`, or as its time was up; a command's exit `code`, None where it had none.

    `last` are the last lines that the command printed, as they came.
    """

    by_itself: bool = True
    code: int | None = None
    last: tuple[str, ...] = ()


def demand(command: Sequence[str]) -> None:
    """Raises `UsageError` where a command cannot be started."""
    if shutil.which(command[0]) is not None:
        return
    if Path(command[0]).is_file():
        cure = f"Name what runs it first: `-- python {command[0]}`, node, php, bash."
        raise UsageError(f"the command {command[0]} is a file, and no program", cure)
    cure = "After -- stands a command as a shell has it; one in this folder is ./NAME."
    raise UsageError(f"the command {command[0]} is not found", cure)


def variables(told: Mapping[str, str]) -> dict[str, str]:
    """Gives the environment variables that tell a command of its purchase: `client_ip` is `RAMPCHECK_CLIENT_IP`."""
    return {f"{PREFIX}{name.upper()}": value for name, value in told.items()}


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float, over: Callable[[], None]) -> End:
    """Runs a command to its end, of `seconds` at most; gives how it ended.

    `over` is called as soon as it has, or is to. What it prints goes to standard error. What it has started and left is
    ended with it. Raises `UsageError` where it cannot be started.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(
            f"the command {command[0]} cannot be started: {error.strerror}", "Does it run by itself?"
        ) from error
    tail = bytearray()
    reader = threading.Thread(target=_pass_on, args=(process.stdout, tail), daemon=True)
    reader.start()
    code: int | None = None
    with suppress(subprocess.TimeoutExpired):
        try:
            code = process.wait(seconds)
        finally:
            over()
            _end(process)
            reader.join(PATIENCE)  # what left its group may hold the pipe for ever
    return End(code is not None, code, _last(bytes(tail)))


def _pass_on(output: IO[bytes] | None, tail: bytearray) -> None:
    """Passes on to standard error what a command prints, as it comes, and keeps the end of it."""
    assert output is not None  # noqa: S101 - it was asked for
    with suppress(OSError, ValueError), output:
        while piece := os.read(output.fileno(), TAIL):
            with suppress(OSError):  # nobody reads it any more: the command goes on all the same
                os.write(2, piece)
            tail += piece
            del tail[: -TAIL - 1]


def _last(tail: bytes) -> tuple[str, ...]:
    """Gives the last lines of an output, without one of which the beginning is not there."""
    lines = tail.decode("utf-8", "replace").splitlines()[len(tail) > TAIL :]
    return tuple([line.strip() for line in lines if line.strip()][-LAST:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its group: asked first, then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):  # nobody is left in it
            break
        deadline = time.monotonic() + PATIENCE
        while _has_members(process) and time.monotonic() < deadline:
            time.sleep(LOOK)
    with suppress(subprocess.TimeoutExpired):  # what even force does not end is the system's
        process.wait(PATIENCE)


def _has_members(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # or it would stay in its group as a zombie
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
