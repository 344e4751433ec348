"""What a target writes is no command: not to a pipeline that reads the log, and not to a terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rampcheck.display import one_line, visible
from tests.hostile import target as hostile_target
from tests.hostile.ended import Ended, environment, program, shell

KEYS = {"KRYPTONIM_API_KEY": "key-of-the-tests", "KRYPTONIM_SIGNATURE_SECRET": "secret-of-the-tests"}
# Azure Pipelines, GitHub Actions (both forms), TeamCity, and escape sequences; once at a line's beginning, and once
# after so much that a terminal of any width may begin a line with it.
COMMANDS = (
    "##vso[task.prependpath]/tmp/evil",
    "##[add-path]/tmp/evil",
    "::add-mask::conformant",
    "::error file=a::b",
    "##teamcity[buildStop]",
    "\x1b[2J\x1b]0;title\x07",
    "\r\x9b2K",
)
FOREIGN = (
    "\n".join(COMMANDS)
    + " "
    + " ".join("a" * (48 + width) + f" {command}" for width, command in enumerate(COMMANDS * 2))
)
OBEYED = re.compile(r"##[a-z]*\[|^\W*::[a-z][^\n]*?::|[\x00-\x08\x0b-\x1f\x7f-\x9f]", re.IGNORECASE | re.MULTILINE)


def header(text: str) -> str:
    """Gives a text as a header may hold it."""
    return text.replace("\n", " ").replace("\r", " ").replace("\x1b", "").replace("\x07", "").replace("\x9b", "")


# Where a target can write: each makes an answer.
PLACES: dict[str, Callable[[], bytes]] = {
    "an error's members": lambda: hostile_target.whole(
        json.dumps({"error": FOREIGN, "code": FOREIGN, "message": FOREIGN}).encode(), status="401 Unauthorized"
    ),
    "a body without an envelope": lambda: hostile_target.whole(
        json.dumps({"detail": FOREIGN}).encode(), status="422 Unprocessable Content"
    ),
    "a page's title": lambda: hostile_target.whole(
        f"<html><title>{FOREIGN}</title></html>".encode(), status="503 Service Unavailable"
    ),
    "plain text": lambda: hostile_target.whole(FOREIGN.encode(), status="400 Bad Request"),
    "the reason phrase": lambda: hostile_target.whole(b"{}", status=f"400 {header(FOREIGN)}"),
    "a redirect": lambda: hostile_target.whole(b"", f"Location: {header(FOREIGN)}", status="302 Found"),
    "the media type": lambda: hostile_target.whole(b"x", status="400 Bad Request").replace(
        b"application/json", header(COMMANDS[0]).encode()
    ),
    "an accepted session": lambda: hostile_target.whole(
        json.dumps(dict.fromkeys(("sessionId", "widgetUrl", "expiresAt", FOREIGN), FOREIGN)).encode()
    ),
    "a session with a wrong expiry": lambda: hostile_target.whole(
        hostile_target.session().replace(b'"expiresAt": "', b'"expiresAt": "' + json.dumps(FOREIGN)[1:-1].encode())
    ),
}


def outputs(ended: Ended, folder: Path) -> dict[str, str]:
    """Gives all that a pipeline may read of a run; of annotations, what stands in our own commands."""
    annotations = (folder / "annotations.txt").read_text(encoding="utf-8")
    return {
        "annotations.txt": re.sub(r"^::\w+ title=([^:,]*)::", r"\1 ", annotations, flags=re.MULTILINE),
        "standard output": ended.out,
        "standard error": ended.err,
        "summary.md": (folder / "summary.md").read_text(encoding="utf-8"),
    }


@pytest.mark.parametrize(
    ("place", "plain"),
    [
        *((place, False) for place in PLACES),
        ("an error's members", True),
        ("an accepted session", True),
    ],
)
def test_nothing_that_a_target_writes_is_obeyed(place: str, plain: bool, tmp_path: Path) -> None:
    """Wherever it writes, and whoever runs the suite: no output has a command in it, and each tells of the answer."""
    with hostile_target.serve(hostile_target.answering(PLACES[place])) as url:
        env = environment(**KEYS, COLUMNS="80")
        if plain:
            suites = Path(__file__).parents[2] / "suites" / "kryptonim"
            ended = shell(
                f"exec {sys.executable} -m pytest -p no:cacheprovider -vv {suites} --rampcheck-output run "
                "--rampcheck-clause kryptonim.auth.signature-required --rampcheck-contract kryptonim "
                f"--rampcheck-base-url {url}",
                tmp_path,
                env,
            )
        else:
            ended = program(
                "run",
                "--contract",
                "kryptonim",
                "--base-url",
                url,
                "--output",
                "run",
                "--clause",
                "kryptonim.auth.signature-required",
                current=tmp_path,
                env=env,
            )
    assert ended.code in {1, 5}, ended.said
    for name, text in outputs(ended, tmp_path / "run").items():
        assert not (found := OBEYED.findall(text)), f"{name}: {found}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_becomes_an_escape(command: str) -> None:
    """Alone, in the middle, after white space, in pieces that a fold puts together, and cut."""
    for text in (command, f"a{command}", f" \t{command}", command.replace("[", "[\n"), f"{command}{command}"):
        assert not OBEYED.search(visible(text)), text
        for limit in range(1, len(text) + 1):
            assert not OBEYED.search(one_line(text, limit)), text
    assert visible(visible(command)) == visible(command)


def test_what_is_no_command_stays() -> None:
    """A test's id, an address, a heading."""
    for text in ("suites/proof/test_auth.py::test_origin[a-b]", "[::1]:8080", "## Heading [link]", "std::string"):
        assert visible(text) == text
