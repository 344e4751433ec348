"""A transaction that is followed: when it is asked for."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from rampcheck.wire.exchanges import Message
from suites.proof import journey as followed
from suites.proof.journey import Journey

INTERVAL = 5.0


def update(status: str) -> Message:
    """An event over a WebSocket."""
    return Message("incoming", 0.0, b'{"event": "tx.update", "status": "%s"}' % status.encode())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time, which stands still until it is set."""
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.time)
    return now


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An open WebSocket that has told nothing yet."""
    made = SimpleNamespace(is_open=True, messages=())
    monkeypatch.setattr(followed, "subscribed", lambda *_: made)
    return made


def journey() -> Journey:
    """A transaction that is pending for as long as it is asked for."""
    answer = SimpleNamespace(accepted=True, response=SimpleNamespace(member=lambda _: "pending"), json={})
    target: Any = SimpleNamespace(
        profile=SimpleNamespace(triggers={"complete": {}}, limits=SimpleNamespace(poll_interval_seconds=INTERVAL)),
        suite=SimpleNamespace(credential="client_token"),
        ask=lambda _: answer,
    )
    session: Any = SimpleNamespace(
        exchange=SimpleNamespace(response=SimpleNamespace(member=lambda _: "a")),
        request=SimpleNamespace(json={"partner_user_id": "u"}, credential=None),
    )
    return Journey(target, session, {})


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ((), INTERVAL),
        ((update("pending"),), INTERVAL),  # a snapshot of what is known anyway
        ((update("pending"), update("processing")), INTERVAL * followed.LISTENING),
    ],
    ids=["nothing", "the status at first", "a change"],
)
def test_only_a_websocket_that_tells_of_changes_spares_polls(
    told: tuple[Message, ...], due: float, clock: SimpleNamespace, channel: SimpleNamespace
) -> None:
    """Of one that skips a status, nothing else would show that it came."""
    one = journey()
    channel.messages = told
    one.is_due()  # what is new is asked for at once
    clock.time = due - 0.1
    assert not one.is_due()
    clock.time = due
    assert one.is_due()
