"""The part of an answer that is the evidence of a finding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rampcheck.display import shorten
from rampcheck.wire.journal_records import ExchangeRecord

LONGEST = 400  # characters shown of a body where all of it is meant, and of a member's value
LONGEST_READ = 200_000  # characters up to which a body is read for its members


def extract(exchange: ExchangeRecord, about: Sequence[str]) -> str:
    """Gives what a finding says is wrong with the answer of a journal's exchange record: its status, its members.

    `about` names the parts, as results.json has it: `status`, `body`, `body.NAME`. Empty where they name no
    part of the body, or only members that it lacks, and where there is no answer that can be read.
    """
    response = exchange["response"]
    members = [part.removeprefix("body.").partition(".")[0] for part in about if part.startswith("body.")]
    if response is None or not (members or "body" in about) or response["encoding"] == "base64":
        return ""
    body = response["body"]
    value = _object(body)
    shown = _members(value, members) if value is not None else ""
    if not shown and value and members and "status" not in about:
        return ""  # what is missing cannot be shown; that it is missing, the finding says
    if not shown and body:
        shown = shorten(" ".join(body.split()), LONGEST)
    return f"HTTP {response['status']}, {shown or 'no body'}"


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
