"""What is printed, on consoles of any width and encoding."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from rampcheck import outlets
from rampcheck.report.console import say
from rampcheck.report.outline import CLAUSE_VERDICTS, RUN_VERDICTS

ID = "suites/proof/test_auth.py::test_a_scenario_with_a_long_name[with-a-parameter]"


@pytest.mark.parametrize("width", [1, 10, 20, 40, 79, 200])
def test_an_id_is_never_broken(width: int) -> None:
    """A path, a URL or an id stands in one line, at any width; what is around it is folded."""
    console = Console(file=io.StringIO(), width=width)
    say(console, f"some words before {ID}, and https://sandbox.example/{'x' * 60} after", "  label ")
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert [line for line in lines if ID in line]
    assert [line for line in lines if f"https://sandbox.example/{'x' * 60}" in line]
    assert width >= 200 or len(lines) > 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp850", "utf-8"])
def test_a_narrow_encoding_gets_plain_characters(encoding: str) -> None:
    """Every symbol of ours is one character there that means the same each time; what is foreign is an escape."""
    words = (*CLAUSE_VERDICTS.values(), *RUN_VERDICTS.values())
    file = io.BytesIO()
    stream = io.TextIOWrapper(file, encoding=encoding, errors=outlets.NARROW)
    stream.write("".join(word.symbol for word in words) + "\u6f22…→")
    stream.flush()
    text = file.getvalue().decode(encoding)
    if encoding == "utf-8":
        assert text == "".join(word.symbol for word in words) + "\u6f22…→"
    else:
        assert "\\u6f22" in text
        assert "\\u" not in text.replace("\\u6f22", "")


def test_different_verdicts_have_different_plain_symbols() -> None:
    """Of a clause: nothing is told by colour alone, there neither."""
    shown = [outlets.PLAIN.get(word.symbol, word.symbol) for word in CLAUSE_VERDICTS.values()]
    assert len(set(shown)) == len(shown)


def test_a_twin_of_what_is_no_file_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a test has put something in the place of standard output."""
    held = io.StringIO()
    monkeypatch.setattr(sys, "stdout", held)
    assert outlets.twin() is held
