"""A restart of the target while transactions are followed: what it kept from being seen is followed again, once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runs import Completed, rampcheck
from tests.test_conditions import briefly

FOLLOWED = 5  # transactions of the reference's profile: three kinds of one partner, two of the other


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """Gives a run of nothing but the following, in which the target restarts as the first event is due."""
    folder: Path = tmp_path_factory.mktemp("disturbed")
    with briefly("proof", "restarts") as reference:
        profile = folder / "profile.yaml"
        profile.write_text(yaml.safe_dump(reference.profile()), encoding="utf-8")
        return rampcheck(str(profile), "--clause", "proof.ws.order", folder=folder / "run")


@pytest.fixture(scope="module")
def followed(run: Completed) -> list[tuple[str, list[str]]]:
    """Gives, of each WebSocket to a transaction of the subscriber's own, its kind of session and what it told."""
    kinds, found = {}, []
    for exchange in run.records("exchange"):
        if not (exchange["response"] and exchange["authenticated"]):
            continue
        if exchange["path"] == "/widget/session":
            asked, given = (json.loads(exchange[side]["body"]) for side in ("request", "response"))
            kind = (exchange["credential"], *(asked.get(name) for name in ("currency", "network", "type")))
            kinds[given["merchant_transaction_id"]] = kind
        elif exchange["protocol"] == "websocket" and exchange["response"]["status"] == 101:
            told = [
                json.loads(message["body"])["status"] for message in exchange["messages"] if message["kind"] == "text"
            ]
            found.append((kinds[exchange["path"].rpartition("=")[2]], told))
    return found


def test_a_restart_leaves_nothing_unverified(run: Completed) -> None:
    """What was selected holds, though the target was away in the middle of it."""
    assert (run.code, run.results["verdict"], len(run.records("outage"))) == (0, "partial", 1), run.printed


def test_each_kind_of_transaction_is_seen_to_its_end(followed: Any) -> None:
    """What was disturbed is followed again as a transaction of its kind."""
    ended = {kind for kind, told in followed if "completed" in told}
    assert len(ended) == FOLLOWED
    assert ended == {kind for kind, _ in followed}


def test_nothing_else_is_followed_again(followed: Any) -> None:
    """Only a WebSocket that was lost has a second one, and there was at least the one that the restart cut."""
    lost = Counter(kind for kind, told in followed if "completed" not in told)
    assert lost
    assert Counter(kind for kind, _ in followed) - lost == Counter({kind: 1 for kind, _ in followed})
