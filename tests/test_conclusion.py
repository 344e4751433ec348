"""`rampcheck report`: what a run comes to is made from its folder, whenever and however often."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rampcheck.sandbox import builtin_profile
from tests.runs import Completed, commanded, rampcheck

PART = ("--contract", "proof", "--clause", "proof.auth.*")


def report(folder: Path) -> Completed:
    """Runs `rampcheck report`."""
    return Completed(*commanded("report", str(folder)), folder)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A run of two workers that found something broken."""
    return rampcheck(*PART, "-n", "2", "--defect", "unknown-token-accepted", folder=tmp_path_factory.mktemp("broken"))


@pytest.fixture
def copy(broken: Completed, tmp_path: Path) -> Path:
    """A copy of what it left."""
    return Path(shutil.copytree(broken.folder, tmp_path / "run"))


def changed(folder: Path, **members: Any) -> None:
    """Changes members of a journal's first record, or leaves out those that are None."""
    first, _, rest = (folder / "journal.jsonl").read_text(encoding="utf-8").partition("\n")
    record = {name: value for name, value in {**json.loads(first), **members}.items() if value is not None}
    (folder / "journal.jsonl").write_text(f"{json.dumps(record)}\n{rest}", encoding="utf-8")


def without_end(folder: Path) -> None:
    """Takes the end from a journal, and half of the line before it."""
    lines = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(lines[:-2]) + lines[-2][:20], encoding="utf-8")


def test_the_same_reports_come_again(broken: Completed, copy: Path) -> None:
    """Of a finished run every report is the same again, byte for byte, and so is the exit code."""
    names = ("results.json", "index.html", "junit.xml", "summary.md")
    for name in names:
        (copy / name).unlink()
    shutil.rmtree(copy / "allure-results")
    done = report(copy)
    assert (done.code, broken.code) == (1, 1), done.printed
    assert [name for name in names if (copy / name).read_bytes() != (broken.folder / name).read_bytes()] == []
    before = len(list((broken.folder / "allure-results").iterdir()))
    assert report(copy).code == 1
    assert len(list((copy / "allure-results").iterdir())) == before


def test_what_differs_is_told(copy: Path) -> None:
    """Where other results stood there, it is told what changed."""
    content = json.loads((copy / "results.json").read_text(encoding="utf-8"))
    content["verdict"] = "conformant"
    content["clauses"][0]["verdict"] = "observed"
    (copy / "results.json").write_text(json.dumps(content), encoding="utf-8")
    told = report(copy).printed
    assert "the run: conformant before, nonconformant now" in told
    assert f"{content['clauses'][0]['id']}: observed before" in told
    assert "Not as it stood" not in report(copy).printed


def test_a_journal_without_an_end_is_unfinished(copy: Path, broken: Completed) -> None:
    """Where something failed, the run is not conformant all the same; the reports say that it has no end."""
    without_end(copy)
    done = report(copy)
    assert (done.code, done.results["verdict"], done.results["unfinished"]) == (1, "nonconformant", True)
    assert "has no end" in done.results["reason"]
    assert done.results["started"] <= done.results["finished"] <= broken.results["finished"]
    for name in ("index.html", "summary.md", "junit.xml"):
        assert "has no end" in (copy / name).read_text(encoding="utf-8")


def test_nothing_is_given_away(copy: Path) -> None:
    """The redaction's key is gone, and no secret of the profile stands in what is written again."""
    without_end(copy)
    report(copy)
    secrets = builtin_profile("proof", "http://127.0.0.1:9")["credentials"].values()
    texts = [path.read_text(encoding="utf-8") for path in copy.rglob("*") if path.is_file()]
    assert texts
    assert not [secret for secret in secrets if any(secret in text for text in texts)]
    assert "[redacted client_token" in (copy / "journal.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"contract_version": "1999-01"}, "1999-01"),
        ({"contract": "nobodys"}, "nobodys"),
        ({"selected": None}, "selected"),
    ],
)
def test_another_rampcheck_s_run_is_refused(copy: Path, members: dict[str, Any], said: str) -> None:
    """What cannot be judged by this version is told, with exit code 4, and no report is touched."""
    changed(copy, **members)
    before = (copy / "results.json").read_bytes()
    done = report(copy)
    assert done.code == 4, done.printed
    assert said in done.printed
    assert "Traceback" not in done.printed
    assert (copy / "results.json").read_bytes() == before


@pytest.mark.parametrize("name", ["", "nowhere", "file"])
def test_what_holds_no_run_is_refused(tmp_path: Path, name: str) -> None:
    """An empty folder, one that is not there, a file: exit code 4, one message."""
    (tmp_path / "file").touch()
    done = report(tmp_path / name)
    assert done.code == 4, done.printed
    assert "Traceback" not in done.printed
