"""A recorded request as a command that anybody with the credentials can run again."""

from __future__ import annotations

import base64
import re
import shlex

from rampcheck.display import HIDDEN
from rampcheck.wire.journal_records import ExchangeRecord, RequestContent

MARK = re.compile(r"\[redacted ([A-Za-z_][A-Za-z0-9_]*) ([0-9a-f]+)\]")

# What means the same within double quotes as without, in a script and at a prompt.
PLAIN = re.compile(r"[\w .,:;/=+@%()*?&-]*", re.ASCII)

# What does not survive its way through a page, a clipboard and a prompt; no argument can hold a NUL at all.
UNPASTEABLE = re.compile(f"\t|{HIDDEN.pattern}")

# What curl sets for itself, for each connection anew.
HOP_HEADERS = frozenset({
    "host", "content-length", "connection", "accept-encoding", "transfer-encoding", "keep-alive",
})  # fmt: skip

# Linux refuses a longer argument (MAX_ARG_STRLEN is 131,072 bytes); a shell's own printf has no limit.
LONGEST_ARGUMENT = 100_000


def as_curl(exchange: ExchangeRecord) -> str:
    """Gives the POSIX shell command that sends the request of a journal's exchange record again.

    No secret is in it: a redacted value becomes the environment variable of its name (`$CLIENT_TOKEN`, a
    second one `$CLIENT_TOKEN_2`), an e-mail address becomes `user@example.com`. All else arrives byte for
    byte; only in a body that has to be given in base64 do marks stay marks. Raises `ValueError` for an
    exchange that is no HTTP request to the target (a webhook, a WebSocket).
    """
    if exchange["protocol"] != "http" or exchange["direction"] != "outgoing":
        raise ValueError(f"exchange {exchange['number']} is no HTTP request to the target")
    request, words = exchange["request"], _Words()
    source, data = _body(request["body"], request["encoding"], words)
    lines = [f"curl --include {_options(request)}", words.quote(request["url"])]
    lines += [f"--header {words.quote(line)}" for line in _headers(request["headers"], bool(data))]
    return source + " \\\n  ".join([*lines, *data])


class _Words:
    """Turns texts into shell words, and remembers which variable stands for which redacted value."""

    def __init__(self) -> None:
        self._fingerprints: dict[str, list[str]] = {}

    def quote(self, text: str) -> str:
        """Gives one shell word for `text`, each mark in it a variable."""
        text = self.with_addresses(text)
        marks = list(MARK.finditer(text))
        if marks and PLAIN.fullmatch(MARK.sub("", text)):
            return '"' + MARK.sub(lambda mark: "${" + self._name(mark) + "}", text) + '"'
        pieces, position = [], 0
        for mark in marks:
            pieces += [text[position : mark.start()], f'"${self._name(mark)}"']
            position = mark.end()
        pieces.append(text[position:])
        # Literals stand at even places, variables at odd ones.
        return "".join(shlex.quote(p) if n % 2 == 0 else p for n, p in enumerate(pieces) if p) or "''"

    def with_addresses(self, text: str) -> str:
        """Gives `text` with made-up e-mail addresses in the place of redacted ones."""
        return MARK.sub(lambda mark: self._address(mark) if mark[1] == "email" else mark[0], text)

    def _address(self, mark: re.Match[str]) -> str:
        number = self._number(mark)
        return f"user{'' if number == 1 else number}@example.com"

    def _name(self, mark: re.Match[str]) -> str:
        number = self._number(mark)
        return mark[1].upper() + ("" if number == 1 else f"_{number}")

    def _number(self, mark: re.Match[str]) -> int:
        """Gives 1 for the first value of that name, 2 for the first other one, and so on."""
        known = self._fingerprints.setdefault(mark[1], [])
        if mark[2] not in known:
            known.append(mark[2])
        return known.index(mark[2]) + 1


def _options(request: RequestContent) -> str:
    options = ["--head" if request["method"] == "HEAD" else f"--request {shlex.quote(request['method'])}"]
    if re.search(r"[\[\]{}]", request["url"]):
        options.append("--globoff")
    if re.search(r"/\.{1,2}(/|$)", request["url"]):
        options.append("--path-as-is")
    return " ".join(options)


def _headers(headers: list[list[str]], has_body: bool) -> list[str]:
    sent = [(name, value) for name, value in headers if name.lower() not in HOP_HEADERS]
    # curl sends a header empty where its line ends in a semicolon, and leaves it out after a colon.
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in sent]
    if has_body and not any(name.lower() == "content-type" for name, _ in sent):
        lines.append("Content-Type:")  # else curl would call the body a form
    return lines


def _body(body: str, encoding: str, words: _Words) -> tuple[str, list[str]]:
    """Gives what stands before `curl` (a pipe, or nothing) and curl's arguments for the body."""
    if not body:
        return "", []
    if encoding != "base64" and UNPASTEABLE.search(body):
        body = base64.b64encode(words.with_addresses(body).encode("utf-8", "surrogatepass")).decode()
        encoding = "base64"
    if encoding == "base64":
        return f"printf %s {shlex.quote(body)} | base64 -d | ", ["--data-binary @-"]
    if len(body.encode()) > LONGEST_ARGUMENT:
        return f"printf %s {words.quote(body)} | ", ["--data-binary @-"]
    return "", [f"--data-raw {words.quote(body)}"]  # --data would read a file where the body begins with @
