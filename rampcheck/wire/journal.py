"""What a run keeps of all that it saw, as it happens: records in a JSON Lines file, redacted and flushed one by one.

What takes its time is written twice. A WebSocket, or a webhook that nobody has asked for yet, is `begun` as soon as
there is anything of it, each `message` follows as it comes, and the `exchange` of the same number is the last word.
What is found with `generated` requests is written as it is seen, too; when they are `shrunk`, the findings that stay
are the last word. Of a process that was killed meanwhile, `folded` takes what there is.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import SEEK_END
from pathlib import Path
from typing import cast

from rampcheck import __version__
from rampcheck.errors import UsageError
from rampcheck.wire.exchanges import Exchange, Failure, Headers, Message, Response, Sent
from rampcheck.wire.journal_records import (
    BodyContent,
    Content,
    ExchangeContent,
    ExchangeRecord,
    FailureContent,
    FindingRecord,
    MessageContent,
    Record,
    RequestContent,
    ResponseContent,
)
from rampcheck.wire.journal_schema import mistake
from rampcheck.wire.recipes import Recipe, Recipes
from rampcheck.wire.records import Records
from rampcheck.wire.redaction import Redactor
from rampcheck.wire.room import Room

# What to do about a journal that says what no run has written.
UNTOUCHED = "Was it changed by hand? Take the file as the run left it."
LONGEST_END = 64 * 1024  # bytes; the last record is no longer
JOURNAL = "journal.jsonl"  # what it is called in a run's folder


def timestamp(seconds: float) -> str:
    """Gives seconds since the epoch as an RFC 3339 time in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(time: str) -> float:
    """Gives a `timestamp` as seconds since the epoch."""
    return datetime.fromisoformat(time).timestamp()


@dataclass
class Journal:
    """Appends records to a file, redacted on the way; several threads may.

    `path` is the file, `fields` the JSON members whose values are secrets wherever they stand; `room` counts what is
    written, `records` knows what the file holds, `recipes` how what is hidden in a request is made again.
    """

    path: Path
    redactor: Redactor
    fields: Collection[str]
    room: Room = field(default_factory=Room, repr=False)
    recipes: Recipes | None = field(default=None, repr=False)
    records: Records = field(init=False, repr=False)
    # A WebSocket and the receiver of webhooks are read by threads of their own.
    _writing: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.records = Records(self.path)

    def exchange(self, exchange: Exchange, held: Iterable[str] = (), change: str = "") -> ExchangeRecord:
        """Writes one exchange, the clauses seen to hold in it, what was changed in its request; gives the record."""
        with self._writing:
            record: ExchangeRecord = {
                "kind": "exchange",
                **self._exchange(exchange),
                "held": list(held),
                "change": change,
            }
            self.write(record)
        return record

    def begun(self, exchange: Exchange) -> None:
        """Writes what there is of an exchange that is not over."""
        with self._writing:
            self.write({"kind": "begun", **self._exchange(exchange)})

    def message(self, number: int, message: Message) -> None:
        """Writes a message of the WebSocket that was begun with this number."""
        with self._writing:
            self.write({"kind": "message", "exchange": number, "message": self._message(message)})

    def write(self, record: Record) -> None:
        """Writes one record that is redacted already."""
        with self._writing:
            self.room.take(self.records.write(record))

    def close(self) -> None:
        """Closes the file; a later `write` opens it again."""
        with self._writing:
            self.records.close()

    def _exchange(self, exchange: Exchange) -> ExchangeContent:
        self.redactor.learn_computed(exchange.request.headers)
        if self.recipes is not None and exchange.direction == "outgoing":
            self.redactor.compose(exchange.request.body, self.fields)
        # The response comes first: what it hands out (an init token) becomes a known secret for the rest.
        response = self._response(exchange.response) if exchange.response else None
        messages = [self._message(message) for message in exchange.messages]
        request: RequestContent = {
            "method": exchange.request.method,
            "url": self.redactor.url(exchange.request.url),
            **self._content(exchange.request.headers, exchange.request.body),
        }
        return {
            "number": exchange.number,
            "protocol": exchange.protocol,
            "direction": exchange.direction,
            "scenario": exchange.scenario,
            "started": timestamp(exchange.started),
            "elapsed_ms": round(exchange.elapsed * 1000, 2),
            "attempt": exchange.attempt,
            "final": exchange.final,
            "credential": exchange.credential,
            "authenticated": exchange.authenticated,
            "path": self.redactor.url(exchange.path),
            "request": request,
            "recipes": self._recipes(exchange, request),
            "outside": self.redactor.url(exchange.outside),
            "response": response,
            "failure": self._failure(exchange.failure) if exchange.failure else None,
            "messages": messages,
            "cut": exchange.cut,
        }

    def _response(self, response: Response) -> ResponseContent:
        return {"status": response.status, **self._content(response.headers, response.body)}

    def _failure(self, failure: Failure) -> FailureContent:
        return {"kind": failure.kind, "detail": self.redactor.text(failure.detail)}

    def _recipes(self, exchange: Exchange, written: RequestContent) -> list[Recipe | None]:
        """Gives the recipe of each mark in a request of ours: in its URL, its headers, its body."""
        if self.recipes is None or exchange.direction == "incoming":
            return []
        sent = exchange.request
        texts = [(sent.url, written["url"])]
        texts += [(value, shown) for (_, value), (_, shown) in zip(sent.headers, written["headers"], strict=True)]
        if written["encoding"] == "utf-8":
            texts.append((sent.body.decode(), written["body"]))
        return self.recipes.of_request(texts, sent.body)

    def _message(self, message: Message) -> MessageContent:
        return {
            "direction": message.direction,
            "at": timestamp(message.at),
            "kind": message.kind,
            **self._body(message.body),
        }

    def _content(self, headers: Headers, body: bytes) -> Content:
        # The body first, for the same reason: a header may repeat what the body hands out.
        content = self._body(body)
        return {"headers": [list(pair) for pair in self.redactor.headers(headers)], **content}

    def _body(self, body: bytes) -> BodyContent:
        text, encoding = self.redactor.body(body, self.fields)
        return {"body": text, "encoding": encoding}


def parts(folder: Path) -> list[Path]:
    """Gives the journals of a run's further processes that lie in its folder: it goes on, or was killed."""
    return sorted(folder.glob("journal.*.jsonl"))


def all_of(folder: Path) -> list[Path]:
    """Gives the journals in which all of a run stands: where it has ended that is one, otherwise that of each process.

    Raises `OSError` where there is none.
    """
    with (folder / JOURNAL).open("rb") as lines:
        lines.seek(max(0, lines.seek(0, SEEK_END) - LONGEST_END))
        last = lines.read().rstrip(b"\n").rpartition(b"\n")[2]
    try:
        has_ended = json.loads(last)["kind"] == "end"
    except (ValueError, TypeError, LookupError, RecursionError):
        has_ended = False
    return [folder / JOURNAL, *(() if has_ended else parts(folder))]


def read_records(path: Path, *, own: bool = False) -> Iterator[Record]:
    """Gives the records of a journal in the order of writing; a last line cut short by a crash is passed over.

    Raises `UsageError` where another line is no record, as the schema has them. What is this very run's `own` is not
    held to that again.
    """
    version = ""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line, parse_constant=_refused)
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict) and record.get("kind") == "run":
                version = str(record.get("rampcheck", ""))
            if problem := mistake(record) if not own or record is None else "":
                raise UsageError(
                    f"{path}, line {number} is no record of a run as this rampcheck reads them: {problem}",
                    _cure(version),
                )
            yield cast("Record", record)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _cure(version: str) -> str:
    """Says what to do about a journal, of this version as far as it says so, in which something is no record."""
    if version not in {"", __version__}:
        return f"Take the version that wrote it, rampcheck {version}; this is {__version__}."
    return UNTOUCHED


def folded(records: Sequence[Record]) -> list[Record]:
    """Gives records without what only stands for others, and with others in place of what has no last word.

    Of an exchange that has begun and not ended, it is what there is: nothing was judged to hold in it, and it lasted
    until the last message. What was found with generated requests, and not shrunk, is a finding.
    """
    over = {record["number"] for record in records if record["kind"] == "exchange"}
    told: list[Record] = []
    cut: dict[int, ExchangeRecord] = {}
    found: dict[str, list[FindingRecord]] = {}
    for record in records:
        match record["kind"]:
            case "begun":
                if record["number"] not in over:
                    cut[record["number"]] = {**record, "kind": "exchange", "messages": [], "held": [], "change": ""}
                    told.append(cut[record["number"]])
            case "message":
                if (exchange := cut.get(record["exchange"])) is not None:
                    exchange["messages"].append(record["message"])
                    lasted = moment(record["message"]["at"]) - moment(exchange["started"])
                    exchange["elapsed_ms"] = max(exchange["elapsed_ms"], round(lasted * 1000, 2))
            case "generated":
                found.setdefault(record["scenario"], []).append({**record, "kind": "finding"})
            case "shrunk":
                found.pop(record["scenario"], None)
            case _:
                told.append(record)
    return [*told, *(finding for findings in found.values() for finding in findings)]


def exchange_records(records: Iterable[Record]) -> dict[int, ExchangeRecord]:
    """Gives the records of exchanges by their numbers."""
    return {record["number"]: record for record in records if record["kind"] == "exchange"}


def from_record(record: ExchangeContent) -> Exchange:
    """Gives the exchange that a journal's record tells of, its secrets replaced by their marks."""
    request, response, failure = record["request"], record["response"], record["failure"]
    return Exchange(
        number=record["number"],
        scenario=record["scenario"],
        protocol=record["protocol"],
        direction=record["direction"],
        credential=record["credential"],
        authenticated=record["authenticated"],
        attempt=record["attempt"],
        final=record["final"],
        path=record["path"],
        started=moment(record["started"]),
        elapsed=record["elapsed_ms"] / 1000,
        request=Sent(request["method"], request["url"], _headers(request), _bytes(request)),
        response=response and Response(response["status"], _headers(response), _bytes(response)),
        failure=failure and Failure(failure["kind"], failure["detail"]),
        messages=tuple(
            Message(message["direction"], moment(message["at"]), _bytes(message), message["kind"])
            for message in record["messages"]
        ),
        cut=record["cut"],
        outside=record.get("outside", ""),
    )


def _headers(content: Content) -> Headers:
    return tuple((name, value) for name, value in content["headers"])


def _bytes(content: BodyContent) -> bytes:
    body = content["body"]
    return base64.b64decode(body) if content["encoding"] == "base64" else body.encode("utf-8", "surrogatepass")
