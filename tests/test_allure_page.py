"""The page that Allure 3 makes of a run says what its verdict says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from rampcheck.report.outline import outline
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
        [*allure, "awesome", "--lang=en", "--output=page", "allure-results"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return tests


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serves a folder on this machine; gives its address."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""


@pytest.mark.parametrize("name", ["conformant", "nonconformant", "incomplete by an outage", "with gaps"])
def test_the_page_says_what_the_verdict_says(name: str, allure: list[str], tmp_path: Path) -> None:
    """Its word and the number of each status are those of the run; what failed or was lost stands there."""
    results = run(name)
    tests = generated(allure, results, tmp_path)
    wanted = {status: sum(test["status"] == status for test in tests.values()) for status in STATUSES}
    page_summary = json.loads((tmp_path / "page" / "summary.json").read_text(encoding="utf-8"))
    told = {status: page_summary["stats"].get(status, 0) for status in STATUSES}
    assert told == wanted
    # Not `--single-file`: on a busy machine such a page sometimes begins before the data in it are there.
    with serving(tmp_path / "page") as served, browser() as started:
        page = started.new_page()
        # It asks others for statistics, which no test waits for.
        page.route(lambda url: not url.startswith(served), lambda route: route.abort())
        page.goto(served)
        page.get_by_text("Verdict", exact=True).wait_for()
        lines = page.inner_text("body").splitlines()
        shown = dict(pairwise(line.strip() for line in lines if line.strip()))
        assert shown["Verdict"] == outline(results).word.word
        assert shown["Total"] == str(len(tests))
        assert {status: shown.get(status.capitalize(), "0") for status in STATUSES} == {
            status: str(number) for status, number in wanted.items()
        }
        # Groups in which nothing is wrong are closed.
        for test in tests.values():
            assert test["status"] not in ("failed", "broken") or test["name"] in lines
        if name == "nonconformant":
            page.get_by_text("proof.session.amount-echo", exact=True).first.click()
            page.get_by_text('actual: amount "99.5"').first.wait_for(state="attached")
