"""Building blocks of invariants that do not belong to one vendor."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from rampcheck.contract import path_matches
from rampcheck.exchanges import Exchange, NotJson
from rampcheck.profile import Partner, Profile
from rampcheck.schema import describe
from rampcheck.suite import BODY, STATUS, Broken, Held, HistoryInvariant, Invariant, member

Condition = Callable[[Exchange, Partner], bool]


def asked(exchange: Exchange, name: str) -> Any:
    """Gives a member of the request's JSON object, None where it is absent."""
    return exchange.request.json.get(name) if isinstance(exchange.request.json, dict) else None


def given(exchange: Exchange, name: str) -> Any:
    """Gives a member of the response's JSON object, None where it is absent."""
    return exchange.response.member(name) if exchange.response else None


def strings(value: Any) -> Iterator[str]:
    """Gives every string in a JSON value, however deep, without recursion; names of members are none."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting += items
            case dict() as members:
                waiting += members.values()


def query(exchange: Exchange, name: str) -> str | None:
    """Gives the first value of a parameter of the request's query, percent-decoded; None where it is absent."""
    pairs = parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True)
    return next((value for key, value in pairs if key == name), None)


@dataclass(frozen=True)
class Endpoint:
    """One documented method and path, as the condition of invariants.

    A segment of the path that is written `{name}` stands for any one segment that is not empty. `protocol` is that of
    the exchange: `http` or `websocket`.
    """

    method: str
    path: str
    protocol: str = "http"

    def asked(self, exchange: Exchange, _: Partner | None = None) -> bool:
        """Whether the request is addressed to this endpoint."""
        return (exchange.protocol == self.protocol and exchange.request.method == self.method
                and path_matches(self.path, exchange.path.partition("?")[0]))

    def answered(self, exchange: Exchange, _: Partner | None = None) -> bool:
        """Whether this endpoint answered with a 2xx, or upgraded the connection."""
        return self.asked(exchange) and exchange.accepted

    def parameter(self, exchange: Exchange) -> str | None:
        """Gives the value of the path's parameter, percent-decoded; None for a request to another endpoint."""
        given = exchange.path.partition("?")[0]
        if not path_matches(self.path, given):
            return None
        return next((unquote(actual) for wanted, actual in zip(self.path.split("/"), given.split("/"), strict=True)
                     if wanted.startswith("{")), None)

    def answered_with(self, *names: str) -> Condition:
        """Makes the condition that a 2xx is an object with these members; a missing one is the schema's to judge."""
        def holds(exchange: Exchange, _: Partner) -> bool:
            answer = exchange.response.json if exchange.response else None
            return self.answered(exchange) and isinstance(answer, dict) and all(
                answer.get(name) is not None for name in names)
        return holds


def same(name: str, expected: Any, actual: Any) -> Broken | None:
    """Gives None where two JSON values are equal and of one type, else what is wrong with the member `name`."""
    if type(expected) is type(actual) and expected == actual:
        return None
    return Broken(f"`{name}`: {describe(expected)}", describe(actual), about=(member(name),))


def is_json_type(media_type: str) -> bool:
    """Whether a media type is JSON: `application/json`, or a `+json` suffix (RFC 6839 section 3.1)."""
    return media_type == "application/json" or media_type.endswith("+json")


def json_media_type(exchange: Exchange, _: Partner) -> Broken | None:
    """Demands a JSON content type of the response."""
    if exchange.response is None or is_json_type(exchange.response.media_type):
        return None
    return Broken("a JSON content type", exchange.response.header("content-type") or "no Content-Type")


def json_object(exchange: Exchange, partner: Partner) -> Broken | None:
    """Demands a JSON object with a JSON content type."""
    if problem := json_media_type(exchange, partner):
        return problem
    if exchange.response is not None and not isinstance(exchange.response.json, dict):
        return Broken("a JSON object", describe(exchange.response.json), about=(BODY,))
    return None


def never_accepted(clause: str, endpoint: Endpoint, fault: str, is_faulty: Condition) -> Invariant:
    """Makes the invariant that a request with a certain fault is not accepted.

    It never counts as exercised: a refusal may have any reason, only an acceptance tells something.
    """
    return Invariant(
        clause,
        lambda exchange, partner: endpoint.asked(exchange) and is_faulty(exchange, partner),
        lambda exchange, _: Broken(f"a refusal of a request with {fault}", exchange.summary(), about=(STATUS,))
        if exchange.accepted else None,
        exercises=False,
    )


def not_a_gateways(clause: str, when: Condition) -> Invariant:
    """Makes the invariant that is exercised by each refusal, to which `when` applies, that is the API's own.

    Whether a gateway's page breaks the clause is seen only where it comes whenever a request is asked again, which is
    judged by `confirmation`.
    """
    return Invariant(
        clause,
        lambda exchange, partner: (when(exchange, partner) and 400 <= exchange.status < 500
                                   and exchange.response is not None and isinstance(exchange.response.json, dict)),
        lambda *_: None,
    )


def is_no_json(body: bytes) -> bool:
    """Whether not even a lenient parser reads a body as JSON.

    Other encodings of Unicode, a byte order mark, `NaN`, raw control characters and whatever follows the first value
    are passed over by some, and what is nested too deeply to be read here is no trouble to others.
    """
    try:
        text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff \t\r\n")
        json.JSONDecoder(strict=False, parse_int=str).raw_decode(text)
    except RecursionError:
        return False
    except ValueError:
        return True
    return False


def sends_no_json(exchange: Exchange, _: Partner) -> bool:
    """Whether the request's body is no JSON to any parser."""
    return is_no_json(exchange.request.body)


def sends_no_object(exchange: Exchange, _: Partner) -> bool:
    """Whether the request's body is JSON and no object."""
    return not isinstance(exchange.request.json, dict | NotJson)


def lacks(*names: str) -> Condition:
    """Makes the condition that the request's JSON object has none of these members."""
    return lambda exchange, _: (isinstance(exchange.request.json, dict)
                                and not exchange.request.json.keys() & set(names))


def never_repeated(
    clause: str, what: str, when: Callable[[Exchange], bool], value_of: Callable[[Exchange], Any],
) -> HistoryInvariant:
    """Makes the invariant that a text is another one in each exchange of a run.

    It is exercised by each text that might have repeated an earlier one.
    """
    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        first: dict[str, Exchange] = {}
        for exchange in exchanges:
            value = value_of(exchange)
            if not isinstance(value, str) or not value:
                continue
            if value in first:
                yield Broken(f"another {what} in each exchange",
                             f"{describe(value)} already stood in exchange {first[value].number}", exchange)
            elif first:
                yield Held()
            first.setdefault(value, exchange)
    return HistoryInvariant(clause, when, judge, at_least=None)


def secrets_kept(clause: str) -> HistoryInvariant:
    """Makes the invariant that no response, and no message of a WebSocket, holds a credential of the profile.

    It reads the journal: where a credential stood in a response, in whatever encoding, redaction has put its mark.
    """
    def judge(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[Broken | Held]:
        mark = re.compile(rf"\[redacted ({'|'.join(map(re.escape, profile.credentials))}) [0-9a-f]+\]")
        for exchange in exchanges:
            if exchange.response is None:
                continue
            places = {f"header {name}": value for name, value in exchange.response.headers}
            places["the body"] = exchange.response.body.decode("utf-8", "replace")
            places |= {f"message {number}": message.body.decode("utf-8", "replace")
                       for number, message in enumerate(exchange.events, start=1)}
            found = {place: match[1] for place, text in places.items() if (match := mark.search(text))}
            for place, name in found.items():
                yield Broken("a response without credentials", f"{name} stands in {place}", exchange)
            if not (found or exchange.is_page):
                yield Held()
    # A page in the API's place proves nothing, but may be where a credential stands.
    return HistoryInvariant(clause, lambda exchange: exchange.response is not None, judge, at_least=None)
