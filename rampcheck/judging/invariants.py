"""Building blocks of judgements of one exchange, in the words of the field; of a whole run: `history`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, unquote

from rampcheck.contract.profile import Partner
from rampcheck.contract.register import path_matches
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import BODY, STATUS, Broken, Invariant, member
from rampcheck.wire.exchanges import Exchange, http_date
from rampcheck.wire.json_text import NotJson
from rampcheck.wire.recipes import Digest, computed

Condition = Callable[[Exchange, Partner], bool]


def asked(exchange: Exchange, name: str) -> Any:
    """Gives a member of the request's JSON object, None where it is absent."""
    value = exchange.request.json
    return value.get(name) if isinstance(value, dict) else None


def given(exchange: Exchange, name: str) -> Any:
    """Gives a member of the response's JSON object, None where it is absent."""
    return exchange.response.member(name) if exchange.response else None


def query(exchange: Exchange, name: str) -> str | None:
    """Gives the first value of a parameter of the request's query, percent-decoded; None where it is absent."""
    pairs = parse_qsl(exchange.query, keep_blank_values=True)
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
        return (
            exchange.protocol == self.protocol
            and exchange.request.method == self.method
            and path_matches(self.path, exchange.path.partition("?")[0])
        )

    def answered(self, exchange: Exchange, _: Partner | None = None) -> bool:
        """Whether this endpoint answered with a 2xx, or upgraded the connection."""
        return self.asked(exchange) and exchange.accepted

    def parameter(self, exchange: Exchange) -> str | None:
        """Gives the value of the path's parameter, percent-decoded; None for a request to another endpoint."""
        given = exchange.path.partition("?")[0]
        if not path_matches(self.path, given):
            return None
        return next(
            (
                unquote(actual)
                for wanted, actual in zip(self.path.split("/"), given.split("/"), strict=True)
                if wanted.startswith("{")
            ),
            None,
        )

    def answered_with(self, *names: str) -> Condition:
        """Makes the condition that a 2xx is an object with these members; a missing one is the schema's to judge."""

        def holds(exchange: Exchange, _: Partner) -> bool:
            answer = exchange.response.json if exchange.response else None
            return (
                self.answered(exchange)
                and isinstance(answer, dict)
                and all(answer.get(name) is not None for name in names)
            )

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
        lambda exchange, _: (
            Broken(f"a refusal of a request with {fault}", exchange.summary(), about=(STATUS,))
            if exchange.accepted
            else None
        ),
        exercises=False,
    )


def succeeds_with(clause: str, endpoint: Endpoint, status: int) -> Invariant:
    """Makes the invariant that an endpoint accepts with this status, and with no other 2xx."""
    return Invariant(
        clause,
        endpoint.answered,
        lambda exchange, _: (
            None
            if exchange.status == status
            else Broken(str(status), f"{exchange.summary()}, which is another success", about=(STATUS,))
        ),
        exercises=False,
    )


def not_a_gateways(clause: str, when: Condition) -> Invariant:
    """Makes the invariant that is exercised by each refusal, to which `when` applies, that is the API's own.

    Whether a gateway's page breaks the clause is seen only where it comes whenever a request is asked again, which is
    judged by `confirmation`.
    """
    return Invariant(
        clause,
        lambda exchange, partner: (
            when(exchange, partner)
            and 400 <= exchange.status < 500
            and exchange.response is not None
            and isinstance(exchange.response.json, dict)
        ),
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
    """Whether the request's body is no JSON to any parser, and is not said to be anything else, a form for one."""
    said = (exchange.request.header("content-type") or "").partition(";")[0].strip().lower()
    return (not said or is_json_type(said)) and is_no_json(exchange.request.body)


def sends_no_object(exchange: Exchange, _: Partner) -> bool:
    """Whether the request's body is JSON and no object."""
    return not isinstance(exchange.request.json, dict | NotJson)


def lacks(*names: str) -> Condition:
    """Makes the condition that the request's JSON object has none of these members."""
    return lambda exchange, _: isinstance(exchange.request.json, dict) and not exchange.request.json.keys() & set(names)


# What a member of an accepted answer holds


def locked(
    clause: str,
    endpoint: Endpoint,
    name: str,
    to: Callable[[Exchange, Partner], Any],
    *,
    demanded: bool = False,
) -> Invariant:
    """Makes the invariant that a member of an accepted answer holds what `to` gives, in value and type.

    Nothing is judged where that is None. A member that is missing, or null, is the schema's to judge, unless it is
    `demanded` here.
    """
    answered = endpoint.answered_with(*([] if demanded else [name]))
    return Invariant(
        clause,
        lambda exchange, partner: answered(exchange, partner) and to(exchange, partner) is not None,
        lambda exchange, partner: same(name, to(exchange, partner), given(exchange, name)),
    )


def asked_text(name: str) -> Callable[[Exchange, Partner], str | None]:
    """Makes what gives a string of the request's JSON object; None where it is absent, or no string."""

    def text(exchange: Exchange, _: Partner) -> str | None:
        value = asked(exchange, name)
        return value if isinstance(value, str) else None

    return text


def echoes(clause: str, endpoint: Endpoint, name: str) -> Invariant:
    """Makes the invariant that a string of the request comes back unchanged, character for character."""
    return locked(clause, endpoint, name, asked_text(name))


def one_of(
    clause: str,
    endpoint: Endpoint,
    name: str,
    choices: Callable[[Exchange, Partner], Collection[Any] | None],
) -> Invariant:
    """Makes the invariant that a member of an accepted answer is one of what the request, or the profile, allows.

    Nothing is judged where `choices` gives None. What any answer may hold is said in the document, as an `enum`.
    """

    def judge(exchange: Exchange, partner: Partner) -> Broken | None:
        allowed, actual = choices(exchange, partner) or (), given(exchange, name)
        if any(same(name, choice, actual) is None for choice in allowed):
            return None
        return Broken(f"`{name}`: one of {', '.join(map(describe, allowed))}", describe(actual), about=(member(name),))

    answered = endpoint.answered_with(name)
    return Invariant(
        clause, lambda exchange, partner: answered(exchange, partner) and choices(exchange, partner) is not None, judge
    )


def creation_times(exchange: Exchange) -> Iterator[tuple[float, float]]:
    """Gives the earliest and latest moment at which an answer was made, by this machine's clock and the target's.

    In seconds since the epoch. The target's clock is the response's `Date` header, which has whole seconds
    (RFC 9110 section 6.6.1).
    """
    yield exchange.started, exchange.ended
    date = exchange.response.header("date") if exchange.response else None
    if (sent := http_date(date or "")) is not None:
        yield sent.timestamp() - exchange.elapsed, sent.timestamp() + 1


def expires_after(
    clause: str,
    endpoint: Endpoint,
    name: str,
    lifetime: Callable[[Exchange], float | None],
    tolerance: float,
) -> Invariant:
    """Makes the invariant that the time in a member is so long after the answer, by either clock.

    `lifetime` gives the seconds, of all sessions or of what the request asks for, and None where nothing is promised;
    `tolerance` is in seconds too. What is no string, or names no time zone, is the schema's to judge.
    """

    def judge(exchange: Exchange, _: Partner) -> Broken | None:
        text, seconds = given(exchange, name), lifetime(exchange) or 0
        try:
            end = datetime.fromisoformat(text.upper())
        except ValueError:
            return Broken(f"`{name}`: a date and a time", describe(text), about=(member(name),))
        moments = list(creation_times(exchange))
        if end.tzinfo is None or any(
            first - tolerance <= end.timestamp() - seconds <= last + tolerance for first, last in moments
        ):
            return None
        late = (end.timestamp() - moments[-1][1]) / 60
        return Broken(
            f"`{name}`: {seconds / 60:g} minutes after the session's creation",
            f"{describe(text)}, {late:.1f} minutes after the response",
            about=(member(name),),
        )

    return Invariant(
        clause,
        lambda exchange, _: (
            endpoint.answered(exchange) and isinstance(given(exchange, name), str) and lifetime(exchange) is not None
        ),
        judge,
    )


# What is signed


def hmac_hex(body: bytes, secret: str | bytes, algorithm: str = "sha256") -> str:
    """Gives the HMAC (RFC 2104) of a body under `secret` in lower-case hexadecimal; `algorithm` is one of hashlib's."""
    return computed(Digest(algorithm, body, secret.encode() if isinstance(secret, str) else secret))


def hash_hex(content: bytes) -> str:
    """Gives the SHA-256 in lower-case hexadecimal."""
    return computed(Digest("sha256", content))


def signed(
    clause: str,
    when: Condition,
    header: str,
    fits: Callable[[bytes, str, Partner], bool],
) -> Invariant:
    """Makes the invariant that what the target sends, a webhook or an answer, is signed over its exact bytes.

    `fits(body, signature, partner)` says whether a signature is right: `hmac_hex` makes the one for a shared secret,
    a library the one for a public key (Ed25519) that the profile gives.
    """

    def judge(exchange: Exchange, partner: Partner) -> Broken | None:
        sent = exchange.request if exchange.direction == "incoming" else exchange.response
        signature = sent.header(header) if sent else None
        if sent is not None and signature is not None and fits(sent.body, signature, partner):
            return None
        return Broken(
            f"a signature over the exact bytes of the body in {header}",
            "one that does not fit" if signature else f"no {header}",
        )

    return Invariant(clause, when, judge)


# What only moves forward


def moves_forward(
    clause: str,
    when: Condition,
    told: Callable[[Exchange], Sequence[Any]],
    ranks: Mapping[str, int],
    final: Collection[str],
) -> Invariant:
    """Makes the invariant that of the statuses that an exchange tells none goes back, and a final one is the last.

    What is in no `ranks`, or no text, is the schema's to judge. The same status twice in a row goes neither way.
    """

    def texts(exchange: Exchange) -> list[str]:
        return [status for status in told(exchange) if isinstance(status, str)]

    def judge(exchange: Exchange, _: Partner) -> Broken | None:
        statuses = texts(exchange)
        for before, after in pairwise(statuses):
            is_after_the_end = before in final and after != before
            if is_after_the_end or ranks.get(after, max(ranks.values())) < ranks.get(before, min(ranks.values())):
                return Broken("statuses that go forward, a terminal one last", f"the events: {', '.join(statuses)}")
        return None

    return Invariant(
        clause,
        lambda exchange, partner: (
            when(exchange, partner) and (len(texts(exchange)) > 1 or not set(final).isdisjoint(texts(exchange)))
        ),
        judge,
    )
