"""What goes wrong outside of any scenario: told in one line, its traceback in a file."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from rampcheck.display import one_line
from rampcheck.outlets import say
from rampcheck.wire.redaction import Redactor

LONGEST = 300  # characters of the line that tells of it
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|KEY|PROXY", re.IGNORECASE)
_LOGIN = re.compile(r"(?:[^/]*//)?([^/?#]+)@")  # by hand: a secret is no URL, and what is none raises in `urlsplit`


def tell(error: BaseException, folder: Path | None = None, redacted: Callable[[str], str] | None = None) -> str:
    """Says on standard error in one line what went wrong and where the traceback is; gives that line.

    The traceback is written to `folder`, where that is there, else to the current or the temporary folder. It and the
    line pass `redacted`; without that, the values of environment variables that are named like secrets are hidden.
    """
    redacted = redacted or _redactor().text
    place = _written(redacted("".join(traceback.format_exception(error))), folder)
    text = one_line(redacted(f"{type(error).__name__}: {error}"), LONGEST)
    where = f"; its traceback: {place}" if place else ""
    line = f"rampcheck: a fault of rampcheck or of this machine: {text}{where}"
    say(line)
    return line


def _redactor() -> Redactor:
    redactor = Redactor(secrets.token_bytes(32))
    for name, value in os.environ.items():
        if value and _SECRET.search(name):
            redactor.add("environment", value)
            if login := _LOGIN.match(value):
                redactor.add("login", unquote(login[1]))
    return redactor


def _written(text: str, folder: Path | None) -> Path | None:
    """Writes a text to the first folder that takes it, and gives the file."""
    name = f"rampcheck-fault-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}.txt"
    for place in (folder, Path(), Path(tempfile.gettempdir())):
        if place is None or not place.is_dir():
            continue
        path = place.absolute() / name
        try:
            with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None
