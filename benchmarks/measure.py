"""Measures what a run costs. `python benchmarks/measure.py [CONTRACT]`; needs an otherwise idle machine.

Prints, for the embedded reference: requests, wall time, peak memory and the time from start to the first request of a
default run; the engine's own cost an exchange, against a bare httpx loop that sends the same requests to the same
server; and against a reference that takes 50 ms to answer, wall time / (requests * 50 ms / workers), two seconds of
start-up taken off.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx

from rampcheck.contract import profile
from rampcheck.judging import suite as suites
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.sandbox import server
from rampcheck.wire.exchanges import Request

LATENCY = 0.05
START_UP = 2.0
ROUNDS = 5
LARGEST = 1 << 16  # characters of a body: a few of a megabyte would be all of the cost, and more than a run keeps


def whole_run(contract: str, *arguments: str) -> tuple[float, float, dict[str, object]]:
    """Gives wall time, time to the first request (both in seconds), and the results of a run of the program."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        started = time.time()
        subprocess.run(
            [sys.executable, "-m", "rampcheck.cli", "run", "--contract", contract, *arguments, "--output", str(folder)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall = time.time() - started
        records = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
        first = min(
            datetime.fromisoformat(record["started"]).timestamp() for record in records if record["kind"] == "exchange"
        )
        return wall, first - started, json.loads((folder / "results.json").read_text(encoding="utf-8"))


def recorded_requests(contract: str) -> list[Request]:
    """Gives a default run's hand-written requests, as they are without a changed header, but for the largest bodies."""
    base = Request(
        "POST",
        {"proof": "/widget/session", "kryptonim": "/v1/widget-sessions"}[contract],
        (("Content-Type", "application/json"),),
        credential=suites.load(contract).credential,
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        subprocess.run(
            [
                sys.executable,
                "-m",
                "rampcheck.cli",
                "run",
                "--contract",
                contract,
                "-k",
                "not generated",
                "--output",
                str(folder),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        lines = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["kind"] == "exchange"]
    return [
        base.with_body(record["request"]["body"])
        for record in records
        if record["direction"] == "outgoing"
        and record["request"]["method"] == "POST"
        and record["request"]["encoding"] == "utf-8"
        and len(record["request"]["body"]) <= LARGEST
    ]


def engine_cost(contract: str) -> tuple[float, float]:
    """Gives the milliseconds an exchange costs through the engine, and through a bare httpx client; medians."""
    requests = recorded_requests(contract)
    suite = suites.load(contract)
    with server.start(contract) as running, tempfile.TemporaryDirectory() as scratch:
        described = profile.from_mapping(running.profile(), {})
        run = Run(described, Settings(run="benchmark", key=os.urandom(32), output=folder.claimed(scratch, contract)))
        bare = httpx.Client(timeout=10)
        wires = [
            httpx.Request(
                "POST", described.base_url + request.path, headers=list(request.headers), content=request.body
            )
            for request in (suite.authenticate(request, described) for request in requests)
        ]
        engine, loop = [], []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for wire in wires:
                bare.send(wire).read()
            loop.append(time.perf_counter() - started)
            started = time.perf_counter()
            for request in requests:
                run.client.send(request, "benchmark")
            engine.append(time.perf_counter() - started)
        run.close()
        bare.close()
    return tuple(1000 * statistics.median(times) / len(requests) for times in (engine, loop))  # type: ignore[return-value]


def main() -> None:
    """Measures and prints."""
    contract = sys.argv[1] if len(sys.argv) > 1 else "proof"
    wall, first, results = whole_run(contract)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{contract}: {results['requests']} requests in {wall:.1f} s; first request after {first:.2f} s; "
        f"peak memory {peak:.0f} MiB"
    )
    engine, loop = engine_cost(contract)
    print(f"an exchange: {engine:.2f} ms through the engine, {loop:.2f} ms in a bare loop: {engine - loop:.2f} ms more")
    for workers in (1, 4):
        wall, _, results = whole_run(contract, "--latency", str(LATENCY), "-n", str(workers))
        least = float(str(results["requests"])) * LATENCY / workers
        print(
            f"50 ms an answer, {workers} worker(s): {results['requests']} requests in {wall:.1f} s; "
            f"ratio {(wall - START_UP) / least:.2f}"
        )


if __name__ == "__main__":
    main()
