"""The partner's own test command: one process for each step, ended with all that it started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rampcheck.errors import UsageError

PREFIX = "RAMPCHECK_"
PATIENCE = 2.0  # seconds between asking a process to end and ending it
LOOK = 0.02


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


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float, over: Callable[[], None]) -> bool:
    """Runs a command to its end, of `seconds` at most; gives whether it ended itself.

    `over` is called as soon as it has, or is to. What it prints goes to standard error. What it has started and left is
    ended with it. Raises `UsageError` where it cannot be started.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=2,
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(
            f"the command {command[0]} cannot be started: {error.strerror}", "Does it run by itself?"
        ) from error
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    else:
        return True
    finally:
        over()
        _end(process)


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
