"""An exchange as a reader sees it: what was asked, what was answered, when, and how to ask again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from http import HTTPStatus

from rampcheck.report.commands import Command, Commands
from rampcheck.report.pretty import indent_json
from rampcheck.report.text import plural
from rampcheck.wire.journal_records import BodyContent, Content, ExchangeRecord, MessageContent

LONGEST_BODY = 4_000  # characters shown of a body
LONGEST_LAID_OUT = 200_000  # characters up to which a body is laid out before it is shortened


@dataclass(frozen=True)
class Body:
    """A body for reading, with notes on how it differs from the bytes that were sent."""

    text: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A request, a response or a message: a title, the start line and header lines, the body."""

    title: str
    head: tuple[str, ...]
    body: Body | None


@dataclass(frozen=True)
class Evidence:
    """One exchange, ready to be shown."""

    number: int
    title: str
    outcome: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    command: Command


def evidence(exchange: ExchangeRecord, commands: Commands) -> Evidence:
    """Gives what is to be shown of a journal's exchange record; `commands` makes its command."""
    request, response = exchange["request"], exchange["response"]
    parts = [_part("Request", f"{request['method']} {request['url']}", request)]
    if response:
        parts.append(_part(f"Response: {_status(response['status'])}", "", response))
    parts += [
        Part(_message_title(number, message), (), _body(message))
        for number, message in enumerate(exchange["messages"], start=1)
    ]
    return Evidence(
        number=exchange["number"],
        title=f"{request['method']} {request['url']}",
        outcome=_outcome(exchange),
        facts=tuple((name, value) for name, value in _facts(exchange) if value),
        parts=tuple(parts),
        command=commands.of(exchange),
    )


def _facts(exchange: ExchangeRecord) -> list[tuple[str, str]]:
    incoming, failure = exchange["direction"] == "incoming", exchange["failure"]
    return [
        ("received" if incoming else "sent", exchange["started"]),
        (_lasting(exchange), f"{exchange['elapsed_ms']:,} ms"),
        ("failure", failure["detail"] if failure else ""),
        ("attempt", str(exchange["attempt"]) if exchange["attempt"] > 1 else ""),
        ("protocol", exchange["protocol"] if exchange["protocol"] != "http" else ""),
        ("credential", _credential(exchange)),
        ("scenario", exchange["scenario"]),
    ]


def _credential(exchange: ExchangeRecord) -> str:
    """Gives the credential that the request was sent with; empty where it was withheld, or another text took its place.

    The record names it even then: it says as which partner was asked.
    """
    name, request = exchange["credential"], exchange["request"]
    texts = [request["url"], request["body"], *(value for _, value in request["headers"])]
    is_sent = exchange["authenticated"] or any(f"[redacted {name} " in text for text in texts)
    return name if name and is_sent else ""


def _lasting(exchange: ExchangeRecord) -> str:
    if exchange["response"] is None:
        return "gave up after"
    is_upgraded = exchange["protocol"] == "websocket" and exchange["response"]["status"] == 101
    return "open for" if is_upgraded else "answered after"


def _message_title(number: int, message: MessageContent) -> str:
    kind = "Message" if message["kind"] == "text" else f"{message['kind'].capitalize()} message"
    return f"{kind} {number}, {message['direction']}, {message['at']}"


def _outcome(exchange: ExchangeRecord) -> str:
    if exchange["response"] is None:
        failure = exchange["failure"]
        return f"no response: {failure['kind'] if failure else 'the run ended before'}"
    return f"{_status(exchange['response']['status'])}, {exchange['elapsed_ms']:,.0f} ms"


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _part(title: str, start_line: str, content: Content) -> Part:
    headers = [f"{name}: {value}" for name, value in content["headers"]]
    return Part(title, (start_line, *headers) if start_line else tuple(headers), _body(content))


def _body(content: BodyContent) -> Body | None:
    text, notes = content["body"], []
    if not text:
        return None
    if content["encoding"] == "base64":
        raw = base64.b64decode(text)
        text = raw.decode("utf-8", "backslashreplace")
        notes.append(f"{plural(len(raw), 'byte')}, not UTF-8: what is no text is shown as \\x and its value")
    length = len(text)
    laid_out = indent_json(text) if length <= LONGEST_LAID_OUT else None
    if laid_out is not None and laid_out != text:
        notes.append("JSON, laid out for reading")
        text = laid_out
    if len(text) > LONGEST_BODY:
        notes.append(f"shortened: {length:,} characters in all, the whole is in journal.jsonl")
        text = text[:LONGEST_BODY] + "…"
    return Body(text, tuple(notes))
