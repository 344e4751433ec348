"""A part of a run: what was selected stands everywhere, and a selection of nothing is told before any request."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import junitparser
import pytest

from rampcheck.contract import register
from rampcheck.errors import NothingChosen, UsageError
from rampcheck.running import launch
from rampcheck.sandbox import server
from tests.runs import Completed, rampcheck

PROOF = register.load("proof")
KEYWORD = "origin and not outside"


@pytest.fixture(scope="module", params=["1", "2"])
def partial(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A run of the scenarios that a keyword names."""
    folder = tmp_path_factory.mktemp("partial") / "run"
    return rampcheck("--contract", "proof", "-k", KEYWORD, "-n", request.param, folder=folder)


@pytest.mark.xdist_group("partial")
def test_a_part_that_holds_is_partial(partial: Completed) -> None:
    """What was selected held: the exit code is 0, and the verdict is not that of a whole run."""
    assert partial.code == 0, partial.printed
    assert partial.results["verdict"] == "partial"
    assert partial.clause("proof.auth.origin-optional")["verdict"] == "passed"
    unselected = {clause["id"] for clause in partial.results["clauses"] if clause.get("gap") == "unselected"}
    assert "proof.auth.bearer-required" in unselected
    assert {clause.get("gap") for clause in partial.results["clauses"]} == {None, "unselected"}


@pytest.mark.xdist_group("partial")
def test_the_selection_stands_in_every_report(partial: Completed) -> None:
    """Results, page, summary, JUnit, Allure, terminal and journal name the selection; the page how to run it again."""
    assert partial.results["selection"] == {"clauses": [], "keyword": KEYWORD}
    shown = f"-k '{KEYWORD}'"
    page = (partial.folder / "index.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert f"rampcheck run --contract proof --seed 1 {shown}" in page
    assert "For the provider" not in page
    assert f"| Selected | {shown} |" in (partial.folder / "summary.md").read_text(encoding="utf-8")
    document = junitparser.JUnitXml.fromstring((partial.folder / "junit.xml").read_bytes())
    assert {p.value for suite in document for p in suite.properties() if p.name == "selection"} == {shown}
    assert f"Selected={shown}" in (partial.folder / "allure-results/environment.properties").read_text()
    assert f"Selected: {shown}" in partial.printed
    assert partial.records("run")[0]["selection"] == partial.results["selection"]


@pytest.mark.xdist_group("partial")
def test_the_verdict_is_the_last_word(partial: Completed) -> None:
    """What pytest counts is not said, and the verdict comes last."""
    assert "passed in" not in partial.printed
    assert "Partial: Proof" in partial.printed.rpartition("\n\n")[2]


def test_plain_pytest_has_the_verdict_last(tmp_path: Path) -> None:
    """Under pytest itself its own line stands before the verdict."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "suites/proof",
            "--rampcheck-contract",
            "proof",
            "-k",
            "twice",
            "-p",
            "no:cacheprovider",
            "--rampcheck-output",
            str(tmp_path / "run"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stdout
    assert 0 < done.stdout.index(" passed") < done.stdout.index("Partial: Proof")
    assert json.loads((tmp_path / "run/results.json").read_text())["selection"]["keyword"] == "twice"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "a and"], "a and"),
        (["-k", "nosuchscenario"], "chooses no scenario of proof or kryptonim"),
        (["-k", "nosuchscenario", "--contract", "proof", "-n", "2"], "chooses no scenario of the contract proof"),
        (["-k", "origin", "--clause", "proof.errors.*"], "for proof.errors.*"),
        (["--clause", "proof.nothing"], "no clause of the contract"),
    ],
    ids=[
        "no expression",
        "no scenario anywhere",
        "no scenario of the contract",
        "no scenario of the clauses",
        "no clause",
    ],
)
def test_a_selection_of_nothing_is_told_before_any_request(
    arguments: list[str],
    message: str,
    tmp_path: Path,
) -> None:
    """Exit code 4, one message, no folder, and the target hears nothing."""
    done = rampcheck(*arguments, folder=tmp_path / "run")
    assert done.code == 4, done.printed
    assert message in done.printed
    assert "Traceback" not in done.printed
    assert not (tmp_path / "run").exists()


def test_a_contract_without_such_a_scenario_is_left_out(tmp_path: Path) -> None:
    """Without a profile, a keyword that names scenarios of one contract only judges that one."""
    done = rampcheck("-k", KEYWORD, folder=tmp_path / "run")
    assert done.code == 0, done.printed
    assert done.results["contract"] == "proof"


def test_what_is_chosen_is_what_scenarios_are_marked_with() -> None:
    """A keyword chooses the clauses of the scenarios that it names, within the patterns; no keyword all of these."""
    chosen = launch.chosen(PROOF, [], KEYWORD)
    assert "proof.auth.origin-optional" in chosen
    assert "proof.auth.bearer-required" not in chosen
    assert launch.chosen(PROOF, ["proof.auth.origin-optional"], KEYWORD) == {"proof.auth.origin-optional"}
    assert launch.chosen(PROOF, [], "") == set(PROOF.clauses)
    with pytest.raises(NothingChosen):
        launch.chosen(PROOF, ["proof.errors.*"], KEYWORD)
    with pytest.raises(UsageError, match="column"):
        launch.chosen(PROOF, [], "a and")


def test_what_nothing_can_test_is_no_selection() -> None:
    """A pattern of clauses that nothing can test from outside chooses no scenario."""
    clause = replace(PROOF.clauses["proof.auth.origin-optional"], untestable="it is the vendor's own")
    untestable = replace(PROOF, clauses={**PROOF.clauses, clause.id: clause})
    with pytest.raises(NothingChosen, match="from outside"):
        launch.chosen(untestable, [clause.id], "")
    assert launch.chosen(untestable, ["proof.auth.*"], "")


def test_options_of_the_environment_choose_nothing(tmp_path: Path) -> None:
    """What the user's own pytest is told in the environment selects nothing."""
    done = rampcheck(
        "--contract",
        "proof",
        "-k",
        "twice",
        folder=tmp_path / "run",
        environment={**os.environ, "PYTEST_ADDOPTS": "-k nosuchscenario"},
    )
    assert done.code == 0, done.printed


def test_a_selection_of_what_the_profile_lacks_judges_nothing(tmp_path: Path) -> None:
    """Where nothing that was selected could be tried, the run is inconclusive, not conformant."""
    with server.start("proof") as running:
        profile = tmp_path / "profile.yaml"
        token = running.profile()["credentials"]["client_token"]
        profile.write_text(f"contract: proof\nbase_url: {running.base_url}\ncredentials: {{client_token: {token}}}\n")
        done = rampcheck(str(profile), "--clause", "proof.auth.inactive-token", folder=tmp_path / "run")
    assert done.code == 5, done.printed
    assert done.results["verdict"] == "inconclusive"
    assert "no clause that was selected was exercised" in " ".join(done.printed.split())


def test_the_command_to_run_it_again_is_quoted_for_a_shell(tmp_path: Path) -> None:
    """What the page offers is one command with the same selection."""
    done = rampcheck(
        "--contract", "proof", "--clause", "proof.auth.o*", "--strict", "--seed", "3", folder=tmp_path / "run"
    )
    page = (tmp_path / "run/index.html").read_text(encoding="utf-8").replace("&#39;", "'")
    command = page.partition("<code>rampcheck run ")[2].partition("</code>")[0]
    told = ["--contract", "proof", "--seed", "3", "--strict", "--clause", "proof.auth.o*"]
    assert shlex.split(command) == told
    assert done.code == 0, done.printed
