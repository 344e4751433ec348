"""What went over the wire: requests, responses, messages."""

from __future__ import annotations

import html
import json
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal

from rampcheck.wire.json_text import NOT_JSON, parse_json

Headers = tuple[tuple[str, str], ...]
Direction = Literal["outgoing", "incoming"]
MessageKind = Literal["text", "binary", "close"]
FRESH = 24  # characters of white space, of four kinds, that make a body another one


# Asked for by many invariants in turn, but kept for few exchanges: a value takes twenty times the room of its text.
_parsed = lru_cache(maxsize=8)(parse_json)


def header(headers: Headers, name: str) -> str | None:
    """Gives the first value of the header `name`, whose case does not matter (RFC 9110 section 5.1), or None."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


@dataclass(frozen=True)
class Request:
    """A request before it is sent, each method giving a changed copy.

    `path` is relative to the profile's base URL and may carry a query. `credential` names the profile's credential
    that the suite's authentication uses; a header set to None with `with_header` is left out, even where the
    authentication would have added it. `protocol` is `http`, or `websocket` for an upgrade (RFC 6455 section 4.1).
    `spelling` holds the arguments with which `json.dumps` writes its body. `at` (seconds since the epoch) and `nonce`
    (a text never used before) are of the one attempt that is about to be sent, for an authentication that signs them.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    credential: str | None = None
    withheld: frozenset[str] = frozenset()
    outside: bool = False
    protocol: Literal["http", "websocket"] = "http"
    spelling: tuple[tuple[str, Any], ...] = (("separators", (",", ":")),)
    at: float = 0.0
    nonce: str = ""

    @property
    def json(self) -> Any:
        """The body's JSON value, not to be changed, or `NOT_JSON`."""
        return _parsed(self.body)

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

    def with_credential(self, name: str) -> Request:
        """Authenticates with another of the profile's credentials."""
        return replace(self, credential=name)

    def from_outside(self) -> Request:
        """Takes the profile's way out that is not on the allowlist."""
        return replace(self, outside=True)

    def with_body(self, body: bytes | str) -> Request:
        """Sends these very bytes; text is encoded as UTF-8."""
        return replace(self, body=body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)

    def freshened(self) -> Request:
        """Means the same with a body that was never sent: JSON with white space after it (RFC 8259 section 2)."""
        space = "".join(secrets.choice(" \t\n\r") for _ in range(FRESH))
        return self if self.json is NOT_JSON else self.with_body(self.body + space.encode())

    def with_json(self, value: Any) -> Request:
        """Sends `value` as JSON, in this request's spelling: compact unless it has another one."""
        return self.with_body(json.dumps(value, **dict(self.spelling)))

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

    @property
    def json(self) -> Any:
        """The body's JSON value, not to be changed, or `NOT_JSON`."""
        return _parsed(self.body)

    def header(self, name: str) -> str | None:
        """Gives the first value of the header `name`, or None."""
        return header(self.headers, name)


@dataclass(frozen=True)
class Response:
    """A response as it came over the wire, its content encoding undone."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON value, not to be changed, or `NOT_JSON`."""
        return _parsed(self.body)

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; empty where there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    @property
    def cookies(self) -> str:
        """The Cookie header with which a client that keeps cookies would come back (RFC 6265), or ""."""
        pairs = (value.partition(";")[0].strip() for name, value in self.headers if name.lower() == "set-cookie")
        return "; ".join(pair for pair in pairs if "=" in pair)

    def header(self, name: str) -> str | None:
        """Gives the first value of the header `name`, or None."""
        return header(self.headers, name)

    def member(self, name: str) -> Any:
        """Gives a member of the JSON object that is the body; None where it is absent or the body no object.

        Of an object inside, the name is a path: `error.code`.
        """
        value = self.json
        if isinstance(value, dict) and name in value:
            return value[name]
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


# The kinds of failure that are the target's silence; the others come from this machine, or the way to the target.
SILENCE = frozenset({"reset", "truncated", "timeout", "refused", "encoding", "protocol"})


@dataclass(frozen=True)
class Failure:
    """Why there is no response: `kind` is one of the client's table, `detail` a sentence."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Message:
    """One message of a WebSocket: `direction` is `outgoing` or `incoming`, `at` seconds since the epoch.

    `kind` is `text`, `binary`, or `close`, whose `body` holds the close code and the reason (RFC 6455 section 7.1.5).
    """

    direction: Direction
    at: float
    body: bytes
    kind: MessageKind = "text"

    @property
    def json(self) -> Any:
        """The body's JSON value, not to be changed, or `NOT_JSON`."""
        return _parsed(self.body)

    @property
    def is_error(self) -> bool:
        """Whether it says that something is wrong, and tells no status of anything."""
        said = self.json if self.kind == "text" else None
        if not isinstance(said, dict) or isinstance(said.get("status"), str):
            return False
        return "error" in said or "error" in (said.get("event"), said.get("type"))


_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{1,1000})", re.IGNORECASE)
LONGEST_TITLE = 80


def _title(body: bytes) -> str:
    """Gives the title of a page of HTML in one line, nothing where it has none."""
    found = _TITLE.search(body)
    title = " ".join(html.unescape(found[1].decode("utf-8", "replace")).split()) if found else ""
    return title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…"


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it.

    `protocol` is `http`, `websocket` (an upgrade, with its `messages`) or `webhook` (`direction` is then
    `incoming`: the target asks, this run answers). `started` is in seconds since the epoch, `elapsed` in seconds.
    `path` is the request's path relative to the base URL, of a webhook its path at this run's receiver. Either
    `response` or `failure` is set; both, where a response with status 101 was no valid upgrade, or where only the head
    of an answer was read. `final` is False
    where the retry policy sent the request again, as another exchange whose `retry_of` is this one. `authenticated`
    says whether its credentials are just what the suite's authentication makes of these very bytes. `cut` says why not
    all messages were read, where they were not. `outside` names the way out that is not on the allowlist, a proxy or an
    address of this machine, "" where it went the usual way.
    """

    number: int
    scenario: str
    request: Sent
    response: Response | None
    started: float
    elapsed: float
    path: str
    failure: Failure | None = None
    protocol: Literal["http", "websocket", "webhook"] = "http"
    direction: Direction = "outgoing"
    credential: str | None = None
    authenticated: bool = False
    attempt: int = 1
    final: bool = True
    messages: tuple[Message, ...] = ()
    cut: str = ""
    outside: str = ""
    retry_of: Exchange | None = field(default=None, repr=False)

    @property
    def attempts(self) -> tuple[Exchange, ...]:
        """The exchanges that the retry policy made of one request, the first to this one."""
        return (*self.retry_of.attempts, self) if self.retry_of else (self,)

    @property
    def accepted(self) -> bool:
        """Whether the target answered with a 2xx, of a WebSocket: whether it is upgraded."""
        if self.response is None or self.failure is not None:
            return False
        return self.status == 101 if self.protocol == "websocket" else self.response.is_success

    @property
    def is_silent(self) -> bool:
        """Whether the target gave no answer, or none that is HTTP: it hung, dropped, reset or cut the connection."""
        return self.response is None and self.failure is not None and self.failure.kind in SILENCE

    @property
    def is_too_long(self) -> bool:
        """Whether an answer came that is longer than this client reads: nothing of its body is known."""
        return self.response is not None and self.failure is not None and self.failure.kind == "too_large"

    @property
    def is_late(self) -> bool:
        """Whether the target gave no whole answer in the time it had."""
        return self.failure is not None and self.failure.kind == "timeout"

    @property
    def is_page(self) -> bool:
        """Whether the answer is what stands in front of an API gives: a page, a redirect, an error that is no JSON."""
        if self.response is None or self.protocol != "http" or self.is_too_long:
            return False  # How an upgrade is refused is nobody's promise; of what was not read nothing is known.
        return self.response.json is NOT_JSON and (self.status >= 300 or "html" in self.response.media_type)

    @property
    def query(self) -> str:
        """The query of the path, without its question mark; empty where there is none."""
        return self.path.partition("?")[2]

    @property
    def ended(self) -> float:
        """When it was over, in seconds since the epoch; a WebSocket is when it was closed."""
        return self.started + self.elapsed

    @property
    def events(self) -> tuple[Message, ...]:
        """What the target sent over a WebSocket, without its close."""
        return tuple(
            message for message in self.messages if message.direction == "incoming" and message.kind != "close"
        )

    @property
    def told(self) -> tuple[Message, ...]:
        """What the target told over a WebSocket: an error that it may send before it closes tells of nothing."""
        return tuple(message for message in self.events if not message.is_error)

    @property
    def closed(self) -> Message | None:
        """The close that the target sent over a WebSocket before this run did, or None.

        Its code is 1006 where the connection ended without one (RFC 6455 section 7.1.5).
        """
        closes = [message for message in self.messages if message.kind == "close"]
        return closes[0] if closes and closes[0].direction == "incoming" else None

    @property
    def status(self) -> int:
        """The response's status, 0 where there is none."""
        return self.response.status if self.response else 0

    def summary(self) -> str:
        """Says in a phrase what the target did: the status, and what an error's body, or a page, says of itself."""
        if self.response is None:
            return f"no answer: {self.failure.detail}" if self.failure else "no answer"
        if self.failure is not None:
            return f"{self.status}, but {self.failure.detail}"
        return f"{self.status}, {self._told(self.response)}"

    def _told(self, response: Response) -> str:
        if self.protocol == "websocket" and self.accepted and self.closed and not self.told:
            code = self.closed.body.decode("utf-8", "replace")
            return "and ended at once without a close" if code == "1006" else f"and closed at once with {code}"
        if self.accepted and not self.is_page:
            return "accepted"
        location = response.header("location")
        if location and 300 <= self.status < 400:
            return f"a redirect to {location}"
        answer = response.json
        if isinstance(answer, dict):
            named = [
                f"{key} {value!r}" for key in ("error", "code", "message") if isinstance(value := answer.get(key), str)
            ]
            return ", ".join(named) or "a JSON object"
        return _described(response)


def _described(response: Response) -> str:
    """Says what a body is that says nothing of itself in JSON: a page by its title, anything by its media type."""
    kind = f" ({response.media_type})" if response.media_type else ""
    if title := _title(response.body):
        return f"a page {json.dumps(title, ensure_ascii=False)}{kind}"
    return f"a body that is {'no JSON' if response.json is NOT_JSON else 'no JSON object'}{kind}"


def http_date(text: str) -> datetime | None:
    """Gives the time that a header tells (RFC 9110 section 5.6.7), with its zone, or None where it tells none.

    Whatever stands there, nothing is raised; a time without a zone is UTC's.
    """
    try:
        told = parsedate_to_datetime(text)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
