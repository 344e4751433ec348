"""A name is resolved in time, or not: a resolver that takes minutes holds nothing up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rampcheck.contract.profile import Profile
from rampcheck.wire import channel, resolver
from rampcheck.wire.channel import open_socket
from rampcheck.wire.failures import failure_of
from rampcheck.wire.resolver import SlowNameError
from rampcheck.wire.room import Room
from rampcheck.wire.transport import NoAnswerError, Transport, Way
from tests.misconfigured import TOKENS, loaded

NAME = "slow.example"


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Has the system's resolver not answer until the test ends; gives what it was asked for."""
    ended, asked = threading.Event(), []

    def hang(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        ended.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr("rampcheck.wire.resolver.socket.getaddrinfo", hang)
    monkeypatch.setattr(resolver, "_asked", {})
    yield asked
    ended.set()


@pytest.fixture
def profile() -> Profile:
    """A profile of a target of that name."""
    limits = {"timeout_seconds": 0.1}
    return loaded(
        {"contract": "proof", "base_url": f"https://{NAME}", "credentials": TOKENS["proof"], "limits": limits}
    )


def test_an_exchange_ends_in_time(hanging: list[str], profile: Profile) -> None:
    """And says that it is this machine's resolver; another one asks it no second time."""
    transport = Transport(Way(), Room(1_000_000))
    for _ in range(3):
        with pytest.raises(NoAnswerError) as given_up:
            transport.exchange(httpx.Request("POST", f"http://{NAME}/"), 0.1)
        assert isinstance(given_up.value.__cause__, SlowNameError)
    assert hanging == [NAME]
    failure = failure_of(given_up.value, profile)
    assert (failure.kind, "resolver does not answer in time" in failure.detail) == ("dns", True)


def test_a_websocket_ends_in_time(hanging: list[str], profile: Profile) -> None:
    """Its library would ask without a deadline."""
    with pytest.raises(SlowNameError) as given_up:
        open_socket(f"ws://{NAME}/ws", (), 0.1, Way())
    assert hanging == [NAME]
    assert failure_of(given_up.value, profile).kind == "dns"


def test_what_the_resolver_takes_is_no_longer_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to open a WebSocket is one: name, every address of it, TLS and the upgrade."""
    clock = [100.0]
    given: dict[str, float] = {}

    def slow(*_: object) -> list[str]:
        clock[0] += 6
        return ["192.0.2.1", "192.0.2.2"]

    def connect(*_: object, **named: float) -> None:
        given.update(named)
        raise TimeoutError

    monkeypatch.setattr(channel.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(channel.resolver, "addresses", slow)
    monkeypatch.setattr(channel, "connect", connect)
    with pytest.raises(TimeoutError):
        open_socket(f"ws://{NAME}/ws", (), 10, Way())
    assert (given["open_timeout"], given["timeout"]) == (4, 2)


def test_an_address_needs_no_resolver(hanging: list[str]) -> None:
    """Nothing is looked up, whatever its form."""
    assert resolver.addresses("127.0.0.1", 80, 0.1) == ["127.0.0.1"]
    assert resolver.addresses("::1", 80, 0.1) == ["::1"]
    assert hanging == []


def test_what_has_no_address_is_told_as_before() -> None:
    """The error is the resolver's own."""
    with pytest.raises(socket.gaierror):
        resolver.addresses("no-such-host.invalid", 80, 5)
