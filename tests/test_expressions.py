"""No regular expression of the engine, or of a suite, takes more than a time that grows with the text."""

from __future__ import annotations

import importlib
import re
import resource
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LONG = 1_000_000  # characters: what takes the square of it takes minutes
PATIENCE = 60  # seconds of a processor for all the texts of one expression, which take two or three

# What the expressions are made of: words with which they begin or end, and characters that they repeat.
REPEATED = (
    "[\n",
    "a://",
    "SELECT ",
    "<title",
    "/usr/",
    "[redacted ",
    "at a",
    "://",
    "http://",
    "a:",
    'File "',
    '\\"',
    "\\'",
    "\\",
    "\\u",
    "`",
    '"',
    "'",
    "[",
    "{",
    '"a",\n',
    "${",
    "%",
    "=",
    "?",
    "&",
    "#",
    "/",
    "@",
    "a.a@",
    ".",
    "a.",
    "-",
    "1",
    "1.",
    "a",
    "A",
    " ",
    "\n",
    ",",
    ":",
    ";",
    "\u200b",
    "a://:",
)
# How an expression is used, where it is not looked for anywhere in a text.
USED = {
    "rampcheck.wire.redaction._COLON": "match",
    "references.proof.request.EMAIL": "fullmatch",
    "suites.proof.invariants.session.DECIMAL_AT_BEST": "fullmatch",
}


def expressions() -> dict[str, re.Pattern[Any]]:
    """Every compiled expression that a module of the engine, or of a suite, holds under a name."""
    files = [file for part in ("rampcheck", "suites", "references") for file in (ROOT / part).rglob("*.py")]
    found: dict[str, re.Pattern[Any]] = {}
    for file in files:
        if "re.compile(" in file.read_text(encoding="utf-8"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            for name, value in vars(importlib.import_module(module)).items():
                if isinstance(value, re.Pattern):
                    found[f"{module}.{name}"] = value
    return found


def texts() -> Iterator[str]:
    """Each word over and over, with an end that fits nothing; some of them also after what begins an address."""
    for word in REPEATED:
        yield word * (LONG // len(word)) + "\x00"
    for word in (":", "a:", "a.", "a"):
        yield "a://" + word * (LONG // len(word)) + "\x00"


def attack(name: str) -> None:
    """Looks for an expression in each of the texts; the system ends the process that takes too long for it."""
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
    expression = expressions()[name]
    find = getattr(expression, USED.get(name, "finditer"))
    for text in texts():
        found = find(text if isinstance(expression.pattern, str) else text.encode())
        deque(found if isinstance(found, Iterator) else (), maxlen=0)


EXPRESSIONS = sorted(expressions())


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_comes_to_its_end(name: str) -> None:
    """Whatever is repeated in a long text."""
    subprocess.run(
        [sys.executable, "-c", f"from tests.test_expressions import attack; attack({name!r})"],
        cwd=ROOT,
        check=True,
    )
