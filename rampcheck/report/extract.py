"""The part of what a target sent that is the evidence of a finding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rampcheck.display import shorten
from rampcheck.wire.journal_records import Content, ExchangeRecord

LONGEST = 400  # characters shown of a body where all of it is meant, and of a member's value
LONGEST_READ = 200_000  # characters up to which a body is read for its members


def extract(exchange: ExchangeRecord, about: Sequence[str]) -> str:
    """Gives what a finding says is wrong with what the target sent, by a journal's exchange record.

    Of an answer, that is its status and its members; of a webhook, which is a request of the target's, its members.
    `about` names the parts, as results.json has it: `status`, `body`, `body.NAME`. Empty where they name no
    part of the body, or only members that it lacks, where there is nothing that can be read, and of a WebSocket, whose
    messages are the evidence.
    """
    asked, response = exchange["request"], exchange["response"]
    is_answer = exchange["direction"] == "outgoing"
    sent: Content | None = response if is_answer else asked
    members = [part.removeprefix("body.").partition(".")[0] for part in about if part.startswith("body.")]
    if sent is None or not (members or "body" in about) or sent["encoding"] == "base64" or exchange["messages"]:
        return ""
    body = sent["body"]
    value = _object(body)
    shown = _members(value, members) if value is not None else ""
    if not shown and value and members and "status" not in about:
        return ""  # what is missing cannot be shown; that it is missing, the finding says
    if not shown and body:
        shown = shorten(" ".join(body.split()), LONGEST)
    began = f"HTTP {response['status']}" if is_answer and response is not None else asked["method"]
    return f"{began}, {shown or 'no body'}"


def _object(body: str) -> dict[str, Any] | None:
    """Gives the JSON object that a body is, or None."""
    if len(body) > LONGEST_READ:
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _members(value: Mapping[str, Any], names: Sequence[str]) -> str:
    """Gives an object with nothing but these members, or nothing where it has none of them."""
    told = [f'"{name}": {_told(value[name])}' for name in dict.fromkeys(names) if name in value]
    rest = len(value) - len(told)
    return "{" + ", ".join([*told, *([f"… {rest} more"] if rest else [])]) + "}" if told else ""


def _told(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), LONGEST)
