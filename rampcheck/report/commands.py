"""A recorded request as a command that anybody with the credentials can paste into a shell."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from math import ceil

from rampcheck.display import HIDDEN
from rampcheck.report.sessions import Sessions
from rampcheck.report.shell import Shell, joined
from rampcheck.wire.journal_records import ExchangeRecord
from rampcheck.wire.recipes import Recipe
from rampcheck.wire.tracing import HEADER as TRACE

MARK = re.compile(r"\[redacted (\w+) ([0-9a-f]+)\]", re.ASCII)

# What does not survive its way through a page, a clipboard and a prompt; no argument can hold a NUL at all.
UNPASTEABLE = re.compile(f"\t|{HIDDEN.pattern}")

# What curl sets for itself, for each connection anew, and what names one exchange, which its command is not.
HOP_HEADERS = frozenset({
    "host", "content-length", "connection", "accept-encoding", "transfer-encoding", "keep-alive", TRACE,
})  # fmt: skip
# Of a WebSocket's, what it has to be told; without the extensions, what comes can be read.
UPGRADE_HEADERS = frozenset({"host", "content-length", "accept-encoding", "sec-websocket-extensions", TRACE})

LONGEST_BODY = 4_000  # characters of a body in a command on a page

LONGEST_WAIT = 10.0  # seconds between a session and what asks for it


@dataclass(frozen=True)
class Command:
    """A shell command, the `variables` of the environment that it needs, and `notes` on what it cannot do.

    `text` is empty where there is no command; a note says why.
    """

    text: str = ""
    variables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Commands:
    """Makes commands of the `exchanges` of a run, records of its journal by number.

    `variables` names the environment variable of each credential.
    """

    def __init__(self, exchanges: Mapping[int, ExchangeRecord], variables: Mapping[str, str]) -> None:
        self._sessions = Sessions(exchanges)
        self._variables = variables

    def of(self, exchange: ExchangeRecord) -> Command:
        """Gives the command that sends an exchange's request again, after the session that it asks for.

        No secret is in it: credentials are variables, what was made of one is made of it again, an e-mail address
        becomes `user@example.com`. All else arrives byte for byte.
        """
        return self._of(exchange, _Names())

    def together(self, exchanges: Sequence[ExchangeRecord]) -> Command:
        """Gives one command that sends the requests of several exchanges again, in the order of their sending.

        It is there only where each of them has one of its own: pasting it shows how their answers disagree.
        """
        names = _Names()
        told = [self._of(one, names) for one in sorted(exchanges, key=lambda one: (str(one["started"]), one["number"]))]
        if not all(one["direction"] == "outgoing" for one in exchanges) or not all(one.text for one in told):
            return Command()
        return Command(
            "\n".join(one.text for one in told),
            tuple(dict.fromkeys(chain.from_iterable(one.variables for one in told))),
            tuple(dict.fromkeys(chain.from_iterable(one.notes for one in told))),
        )

    def _of(self, exchange: ExchangeRecord, names: _Names) -> Command:
        if (exchange["direction"] == "outgoing") == (exchange["protocol"] == "webhook"):  # of a partner's integration
            return Command(notes=("It comes again in the same step: the command that makes a purchase sends it.",))
        if exchange["direction"] != "outgoing":
            return self._cause(exchange)
        if len(exchange["request"]["body"]) > LONGEST_BODY:
            return Command(notes=("The request is too long to be pasted; `rampcheck replay` sends it again.",))
        before = self._sessions.of(exchange)
        if before is None or len(before.record["request"]["body"]) > LONGEST_BODY:
            writer = _Writer(exchange, self._variables, names)
            return _command([*writer.lines(), writer.curl()], [writer])
        first = _Writer(before.record, self._variables, names, prefix="SESSION_")
        lines = first.lines()
        if before.member:
            value = f'sed -n \'s/.*"{before.member}" *: *"\\([^"]*\\)".*/\\1/p\''
            lines.append(f"{before.variable}=$({first.curl('--silent')} | {value})")
        else:
            lines.append(first.curl("--silent --output /dev/null"))
        if wait := _wait(before.record, exchange):
            lines.append(f"sleep {wait}")
        second = _Writer(
            exchange, self._variables, names, known={before.value: before.variable} if before.member else {}
        )
        return _command([*lines, *second.lines(), second.curl()], [first, second])

    def _cause(self, exchange: ExchangeRecord) -> Command:
        """Gives the command that makes what a webhook is about, so that the target sends it again."""
        session = self._sessions.of(exchange)
        if session is None or len(session.record["request"]["body"]) > LONGEST_BODY:
            return Command(notes=("The target sent this by itself: it comes again with what it is about.",))
        writer = _Writer(session.record, self._variables, _Names())
        about = _command([*writer.lines(), writer.curl()], [writer])
        return replace(
            about, notes=(*about.notes, "The target sends it by itself, to the address it has for webhooks.")
        )


def _command(lines: Sequence[str], writers: Sequence[_Writer]) -> Command:
    return Command(
        "\n".join(lines),
        tuple(dict.fromkeys(chain.from_iterable(writer.variables for writer in writers))),
        tuple(dict.fromkeys(chain.from_iterable(writer.notes for writer in writers))),
    )


def _wait(first: ExchangeRecord, then: ExchangeRecord) -> str:
    """Gives the seconds to wait after a session, where so much time had gone by that it may matter."""
    began, asked = (datetime.fromisoformat(record["started"]) for record in (first, then))
    seconds = (asked - began).total_seconds() - first["elapsed_ms"] / 1000
    return f"{min(ceil(seconds * 10) / 10, LONGEST_WAIT):g}" if seconds > 0.2 else ""


class _Names:
    """Tells which value stands for which hidden one, over all requests of a command."""

    def __init__(self) -> None:
        self._fingerprints: dict[str, list[str]] = {}

    def number(self, mark: re.Match[str]) -> int:
        """Gives 1 for the first value of that name, 2 for the first other one, and so on."""
        known = self._fingerprints.setdefault(mark[1], [])
        if mark[2] not in known:
            known.append(mark[2])
        return known.index(mark[2]) + 1


class _Writer:
    """Writes one request: the lines before curl, and curl; `known` values are variables of their own."""

    def __init__(
        self,
        exchange: ExchangeRecord,
        variables: Mapping[str, str],
        names: _Names,
        prefix: str = "",
        known: Mapping[str, str] | None = None,
    ) -> None:
        self._exchange = exchange
        self._request = exchange["request"]
        self._names = names
        self._known = known or {}
        self._credentials = variables
        self._prefix = prefix
        self.notes: list[str] = []
        body = self._request["body"]
        self._is_base64 = self._request["encoding"] == "base64" or bool(UNPASTEABLE.search(body))
        self._shell = Shell(variables, f"{prefix}BODY", is_base64=self._is_base64)
        self._recipes = self._paired()
        self._before: list[str] = []
        self._url = self._quoted(
            self._request["url"].replace("ws", "http", 1) if self._is_upgrade else self._request["url"], 0
        )
        self._headers = [self._quoted(line, place) for place, line in self._header_lines()]
        self._body = self._quoted(body, -1) if not self._is_base64 else shlex.quote(self._encoded())

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the environment that it takes."""
        return tuple(self._shell.used)

    @property
    def _is_upgrade(self) -> bool:
        return bool(self._exchange["protocol"] == "websocket")

    def lines(self) -> list[str]:
        """Gives what stands before curl: the body in a variable where something is made of it, what is made of it."""
        if self._shell.takes_body:
            return [f"{self._prefix}BODY={self._body}", *self._before]
        return self._before

    def curl(self, how: str = "--include") -> str:
        """Gives the call of curl; `how` are its first options."""
        words = [f"curl {how} {self._options()}", self._url]
        words += [f"--header {line}" for line in self._headers]
        source = ""
        if self._request["body"]:
            if not any(name.lower() == "content-type" for name, _ in self._request["headers"]):
                words.append("--header Content-Type:")  # else curl would call the body a form
            is_named = self._shell.takes_body
            if self._is_base64:
                named = f'"${self._prefix}BODY"' if is_named else self._body
                source = f"printf %s {named} | base64 -d | "
                words.append("--data-binary @-")
            else:  # --data would read a file where the body begins with @
                words.append(f'--data-raw "${self._prefix}BODY"' if is_named else f"--data-raw {self._body}")
        return source + " \\\n  ".join(words)

    def _options(self) -> str:
        request = self._request
        options = ["--head" if request["method"] == "HEAD" else f"--request {shlex.quote(request['method'])}"]
        if re.search(r"[\[\]{}]", MARK.sub("", request["url"])):
            options.append("--globoff")
        if re.search(r"/\.{1,2}(/|$)", request["url"]):
            options.append("--path-as-is")
        if way := self._exchange.get("outside"):
            options.append(f"{'--proxy' if '://' in way else '--interface'} {shlex.quote(way)}")
        if self._is_upgrade:
            seconds = min(ceil(self._exchange["elapsed_ms"] / 1000) + 1, 30)
            options.append(f"--http1.1 --no-buffer --output - --max-time {seconds}")
        return " ".join(options)

    def _header_lines(self) -> list[tuple[int, str]]:
        left_out = UPGRADE_HEADERS if self._is_upgrade else HOP_HEADERS
        # curl sends a header empty where its line ends in a semicolon, and leaves it out after a colon.
        return [
            (place, f"{name}: {value}" if value else f"{name};")
            for place, (name, value) in enumerate(self._request["headers"], start=1)
            if name.lower() not in left_out
        ]

    def _paired(self) -> dict[int, list[Recipe | None]]:
        """Gives the recipes of the marks in the URL (0), the headers (1 and on), the body (-1)."""
        request = self._request
        texts = {0: request["url"], **{place: value for place, (_, value) in enumerate(request["headers"], start=1)}}
        if request["encoding"] == "utf-8":
            texts[-1] = request["body"]
        told = list(self._exchange.get("recipes", ()))
        marks = {place: len(MARK.findall(text)) for place, text in texts.items()}
        if sum(marks.values()) != len(told):
            told = [None] * sum(marks.values())
        given = iter(told)
        return {place: [next(given) for _ in range(number)] for place, number in marks.items()}

    def _quoted(self, text: str, place: int) -> str:
        """Gives the word of a text at a place of the request, what is hidden in it made again."""
        recipes = iter(self._recipes.get(place, ()))
        texts, words, position = [""], list[str](), 0
        for mark in MARK.finditer(text):
            texts[-1] += text[position : mark.start()]
            position = mark.end()
            word = self._word(mark, next(recipes, None), place)
            if word.isascii() and word.startswith("user") and mark[1] == "email":
                texts[-1] += word
            else:
                words.append(word)
                texts.append("")
        texts[-1] += text[position:]
        for value, variable in self._known.items():
            for at in reversed(range(len(texts))):
                first, *rest = texts[at].split(value)
                texts[at : at + 1] = [first, *rest]
                words[at:at] = [f'"${variable}"'] * len(rest)
        return joined(words, texts)

    def _word(self, mark: re.Match[str], recipe: Recipe | None, place: int) -> str:
        number = self._names.number(mark)
        if recipe is None and mark[1] == "email":
            return f"user{'' if number == 1 else number}@example.com"
        if recipe is None and mark[1] in self._credentials and number == 1:
            return self._shell.word({"credential": mark[1]})
        if recipe is not None:
            return self._shown(recipe, place)
        name = mark[1].upper() + ("" if number == 1 else f"_{number}")
        if mark[1].startswith("headers_"):
            self.notes.append(f"{name} is what the environment gave to a header of the profile (`headers`).")
        else:
            self.notes.append(f"No command makes {name} again. {self._otherwise()}")
        return self._shell.variable(name)

    def _otherwise(self) -> str:
        """Says what sends the request again where no command does."""
        scenario = re.search(r"::(\w+)", self._exchange["scenario"])
        if self._exchange["authenticated"] or scenario is None:
            return "`rampcheck replay` signs it anew."
        return f"Its scenario does: `rampcheck run`, with `-k {scenario[1]}`."

    def _shown(self, recipe: Recipe, place: int) -> str:
        """Gives the word of a recipe; what is computed stands in a line of its own."""
        word = self._shell.word(recipe)
        if "openssl" not in word or place < 1:
            return word
        name = self._prefix + re.sub(r"\W", "_", self._request["headers"][place - 1][0], flags=re.ASCII).upper()
        self._before.append(
            f"{name}={word[1:-1] if word.startswith(chr(34) + '$(') and word.count('$(') == 1 else word}"
        )
        return f'"${name}"'

    def _encoded(self) -> str:
        if self._request["encoding"] == "base64":
            return str(self._request["body"])
        given = iter(self._recipes.get(-1, ()))

        def plain(mark: re.Match[str]) -> str:
            recipe = next(given, None)
            if isinstance(recipe, str):
                return recipe
            return self._word(mark, None, -1) if mark[1] == "email" else mark[0]

        text = MARK.sub(plain, self._request["body"])
        return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
