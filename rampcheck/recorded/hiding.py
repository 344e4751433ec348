"""What is hidden in recorded traffic: by the run that recorded it, and by this one before it judges the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from rampcheck.recorded.packing import unpacked
from rampcheck.wire.exchanges import Exchange, Headers, Response, Sent
from rampcheck.wire.json_text import NOT_JSON
from rampcheck.wire.redaction import Redactor, has_mark, without_marks
from rampcheck.wire.secret_search import Search, Secret

StandIn = Callable[[str, str], str]


def is_marked(exchange: Exchange) -> bool:
    """Whether something in an exchange is hidden already."""
    whole = unpacked(exchange)
    bodies = [whole.request.body, *([whole.response.body] if whole.response else ())]
    bodies += [message.body for message in whole.messages]
    return any(b"[redacted " in body for body in bodies) or has_mark(whole.request.url)


def read_as(exchange: Exchange, stand_in: StandIn) -> Exchange:
    """Gives an exchange with something else in place of its marks, the same for the same mark."""

    def headers(pairs: Headers) -> Headers:
        return tuple((name, without_marks(value, stand_in)) for name, value in pairs)

    def body(content: bytes) -> bytes:
        if b"[redacted " not in content:
            return content
        return without_marks(content.decode("utf-8", "surrogateescape"), stand_in).encode("utf-8", "surrogateescape")

    whole = unpacked(exchange)
    sent, answer = whole.request, whole.response
    return replace(
        whole,
        path=without_marks(exchange.path, stand_in),
        request=Sent(sent.method, without_marks(sent.url, stand_in), headers(sent.headers), body(sent.body)),
        response=answer and Response(answer.status, headers(answer.headers), body(answer.body)),
        messages=tuple(replace(message, body=body(message.body)) for message in exchange.messages),
    )


class Marker:
    """Puts marks in place of what must not leave memory, so that a whole day's traffic can be judged by it.

    That is what stands below the members `fields` of JSON, and in what the target sent, a credential, however written.
    """

    def __init__(self, redactor: Redactor, fields: Iterable[str], credentials: Mapping[str, str]) -> None:
        self._redactor = redactor
        self._fields = frozenset(fields)
        self._names = {field.replace("_", "").lower(): field for field in fields}
        self._search = Search()
        for name, value in credentials.items():
            self._search.tell(Secret(name, value, len(value)))

    def bodies(self, exchange: Exchange) -> tuple[bytes, bytes | None] | None:
        """Gives the bodies of an exchange with marks, and nothing else of it has any; None where only `marked` knows.

        What it takes for that is the same whatever was hidden before.
        """
        if exchange.direction != "outgoing" or exchange.messages:
            return None
        sent, answer = exchange.request, exchange.response
        if answer is not None and self._gives_away(answer):
            return None
        return self._body(sent.body, sent.json), None if answer is None else self._body(answer.body, answer.json)

    def marked(self, exchange: Exchange) -> Exchange:
        """Gives an exchange with marks."""
        whole = unpacked(exchange)
        sent, answer = whole.request, whole.response
        return replace(
            whole,
            request=Sent(sent.method, sent.url, sent.headers, self._body(sent.body, sent.json))
            if exchange.direction == "outgoing"
            else self._sent(sent),
            response=answer and self._answer(answer),
            messages=tuple(
                replace(message, body=self._redactor.body(message.body, self._fields)[0].encode())
                for message in exchange.messages
            ),
        )

    def _gives_away(self, answer: Response) -> bool:
        """Whether a credential stands in an answer."""
        text = "\n".join((*(value for _, value in answer.headers), answer.body.decode("utf-8", "replace")))
        return any(span.secret.name != "email" for span in self._search.find(text))

    def _answer(self, answer: Response) -> Response:
        if self._gives_away(answer):
            body, encoding = self._redactor.body(answer.body, self._fields)
            shown = body.encode() if encoding == "utf-8" else answer.body
            return Response(answer.status, tuple(self._redactor.headers(answer.headers)), shown)
        return Response(answer.status, answer.headers, self._body(answer.body, answer.json))

    def _sent(self, sent: Sent) -> Sent:
        """Gives a webhook, in which what a session handed out is hidden, too."""
        body, encoding = self._redactor.body(sent.body, self._fields)
        shown = body.encode() if encoding == "utf-8" else sent.body
        return Sent(sent.method, self._redactor.url(sent.url), tuple(self._redactor.headers(sent.headers)), shown)

    def _body(self, body: bytes, value: Any) -> bytes:
        if value is NOT_JSON or not self._holds_field(body):
            return body
        return json.dumps(self._value(value, ""), separators=(",", ":")).encode()

    def _holds_field(self, body: bytes) -> bool:
        said = body.replace(b"_", b"").lower()
        return b"\\u" in body or any(name.encode() in said for name in self._names)

    def _value(self, value: Any, name: str) -> Any:
        match value:
            case dict():
                return {
                    key: self._value(item, self._names.get(key.replace("_", "").lower(), name))
                    for key, item in value.items()
                }
            case list():
                return [self._value(item, name) for item in value]
            case str() if name and value and not has_mark(value):
                return self._redactor.mark(name, value)
        return value
