"""Recorded traffic a line of JSON each: the small shape of `rampcheck schema traffic`, and journals of runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from rampcheck import resources
from rampcheck.recorded.entries import (
    BODY,
    ELAPSED,
    HEADERS,
    MESSAGES,
    QUERY,
    STARTED,
    Entry,
    Side,
    content,
    moment,
    seconds,
)
from rampcheck.recorded.wholeness import note_cut
from rampcheck.wire.exchanges import Headers, Message
from rampcheck.wire.journal import from_record
from rampcheck.wire.journal_records import ExchangeRecord

LONGEST = 200  # characters of a mistake
OWN = ("number", "protocol", "direction", "scenario", "attempt", "final", "credential", "authenticated", "held")


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(resources.schema("traffic").read_text(encoding="utf-8")))


def entry_of(line: Any, where: str) -> Entry:
    """Gives the entry of a line of traffic. Raises `ValueError`, which says what is wrong with it."""
    error = best_match(_validator().iter_errors(line))
    if error is not None:
        # Other messages quote what stands there.
        wrong = error.message[:LONGEST] if error.validator == "required" else f"it breaks `{error.validator}`"
        raise ValueError(f"{error.json_path[1:].lstrip('.') or 'the line'}: {wrong}")
    request, response = line["request"], line["response"]
    entry = Entry(
        where,
        line["method"].upper(),
        line["url"],
        _side(request, "request"),
        response["status"],
        _side(response, "response"),
    )
    if line.get("incoming"):
        entry.own = {"protocol": "webhook", "direction": "incoming"}
    note_cut(entry)
    started, elapsed = moment(line.get("started")), seconds(line.get("elapsed_ms"))
    if started is None:
        entry.lacking[STARTED] = "when it was sent is not recorded"
    if elapsed is None:
        entry.lacking[ELAPSED] = "how long it took is not recorded"
    entry.started, entry.elapsed = started or 0.0, elapsed or 0.0
    if line.get("query_left_out"):
        entry.lacking[QUERY] = "the query of the URL is not recorded"
    if entry.url[:2] == "ws":
        _messages(line.get("messages"), entry)
    return entry


def _side(told: Mapping[str, Any], whose: str) -> Side:
    side = Side(_headers(told.get("headers", {})))
    if "headers" not in told:
        side.lacking[HEADERS] = "headers are not recorded"
    try:
        side.body = content(told.get("body"), told.get("encoding"))
    except ValueError as problem:
        side.lacking[BODY] = f"the {whose}'s body is {problem}"
    if told.get("truncated"):
        side.lacking[BODY] = f"the {whose}'s body is cut off"
    return side


def _headers(told: Mapping[str, Any] | list[list[str]]) -> Headers:
    if isinstance(told, list):
        return tuple((name, value) for name, value in told)
    return tuple(
        (name, value) for name, values in told.items() for value in (values if isinstance(values, list) else [values])
    )


def _messages(listed: Any, entry: Entry) -> None:
    if listed is None:
        entry.lacking[MESSAGES] = "the messages of the WebSocket are not recorded"
        return
    try:
        entry.messages = tuple(
            Message(one["direction"], moment(one["at"]) or 0.0, content(one["body"], one.get("encoding")), one["kind"])
            for one in listed
        )
    except ValueError:
        entry.lacking[MESSAGES] = "the messages of the WebSocket cannot be read"


def of_journal(record: Any, where: str) -> Entry | None:
    """Gives the entry of a journal's record, None where it is of no exchange that was answered.

    Raises `ValueError` where it cannot be read.
    """
    if not isinstance(record, dict) or record.get("kind") != "exchange" or record.get("response") is None:
        return None
    try:
        exchange = from_record(cast("ExchangeRecord", record))
        own = {name: record[name] for name in OWN}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"it is no record of a journal: {type(error).__name__} {error}") from None
    answer = exchange.response
    return Entry(
        where,
        exchange.request.method,
        exchange.request.url,
        Side(exchange.request.headers, exchange.request.body),
        exchange.status,
        Side(answer.headers, answer.body) if answer else Side(),
        exchange.started,
        exchange.elapsed,
        exchange.messages,
        own=own,
    )
