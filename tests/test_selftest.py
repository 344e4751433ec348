"""The selftest tells what the suite convicts, misses and accuses, from trials that are really made."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rampcheck.contract import register
from rampcheck.errors import ExitCode, UsageError
from rampcheck.selftest import (
    Conditions,
    Selection,
    Trial,
    bench,
    outcome,
    page,
    planned,
    print_matrix,
    prove,
)
from rampcheck.selftest.attempt import RUN
from tests.browser import browser, opened, paper, sticking_out
from tests.runs import commanded

pytestmark = pytest.mark.xdist_group("selftest")  # one process has what all of these tests share

DEFECT = "signature-skipped-when-absent"
OTHER = "widget-url-over-http"
VARIANT = "errors-explained"
QUICK = Conditions(examples=1)


def chosen() -> tuple[Trial, Trial, Trial, Trial]:
    """The trials of the plain reference, of two defects, and of a variant."""
    plain, *others = planned(Selection(["kryptonim"], defects=[DEFECT, OTHER], variants=[VARIANT]))
    by_name = {trial.name: trial for trial in others}
    return plain, by_name[DEFECT], by_name[OTHER], by_name[VARIANT]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the matrix of trials that end in every way there is."""
    folder = tmp_path_factory.mktemp("selftest") / "made"
    plain, defect, other, variant = chosen()
    trials = [
        plain,
        defect,
        variant,
        replace(defect, name="does-nothing", defects=()),
        replace(defect, name="does-more", defects=(*defect.defects, *other.defects)),
        replace(variant, name="breaks-a-promise", defects=other.defects),
        replace(defect, name="does-not-start", defects=("there-is-no-such-defect",)),
        another_api(),
        replace(another_api(), name="another-end", ends="incomplete"),
    ]
    return folder, prove(Selection(["kryptonim"], defects=[DEFECT]), QUICK, folder, trials=trials)


def another_api() -> Trial:
    """The trial of a server that is not the API at all."""
    return planned(Selection(["kryptonim"], defects=["not-this-api"]))[1]


def entry(matrix: dict[str, Any], name: str) -> dict[str, Any]:
    """The one trial of a matrix that has this name."""
    found: list[dict[str, Any]] = [one for one in matrix["trials"] if one["name"] == name]
    assert len(found) == 1
    return found[0]


def test_results(made: tuple[Path, dict[str, Any]]) -> None:
    """Each trial gets the result it deserves, and the sums count them."""
    _, matrix = made
    assert {one["name"]: one["result"] for one in matrix["trials"]} == {
        "plain": "conforming",
        DEFECT: "convicted",
        VARIANT: "conforming",
        "does-nothing": "missed",
        "does-more": "convicted",
        "breaks-a-promise": "accused",
        "does-not-start": "fault",
        "not-this-api": "ended",
        "another-end": "missed",
    }
    sums = {
        "defects": 6,
        "convicted": 2,
        "ended": 1,
        "missed": 2,
        "unrelated": 1,
        "variants": 3,
        "accused": 1,
        "faults": 1,
    }
    assert {key: matrix["summary"][key] for key in sums} == sums
    assert (matrix["as_required"], matrix["exit_code"]) == (False, ExitCode.FAULT)


def test_a_conviction_says_what_caught_it(made: tuple[Path, dict[str, Any]]) -> None:
    """It names the clause, the scenario, what was expected and seen, and what it took."""
    _, matrix = made
    convicted = entry(matrix, DEFECT)
    first = convicted["convictions"][0]
    assert first["clause"] in convicted["clauses"]
    assert first["scenario"].startswith("suites/kryptonim/test_")
    assert first["judge"] == "invariant"
    assert first["expected"]
    assert first["actual"]
    assert 1 <= convicted["to_first_finding"] < convicted["requests"]


def test_what_is_unrelated_is_named(made: tuple[Path, dict[str, Any]]) -> None:
    """A clause that fails besides is unrelated unless it was foreseen; of a conforming server it is an accusation."""
    folder, matrix = made
    _, defect, other, _ = chosen()
    more = entry(matrix, "does-more")
    blamed = {one["clause"] for one in more["unrelated"]}
    assert blamed & set(other.clauses)
    assert entry(matrix, DEFECT)["unrelated"] == []
    may_break = (*defect.may_break, *other.may_break, *other.clauses)
    foreseen = outcome.read(
        replace(defect, may_break=may_break), folder / more["folder"] / RUN, more["exit_code"], "", 0.0
    )
    assert (foreseen.result, foreseen.unrelated) == ("convicted", ())
    assert set(foreseen.related) >= blamed & set(other.clauses)
    accused = entry(matrix, "breaks-a-promise")
    assert {one["clause"] for one in [*accused["unrelated"], *accused["advisories"]]} & set(other.clauses)


def test_only_the_evidence_that_needs_a_look_is_kept(made: tuple[Path, dict[str, Any]]) -> None:
    """The folders of what went wrong are kept and named, all others deleted."""
    folder, matrix = made
    kept = {one["name"]: one["folder"] for one in matrix["trials"] if one["folder"]}
    assert set(kept) == {"does-nothing", "does-more", "breaks-a-promise", "does-not-start", "another-end"}
    assert (folder / kept["does-nothing"] / "run" / "journal.jsonl").exists()
    assert "there-is-no-such-defect" in (folder / kept["does-not-start"] / "printed.txt").read_text(encoding="utf-8")
    assert {f"trials/{path.name}" for path in (folder / "trials").iterdir()} == set(kept.values())


def test_what_is_written_is_what_is_given(made: tuple[Path, dict[str, Any]]) -> None:
    """matrix.json holds the matrix, and the clauses of the contract with the defects that were tried on each."""
    folder, matrix = made
    assert json.loads((folder / "matrix.json").read_text(encoding="utf-8")) == matrix
    clauses = {clause["id"]: clause for clause in matrix["contracts"][0]["clauses"]}
    assert set(clauses) == set(register.load("kryptonim").clauses)
    assert "does-nothing" in clauses[chosen()[1].clauses[0]]["defects"]


class References(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the references of a tag."""
        self.found += [value for name, value in attrs if name in {"href", "src", "action", "srcset"} and value]


def test_the_page_is_for_everybody(made: tuple[Path, dict[str, Any]]) -> None:
    """In a browser axe-core finds no violation on the page, a search finds a defect, and paper keeps trials folded."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with browser() as started:
        for scheme in ("light", "dark"):
            page = opened(started, made[0] / "index.html", color_scheme=scheme)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            assert [violation["id"] for violation in axe.run(page).response["violations"]] == []
        for width in (360, 390):
            page = opened(started, made[0] / "index.html", viewport={"width": width, "height": 740})
            assert sticking_out(page) == []
        page = opened(started, made[0] / "index.html", f"#?words={DEFECT}")
        assert page.locator(".search .found").inner_text() == f"{page.locator('.item:visible').count()} found"
        sheets = paper(opened(started, made[0] / "index.html"))
        assert "in the median" in sheets[0]
        assert "to the first finding, " not in "".join(sheets)


def test_the_page_is_one_file(made: tuple[Path, dict[str, Any]]) -> None:
    """It refers to nothing beyond its own folder, and to nothing there that does not exist."""
    folder, matrix = made
    text = (folder / "index.html").read_text(encoding="utf-8")
    references = References()
    references.feed(text)
    outward = [found for found in references.found if not found.startswith("#")]
    assert outward
    assert [found for found in outward if "://" in found or found.startswith("/")] == []
    assert [found for found in outward if not (folder / found).exists()] == []
    assert not re.search(r"url\(|@import", text)
    for one in matrix["trials"]:
        assert one["name"] in text


def test_the_terminal_names_what_to_look_at(
    made: tuple[Path, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each trial that is not as required stands there with its folder; the others do not."""
    folder, matrix = made
    print_matrix(matrix, Console(width=200), folder)
    printed = capsys.readouterr().out
    for name in ("does-nothing", "does-more", "breaks-a-promise", "does-not-start"):
        assert f"{name}, seed 1" in printed
        assert str(folder / entry(matrix, name)["folder"]) in printed
    assert "the run ended inconclusive, not incomplete" in printed
    assert VARIANT not in printed


def test_how_early_is_told_where_whole_runs_say_it(
    made: tuple[Path, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The APFD stands on the page, with how it is computed, and on the terminal; quick trials have none."""
    folder, matrix = made
    told = f"kryptonim {matrix['contracts'][0]['apfd']:.2f}"
    quick = {**matrix, "contracts": [{**one, "apfd": None} for one in matrix["contracts"]]}
    for content, stands in ((matrix, True), (quick, False)):
        text = page.render(content, is_everything=False)  # type: ignore[arg-type] - as JSON has it
        print_matrix(content, Console(width=200), folder)  # type: ignore[arg-type] - as JSON has it
        assert (f"<dd>{told}</dd>" in text, 'id="apfd"' in text) == (stands, stands)
        assert (f"(APFD, 1 is at once): {told}" in capsys.readouterr().out) is stands


def test_ctrl_c_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trials under way are ended, and the matrix holds those that had ended by themselves."""
    ended: list[Trial] = []

    def read(trial: Trial, *rest: Any) -> outcome.Outcome:
        if ended:
            raise KeyboardInterrupt
        ended.append(trial)
        return outcome.read(trial, *rest)

    monkeypatch.setattr(bench, "read", read)
    _, *trials = chosen()
    matrix = prove(Selection(["kryptonim"]), replace(QUICK, quick=True), tmp_path / "made", jobs=1, trials=trials)
    assert [one["name"] for one in matrix["trials"]] == [DEFECT]
    assert (matrix["interrupted"], matrix["exit_code"]) == (True, ExitCode.INTERRUPTED)
    assert multiprocessing.active_children() == []
    assert (tmp_path / "made" / "index.html").exists()


def test_sigterm_keeps_what_was_done(tmp_path: Path) -> None:
    """A pipeline that cancels the job gets the matrix so far and the exit code 2; the trial under way is ended."""
    folder = tmp_path / "made"
    process = subprocess.Popen(
        [sys.executable, "-m", "rampcheck.cli", "selftest", "--defect", DEFECT, "--jobs", "1", "--output", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not list(folder.glob("trials/*/run")):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail(f"the selftest ended by itself: {process.communicate()[0]}")
    process.terminate()
    printed, _ = process.communicate(timeout=60)
    matrix = json.loads((folder / "matrix.json").read_text(encoding="utf-8"))
    assert (process.returncode, matrix["interrupted"]) == (ExitCode.INTERRUPTED, True), printed
    assert not (folder / "trials").exists()


def test_the_command(tmp_path: Path) -> None:
    """It exits with 0 where all is as required, says so, and shows nothing that the runs print."""
    folder = tmp_path / "made"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "rampcheck.cli",
            "selftest",
            "--contract",
            "kryptonim",
            "--defect",
            DEFECT,
            "-n",
            "2",
            "--examples",
            "1",
            "--quick",
            "--keep",
            "--output",
            str(folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.CONFORMANT, done.stdout + done.stderr
    matrix = json.loads((folder / "matrix.json").read_text(encoding="utf-8"))
    assert {one["name"]: one["result"] for one in matrix["trials"]} == {"plain": "conforming", DEFECT: "convicted"}
    assert matrix["workers"] == 2
    assert "As required" in done.stdout
    assert "Reports:" not in done.stdout + done.stderr
    for one in matrix["trials"]:
        results = json.loads((folder / one["folder"] / "run" / "results.json").read_text(encoding="utf-8"))
        assert results["workers"] == 2


@pytest.mark.parametrize(
    "given",
    [
        ["--defect", "no-such-defect"],
        ["--variant", "no-such-variant"],
        ["--clause", "kryptonim.no.such"],
        ["--contract", "no-such-contract"],
    ],
    ids=lambda given: given[0],
)
def test_unknown_names_are_mistakes(given: list[str], tmp_path: Path) -> None:
    """What does not exist is told at once, with exit code 4."""
    code, printed = commanded("selftest", *given, "--output", str(tmp_path / "made"))
    assert code == ExitCode.USAGE, printed
    assert given[1] in printed
    assert not (tmp_path / "made").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    """No selftest writes over another."""
    (tmp_path / "matrix.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something"):
        prove(Selection(["kryptonim"]), QUICK, tmp_path, trials=[chosen()[0]])


@pytest.mark.parametrize("part", [{"defects": ["auth-ignored"]}, {"variants": ["any"]}, {"patterns": ["proof.auth.*"]}])
def test_what_scenarios_are_worth_is_measured_by_all_trials(part: dict[str, list[str]], tmp_path: Path) -> None:
    """A part of them would write that the others find nothing."""
    with pytest.raises(UsageError, match="--write-worth"):
        prove(Selection(["proof"], **part), QUICK, tmp_path, measure=True, trials=[chosen()[0]])


def test_a_group_is_taken_apart_where_one_of_it_is_accused(tmp_path: Path) -> None:
    """What several variants are accused of at once is put down to those that do it; the others are cleared."""
    _, _, other, variant = chosen()
    # The clause that is broken is enough to try, and nobody is accused of what is not tried.
    alike = replace(variant, clauses=other.clauses, unverified=tuple(register.load("kryptonim").clauses))
    wrong = replace(alike, name="breaks-a-promise", defects=other.defects)
    group = replace(wrong, name="both", parts=(alike, wrong))
    matrix = prove(Selection(["kryptonim"]), replace(QUICK, quick=True), tmp_path / "made", trials=[group])
    assert {one["name"]: one["result"] for one in matrix["trials"]} == {
        VARIANT: "conforming",
        "breaks-a-promise": "accused",
    }
    assert (matrix["summary"]["variants"], matrix["summary"]["accused"]) == (2, 1)


def test_quick_trials_take_variants_at_once(tmp_path: Path) -> None:
    """A group that is cleared clears each of its variants."""
    names = [VARIANT, "gzip", "created"]
    matrix = prove(Selection(["kryptonim"], variants=names), replace(QUICK, quick=True), tmp_path / "made")
    groups = [one["parts"] for one in matrix["trials"] if one["kind"] == "variant"]
    assert [sorted(parts) for parts in groups] == [sorted(names)]
    assert (matrix["summary"]["variants"], matrix["summary"]["conforming"]) == (4, 4)


def results(**broken: dict[str, Any]) -> dict[str, Any]:
    """The results of a run that found these clauses broken; `_` stands for the dot in their names."""
    found = {
        "level": "must",
        "verdict": "failed",
        "findings": [
            {"scenario": "s", "expected": "e", "actual": "a", "exchange": 3, "judge": "schema", "about": [], "times": 1}
        ],
    }
    clauses = [{"id": name.replace("_", "."), **found, **given} for name, given in broken.items()]
    return {"clauses": clauses, "verdict": "incomplete", "faults": [], "reason": "", "requests": 9}


class TestOutcome:
    """What is made of a run."""

    TRIAL = Trial("a", "defect", "d", clauses=("a.own",), may_break=("a.fore",))

    def test_what_follows_from_a_cause_is_related(self) -> None:
        """A clause is no accusation where its cause is the defect's, or foreseen."""
        read = outcome.of_run(
            self.TRIAL,
            results(
                a_own={},
                a_one={"follows": "a.own"},
                a_two={"follows": "a.foreseen"},
                a_three={"follows": "a.strange"},
                a_foreseen={},
                a_advised={"verdict": "advisory"},
            ),
            [],
            exit_code=1,
        )
        assert set(read.related) == {"a.one", "a.two", "a.foreseen"}
        assert [one.clause for one in read.unrelated] == ["a.three"]
        assert [one.clause for one in read.advisories] == ["a.advised"]
        assert [one.clause for one in read.false_failures] == ["a.three"]

    def test_the_first_finding_is_told_by_time(self) -> None:
        """Journals of several workers are merged one after the other; what counts is when."""

        def sent(second: int) -> dict[str, Any]:
            seen = {"number": second, "scenario": "test_a.py::test_own", "held": []}
            return {**seen, "kind": "exchange", "direction": "outgoing", "started": f"2026-01-01T00:00:{second:02}Z"}

        finding = {"kind": "finding", "clause": "a.own", "scenario": "test_a.py::test_own"}
        records = [sent(1), sent(5), finding, sent(9), sent(2), sent(3), {**finding, "clause": "a.other"}, sent(6)]
        read = outcome.of_run(self.TRIAL, results(a_own={}), records, exit_code=1)
        assert read.to_first_finding == 4
        assert read.convictions[0].judge == "schema"

    def test_the_history_finds_at_the_end(self) -> None:
        """What no single exchange shows takes all requests."""
        read = outcome.of_run(self.TRIAL, results(a_own={}), [], exit_code=1)
        assert read.to_first_finding == 9

    @pytest.mark.parametrize(
        ("exit_code", "result"),
        [(0, "conforming"), (1, "accused"), (5, "accused"), (3, "fault"), (4, "fault"), (None, "fault")],
    )
    def test_only_a_run_that_judged_clears_a_variant(self, exit_code: int | None, result: str) -> None:
        """A conforming server is cleared by exit code 0 and nothing else."""
        trial = Trial("a", "variant", "v")
        assert outcome.of_run(trial, results(), [], exit_code=exit_code).result == result

    @pytest.mark.parametrize(
        ("ends", "broken", "result", "blamed"),
        [
            ("incomplete", {}, "ended", []),
            ("inconclusive", {}, "missed", []),
            ("incomplete", {"a_other": {}}, "ended", ["a.other"]),
            ("incomplete", {"a_fore": {}}, "ended", []),
            ("incomplete", {"a_other": {"level": "should", "verdict": "advisory"}}, "ended", []),
        ],
    )
    def test_a_server_that_cannot_be_judged_has_to_end_its_run_so(
        self,
        ends: str,
        broken: dict[str, Any],
        result: str,
        blamed: list[str],
    ) -> None:
        """What is demanded is the run's verdict, and that no `must` clause takes the blame."""
        trial = Trial("a", "defect", "d", may_break=("a.fore",), ends=ends)
        read = outcome.of_run(trial, results(**broken), [], exit_code=5)
        assert (read.result, read.verdict) == (result, "incomplete")
        assert [one.clause for one in read.unrelated] == blamed
        assert read.needs_a_look == (result == "missed" or bool(blamed))
