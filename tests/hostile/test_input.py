"""Input that no one means: empty texts, odd hosts, profiles that are no profiles. Each ends with 4 and one message."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rampcheck.contract import profile
from rampcheck.errors import ProfileError
from rampcheck.options import OPTIONS
from tests.hostile.ended import BRIEF, environment, program, shell

TOKEN = {"PROOF_CLIENT_TOKEN": "a-token-of-the-tests"}
HOSTS = ("a..b", "xn--.invalid", "999.1.1.1", "a" * 64 + ".b", ".a", "[zz]", "a:99999", "")
EMPTY = [
    ("run", ""),
    ("run", " "),
    *(("run", f"--{option.name}", "") for option in OPTIONS if option.command and option.kind is not bool),
    ("run", "-k", ""),
    ("serve", "--write-profile", ""),
    ("serve", "--host", ""),
    ("clauses", ""),
    ("selftest", "--output", ""),
    (
        "selftest",
        "--contract=",
    ),
]


@pytest.mark.parametrize("arguments", EMPTY, ids=" ".join)
def test_an_empty_argument_is_a_mistake(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Whoever writes "$UNSET" does not mean the default, least of all the embedded reference."""
    ended = program(*arguments, current=tmp_path)
    assert ended.code == 4, ended.said
    assert "Traceback" not in ended.said
    assert ended.err
    assert not list(tmp_path.iterdir())


def test_an_empty_argument_of_plain_pytest_is_a_mistake(tmp_path: Path) -> None:
    """There, too."""
    suites = Path(__file__).parents[2] / "suites"
    ended = shell(f'{sys.executable} -m pytest -q -p no:cacheprovider {suites} --rampcheck-base-url ""', tmp_path)
    assert ended.code == 4, ended.said
    assert "--rampcheck-base-url is empty" in ended.err


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_is_a_mistake(host: str) -> None:
    """It is told before anything is sent."""
    with pytest.raises(ProfileError, match="base_url: is not an absolute URL"):
        profile.from_environment("proof", f"https://{host}", TOKEN)


def test_the_command_tells_it_in_one_message(tmp_path: Path) -> None:
    """From the command line to the exit code."""
    ended = program(
        "run", "--contract", "proof", "--base-url", "https://a..b", current=tmp_path, env=environment(**TOKEN)
    )
    assert ended.code == 4, ended.said
    assert len(ended.err.splitlines()) == 1  # with its cure in it
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "99999"),
        ("--port", "-1"),
        ("--host", "a..b"),
        ("--host", "8.8.8.8"),
    ],
    ids=" ".join,
)
def test_serve_listens_only_where_one_can(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A port that is none, a host that is none, or somebody else's."""
    ended = program("serve", *arguments, current=tmp_path)
    assert ended.code == 4, ended.said
    assert "Traceback" not in ended.said


def test_warnings_that_the_environment_makes_errors_are_none(tmp_path: Path) -> None:
    """A run is not changed by PYTHONWARNINGS."""
    ended = program(*BRIEF, "--output", "run", current=tmp_path, env=environment(PYTHONWARNINGS="error"))
    assert ended.code == 0, ended.said


@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "large"])
def test_what_is_no_profile_is_told_at_once(kind: str, tmp_path: Path) -> None:
    """A named pipe that nobody writes to, a folder, a device without an end, a gigabyte."""
    path = tmp_path / "profile"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 30)
    ended = program("run", str(path), current=tmp_path)
    assert ended.code == 4, ended.said
    assert "Traceback" not in ended.said


def test_two_hundred_thousand_origins_are_no_profile(tmp_path: Path) -> None:
    """What is read, and what is told of it, has a bound."""
    path = tmp_path / "profile.yaml"
    path.write_text("partner:\n  origins:\n" + "  - x\n" * 200_000, encoding="utf-8")
    with pytest.raises(ProfileError, match="is larger than 128 KiB"):
        profile.load(path, {})
    path.write_text("contract: proof\npartner:\n  origins:\n" + "  - x\n" * 2_000, encoding="utf-8")
    with pytest.raises(ProfileError, match="more mistakes") as told:
        profile.load(path, {})
    assert len(told.value.mistakes) == 21


PIECES = (
    "contract: proof\n",
    "base_url: ",
    '"\\U00110000"',
    '"\\uD800"',
    "!!int ",
    "!!str ",
    "!!float ",
    "!!bool ",
    "!!null ",
    "!!timestamp ",
    "!!binary ",
    "!!set ",
    "!!map ",
    "!!seq ",
    "!!omap ",
    "!!python/object/apply:os.system ",
    "!x ",
    "%TAG ! tag:x\n",
    "%YAML 9.9\n",
    "---\n",
    "...\n",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "a",
    '"',
    "'",
    "|\n",
    ">\n",
    "*a",
    "&a ",
    "<<",
    "0x",
    "1e999",
    ".inf",
    "2026-99-99",
    "99:99",
    "0b",
    "_",
    "-",
    "=",
    "\x00",
    "\u2028",
    "\ufeff",
    "#",
    "${A}",
    "${",
    "partner:",
    "origins:",
    "limits:",
    "=\n",
    "~",
    "\t",
    "@",
    "`",
    "%",
)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(text=st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_a_profile_holds_its_mistakes_are_told(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No text makes anything but a `ProfileError`."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError):
        profile.load(path, {})
