"""A run's first requests find mistakes of configuration: it is inconclusive, with cause and cure, and fails nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.errors import Inconclusive
from rampcheck.judging.results import Results
from rampcheck.running import baseline
from rampcheck.running.run import Run, Settings
from rampcheck.sandbox import server
from tests.misconfigured import World, alone, exchanges, loaded
from tests.mistakes import MISTAKES, Case

# What may be in passing, or refused for the way of writing, a run asks about more often than a diagnosis: up to three
# times for an answer that may be anybody's, and for silence, each as often as the retry policy says; each optional
# part of it, where nothing says that none is missing; each other spelling, where it refuses the credentials.
MOST = {
    "hangs up": 7,
    "http to https": 7,
    "no such path, JSON": 7,
    "a validator": 7,
    "a gateway": 12,
    "a secret of nobody": 26,
}


@pytest.fixture(scope="module")
def references() -> Iterator[dict[str, server.RunningReference]]:
    """A conforming server of each contract."""
    with server.start("proof") as first, server.start("kryptonim") as second:
        yield {"proof": first, "kryptonim": second}


@pytest.fixture
def world(
    references: dict[str, server.RunningReference], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """What the cases are made of; nothing waits."""
    alone(monkeypatch)
    monkeypatch.setattr(baseline, "PAUSE", 0.0)
    made = World(references, tmp_path, monkeypatch)
    yield made
    made.closed()
    alone(monkeypatch)


def opened(profile: dict[str, Any], folder: Path) -> Results:
    """Gives the results of a run with this profile, which does not come to its first scenario."""
    folder.mkdir()
    run = Run(loaded(profile), Settings("run", b"0" * 32, folder, allure=False))
    with pytest.raises(Inconclusive) as ended:
        run.find_baseline()
    concluded = run.conclude(reason=run.judge.redacted(ended.value.message), cure=run.judge.redacted(ended.value.cure))
    run.close()
    assert concluded.code == 5
    return concluded.results


def letters(text: str) -> str:
    """Gives the letters of a text, as HTML or Markdown may have it."""
    return re.sub(r"[^A-Za-z]", "", html.unescape(re.sub(r"</?(code|wbr)[^>]*>", "", text)))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in MISTAKES])
def test_a_mistake_ends_a_run_before_it_begins(case: Case, world: World, tmp_path: Path) -> None:
    """Inconclusive, with what the doctor says of it and its cure, in every report; no clause has a verdict."""
    results = opened(case.make(world), tmp_path / "out")
    assert results["verdict"] == "inconclusive"
    assert results["counts"]["not_verified"] == len(results["clauses"])
    assert 1 <= results["requests"] <= MOST.get(case.name, 5)
    assert case.found.replace("refuses them", "refuses the credentials") in results["reason"]  # told once
    assert case.cure in results["cure"]
    for report in ("summary.md", "index.html", "junit.xml"):
        text = (tmp_path / "out" / report).read_text(encoding="utf-8")
        assert letters(results["cure"][:60]) in letters(text), report


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_refused_credentials_are_tried_elsewhere_but_in_production(
    environment: str, world: World, tmp_path: Path
) -> None:
    """Refused elsewhere, too, no optional part is tried by itself; in production only sessions are asked for."""
    profile = world.profile(credentials={"client_token": "nobody's"}, second_partner=None, environment=environment)
    opened(profile, tmp_path / "out")
    asked = [urlsplit(record["request"]["url"]).path for record in exchanges(tmp_path / "out")]
    others = [path for path in asked if path != "/widget/session"]
    assert ([path.rpartition("/")[0] for path in others], len(asked) > 5) == {
        "sandbox": (["/widget/transactions"], False),
        "production": ([], True),
    }[environment]


@pytest.mark.parametrize(
    ("file", "why"), [("missing/run.har", "there is no folder missing"), ("folder", "it is a folder")]
)
def test_an_archive_that_cannot_be_written_is_told_at_once(
    file: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first request, with exit code 4, and no folder of a run."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    done = CliRunner().invoke(main, ["run", "--contract", "proof", "--har", file, "--output", "run"])
    assert done.exit_code == 4, done.output
    assert f"{file} cannot be written: {why}\n  Make its folder, or name another file with --har." in done.output
    assert not Path("run").exists()


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_folder_is_no_profile(command: str, tmp_path: Path) -> None:
    """It is told as any mistake of a profile is: what, how to mend it, exit code 4."""
    done = CliRunner().invoke(main, [command, str(tmp_path)])
    assert done.exit_code == 4
    assert f"rampcheck: {tmp_path}: is a folder; name the file of a profile\n" in done.output
