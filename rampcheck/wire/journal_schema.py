"""The schema of a journal, and what of a foreign, an old or an edited one does not follow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from rampcheck import resources

LONGEST = 200  # characters of a mistake
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
@_FORMATS.checks("date", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@cache
def schema() -> dict[str, Any]:
    """Gives the JSON Schema (2020-12) of a record of journal.jsonl."""
    loaded: dict[str, Any] = json.loads(resources.schema("journal").read_text(encoding="utf-8"))
    return loaded


@cache
def _validators() -> Mapping[str, Draft202012Validator]:
    """Gives what holds a record to the schema of its kind, so that a mistake is told of that one and of no other."""
    whole = {name: value for name, value in schema().items() if name != "oneOf"}
    kinds = (branch["$ref"] for branch in schema()["oneOf"])
    return {
        kind.rpartition("/")[2]: Draft202012Validator({**whole, "$ref": kind}, format_checker=_FORMATS)
        for kind in kinds
    }


def mistake(record: Any) -> str:
    """Says in a line why `record` is none of a journal; "" where it is one."""
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        return "it is no JSON object with a `kind`"
    validator = _validators().get(record["kind"])
    if validator is None:
        return f"no record is of the kind {record['kind'][:LONGEST]!r}"
    error = best_match(validator.iter_errors(record))
    if error is None:
        return ""
    return f"{record['kind']}{error.json_path[1:]}: {error.message[:LONGEST]}"
