"""The partner's own books: how often a status of a transaction was processed."""

from __future__ import annotations

import re
import shlex
import subprocess
from urllib.parse import quote

import httpx

TIMEOUT_SECONDS = 15.0
NUMBER = re.compile(r"[0-9]{1,6}")
URL = re.compile(r"https?://", re.IGNORECASE)


class Observer:
    """Asks a command or a URL, in which `{id}` and `{status}` stand for what is asked about.

    `troubles` says, a line each, why an answer is none.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self.troubles: list[str] = []

    def times(self, transaction: str, status: str) -> int | None:
        """Gives how often a status of a transaction was processed, None where that was not answered."""
        try:
            answer = self._asked(transaction, status).strip()
        except (OSError, ValueError, subprocess.SubprocessError, httpx.HTTPError, httpx.InvalidURL) as error:
            self.troubles.append(f"the observer could not be asked: {type(error).__name__}")
            return None
        if not NUMBER.fullmatch(answer):  # its exit code says nothing: that of `grep -c` is 1 where it counts none
            self.troubles.append("the observer answered what is no whole number")
            return None
        return int(answer)

    def _asked(self, transaction: str, status: str) -> str:
        if URL.match(self._template):
            url = self._template.replace("{id}", quote(transaction, safe="", errors="surrogatepass"))
            url = url.replace("{status}", quote(status, safe="", errors="surrogatepass"))
            answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False)
            answer.raise_for_status()
            return answer.text
        words = [word.replace("{id}", transaction).replace("{status}", status) for word in shlex.split(self._template)]
        done = subprocess.run(  # noqa: S603 - the user's own command
            words, capture_output=True, check=False, timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL
        )
        return done.stdout.decode("utf-8", "replace")
