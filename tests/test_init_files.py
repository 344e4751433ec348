"""What `rampcheck init` finds where it writes and reads: what is there is not touched, and it waits for no pipe."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rampcheck.cli import main

URL = "https://sandbox.example/api"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> Result:
    """Runs the command there."""
    return CliRunner().invoke(main, ["init", *arguments])


@pytest.mark.parametrize("more", [(), ("--contract", "proof")])
def test_a_url_is_no_name_of_a_file(more: tuple[str, ...], here: Path) -> None:
    """What is meant is told, and the login that it may hold is not; nothing is written."""
    done = init("https://someone:open-sesame-1234@sandbox.example", *more)
    assert (done.exit_code, "Write --base-url before it" in done.output) == (4, True), done.output
    assert "open-sesame" not in done.output
    assert list(here.iterdir()) == []


def test_a_profile_is_not_overwritten(here: Path) -> None:
    """Nor is anything else by that name; it is told before anything is asked."""
    (here / "proof.yaml").write_text("mine", encoding="utf-8")
    for arguments in (("--contract", "proof", "--base-url", URL), ("proof.yaml",)):
        done = init(*arguments)
        assert (done.exit_code, "proof.yaml is there already" in done.output) == (4, True)
    assert [(path.name, path.read_text(encoding="utf-8")) for path in here.iterdir()] == [("proof.yaml", "mine")]


def test_only_a_schema_makes_room_for_one(here: Path) -> None:
    """One of an earlier version is written anew; another file of its name stays."""
    schema = here / "rampcheck-proof.schema.json"
    schema.write_text('{"$id": "urn:rampcheck:schema:profile:1"}', encoding="utf-8")
    assert init("--contract", "proof", "--base-url", URL).exit_code == 0
    assert "properties" in json.loads(schema.read_text(encoding="utf-8"))
    schema.write_text("[]", encoding="utf-8")
    done = init("--contract", "proof", "--base-url", URL, "two.yaml")
    assert (done.exit_code, schema.read_text(encoding="utf-8")) == (4, "[]")
    assert not (here / "two.yaml").exists()


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_schema_that_is_no_file_is_refused(kind: str, here: Path) -> None:
    """A named pipe would never end, and what a link leads to, be it a schema, is somebody else's."""
    schema, other = here / "rampcheck-proof.schema.json", here / "other.json"
    other.write_text('{"$id": "urn:rampcheck:schema:profile:1"}', encoding="utf-8")
    before = other.read_bytes()
    if kind == "pipe":
        os.mkfifo(schema)
    else:
        schema.symlink_to(other)
    done = init("--contract", "proof", "--base-url", URL)
    assert (done.exit_code, "is no regular file\n  Move it away." in done.output) == (4, True)
    assert (other.read_bytes(), (here / "proof.yaml").exists()) == (before, False)


def test_a_response_in_a_named_pipe_is_refused(here: Path) -> None:
    """Nobody may ever write into it; standard input takes what another program says."""
    os.mkfifo(here / "answer")
    done = init("--contract", "proof", "--base-url", URL, "--from-response", "answer")
    assert (done.exit_code, "answer is a named pipe\n" in done.output) == (4, True)


def test_the_file_that_was_asked_for_is_named(here: Path) -> None:
    """Where the schema, which is written first, cannot be."""
    done = init("--contract", "proof", "--base-url", URL, "missing/mine.yaml")
    assert done.exit_code == 4
    assert "missing/mine.yaml, or rampcheck-proof.schema.json beside it, cannot be written: No such" in done.output


@pytest.mark.parametrize(
    "token",
    ["aGVsbG8tdGhpcy1pcy1hLXRva2Vu", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.x", "3f9a2c51d07b8e643f9a2c51d07b8e64"],
)
def test_what_looks_like_a_token_is_no_part_of_an_address(
    token: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has told which it is: it is neither written nor shown; by a reference it may stand there."""
    done = init("--contract", "proof", "--base-url", f"{URL}/{token}")
    told = "write ${NAME} in its place" in done.output
    assert (done.exit_code, token in done.output, told, list(here.iterdir())) == (4, False, True, [])
    monkeypatch.setenv("PART", token)
    assert init("--contract", "proof", "--base-url", f"{URL}/${{PART}}").exit_code == 0
    assert token not in (here / "proof.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "partner-integration-gateway/v2",
        "v1/2026-11-01",
        "fb359d09-8a52-4b7b-9f0e-2c41d7a95b38",
        "verylongnameofaservice",
    ],
)
def test_a_path_of_words_and_ids_is_an_address(path: str, here: Path) -> None:
    """A long name, a version, a UUID."""
    assert init("--contract", "proof", "--base-url", f"https://sandbox.example/{path}").exit_code == 0
    assert (here / "proof.yaml").exists()
