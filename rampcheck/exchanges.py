"""What went over the wire: requests, responses, messages, and the journal that keeps them, redacted."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from rampcheck.redaction import Redactor

Headers = tuple[tuple[str, str], ...]


class NotJson:
    """What stands for the value of a body that is no JSON text."""

    def __repr__(self) -> str:
        return "no JSON"


NOT_JSON = NotJson()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _integer(digits: str) -> int | float:
    # Python refuses integers of more than 4,300 digits, which are JSON all the same.
    return int(digits) if len(digits) <= 4000 else math.inf


def parse_json(body: bytes) -> Any:
    """Gives the value of a JSON text in UTF-8, or `NOT_JSON` (also for `NaN`, which RFC 8259 section 6 excludes)."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_int=_integer)
    except (ValueError, RecursionError):
        return NOT_JSON


def header(headers: Headers, name: str) -> str | None:
    """Gives the first value of the header `name`, whose case does not matter (RFC 9110 section 5.1), or None."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


@dataclass(frozen=True)
class Request:
    """A request before it is sent, each method giving a changed copy.

    `path` is relative to the profile's base URL and may carry a query. `credential` names the profile's credential
    that the suite's authentication uses; a header set to None with `with_header` is left out, even where the
    authentication would have added it.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    credential: str | None = None
    withheld: frozenset[str] = frozenset()
    outside: bool = False

    @cached_property
    def json(self) -> Any:
        """The body's JSON value, or `NOT_JSON`."""
        return parse_json(self.body)

    def header(self, name: str) -> str | None:
        """Gives the first value of the header `name`, or None."""
        return header(self.headers, name)

    def with_header(self, name: str, value: str | None) -> Request:
        """Sets one header to `value`, in place of any of that name; None leaves it out."""
        kept = tuple((key, old) for key, old in self.headers if key.lower() != name.lower())
        if value is None:
            return replace(self, headers=kept, withheld=self.withheld | {name.lower()})
        return replace(self, headers=(*kept, (name, value)), withheld=self.withheld - {name.lower()})

    def with_default(self, name: str, value: str) -> Request:
        """Sets one header, unless the request sets or withholds it already."""
        if self.header(name) is not None or name.lower() in self.withheld:
            return self
        return self.with_header(name, value)

    def with_path(self, path: str) -> Request:
        """Goes to another path, or to the same with a query."""
        return replace(self, path=path)

    def from_outside(self) -> Request:
        """Takes the profile's way out that is not on the allowlist."""
        return replace(self, outside=True)

    def with_body(self, body: bytes | str) -> Request:
        """Sends these very bytes; text is encoded as UTF-8."""
        return replace(self, body=body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)

    def with_json(self, value: Any) -> Request:
        """Sends `value` as compact JSON."""
        return self.with_body(json.dumps(value, separators=(",", ":")))

    def but(self, **fields: Any) -> Request:
        """Changes or adds members of the JSON object that is the body."""
        return self.with_json({**self.json, **fields})

    def without(self, *names: str) -> Request:
        """Leaves out members of the JSON object that is the body."""
        return self.with_json({key: value for key, value in self.json.items() if key not in names})


@dataclass(frozen=True)
class Sent:
    """A request as it went over the wire."""

    method: str
    url: str
    headers: Headers
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body's JSON value, or `NOT_JSON`."""
        return parse_json(self.body)

    @property
    def path(self) -> str:
        """The path of the URL, without its query."""
        return urlsplit(self.url).path

    def header(self, name: str) -> str | None:
        """Gives the first value of the header `name`, or None."""
        return header(self.headers, name)


@dataclass(frozen=True)
class Response:
    """A response as it came over the wire, its content encoding undone."""

    status: int
    headers: Headers
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body's JSON value, or `NOT_JSON`."""
        return parse_json(self.body)

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; empty where there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Gives the first value of the header `name`, or None."""
        return header(self.headers, name)

    def member(self, name: str) -> Any:
        """Gives a member of the JSON object that is the body; None where it is absent or the body no object."""
        return self.json.get(name) if isinstance(self.json, dict) else None


@dataclass(frozen=True)
class Failure:
    """Why there is no response: `kind` is one of the client's table, `detail` a sentence."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Message:
    """One message of a WebSocket: `direction` is `outgoing` or `incoming`, `at` seconds since the epoch."""

    direction: str
    at: float
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it.

    `protocol` is `http`, `websocket` (an upgrade, with its `messages`) or `webhook` (`direction` is then
    `incoming`: the target asks, this run answers). `started` is in seconds since the epoch, `elapsed` in seconds.
    `path` is the request's path relative to the base URL. Either `response` or `failure` is set. `final` is False
    where the retry policy sent the request again, as another exchange whose `retry_of` is this one.
    """

    number: int
    scenario: str
    request: Sent
    response: Response | None
    started: float
    elapsed: float
    path: str
    failure: Failure | None = None
    protocol: str = "http"
    direction: str = "outgoing"
    credential: str | None = None
    attempt: int = 1
    final: bool = True
    messages: tuple[Message, ...] = ()
    retry_of: Exchange | None = field(default=None, repr=False)

    @property
    def first_attempt(self) -> Exchange:
        """The exchange with which the retries began; this one, where it is no retry."""
        return self.retry_of.first_attempt if self.retry_of else self

    @property
    def accepted(self) -> bool:
        """Whether the target answered with a 2xx."""
        return self.response is not None and self.response.is_success

    @property
    def status(self) -> int:
        """The response's status, 0 where there is none."""
        return self.response.status if self.response else 0

    def summary(self) -> str:
        """Says in a phrase what the target did: the status, and what an error's body says of itself."""
        if self.response is None:
            return f"no response ({self.failure.kind})" if self.failure else "no response"
        answer = self.response.json
        if self.response.is_success:
            return f"{self.status}, accepted"
        if isinstance(answer, dict):
            told = {key: answer.get(key) for key in ("error", "code", "message")}
            named = [f"{key} {value!r}" for key, value in told.items() if isinstance(value, str)]
            return ", ".join([str(self.status), *named])
        return f"{self.status}, a body that is {'no JSON' if answer is NOT_JSON else 'no JSON object'}"


def timestamp(seconds: float) -> str:
    """Gives seconds since the epoch as an RFC 3339 time in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Journal:
    """Appends records to a JSON Lines file, redacted on the way and flushed one by one.

    `path` is the file, `fields` the JSON members whose values are secrets wherever they stand.
    """

    path: Path
    redactor: Redactor
    fields: Collection[str]
    _file: TextIO | None = field(default=None, repr=False)

    def exchange(self, exchange: Exchange, held: Iterable[str] = ()) -> dict[str, Any]:
        """Writes one exchange and the clauses seen to hold in it; gives the record as written."""
        record = self.record(exchange)
        record["held"] = list(held)
        self.write(record)
        return record

    def record(self, exchange: Exchange) -> dict[str, Any]:
        """Gives the redacted record of an exchange."""
        # The response comes first: what it hands out (an init token) becomes a known secret for the rest.
        response = exchange.response and {
            "status": exchange.response.status, **self._content(exchange.response.headers, exchange.response.body),
        }
        messages = [
            {"direction": message.direction, "at": timestamp(message.at), **self._body(message.body)}
            for message in exchange.messages
        ]
        request = {
            "method": exchange.request.method, "url": self.redactor.url(exchange.request.url),
            **self._content(exchange.request.headers, exchange.request.body),
        }
        return {
            "kind": "exchange", "number": exchange.number, "protocol": exchange.protocol,
            "direction": exchange.direction, "scenario": exchange.scenario, "started": timestamp(exchange.started),
            "elapsed_ms": round(exchange.elapsed * 1000, 2), "attempt": exchange.attempt, "final": exchange.final,
            "credential": exchange.credential, "path": self.redactor.url(exchange.path),
            "request": request, "response": response,
            "failure": exchange.failure and {
                "kind": exchange.failure.kind, "detail": self.redactor.text(exchange.failure.detail),
            },
            "messages": messages,
        }

    def _content(self, headers: Headers, body: bytes) -> dict[str, Any]:
        # The body first, for the same reason: a header may repeat what the body hands out.
        content = self._body(body)
        return {"headers": [list(pair) for pair in self.redactor.headers(headers)], **content}

    def _body(self, body: bytes) -> dict[str, str]:
        text, encoding = self.redactor.body(body, self.fields)
        return {"body": text, "encoding": encoding}

    def write(self, record: Mapping[str, Any]) -> None:
        """Writes one record that is redacted already."""
        if self._file is None:
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file; a later `write` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Gives the records of a journal in the order of writing; a last line cut short by a crash is passed over."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                return
            record = json.loads(line)
            if isinstance(record, dict):
                yield record


def from_record(record: Mapping[str, Any]) -> Exchange:
    """Gives the exchange that a journal's record tells of, its secrets replaced by their marks."""
    request, response, failure = record["request"], record["response"], record["failure"]
    return Exchange(
        number=record["number"], scenario=record["scenario"], protocol=record["protocol"],
        direction=record["direction"], credential=record["credential"], attempt=record["attempt"],
        final=record["final"], path=record["path"], started=datetime.fromisoformat(record["started"]).timestamp(),
        elapsed=record["elapsed_ms"] / 1000,
        request=Sent(request["method"], request["url"], _headers(request), _bytes(request)),
        response=response and Response(response["status"], _headers(response), _bytes(response)),
        failure=failure and Failure(failure["kind"], failure["detail"]),
        messages=tuple(
            Message(message["direction"], datetime.fromisoformat(message["at"]).timestamp(), _bytes(message))
            for message in record["messages"]
        ),
    )


def _headers(content: Mapping[str, Any]) -> Headers:
    return tuple((name, value) for name, value in content["headers"])


def _bytes(content: Mapping[str, Any]) -> bytes:
    body: str = content["body"]
    return base64.b64decode(body) if content["encoding"] == "base64" else body.encode("utf-8", "surrogatepass")
