"""The page that Allure 3 makes of a run says what its verdict says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import published
from tests.browser import browser
from tests.test_allure import written
from tests.test_standing import run

ALLURE = "3.18.0"
STATUSES = ("failed", "broken", "passed", "skipped")


@pytest.fixture(scope="module")
def allure(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that is Allure, in this version, from npm."""
    folder = tmp_path_factory.mktemp("allure")
    install = [published.npm_program(), "install", "--no-audit", "--no-fund", "--ignore-scripts", f"allure@{ALLURE}"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ["node", str(folder / "node_modules" / "allure" / "cli.js")]


def generated(allure: list[str], results: dict[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """Makes the page of a run, and gives the tests that were written for it."""
    tests = written(results, folder / "allure-results")
    done = subprocess.run(
        [*allure, "awesome", "--single-file", "--lang=en", "--output=page", "allure-results"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return tests


@pytest.mark.parametrize("name", ["conformant", "nonconformant", "incomplete by an outage", "with gaps"])
def test_the_page_says_what_the_verdict_says(name: str, allure: list[str], tmp_path: Path) -> None:
    """The number of each status is that of the clauses; each clause stands there; one that failed tells how."""
    results = run(name)
    tests = generated(allure, results, tmp_path)
    wanted = {status: sum(test["status"] == status for test in tests.values()) for status in STATUSES}
    page_summary = json.loads((tmp_path / "page" / "summary.json").read_text(encoding="utf-8"))
    told = {status: page_summary["stats"].get(status, 0) for status in STATUSES}
    assert told == wanted
    with browser() as started:
        page = started.new_page()
        page.goto((tmp_path / "page" / "index.html").resolve().as_uri())
        page.get_by_text(next(iter(tests)), exact=False).first.wait_for()
        shown = page.inner_text("body")
        for test in tests:
            assert test in shown
        for status, number in wanted.items():
            if number:
                assert status in shown.lower()
        (failed,) = [test for test in tests if test == "proof.session.amount-echo" and wanted["failed"]] or [""]
        if failed:
            page.get_by_text(failed).first.click()
            page.get_by_text('amount "99.5"').first.wait_for()
