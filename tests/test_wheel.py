"""The built wheel, installed into an empty environment, does in an empty folder what the checkout does."""

from __future__ import annotations

import os

import pytest

from rampcheck.contract import descriptor
from rampcheck.running import budgets
from tests import installed
from tests.runs import Completed, rampcheck

pytestmark = pytest.mark.xdist_group("wheel")  # one process has what all of these tests share


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A run of the installed program in an empty folder, which tries each promise: all that it needs is there."""
    empty = tmp_path_factory.mktemp("empty")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    return rampcheck(
        *("--budget", str(budgets.FOR_REMOTE)),
        folder=empty / "run",
        program=installed.program(),
        current=empty,
        environment=environment,
    )


def test_the_installed_program_judges_every_contract(done: Completed) -> None:
    """Both references conform, and each contract has its report."""
    assert done.code == 0, done.printed
    for contract in descriptor.contracts():
        single = Completed(done.code, done.printed, done.folder / contract)
        assert single.results["verdict"] in {"conformant", "conformant_with_gaps"}
        assert not single.verdicts("failed")
        assert (done.folder / contract / "index.html").stat().st_size > 10_000


def test_the_installed_program_leaves_nothing_else_behind(done: Completed) -> None:
    """Beside its reports a run writes nothing into the folder where it is started."""
    assert [path.name for path in done.folder.parent.iterdir()] == ["run"]
