"""results.json: the one document that every report is rendered from, held to a versioned schema."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from rampcheck import resources
from rampcheck.errors import RampcheckError, UsageError
from rampcheck.judging.results import ClauseResult, Results
from rampcheck.wire.journal_schema import FORMATS

FILE_NAME = "results.json"
MOST_NAMED = 5  # runs inside a folder that is none
MOST_MISTAKES = 8


class ResultsError(RampcheckError):
    """Results that break their schema, or disagree with themselves."""


def which(folder: Path, otherwise: str) -> str:
    """Says what to do about a folder that is no run's: which of the runs in it to name, else what stands otherwise.

    A report of both sides (`rampcheck bind`) holds two.
    """
    inside = sorted(str(found.parent) for found in folder.glob(f"*/{FILE_NAME}"))
    return f"It holds several runs; name one: {', '.join(inside[:MOST_NAMED])}." if inside else otherwise


@cache
def schema() -> dict[str, Any]:
    """Gives the JSON Schema (2020-12) of results.json."""
    loaded: dict[str, Any] = json.loads(resources.schema("results").read_text(encoding="utf-8"))
    return loaded


def validate(results: Any, origin: str = FILE_NAME) -> None:
    """Raises `ResultsError`, one line for each of the first mistakes, unless `results` are valid.

    They follow the schema, clause ids are unique, their sections exist, the counts are true, and what follows from
    another clause follows from one that failed, or is waived, by itself.
    """
    errors = sorted(
        Draft202012Validator(schema(), format_checker=FORMATS).iter_errors(results), key=lambda error: error.json_path
    )
    mistakes = [f"{error.json_path}: {error.message[:200]}" for error in errors] or _disagreements(results)
    if mistakes:
        told = mistakes[:MOST_MISTAKES]
        if more := len(mistakes) - len(told):
            told.append(f"and {more:,} mistakes more: is it another file?")
        raise ResultsError(
            "\n".join(f"{origin}: {mistake}" for mistake in told),
            "Render it with the version of rampcheck that wrote it, or run again.",
        )


def _disagreements(results: Results) -> list[str]:
    """What the schema cannot say."""
    clauses = results["clauses"]
    sections = {section["id"] for section in results["sections"]}
    verdicts = Counter[str](clause["verdict"] for clause in clauses)
    mistakes = [f"clause {name} occurs {n} times" for name, n in Counter(c["id"] for c in clauses).items() if n > 1]
    mistakes += [
        f"clause {clause['id']} belongs to the section {clause['section']}, which is not listed"
        for clause in clauses
        if clause["section"] not in sections
    ]
    mistakes += [
        f"counts.{verdict} is {count}, but {verdicts[verdict]} clauses have that verdict"
        for verdict, count in results["counts"].items()
        if verdicts[verdict] != count
    ]
    leading = {
        clause["id"]: clause["verdict"]
        for clause in clauses
        if clause["verdict"] in {"failed", "waived"} and "follows" not in clause
    }
    mistakes += [
        f"clause {clause['id']} follows from {clause['follows']}, which {_not_done(clause)} by itself"
        for clause in clauses
        if "follows" in clause and leading.get(clause["follows"]) != _root_verdict(clause)
    ]
    return mistakes


def _root_verdict(clause: ClauseResult) -> str:
    """What from which a clause follows is waived where the clause is, else it has failed."""
    return "waived" if clause["verdict"] == "waived" else "failed"


def _not_done(clause: ClauseResult) -> str:
    return "is not waived" if clause["verdict"] == "waived" else "has not failed"


def encode(results: Results) -> bytes:
    """Gives the bytes of results.json. A lone surrogate, which UTF-8 cannot hold, stays a JSON escape."""
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def load(path: Path) -> Results:
    """Gives the valid results in `path`, a results.json or the directory of a run.

    Raises `UsageError` where there is no such file or it is no JSON, `ResultsError` where it is not valid.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if file.exists() and not file.is_file():  # a pipe would be waited for without an end
        raise UsageError(f"{file}: is no file", "Name the directory of a run that was finished.")
    if file.is_file() and file.name != FILE_NAME and (file.parent / FILE_NAME).is_file():
        raise UsageError(f"{file}: is another file of that run than its {FILE_NAME}", f"Name its folder: {file.parent}")
    try:
        results = json.loads(file.read_bytes())
    except OSError as error:
        cure = "Name the directory of a run that was finished."
        raise UsageError(f"{file}: cannot be read: {error.strerror}", cure) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{file}: is not JSON: {error}",
            f"Name the folder of a run, or its {FILE_NAME}. If that was cut off, run again.",
        ) from error
    validate(results, str(file))
    return cast("Results", results)
