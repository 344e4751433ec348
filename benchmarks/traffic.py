"""Measures what it takes to judge recorded traffic: `python benchmarks/traffic.py [exchanges] [proof|kryptonim]`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from rampcheck.contract.profile import from_mapping
from rampcheck.judging import suite as suites
from rampcheck.sandbox import server as reference


def recorded(contract: str, exchanges: int, folder: Path) -> tuple[Path, Path]:
    """Writes a HAR of so many sessions, each with values of its own, and the profile that it belongs to."""
    running = reference.start(contract)
    described = running.profile()
    profile = from_mapping(described, {})
    suite = suites.load(contract)
    request = suite.authenticate(next(suite.candidates(profile)).build(profile, suite.credential, "unique0"), profile)
    try:
        answer = httpx.request(
            request.method, profile.base_url + request.path, headers=dict(request.headers), content=request.body
        )
    finally:
        running.stop()
    har = folder / "traffic.har"
    began = datetime.now(UTC)
    with har.open("w", encoding="utf-8") as file:
        file.write('{"log":{"version":"1.2","creator":{"name":"benchmark","version":"1"},"entries":[')
        for number in range(exchanges):
            body = {key: _anew(key, value, number) for key, value in answer.json().items()}
            file.write("," if number else "")
            at = began + timedelta(microseconds=100 * number)
            json.dump(_entry(request, profile.base_url, answer, body, at, number), file)
        file.write("]}}")
    described.pop("egress", None)
    (folder / "profile.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    return har, folder / "profile.yaml"


def _anew(key: str, value: Any, number: int) -> Any:
    """Gives a value that is another one in each session."""
    if key in {"merchant_transaction_id", "init_token", "sessionId", "signature"} and isinstance(value, str):
        return f"{value[:-12]}{number:012x}"
    return value


def _entry(  # noqa: PLR0913, PLR0917 - all of an entry
    request: Any, base_url: str, answer: Any, body: dict[str, Any], at: datetime, number: int
) -> dict[str, Any]:
    text = json.dumps(body)
    headers = [{"name": name, "value": value} for name, value in answer.headers.items() if name != "x-request-id"]
    return {
        "startedDateTime": at.isoformat(),
        "time": 31.5,
        "request": {
            "method": request.method,
            "url": base_url + request.path,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in request.headers],
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": len(request.body),
            "postData": {"mimeType": "application/json", "text": request.body.decode()},
        },
        "response": {
            "status": answer.status_code,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "headers": [*headers, {"name": "x-request-id", "value": f"{number:032x}"}],
            "cookies": [],
            "content": {"size": len(text.encode()), "mimeType": "application/json", "text": text},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 31, "receive": 0.5},
    }


def main() -> None:
    """Prints the wall time, the processor time and the peak memory."""
    exchanges = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    contract = sys.argv[2] if len(sys.argv) > 2 else "proof"
    with tempfile.TemporaryDirectory() as name:
        har, profile = recorded(contract, exchanges, Path(name))
        command = [sys.executable, "-m", "rampcheck.cli", "judge", str(har), "--profile", str(profile)]
        began = time.perf_counter()
        done = subprocess.run([*command, "--output", f"{name}/out"], capture_output=True, text=True, check=False)
        wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        size = har.stat().st_size / 2**20
    print(f"{contract}: {exchanges:,} exchanges of {size:.0f} MiB: {wall:.1f} s, {used.ru_utime + used.ru_stime:.1f} s")
    print(f"of processor time, {used.ru_maxrss / 1024:.0f} MiB at most; exit code {done.returncode}")
    print("\n".join(done.stdout.strip().splitlines()[-6:]) or done.stderr)


if __name__ == "__main__":
    main()
