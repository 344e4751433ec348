"""`rampcheck certify` as it is called: mistakes, scripts, what a command is told, its end, purchases by hand."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rampcheck.certification import script as scripts
from rampcheck.cli import main
from rampcheck.errors import ExitCode, UsageError
from rampcheck.wire.receiver import free_port

TOKEN = "a-client-token-of-these-tests"


def invoked(*words: str) -> Any:
    """Calls the command line; gives its exit code and what it printed."""
    return CliRunner().invoke(main, ["certify", *words])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--", "true"], "nothing says which contract"),
        (["--contract", "proof"], "no command says how a purchase is made"),
        (["--contract", "proof", "--"], "after -- stands no command"),
        (["--contract", "proof", "--interactive", "--", "true"], "--interactive needs no command"),
        (["--contract", "proof", "--", "no-such-program-here"], "no-such-program-here is not found"),
        (["--contract", "proof", "--", __file__], "-- python "),
        (["--contract", "proof", "python", "purchase.py"], "Write -- before it"),
        (["--contract", "proof", "./purchase.sh"], "Write -- before it"),
        (["--contract", "proof", "sandbox.yaml", "--", "true"], "Leave out --contract"),
        (["--contract", "proof", "--step", "fails-one", "--", "true"], "Did you mean fails-once?"),
        (["--contract", "proof", "--listen", "8081", "--", "true"], "is no address"),
        (["--contract", "proof", "--webhook-url", "nowhere", "--", "true"], "cannot take webhooks"),
        (["--contract", "prof", "--", "true"], "Did you mean proof?"),
        (["missing.yaml", "--", "true"], "missing.yaml"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With exit code 4, what and how to mend it; no folder is left."""
    monkeypatch.chdir(tmp_path)
    done = invoked(*words)
    assert done.exit_code == ExitCode.USAGE
    assert told in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"steps": []}, "steps"),
        ({"contract": "kryptonim"}, "is a script of kryptonim"),
        ({"unknown": 1}, "unknown"),
        ({"steps": [{"name": "a", "tells": "x", "provokes": []}] * 2}, "two steps a"),
    ],
)
def test_a_script_that_is_none(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    """The file, the place and the mistake are named."""
    path = tmp_path / "script.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "contract": "proof",
                "sessions": "/widget/session",
                "id": "x",
                "steps": [{"name": "a", "tells": "x", "provokes": []}],
            }
            | change
        ),
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match=told):
        scripts.read(path, "proof")


def test_the_command_is_run_with_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its environment; credentials that are set already are the sandbox's; a backend's address stays the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", TOKEN)
    program = tmp_path / "program.py"
    program.write_text(
        "import os, json\n"
        "json.dump(dict(os.environ), open('told', 'w'))\n"
        "import urllib.request as u\n"
        "u.urlopen(u.Request(os.environ['RAMPCHECK_WIDGET_URL'] + '?x=1'))\n",
        encoding="utf-8",
    )
    port = free_port()
    done = invoked(
        "--contract", "proof", "--step", "works", "--listen", f"127.0.0.1:{port}", "--output", "out",
        "--", sys.executable, str(program),
    )  # fmt: skip
    assert done.exit_code == ExitCode.INCOMPLETE, done.output
    told = json.loads((tmp_path / "told").read_text(encoding="utf-8"))
    assert told["PROOF_CLIENT_TOKEN"] == TOKEN
    assert told["RAMPCHECK_BASE_URL"] == f"http://127.0.0.1:{port}"
    assert told["RAMPCHECK_WEBHOOK_URL"].startswith("http://127.0.0.1:")
    assert (told["RAMPCHECK_STEP"], told["RAMPCHECK_TIME_SCALE"], told["RAMPCHECK_AMOUNT"]) == ("works", "1", "99.50")


def test_somebody_may_make_the_purchases_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is told with its environment, and ends with Enter."""
    monkeypatch.chdir(tmp_path)
    words = ["certify", "--contract", "proof", "--interactive", "--step", "works", "--output", "out"]
    done = CliRunner().invoke(main, words, input="\n")
    assert "Step works: Everything works." in done.output
    assert "    export RAMPCHECK_WIDGET_URL=http://127.0.0.1:" in done.output
    assert done.exit_code == ExitCode.INCONCLUSIVE
    assert (tmp_path / "out" / "index.html").is_file()
    given_up = CliRunner().invoke(main, [*words[:-1], "given-up"], input="")
    assert given_up.exit_code == ExitCode.INTERRUPTED


def test_what_is_told_by_hand_can_be_pasted_into_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a user whose name holds quotation marks."""
    monkeypatch.chdir(tmp_path)
    words = ["certify", "--contract", "kryptonim", "--interactive", "--step", "unusual-purchase", "--output", "out"]
    told = CliRunner().invoke(main, words, input="\n").output
    lines = [line for line in told.splitlines() if line.startswith("    export RAMPCHECK_USER_ID=")]
    (_, assigned), *others = (shlex.split(line) for line in lines)
    assert not others
    assert '"' in assigned


def test_a_command_that_does_not_end_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After --step-seconds; the step is told, and no process is left."""
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "program.sh"
    program.write_text("sleep 600 & echo $! > child\nwait\n", encoding="utf-8")
    words = ("--contract", "proof", "--step", "works", "--step-seconds", "1", "--output", "out", "--", "sh")
    done = invoked(*words, str(program))
    assert done.exit_code == ExitCode.INCONCLUSIVE
    assert "ended before the command had ended itself: works" in " ".join(done.output.split())
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}")
    assert not child.exists() or "zombie" in (child / "status").read_text()


def test_a_command_that_asks_for_nothing_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code, its last words without a secret, and what it should have read; no clause is blamed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", TOKEN)
    program = "import sys, os; print('beginning'); sys.exit('no API_URL for ' + os.environ['PROOF_CLIENT_TOKEN'])"
    done = invoked("--contract", "proof", "--step", "works", "--output", "out", "--", sys.executable, "-c", program)
    assert done.exit_code == ExitCode.INCONCLUSIVE
    assert "exit code 1" in done.output
    results = json.loads((tmp_path / "out" / "results.json").read_bytes())
    assert results["verdict"] == "inconclusive"
    assert results["reason"].startswith("the command ended with code 1, without a single request to the sandbox; ")
    assert "beginning / no API_URL for [redacted client_token" in results["reason"]
    for name in ("RAMPCHECK_BASE_URL", "RAMPCHECK_WIDGET_URL", "PROOF_CLIENT_TOKEN"):
        assert name in results["cure"]
    assert results["reason"] in " ".join(done.output.split())
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())


def test_a_command_that_fails_at_once_is_started_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error before the first request says it all: the other steps are not begun, which is told."""
    monkeypatch.chdir(tmp_path)
    program = "import sys; open('begun', 'a').write('x'); sys.exit('no such file: buy.py')"
    done = invoked("--contract", "proof", "--output", "out", "--", sys.executable, "-c", program)
    assert done.exit_code == ExitCode.INCONCLUSIVE
    assert Path("begun").read_text(encoding="utf-8") == "x"
    reason = json.loads((tmp_path / "out" / "results.json").read_bytes())["reason"]
    assert "without a single request to the sandbox; the other 14 steps were not begun; it said at last: no" in reason
    assert "The command fails before it asks for anything: the other 14 steps were not begun." in " ".join(
        done.output.split()
    )


def test_what_nothing_came_in_is_told_of_a_step_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other steps were heard of: which step it was, and the code of its command."""
    monkeypatch.chdir(tmp_path)
    program = (
        "import os, sys, urllib.request as u\n"
        "os.environ['RAMPCHECK_STEP'] == 'works' or sys.exit(3)\n"
        "u.urlopen(u.Request(os.environ['RAMPCHECK_WIDGET_URL'] + '?x=1'))\n"
    )
    words = ["--contract", "proof", "--step", "works", "--step", "forbidden", "--output", "out"]
    invoked(*words, "--", sys.executable, "-c", program)
    results = json.loads((tmp_path / "out" / "results.json").read_bytes())
    assert "nothing came from the integration in forbidden, where the command ended with code 3" in results["notes"]
