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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rampcheck.errors import UsageError
from rampcheck.wire.exchanges import Exchange, Failure, Headers, Message, Response, Sent
from rampcheck.wire.records import Records
from rampcheck.wire.redaction import Redactor
from rampcheck.wire.room import Room


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
    written, `records` knows what the file holds.
    """

    path: Path
    redactor: Redactor
    fields: Collection[str]
    room: Room = field(default_factory=Room, repr=False)
    records: Records = field(init=False, repr=False)
    # A WebSocket and the receiver of webhooks are read by threads of their own.
    _writing: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.records = Records(self.path)

    def exchange(self, exchange: Exchange, held: Iterable[str] = ()) -> dict[str, Any]:
        """Writes one exchange and the clauses seen to hold in it; gives the record as written."""
        with self._writing:
            record = {**self._record(exchange), "held": list(held)}
            self.write(record)
        return record

    def begun(self, exchange: Exchange) -> None:
        """Writes what there is of an exchange that is not over."""
        with self._writing:
            self.write({**self._record(exchange), "kind": "begun"})

    def message(self, number: int, message: Message) -> None:
        """Writes a message of the WebSocket that was begun with this number."""
        with self._writing:
            self.write({"kind": "message", "exchange": number, "message": self._message(message)})

    def write(self, record: Mapping[str, Any]) -> None:
        """Writes one record that is redacted already."""
        with self._writing:
            self.room.take(self.records.write(record))

    def close(self) -> None:
        """Closes the file; a later `write` opens it again."""
        with self._writing:
            self.records.close()

    def _record(self, exchange: Exchange) -> dict[str, Any]:
        self.redactor.learn_computed(exchange.request.headers)
        # The response comes first: what it hands out (an init token) becomes a known secret for the rest.
        response = exchange.response and {
            "status": exchange.response.status,
            **self._content(exchange.response.headers, exchange.response.body),
        }
        messages = [self._message(message) for message in exchange.messages]
        request = {
            "method": exchange.request.method,
            "url": self.redactor.url(exchange.request.url),
            **self._content(exchange.request.headers, exchange.request.body),
        }
        return {
            "kind": "exchange",
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
            "response": response,
            "failure": exchange.failure
            and {
                "kind": exchange.failure.kind,
                "detail": self.redactor.text(exchange.failure.detail),
            },
            "messages": messages,
            "cut": exchange.cut,
        }

    def _message(self, message: Message) -> dict[str, Any]:
        return {
            "direction": message.direction,
            "at": timestamp(message.at),
            "kind": message.kind,
            **self._body(message.body),
        }

    def _content(self, headers: Headers, body: bytes) -> dict[str, Any]:
        # The body first, for the same reason: a header may repeat what the body hands out.
        content = self._body(body)
        return {"headers": [list(pair) for pair in self.redactor.headers(headers)], **content}

    def _body(self, body: bytes) -> dict[str, str]:
        text, encoding = self.redactor.body(body, self.fields)
        return {"body": text, "encoding": encoding}


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Gives the records of a journal in the order of writing; a last line cut short by a crash is passed over.

    Raises `UsageError` where another line is no record.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if not isinstance(record, dict) or "kind" not in record:
                raise UsageError(
                    f"{path}, line {number}: is no record of a run",
                    "Was it changed by hand? Take the file as the run left it.",
                )
            yield record


def folded(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives records without what only stands for others, and with others in place of what has no last word.

    Of an exchange that has begun and not ended, it is what there is: nothing was judged to hold in it, and it lasted
    until the last message. What was found with generated requests, and not shrunk, is a finding.
    """
    over = {record["number"] for record in records if record["kind"] == "exchange"}
    told: list[dict[str, Any]] = []
    cut: dict[int, dict[str, Any]] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        match record["kind"]:
            case "begun":
                if record["number"] not in over:
                    cut[record["number"]] = {**record, "kind": "exchange", "messages": [], "held": []}
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


def exchange_records(records: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Gives the records of exchanges by their numbers."""
    return {record["number"]: record for record in records if record["kind"] == "exchange"}


def from_record(record: Mapping[str, Any]) -> Exchange:
    """Gives the exchange that a journal's record tells of, its secrets replaced by their marks."""
    request, response, failure = record["request"], record["response"], record["failure"]
    return Exchange(
        number=record["number"],
        scenario=record["scenario"],
        protocol=record["protocol"],
        direction=record["direction"],
        credential=record["credential"],
        authenticated=record.get("authenticated", False),
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
        cut=record.get("cut", ""),
    )


def _headers(content: Mapping[str, Any]) -> Headers:
    return tuple((name, value) for name, value in content["headers"])


def _bytes(content: Mapping[str, Any]) -> bytes:
    body: str = content["body"]
    return base64.b64decode(body) if content["encoding"] == "base64" else body.encode("utf-8", "surrogatepass")
