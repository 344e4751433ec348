"""The command of an exchange: what it sends, byte for byte, and which secrets it does not hold."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rampcheck.report.commands import LONGEST_BODY, Command, Commands
from tests import samples

STUB = """#!/bin/sh
printf '%s\\0' "$@" > "$ARGUMENTS"
cat > "$INPUT"
"""


VARIABLES = {"client_token": "CLIENT_TOKEN"}


def command(exchange: dict[str, Any], *before: dict[str, Any]) -> str:
    """The text of an exchange's command, in a run with those `before`."""
    return of(exchange, *before).text


def of(exchange: dict[str, Any], *before: dict[str, Any]) -> Command:
    """The command of an exchange, in a run with those `before`."""
    return Commands({one["number"]: one for one in (*before, exchange)}, VARIABLES).of(exchange)


def run_curl(command: str, directory: Path, **variables: str) -> tuple[list[str], bytes]:
    """Runs `command` in a POSIX shell where `curl` only writes down its arguments and its standard input."""
    stub = directory / "curl"
    stub.write_text(STUB)
    stub.chmod(0o755)
    script = directory / "script"
    script.write_text(command, encoding="utf-8")
    arguments, stdin = directory / "arguments", directory / "input"
    environment = {
        "CLIENT_TOKEN": "secret",
        **variables,
        "PATH": f"{directory}{os.pathsep}{os.environ['PATH']}",
        "ARGUMENTS": str(arguments),
        "INPUT": str(stdin),
    }
    shell = shutil.which("sh")
    assert shell
    subprocess.run([shell, "-eu", str(script)], stdin=subprocess.DEVNULL, env=environment, check=True, cwd=directory)
    return arguments.read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1], stdin.read_bytes()


def body_sent(arguments: list[str], stdin: bytes) -> bytes:
    """The body that curl would send."""
    if "--data-binary" in arguments:
        assert arguments[arguments.index("--data-binary") + 1] == "@-"
        return stdin
    return arguments[arguments.index("--data-raw") + 1].encode("utf-8", "surrogateescape")


BODIES = [
    *(text for text in samples.HOSTILE if "\ud800" not in text and len(text) <= LONGEST_BODY),
    'it\'s "quoted" \\ $HOME `id` $(id) !history %s %% ; & | > < * ? [a] {b,c} ~ #',
    "@/etc/passwd",
    "-x",
    "''",
    "\n\nlines\n\n",
    "é ü 漢字 🙂",
    "long " * (LONGEST_BODY // 5),
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_curl_sends_the_body_byte_for_byte(body: str, tmp_path: Path) -> None:
    """The curl command sends a text body byte for byte, whatever is in it."""
    arguments, stdin = run_curl(command(samples.exchange(1, request=body)), tmp_path)
    assert body_sent(arguments, stdin) == body.encode()


def test_curl_sends_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A body that is not UTF-8 arrives byte for byte."""
    body = bytes(range(256)) * 3
    exchange = samples.exchange(1, request=base64.b64encode(body).decode())
    exchange["request"]["encoding"] = "base64"
    arguments, stdin = run_curl(command(exchange), tmp_path)
    assert body_sent(arguments, stdin) == body


def test_curl_takes_secrets_from_the_environment(tmp_path: Path) -> None:
    """A redacted value is a variable of its name, which fits in unchanged whatever its value."""
    request = '{"a": "[redacted email aa]", "b": "[redacted email bb]", "c": "$x [redacted value 0a] it\'s"}'
    exchange = samples.exchange(1, request=request)
    exchange["request"]["headers"] += [["X-Other", "[redacted client_token 01]"]]
    token = "a b'c\"d$e`f\\"
    arguments, stdin = run_curl(command(exchange), tmp_path, CLIENT_TOKEN=token, CLIENT_TOKEN_2="two", VALUE="*")
    assert f"Authorization: Bearer {token}" in arguments
    assert "X-Other: two" in arguments
    sent = json.loads(body_sent(arguments, stdin))
    assert sent == {"a": "user@example.com", "b": "user2@example.com", "c": "$x * it's"}


def test_curl_sends_the_request_line_and_headers(tmp_path: Path) -> None:
    """Method, URL and headers are those of the request, without what belongs to the connection."""
    exchange = samples.exchange(1)
    exchange["request"] |= {"method": "PUT", "url": "https://a.example/x/../y?q=[1]&r={2}"}
    exchange["request"]["headers"] += [["X-Empty", ""], ["X-Odd", "it's $HOME `id`"]]
    arguments, _ = run_curl(command(exchange), tmp_path, CLIENT_TOKEN="t")
    headers = [value for name, value in pairwise(arguments) if name == "--header"]
    assert headers[:2] == ["Authorization: Bearer t", "Content-Type: application/json"]
    assert headers[2:] == ["X-Empty;", "X-Odd: it's $HOME `id`"]
    assert arguments[:3] == ["--include", "--request", "PUT"]
    assert {"--globoff", "--path-as-is", "https://a.example/x/../y?q=[1]&r={2}"} <= set(arguments)


def test_curl_adds_no_content_type(tmp_path: Path) -> None:
    """A request without a Content-Type is sent again without one."""
    exchange = samples.exchange(1)
    exchange["request"]["headers"] = []
    arguments, _ = run_curl(command(exchange), tmp_path)
    assert arguments[arguments.index("--header") + 1] == "Content-Type:"


def test_what_was_not_sent_has_no_command() -> None:
    """A webhook, which the target sent, is no command where nothing tells what it is about."""
    told = of(samples.exchanges()[30])
    assert not told.text
    assert "sent this by itself" in told.notes[0]


def test_what_is_too_long_to_paste_has_no_command() -> None:
    """A long body is left to `rampcheck replay`."""
    told = of(samples.exchange(1, request="x" * (LONGEST_BODY + 1)))
    assert not told.text
    assert "rampcheck replay" in told.notes[0]


def test_what_no_command_makes_is_told() -> None:
    """A signature that only code makes is a variable, and the note says what sends the request again."""
    signed = samples.exchange(1)
    signed["request"]["headers"] += [["X-Signature", "[redacted x_signature 0a1b]"]]
    assert of(signed).notes == ("No command makes X_SIGNATURE again. `rampcheck replay` signs it anew.",)
    wrong = signed | {"authenticated": False}
    assert of(wrong).notes == (
        "No command makes X_SIGNATURE again. Its scenario does: `rampcheck run`, with `-k test_echo`.",
    )


def session(number: int) -> dict[str, Any]:
    """An accepted request whose answer names what it made."""
    return samples.exchange(number, 200, '{"session_id": "5f2a9c81-d7e0"}')


def test_the_session_that_a_request_asks_for_is_made_before() -> None:
    """A poll is sent for a session of its own, whose id the first answer tells."""
    poll = samples.exchange(2, started="2026-11-21T07:00:01.123456Z")
    poll["request"] |= {"method": "GET", "url": f"{samples.BASE_URL}/sessions/5f2a9c81-d7e0", "body": ""}
    first, *rest = command(poll, session(1)).split("\n")
    assert first.startswith("SESSION_ID=$(curl --silent --request POST")
    assert 's/.*"session_id" *: *"' in "".join(rest)
    assert f'"{samples.BASE_URL}/sessions/${{SESSION_ID}}"' in command(poll, session(1))
    assert "5f2a9c81" not in command(poll, session(1))
    assert "sleep 1" in rest, "what the first second brings is asked for after it, as in the run"


def test_a_webhook_is_caused_by_its_session() -> None:
    """The command of a webhook makes what it is about."""
    webhook = samples.exchanges()[30] | {"started": "2026-11-21T07:00:01.123456Z"}
    webhook["request"] = webhook["request"] | {"body": '{"id": "5f2a9c81-d7e0"}'}
    told = of(webhook, session(1))
    assert told.text.startswith("curl --include --request POST")
    assert told.notes == ("The target sends it by itself, to the address it has for webhooks.",)


def test_a_websocket_is_upgraded() -> None:
    """A WebSocket is asked for with curl, over HTTP, and listened to as long as in the run."""
    upgrade = samples.exchanges()[31]
    arguments = command(upgrade)
    assert "--http1.1 --no-buffer --output - --max-time" in arguments
    assert "ws://" not in arguments
    assert "wss://" not in arguments


def test_half_a_character_in_an_answer_breaks_no_command() -> None:
    """What JSON may hold of Unicode, no URL does: such a value is no id that another request could ask for."""
    before = samples.exchange(1, body='{"merchant_transaction_id": "one-\\ud800-of-them"}')
    asking = {**samples.exchange(2), "started": "2026-11-21T07:00:01.000000Z"}
    assert "curl" in command(asking, before)
