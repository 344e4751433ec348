"""What tests of belief share: a server that answers a suspect by turns, and what a run wrote of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rampcheck.running.scenario import Target
from tests.answering import SESSION
from tests.scripted import Respond, well

SUSPECT = "suspect"

Open = Callable[..., Target]


def records(target: Target, kind: str) -> list[dict[str, Any]]:
    """Gives the journal's records of a kind."""
    target.judge.settle()
    journal = target.judge._journal.path
    lines = journal.read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def found(target: Target, *, scenario: str = "scenario") -> set[str]:
    """Gives the clauses that something but the schema found broken."""
    return {record["clause"] for record in records(target, "finding") if record["judge"] == scenario}


def on(value: str, *answers: bytes | None, then: bytes | None = SESSION) -> Respond:
    """Makes the server that gives these answers to requests whose user is `value`, one by one, `then` after them."""
    waiting = list(answers)

    def respond(body: dict[str, Any]) -> bytes | None:
        if body.get("partner_user_id") != value:
            return well(body)
        return waiting.pop(0) if waiting else then

    return respond
