"""What `rampcheck init` writes with a contract and a base URL only is looked at, and judged, as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.contract import descriptor
from rampcheck.sandbox import server
from tests.runs import rampcheck


@pytest.fixture(scope="module")
def reference() -> Iterator[server.RunningReference]:
    """A conforming server."""
    with server.start("kryptonim") as running:
        yield running


@pytest.fixture
def environ(reference: server.RunningReference, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its credentials, in the variables that the contract names."""
    given = reference.profile()["credentials"]
    for name, known in descriptor.load("kryptonim").credentials.items():
        if known.required:
            monkeypatch.setenv(known.variable, given[name])


@pytest.mark.usefixtures("environ")
def test_doctor_and_run_take_it(
    reference: server.RunningReference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--doctor` ends as doctor does; a run tries what the profile has enough for."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["init", "--base-url", reference.base_url, "--doctor"])
    assert (done.exit_code, "Ready: a run can begin." in done.output) == (0, True), done.output
    ran = rampcheck("kryptonim.yaml", "--clause", "kryptonim.auth.*", folder=tmp_path / "run", current=tmp_path)
    assert ran.code == 0, ran.printed
    assert ran.verdicts("passed")


@pytest.mark.usefixtures("environ")
def test_what_doctor_finds_is_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile is written all the same."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["init", "--base-url", "http://127.0.0.1:9", "--doctor"])
    assert (done.exit_code, "Not ready" in done.output) == (1, True), done.output
    assert (tmp_path / "kryptonim.yaml").is_file()
