"""Every defect of the reference is convicted, by name of its clause, in a real run over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from rampcheck import resources
from rampcheck.reference import Defect, all_defects
from tests.runs import rampcheck

DEFECTS = [defect for contract in resources.contracts() for defect in all_defects(contract)]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.contract}-{defect.name}")
def test_the_defect_is_convicted(defect: Defect, tmp_path: Path) -> None:
    """The run's exit code and a finding against the broken clause tell of the defect."""
    options = ["--contract", defect.contract, "--defect", defect.name, "--strict"]
    # The scenarios of the clause itself find nearly every defect; the others take a whole run to provoke.
    done = rampcheck(*options, *(f"--clause={clause}" for clause in defect.clauses), folder=tmp_path / "part")
    if not set(defect.clauses) & set(done.verdicts("failed", "advisory")):
        done = rampcheck(*options, folder=tmp_path / "whole")
    convicted = done.verdicts("failed", "advisory")
    assert set(defect.clauses) & set(convicted), f"{defect.summary}\n{done.printed}"
    assert done.code == 1
    assert not done.results["faults"]
    for clause in convicted:
        finding = done.clause(clause)["findings"][0]
        assert finding["expected"]
        assert finding["actual"]


def test_one_defect_leaves_unrelated_clauses_alone(tmp_path: Path) -> None:
    """A whole run against one defect fails the clause that it breaks and no other."""
    done = rampcheck("--contract", "proof", "--defect", "token-compared-by-prefix", folder=tmp_path / "run")
    assert done.verdicts("failed", "advisory") == {"proof.auth.unknown-token": "failed"}
