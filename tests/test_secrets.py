"""Planted secrets are found in no artefact and not on the terminal, in no encoding."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from rampcheck.wire import receiver
from tests import leaky_target
from tests.runs import Completed, rampcheck

pytestmark = pytest.mark.xdist_group("secrets")  # one process has what all of these tests share

TOKEN = "planted-client/token+0123456789=abcXYZ"
CREDENTIALS = {
    "proof": {"client_token": "${PLANTED_TOKEN}"},
    "kryptonim": {"api_key": "${PLANTED_TOKEN}", "signature_secret": "${PLANTED_SECRET}"},
}
FOLLOWING = {"triggers": {"complete": {"partner_user_id": "auto-complete-{unique}"}}}
# The clauses whose findings show that the run met the leaks.
CAUGHT = {
    "proof": ("proof.auth.token-secrecy", "proof.session.init-token", "proof.webhook.no-token"),
    "kryptonim": ("kryptonim.auth.secrecy", "kryptonim.session.complete"),
}
SECRETS = {
    "client token or API key": TOKEN,
    "signature secret": leaky_target.SIGNATURE_SECRET,
    "signature": leaky_target.SIGNATURE,
    "init token": leaky_target.INIT_TOKEN,
    "e-mail of another person": leaky_target.EMAIL,
    "e-mail that the run sent": "rampcheck-user-",
}
# Nobody told a run of Proof of a signature secret, and one of Kryptonim of Proof's session values.
UNKNOWN = {"proof": {"signature secret"}, "kryptonim": {"signature", "init token"}}


@pytest.fixture(
    scope="module",
    params=[
        ("proof", "3", "--budget", "250"),
        ("kryptonim", "1", "--budget", "250"),
        *(pytest.param((name, workers), marks=pytest.mark.heavy) for name in CREDENTIALS for workers in "13"),
    ],
    ids=" ".join,
)
def leaked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A run, full of failures, against a target that leaks everything."""
    contract, workers, *few = request.param
    folder = tmp_path_factory.mktemp("leaky")
    listen = f"127.0.0.1:{receiver.free_port()}"
    webhook_url = f"http://{listen}/planted"
    with leaky_target.serve(webhook_url) as base_url:
        profile = {
            "contract": contract,
            "base_url": base_url,
            "credentials": CREDENTIALS[contract],
            "limits": {"requests_per_second": 0, "event_timeout_seconds": 2, "poll_interval_seconds": 0.05},
            **(FOLLOWING | {"webhook": {"listen": listen, "public_url": webhook_url}} if contract == "proof" else {}),
        }
        (folder / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
        return rampcheck(
            str(folder / "profile.yaml"),
            "-n",
            workers,
            *few,
            folder=folder / "run",
            environment={**os.environ, "PLANTED_TOKEN": TOKEN, "PLANTED_SECRET": leaky_target.SIGNATURE_SECRET},
        )


def views(text: str) -> set[str]:
    """Gives a text as it is and with its escapes undone, in lower case."""
    unescaped = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text).replace("\\", "")
    return {
        view.lower()
        for view in (text, unquote(text), html.unescape(text), unescaped, unquote(unescaped), html.unescape(unescaped))
    }


def test_the_leaky_target_fails(leaked: Completed) -> None:
    """The run did fail, and found the leak: otherwise the other tests here would prove nothing."""
    assert leaked.code == 1, leaked.printed
    for clause in CAUGHT[leaked.results["contract"]]:
        assert leaked.clause(clause)["verdict"] == "failed"
    assert not leaked.results["faults"]
    if leaked.results["contract"] == "proof":
        exchanges = leaked.records("exchange")
        assert {"http", "websocket", "webhook"} == {exchange["protocol"] for exchange in exchanges}
        assert {"text", "binary", "close"} <= {
            message["kind"] for exchange in exchanges for message in exchange["messages"]
        }


@pytest.mark.parametrize("name", SECRETS)
def test_a_planted_secret_is_written_nowhere(leaked: Completed, name: str) -> None:
    """No file of the run and no line on the terminal holds the secret in any encoding."""
    if name in UNKNOWN[leaked.results["contract"]]:
        pytest.skip("no secret of this run")
    files = [path for path in leaked.folder.rglob("*") if path.is_file()]
    assert len(files) > 50
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    texts["the terminal"] = leaked.printed
    # Both ends of a base64 text depend on what stands beside the secret.
    forms = {
        form: (text[4:-4] if "base64" in form else text).lower()
        for form, text in leaky_target.encodings(SECRETS[name]).items()
    }
    for place, text in texts.items():
        for view in views(text):
            for form, secret in forms.items():
                assert secret not in view, f"{name} ({form}) in {place}"


def test_no_twelve_characters_of_a_credential_are_written_anywhere(leaked: Completed) -> None:
    """Neither a run of a planted credential nor one of what gives it away is in any file or on the terminal."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in leaked.folder.rglob("*") if path.is_file()}
    parts = [TOKEN, TOKEN[::-1], *map(leaky_target.fragments(TOKEN).__getitem__, ("numbers", "packed", "base85"))]
    runs = {part[start : start + 12].lower() for part in parts for start in range(len(part) - 11)}
    for place, text in {**texts, "the terminal": leaked.printed}.items():
        for view in views(text):
            assert not [run for run in runs if run in view], place


def test_the_same_secret_stays_recognisable_as_the_same(leaked: Completed) -> None:
    """A secret that comes twice has the same mark twice, on every channel, so that the report can say so."""
    if leaked.results["contract"] != "proof":
        pytest.skip("only Proof's sessions hand out a token")
    exchanges = leaked.records("exchange")
    told = [
        record["response"]["body"]
        for record in exchanges
        if record["protocol"] == "http" and record["response"] and record["response"]["status"] == 200
        if not record["failure"]  # of an answer that is too long, only the head is kept
    ]
    told += [record["request"]["body"] for record in exchanges if record["protocol"] == "webhook"]
    told += [message["body"] for record in exchanges for message in record["messages"] if message["kind"] == "text"]
    marks = {json.loads(text)["init_token"] for text in told}
    assert len(marks) == 1
    assert marks.pop().startswith("[redacted init_token ")


def test_what_libraries_log_is_not_written(tmp_path: Path) -> None:
    """Plain pytest at DEBUG shows no token, and tells Allure of none, and neither what only the environment knew."""
    variables = {"PLANTED_TOKEN": TOKEN, "PLANTED_USER": "planted-user-8Rw2Kd", "PLANTED_PROXY": "x"}
    with leaky_target.serve() as base_url:
        profile = {
            "contract": "proof",
            "base_url": f"{base_url}/gw-5Tz9Lq3Wm1Xc",
            "credentials": CREDENTIALS["proof"],
            "limits": {"requests_per_second": 0, "event_timeout_seconds": 1},
            "triggers": {"complete": {"partner_user_id": "${PLANTED_USER}"}},
            "webhook": {
                "listen": f"127.0.0.1:{receiver.free_port()}",
                "public_url": "http://127.0.0.1/hook-7Yb4Nv0Pj6Hs",
            },
        }
        (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "suites/proof",
                "-k",
                "auth",
                "-n0",
                "--rampcheck-profile",
                str(tmp_path / "profile.yaml"),
                "--rampcheck-output",
                str(tmp_path / "run"),
                "--log-level=DEBUG",
                "-o",
                "log_cli=true",
                f"--alluredir={tmp_path / 'allure'}",
            ],
            cwd=Path(__file__).parents[1],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert (tmp_path / "run" / "journal.jsonl").exists(), done.stdout + done.stderr
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "profile.yaml"
    }
    for place, text in {**texts, "the terminal": done.stdout + done.stderr}.items():
        for secret in (TOKEN, "planted-user-8Rw2Kd", "gw-5Tz9Lq3Wm1Xc", "hook-7Yb4Nv0Pj6Hs"):
            assert secret not in text, place
