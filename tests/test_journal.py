"""The journal: what takes its time is there as it comes, redacted, and counts once."""

from __future__ import annotations

import json
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest

from rampcheck.wire.client import Lane
from rampcheck.wire.exchanges import Exchange, Message
from rampcheck.wire.journal import Journal, exchange_records, folded, from_record, read_records, timestamp
from rampcheck.wire.recipes import Recipes
from rampcheck.wire.redaction import Redactor
from tests import samples

SECRET = "the-token-of-a-partner"
STARTED = 1_800_000_000.0


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal that knows a secret."""
    redactor = Redactor(b"key")
    redactor.add("client_token", SECRET)
    return Journal(tmp_path / "journal.jsonl", redactor, frozenset({"init_token"}))


def upgrade(number: int = 3) -> Exchange:
    """A WebSocket that has just been opened."""
    return from_record(
        samples.exchange(
            number,
            101,
            "",
            final=True,
            path="/events",
            protocol="websocket",
            started=timestamp(STARTED),
            elapsed_ms=20.0,
        )
    )


def told(seconds: float, body: str = "{}") -> Message:
    """A message that came so many seconds after the beginning."""
    return Message("incoming", STARTED + seconds, body.encode())


def records(journal: Journal) -> list[dict[str, Any]]:
    """What stands in a journal."""
    return list(read_records(journal.path))


def test_a_websocket_that_was_not_closed_is_what_came(journal: Journal) -> None:
    """Of a WebSocket without its last word, the messages are there, and it lasted until the last of them."""
    journal.begun(upgrade())
    journal.message(3, told(1))
    journal.message(3, told(2.5))
    (found,) = exchange_records(folded(records(journal))).values()
    read = from_record(found)
    assert [message.at - STARTED for message in read.messages] == [1, 2.5]
    assert (read.accepted, read.elapsed, found["held"]) == (True, 2.5, [])


def test_the_last_word_counts_alone(journal: Journal) -> None:
    """An exchange that is over is read once, with its own messages."""
    journal.begun(upgrade())
    journal.message(3, told(1))
    journal.exchange(
        from_record({**samples.exchange(3, 101, "", final=True, path="/events", protocol="websocket"), "messages": []}),
        ["a.clause"],
    )
    journal.message(3, told(2))
    (found,) = folded(records(journal))
    assert (found["kind"], found["messages"], found["held"]) == ("exchange", [], ["a.clause"])


def test_what_comes_is_redacted_as_it_comes(journal: Journal) -> None:
    """No secret is on disk between a message and the end of its WebSocket."""
    journal.begun(upgrade())
    journal.message(3, told(1, json.dumps({"init_token": "handed-out-just-now", "echo": SECRET})))
    journal.message(3, told(2, "again: handed-out-just-now"))
    text = journal.path.read_text(encoding="utf-8")
    assert "handed-out-just-now" not in text
    assert SECRET not in text
    assert [line.count("[redacted init_token") for line in text.splitlines()[1:]] == [1, 1]


def test_the_beginning_is_redacted(journal: Journal) -> None:
    """Names and texts at any depth of a profile pass the redactor, and nothing else changes."""
    given = {"base_url": f"https://user:password@host/{SECRET}", "triggers": {SECRET: {"n": [1, True, None, SECRET]}}}
    text = json.dumps(journal.redactor.data(given))
    assert SECRET not in text
    assert "password" not in text
    assert "[1, true, null, " in text


def test_what_a_request_makes_up_hides_nothing_elsewhere(tmp_path: Path) -> None:
    """A hostile text is hidden in a member that is hidden, and nowhere else; nor is a text that shares much of it."""
    redactor = Redactor(b"key")
    journal = Journal(tmp_path / "journal.jsonl", redactor, frozenset({"user_email"}), recipes=Recipes({}, redactor))
    made_up, redirect = "${jndi:ldap://rampcheck.example/x}", "https://rampcheck.example/done"
    asked = from_record(
        samples.exchange(1, 400, json.dumps({"user_email": made_up}), json.dumps({"user_email": made_up}))
    )
    hidden = journal.exchange(asked)
    assert hidden["response"] is not None
    assert made_up not in hidden["request"]["body"] + hidden["response"]["body"]
    body = json.dumps({"redirect_url": redirect, "note": made_up})
    shown = journal.exchange(from_record(samples.exchange(2, 200, body, body)))
    assert shown["response"] is not None
    assert shown["request"]["body"] == shown["response"]["body"] == body


def finding(clause: str) -> dict[str, Any]:
    """A finding of a generated request."""
    return {"kind": "generated", "clause": clause, "scenario": "s"}


def test_findings_of_generated_requests_count_once() -> None:
    """As long as nothing says which of them stay, all do; then only these."""
    cut = folded([finding("a"), finding("b")])
    assert [(record["kind"], record["clause"]) for record in cut] == [("finding", "a"), ("finding", "b")]
    shrunk = [finding("a"), finding("b"), {**finding("b"), "kind": "finding"}, {"kind": "shrunk", "scenario": "s"}]
    assert folded(shrunk) == [{**finding("b"), "kind": "finding"}]


def test_no_two_processes_give_a_number() -> None:
    """The processes that a run begins with, and all that replace killed ones, number apart, however much each sends."""
    lanes = [Lane("run", index, 3) for index in range(9)]
    numbers = list(chain.from_iterable(islice(lane.numbers(), 1000) for lane in lanes))
    assert len(set(numbers)) == len(numbers)
    assert list(islice(lanes[1].numbers(), 3)) == [2, 5, 8]
