"""How runs end that people really make: a part, a small budget, a webhook that never comes, a fault, a waiver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.sandbox import server
from rampcheck.wire import receiver
from tests.runs import Completed, rampcheck


@pytest.fixture(scope="module")
def reference() -> Iterator[server.RunningReference]:
    """A conforming server of Proof."""
    with server.start("proof") as running:
        yield running


@pytest.fixture
def profile_of(reference: server.RunningReference, tmp_path: Path) -> Any:
    """Writes the profile of the reference with some sections replaced, and gives its path."""

    def write(**sections: Any) -> str:
        path = tmp_path / "profile.yaml"
        path.write_text(yaml.safe_dump({**reference.profile(), **sections}), encoding="utf-8")
        return str(path)

    return write


def page(done: Completed) -> str:
    """Gives the HTML report of a run."""
    return (done.folder / "index.html").read_text(encoding="utf-8")


def test_a_small_budget_leaves_a_run_incomplete(
    profile_of: Any, reference: server.RunningReference, tmp_path: Path
) -> None:
    """Where the requests of a run were used up, nothing is green, and nothing can be signed."""
    path = profile_of(limits={**reference.profile()["limits"], "max_requests": 50})
    done = rampcheck(path, folder=tmp_path / "run")
    assert (done.code, done.results["verdict"]) == (5, "incomplete")
    assert not done.verdicts("failed")
    gaps = {clause["gap"] for clause in done.results["clauses"] if clause["verdict"] == "not_verified"}
    assert "unexpected" in gaps
    assert "There is nothing to sign" in page(done)
    assert "Conformant" not in done.printed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_part_is_called_a_part(profile_of: Any, tmp_path: Path, workers: str) -> None:
    """A run of some scenarios is partial; what was selected stands in every report and in the command."""
    done = rampcheck(profile_of(), "-k", "origin", "-n", workers, folder=tmp_path / "run")
    assert (done.code, done.results["verdict"]) == (0, "partial")
    assert done.results["selection"] == {"clauses": [], "keyword": "origin"}
    assert done.clause("proof.auth.origin-unregistered")["verdict"] == "passed"
    assert done.clause("proof.webhook.complete")["gap"] == "unselected"
    assert "-k origin" in page(done)
    assert "There is nothing to sign" in page(done)
    for report in ("summary.md", "junit.xml"):
        assert "origin" in (done.folder / report).read_text(encoding="utf-8")
    assert "Partial" in "".join(done.printed.splitlines()[-3:])


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("a and", "Wrong expression"),
        ("no_such_scenario", "chooses no scenario"),
    ],
)
def test_a_selection_of_nothing_is_told_before_anything_is_sent(
    profile_of: Any,
    tmp_path: Path,
    keyword: str,
    said: str,
) -> None:
    """An expression that does not parse, or matches nothing, ends with exit code 4 and no folder."""
    done = rampcheck(profile_of(), "-k", keyword, folder=tmp_path / "run")
    assert done.code == 4, done.printed
    assert said in done.printed
    assert not (tmp_path / "run").exists()


def test_a_webhook_that_never_comes_leaves_a_run_incomplete(profile_of: Any, tmp_path: Path) -> None:
    """The profile tells of webhooks, and none arrives: what they promise could not be tried."""
    url = f"http://127.0.0.1:{receiver.free_port()}/hook"
    path = profile_of(webhook={"listen": url.removeprefix("http://").removesuffix("/hook"), "public_url": url})
    done = rampcheck(path, "--examples", "2", folder=tmp_path / "run")
    assert (done.code, done.results["verdict"]) == (5, "incomplete")
    assert done.clause("proof.webhook.complete")["gap"] == "unexpected"
    assert done.clause("proof.webhook.delivered")["verdict"] == "advisory"


# What is planted in the program before it runs.
FAULTS = {
    "in a scenario": "import rampcheck.running.scenario as scenario\n"
    "def fail(*_): raise ZeroDivisionError('planted')\n"
    "scenario.Attempt.is_observed = fail",
    "a fixture that is missing": "import rampcheck.running.plugin as plugin; del plugin.generator",
    "a module that cannot be imported": "import rampcheck.running.cases as cases; del cases.spellings",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_of_rampcheck_is_no_conformance(profile_of: Any, tmp_path: Path, fault: str) -> None:
    """Where scenarios ended in a fault, the headline says so, the exit code is 3, and nothing can be signed."""
    broken = f"{fault}\nfrom rampcheck.cli import main\nmain()"
    folder = tmp_path / "run"
    command = [sys.executable, "-c", broken, "run", profile_of(), "--examples", "2", "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    completed = Completed(done.returncode, done.stdout + done.stderr, folder)
    assert (completed.code, completed.results["verdict"]) == (3, "incomplete")
    assert not completed.results["interrupted"]
    assert "rampcheck itself" in completed.printed
    assert "Every required promise" not in page(completed)
    assert "There is nothing to sign" in page(completed)


def test_a_waiver_covers_what_follows_and_goes_stale(tmp_path: Path) -> None:
    """What follows from a waived cause is waived, too; a waiver of what passed is stale, and fails with --strict."""
    cause, consequence = "proof.session.request.no-server-error", "proof.session.request.amount-decimal"
    part = (
        "--clause",
        consequence,
        "--clause",
        cause,
        "--clause",
        "proof.auth.unknown-token",
        "-k",
        "decimal or token",
    )
    with server.start("proof", ["validation-fails"]) as running:
        path = tmp_path / "waived.yaml"
        path.write_text(
            yaml.safe_dump(
                {
                    **running.profile(),
                    "waivers": [
                        {"clause": cause, "reason": "agreed"},
                        {"clause": "proof.auth.unknown-token", "reason": "long mended", "until": "2999-01-31"},
                    ],
                }
            ),
            encoding="utf-8",
        )
        done = rampcheck(str(path), *part, folder=tmp_path / "run")
        strict = rampcheck(str(path), *part, "--strict", folder=tmp_path / "strict")
    states = {waiver["clause"]: (waiver["state"], waiver["until"]) for waiver in done.results["waivers"]}
    assert states == {cause: ("used", None), "proof.auth.unknown-token": ("stale", "2999-01-31")}
    followed = done.clause(consequence)
    assert (followed["verdict"], followed["follows"]) == ("waived", cause)
    assert "in consequence" in followed["reason"]
    assert "2999-01-31" in page(done)
    assert "is stale" in done.printed
    assert (done.code, strict.code) == (0, 1)


def test_a_defect_of_no_clause_tells_how_a_run_ends() -> None:
    """Where the target is gone, or another server, the list has the run's verdict in the place of clauses."""
    printed = CliRunner().invoke(main, ["serve", "--contract", "proof", "--list-defects"]).output
    told = [line.strip() for line in printed.splitlines() if line.startswith("    breaks")]
    ends = {line for line in told if "proof." not in line}
    assert ends == {f"breaks no clause: such a run ends {verdict}" for verdict in ("incomplete", "inconclusive")}
