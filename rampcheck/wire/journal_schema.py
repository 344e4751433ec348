"""The schema of a journal, and what of a foreign, an old or an edited one does not follow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from rampcheck import resources

LONGEST = 200  # characters of a mistake
FORMATS = FormatChecker(formats=())  # days and times as they are read here


@FORMATS.checks("date-time")
@FORMATS.checks("date")
def _is_time(value: object) -> bool:
    try:
        return not isinstance(value, str) or bool(datetime.fromisoformat(value))
    except ValueError:
        return False


@cache
def schema() -> dict[str, Any]:
    """Gives the JSON Schema (2020-12) of a record of journal.jsonl."""
    loaded: dict[str, Any] = json.loads(resources.schema("journal").read_text(encoding="utf-8"))
    return loaded


class _Kind:
    """The schema of one kind of record, so that a mistake is told of that one and of no other.

    Of thousands of records hardly one is wrong: jsonschema_rs says so a hundred times faster, jsonschema says what is.
    """

    def __init__(self, name: str) -> None:
        own = {key: value for key, value in schema().items() if key != "oneOf"} | {"$ref": f"#/$defs/{name}"}
        self._explaining = Draft202012Validator(own, format_checker=FORMATS)
        self._deciding = jsonschema_rs.Draft202012Validator(
            own, validate_formats=True, formats={"date-time": _is_time, "date": _is_time}
        )

    def mistake(self, record: Any) -> ValidationError | None:
        try:
            if self._deciding.is_valid(record):
                return None
        except ValueError:  # a lone surrogate, or else what no text of JSON holds: then the slow one says
            pass
        found: ValidationError | None = best_match(self._explaining.iter_errors(record))
        return found


@cache
def _kinds() -> Mapping[str, _Kind]:
    names = (branch["$ref"].rpartition("/")[2] for branch in schema()["oneOf"])
    return {name: _Kind(name) for name in names}


def mistake(record: Any) -> str:
    """Says in a line why `record` is none of a journal; "" where it is one."""
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        return "it is no JSON object with a `kind`"
    kind = _kinds().get(record["kind"])
    if kind is None:
        return f"no record is of the kind {record['kind'][:LONGEST]!r}"
    error = kind.mistake(record)
    if error is None:
        return ""
    return f"{record['kind']}{error.json_path[1:]}: {error.message[:LONGEST]}"
