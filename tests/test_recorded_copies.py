"""What several recorders have of the same exchange counts once; what came again counts, whichever files it is in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rampcheck.cli import main
from tests.runs import Completed

TOKENS = {"PROOF_CLIENT_TOKEN": "a-token-of-the-partner-1", "PROOF_SECOND_CLIENT_TOKEN": "a-token-of-the-partner-2"}
FIRST, SECOND = TOKENS.values()
PROFILE = {
    "contract": "proof",
    "base_url": "https://sandbox.example",
    "credentials": {
        "client_token": "${PROOF_CLIENT_TOKEN}",
        "second_client_token": "${PROOF_SECOND_CLIENT_TOKEN}",
    },
}


def _exchange(time: str | None = "26T10:00:00", token: str = FIRST) -> dict[str, Any]:
    return {
        "method": "POST",
        "url": "https://sandbox.example/widget/session",
        **({"started": f"2026-11-{time}Z"} if time else {}),
        "request": {
            "headers": {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
            "body": json.dumps({"currency": "USDT", "network": "TRC20", "amount": "100"}),
        },
        "response": {
            "status": 200,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps({"merchant_transaction_id": "one", "currency": "USDT"}),
        },
    }


def judged(place: Path, *files: list[dict[str, Any]]) -> Completed:
    """What `rampcheck judge` makes of files with these exchanges."""
    (place / "profile.yaml").write_text(yaml.safe_dump(PROFILE), encoding="utf-8")
    paths = [place / f"{number}.ndjson" for number in range(len(files))]
    for path, lines in zip(paths, files, strict=True):
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    named = [*map(str, paths), "--profile", str(place / "profile.yaml"), "--output", str(place / "out")]
    done = CliRunner().invoke(main, ["judge", *named], env=TOKENS)
    return Completed(done.exit_code, done.output, place / "out")


# The exchanges of each file, by what they are.
REPETITIONS: dict[str, list[list[dict[str, Any]]]] = {
    "the next day": [[_exchange()], [_exchange("27T10:00:00")]],
    "an hour later": [[_exchange()], [_exchange("26T11:00:00")]],
    "twice in the second file": [[_exchange()], [_exchange("26T10:00:01"), _exchange("26T10:00:30")]],
    "twice in the first file": [[_exchange(), _exchange("26T10:00:30")], [_exchange("26T10:00:29")]],
    "to another partner": [[_exchange()], [_exchange(token=SECOND)]],
    "to another partner at that moment": [[_exchange(), _exchange(token=SECOND)]],
    "twice without a time": [[_exchange()], [_exchange(None), _exchange(None)]],
}
COPIES: dict[str, list[list[dict[str, Any]]]] = {
    "of another clock": [[_exchange()], [_exchange("26T10:04:00")]],
    "of an earlier clock": [[_exchange()], [_exchange("26T09:56:00")]],
    "without a time": [[_exchange(None)], [_exchange()]],
    "whose time is left out": [[_exchange()], [_exchange(None)]],
    "without a credential": [[_exchange(token=SECOND)], [_exchange(token="")]],
    "with a credential that is hidden": [[_exchange(token="***")], [_exchange()]],
    "of three recorders": [[_exchange()], [_exchange("26T10:00:01")], [_exchange("26T10:00:02")]],
    "in one file": [[_exchange(), _exchange()]],
}


@pytest.mark.parametrize("what", REPETITIONS)
def test_what_came_again_is_found_in_whatever_file_it_stands(tmp_path: Path, what: str) -> None:
    """The same session handed out twice is a finding, with exit code 1."""
    done = judged(tmp_path, *REPETITIONS[what])
    assert done.code == 1, done.printed
    assert done.clause("proof.session.merchant-transaction-id")["verdict"] == "failed"
    assert done.results["requests"] == 2


@pytest.mark.parametrize("what", COPIES)
def test_what_several_recorders_have_repeats_nothing(tmp_path: Path, what: str) -> None:
    """It is judged once, and that is told."""
    done = judged(tmp_path, *COPIES[what])
    assert done.clause("proof.session.merchant-transaction-id")["verdict"] != "failed"
    assert done.results["requests"] == 1
    assert any("of which another is a copy" in note for note in done.results["notes"])


def test_what_recorders_have_twice_each_is_there_twice(tmp_path: Path) -> None:
    """Each exchange of a file has one copy in the other: a repetition that both have is one."""
    both = [_exchange(), _exchange("26T10:00:30")]
    done = judged(tmp_path, both, both)
    assert (done.code, done.results["requests"]) == (1, 2)
