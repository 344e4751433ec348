"""What the report of a large run costs: its rendering, its size, and a browser's long tasks on opening it.

`python -m benchmarks.page` renders 5,000 exchanges and 500 findings, and opens the page in a headless Chromium where
there is one. Nothing here is asserted in a test.
"""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from rampcheck.report.files import write_reports
from tests import samples

EXCHANGES, FINDINGS, CLAUSES = 5_000, 500, 125


def exchanges() -> dict[int, dict[str, Any]]:
    """Exchanges of a quarter of an hour, some of them refused, asked to wait, or not answered."""
    records = {}
    for number in range(1, EXCHANGES + 1):
        minute, second = divmod(number * 0.18, 60)
        record = samples.exchange(number, (200, 200, 400, 401, 429)[number % 5], elapsed_ms=5 + number % 97)
        record["started"] = f"2026-11-21T07:{int(minute):02}:{second:09.6f}Z"
        record["path"] = f"/widget/{('session', f'transactions/{number:08}')[number % 2]}"
        records[number] = record
    return records


def results() -> dict[str, Any]:
    """A run in which much is broken: each clause in four ways, each with two more examples."""
    clauses = []
    for clause in range(CLAUSES):
        findings = []
        for number in range(clause * 4 + 1, clause * 4 + 5):
            finding = samples.finding(f'`amount`: "{number}.50"', f'"{number}.5"', number * 9, 7)
            finding |= {"about": ["body.amount"]}
            finding["examples"] = [
                {key: finding[key] for key in ("expected", "actual", "scenario")} | {"exchange": number * 9 + more}
                for more in range(3)
            ]
            findings.append(finding)
        section = samples.SECTIONS[clause % 4]["id"]
        clauses.append(
            samples.clause(f"proof.c{clause}", section, "failed", "It is as it was sent.", findings=findings)
        )
    return samples.results(clauses=clauses, requests=EXCHANGES)


def main() -> None:
    """Measures, and prints what it found."""
    given, records = results(), exchanges()
    found = sum(len(clause["findings"]) for clause in given["clauses"])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        started = time.process_time()
        write_reports(folder, given, records)
        seconds = time.process_time() - started
        megabytes = (folder / "index.html").stat().st_size / 1e6
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{len(records):,} exchanges, {found} findings")
        print(f"rendered in {seconds:.1f} s of processor time, with {memory:.0f} MiB: {megabytes:.1f} MB")
        browse(folder / "index.html")


def browse(page_file: Path) -> None:
    """Opens a page, and prints its longest tasks, in the processor time that they took, whatever else is running."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        print("no Chromium to open it with")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - where there is no Chromium there may be none

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for place in ("", "#exchange-4491", "#?words=transactions"):
            page = browser.new_page()
            browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
            page.goto(page_file.as_uri() + place)
            page.wait_for_timeout(1_000)
            longest = [round(task) for task in tasks(json.loads(browser.stop_tracing()), page_file.name)[:5]]
            print(f"opened {place or 'as it is'}: the longest tasks took {longest} ms of processor time")
            page.close()
        browser.close()


def tasks(trace: dict[str, Any], name: str) -> list[float]:
    """Gives the milliseconds of the tasks of the thread that parsed the page of this file name, the longest first."""
    events = trace["traceEvents"]
    own = next(
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "ParseHTML" and name in event["args"]["beginData"].get("url", "")
    )
    of_page = [
        event
        for event in events
        if event["name"] == "ThreadControllerImpl::RunTask" and (event["pid"], event["tid"]) == own
    ]
    return sorted((event.get("tdur", 0) / 1000 for event in of_page), reverse=True)


if __name__ == "__main__":
    main()
