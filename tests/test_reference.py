"""The embedded reference runs as a process of its own, and what it can do wrong is on record."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from rampcheck.errors import ReferenceStartError, UsageError
from rampcheck.sandbox import all_defects, builtin_profile, find_defects, wire
from rampcheck.sandbox.reference import references
from rampcheck.sandbox.server import RunningReference, serve, start

ROOT = Path(__file__).parents[1]
CONTRACTS = references()


# Defects.


@pytest.mark.parametrize("contract", CONTRACTS)
def test_defects_say_what_they_do(contract: str) -> None:
    """Each defect says it in a sentence."""
    assert [defect.name for defect in all_defects(contract) if not defect.summary.endswith(".")] == []


def test_an_unknown_defect_is_refused() -> None:
    """A misspelt defect is refused with the names that come near."""
    with pytest.raises(UsageError, match="request-id-constant"):
        find_defects("proof", ["request-id-konstant"])


def test_an_unknown_contract_is_refused() -> None:
    """A contract without a reference is refused with those that have one."""
    with pytest.raises(UsageError, match="kryptonim, proof"):
        all_defects("prof")
    with pytest.raises(UsageError, match="kryptonim, proof"):
        builtin_profile("prof", "http://127.0.0.1")
    with pytest.raises(UsageError, match="kryptonim, proof"):
        start("prof")


def test_a_port_that_is_taken_is_refused() -> None:
    """A server that cannot listen says where and why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            serve("proof", port=port)


# The process.


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_server_stops_when_its_input_ends(contract: str) -> None:
    """The child ends of itself when its standard input is closed, and nothing listens there any more."""
    running = start(contract)
    base_url = running.base_url
    assert httpx.get(base_url, trust_env=False).status_code == 404
    assert running.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(base_url, trust_env=False)
    assert running.stop() == 0


def test_the_server_stops_on_interrupt() -> None:
    """Ctrl-C ends a server that was started by hand, without a word of complaint."""
    command = [sys.executable, "-m", "rampcheck.sandbox", "--contract", "proof"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["base_url"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_server_that_does_not_start_is_explained() -> None:
    """What the child said before it died is in the error."""
    with (
        RunningReference("proof", [sys.executable, "-c", "raise SystemExit('no port left')"]) as running,
        pytest.raises(ReferenceStartError, match="no port left"),
    ):
        assert running.base_url


def test_an_unknown_environment_is_explained() -> None:
    """A misspelt environment is refused by the child with those that exist."""
    with (
        start("kryptonim", environment="staging") as running,
        pytest.raises(ReferenceStartError, match="testnet, production"),
    ):
        assert running.base_url


# What both servers share.


def test_latency_comes_before_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint waits as long as it is told to, and only then begins to answer."""
    happened: list[Any] = []

    async def sleep(seconds: float) -> None:
        happened.append(seconds)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        happened.append(message["type"])

    monkeypatch.setattr(asyncio, "sleep", sleep)
    endpoint = wire.Endpoint(lambda call: wire.json_answer(200, call.source), latency=1.5)
    scope = {"method": "GET", "path": "/", "headers": [], "client": ("127.0.0.1", 50000)}
    asyncio.run(endpoint(scope, receive, send))
    assert happened == [1.5, "http.response.start", "http.response.body"]
