"""Two runs compared: every pair of verdicts has its meaning, what differs anyway counts not, defects are named."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import ValidationError

from rampcheck import digests
from rampcheck.comparison import (
    answers,
    commands,
    differences,
    pages,
    pairs,
    saved,
    settings,
    shape,
    times,
    words,
)
from rampcheck.comparison.saved import Saved
from rampcheck.errors import UsageError
from rampcheck.report.outline import CLAUSE_VERDICTS
from rampcheck.sandbox import all_defects
from tests import samples
from tests.journals import BEGINNING
from tests.runs import Completed, rampcheck

CLAUSE = "proof.auth.unknown-token"
SECTION = "proof.auth"


def command(*arguments: str, current: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command of the program, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "rampcheck.cli", *arguments], capture_output=True, text=True, check=False, cwd=current
    )


def clause(
    verdict: str, level: str = "must", name: str = CLAUSE, text: str = "It is refused.", **members: Any
) -> dict[str, Any]:
    """A clause of a run with this verdict, and a finding where that takes one."""
    broken = verdict in ("failed", "advisory", "waived")
    found = [samples.finding("401", "200", 9)] if broken else []
    gap = {"gap": "unexpected", "reason": "nothing in this run exercised it"} if verdict == "not_verified" else {}
    return samples.clause(name, SECTION, verdict, text, level, **{"findings": found, **gap, **members})


def results(*clauses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The results of a run with these clauses alone."""
    broken = any(one["verdict"] == "failed" for one in clauses)
    verdict = "nonconformant" if broken else "conformant"
    return samples.results(**{"clauses": list(clauses), "verdict": verdict, "faults": [], "notes": [], **changes})


def run(*clauses: dict[str, Any], **changes: Any) -> Saved:
    """A run of these clauses alone, without a journal."""
    return Saved(results(*clauses, **changes))


def beginning(**profile: Any) -> dict[str, Any]:
    """A journal's first record, with this profile."""
    return {**BEGINNING, "profile": {**BEGINNING["profile"], **profile}}


def written(folder: Path, content: dict[str, Any], *records: dict[str, Any]) -> Path:
    """Writes a run's folder: its results, and a journal of these records."""
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(content))
    (folder / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


# What becomes of a clause.


@pytest.mark.parametrize(("before", "after"), list(itertools.product(CLAUSE_VERDICTS, repeat=2)))
def test_every_pair_of_verdicts_means_something(before: str, after: str) -> None:
    """Each pair has a kind, equal verdicts are no change, and what is not verified is never fixed or regressed."""
    kind = pairs.kind(clause(before), clause(after))
    assert kind in pairs.KINDS
    if before == after:
        assert kind in {"unchanged", "still_broken"}
    if "not_verified" in (before, after):
        assert kind not in {"fixed", "regressed", "still_broken"}
    assert pairs.is_regression(kind, clause(after)) == ((before, after) == ("passed", "failed"))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("passed", "failed", "regressed"),
        ("passed", "advisory", "regressed"),
        ("passed", "waived", "waived"),
        ("passed", "not_verified", "no_longer_verified"),
        ("failed", "not_verified", "no_longer_verified"),
        ("failed", "passed", "fixed"),
        ("failed", "waived", "waived"),
        ("waived", "failed", "unwaived"),
        ("waived", "passed", "fixed"),
        ("not_verified", "failed", "newly_broken"),
        ("not_verified", "passed", "newly_verified"),
        ("observed", "failed", "rejudged"),
        ("failed", "advisory", "still_broken"),
    ],
)
def test_pairs_of_verdicts(before: str, after: str, kind: str) -> None:
    """The pairs that are easily got wrong."""
    assert pairs.kind(clause(before), clause(after)) == kind


def test_what_was_not_selected_is_not_compared() -> None:
    """A part says nothing of the rest, whichever run it was."""
    rest = clause("not_verified", gap="unselected")
    assert pairs.kind(clause("passed"), rest) == "not_compared"
    assert pairs.kind(rest, clause("passed")) == "not_compared"
    assert pairs.kind(rest, clause("observed")) == "not_compared"
    assert pairs.kind(rest, rest) == "unchanged"


def test_a_recommendation_counts_in_a_strict_run_only() -> None:
    """A broken recommendation is told as regressed, and fails the comparison where the later run is strict."""
    before, after = clause("passed", "should"), clause("advisory", "should")
    for strict in (False, True):
        comparison = differences.compare(run(before), run(after, strict=strict))
        assert comparison["counts"]["regressed"] == 1
        assert comparison["regression"] is strict


def test_clauses_come_go_and_change() -> None:
    """New and removed clauses, another level, another text are told by their names, and are no regression."""
    before = run(clause("passed"), clause("passed", name="proof.auth.old"))
    after = run(clause("passed", "should", text="It is refused at once."), clause("failed", name="proof.auth.new"))
    comparison = differences.compare(before, after)
    told = {one["id"]: (one["kind"], one["changed"]) for one in comparison["clauses"]}
    assert told == {
        CLAUSE: ("unchanged", ["level", "text"]),
        "proof.auth.old": ("removed", []),
        "proof.auth.new": ("new", []),
    }
    assert not comparison["regression"]
    assert [one["id"] for one in words.reworded(comparison)] == [CLAUSE]


def test_what_follows_is_told_under_its_cause() -> None:
    """A clause that is broken in consequence names its cause, and comes after it."""
    lead, follower = clause("failed", name="proof.auth.z"), clause("failed", follows="proof.auth.z")
    comparison = differences.compare(run(clause("passed"), clause("passed", name="proof.auth.z")), run(follower, lead))
    group = words.groups(comparison)[0]
    assert [one["id"] for one in group.clauses] == ["proof.auth.z", CLAUSE]
    assert words.reason(group.clauses[1]) == "in consequence of proof.auth.z"


# What else differs.


def test_the_profile_is_compared_with_its_place(tmp_path: Path) -> None:
    """A changed value of the profile is told by its dotted place; marks of secrets and free ports are no change."""
    marks = [f"https://h.example/[redacted webhook_path {mark}]" for mark in ("1a2b3c4d5e6f", "0f9e8d7c6b5a")]
    profiles = [
        {"partner": {"pairs": [["USDT", "TRC20"]]}, "webhook": {"public_url": mark, "listen": f"127.0.0.1:{port}"}}
        for mark, port in zip(marks, (8001, 8002), strict=True)
    ]
    profiles[1]["partner"] = {"pairs": [["USDT", "TRC20"], ["USDC", "ERC20"]]}
    folders = [
        written(tmp_path / str(number), results(clause("passed"), seed=number), beginning(**profile))
        for number, profile in enumerate(profiles)
    ]
    changes = settings.changes(*map(saved.load, folders))
    assert [(change["name"], change["matters"]) for change in changes] == [("partner.pairs", True), ("seed", False)]
    assert changes[0]["after"] == "(USDT, TRC20), (USDC, ERC20)"


def test_without_journals_target_and_waivers_are_compared() -> None:
    """Of results alone, the target, the selection and the waivers are compared, and what is missing is said."""
    before = run(clause("passed"))
    after = run(
        clause("passed"),
        target={"base_url": "https://other.example", "environment": "sandbox"},
        selection={"clauses": ["proof.auth.*"], "keyword": ""},
    )
    comparison = differences.compare(before, after)
    assert [change["name"] for change in comparison["settings"]] == ["clauses selected", "base_url"]
    assert "named by its results.json" in comparison["notes"][0]


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ([10.0] * 30, [40.0] * 30, "slower"),
        ([40.0] * 30, [10.0] * 30, "faster"),
        ([10.0] * 30, [30.0] * 30, ""),  # three times as long, but 20 ms
        ([200.0] * 30, [240.0] * 30, ""),  # 40 ms, but a fifth
        ([10.0] * 19, [400.0] * 30, ""),  # too few
        ([10.0] * 20 + [400.0] * 20, [10.0] * 18 + [400.0] * 22, ""),  # the middle halves overlap
        ([10.0], [400.0], ""),
    ],
)
def test_answer_times_beyond_noise(before: list[float], after: list[float], differs: str) -> None:
    """Enough answers, an absolute and a relative floor, and middle halves that do not overlap."""
    (row,) = times.compared({"POST /x": before}, {"POST /x": after, "GET /y": after})
    assert row["differs"] == differs


def test_slower_is_told_and_no_regression(tmp_path: Path) -> None:
    """A target that became slow is told, with its endpoint, and does not fail the comparison."""
    folders = []
    for number, elapsed in enumerate((10.0, 90.0)):
        asked = [samples.exchange(n, path="/widget/session", elapsed_ms=elapsed) for n in range(1, 31)]
        folders.append(written(tmp_path / str(number), results(clause("passed")), beginning(), *asked))
    done = command("compare", *map(str, folders))
    assert done.returncode == 0, done.stderr
    assert "POST /widget/session is slower: 10.0 ms" in " ".join(done.stdout.split())


# The same request, both answers.

REFUSED = json.dumps({"error": "unauthorised", "code": "invalid_token"})


@pytest.fixture
def regressed(tmp_path: Path) -> tuple[Path, Path]:
    """A run that refused a token, and one that took it."""
    common = {"path": "/widget/session", "scenario": "suites/proof/test_auth.py::test_token"}
    before = [
        samples.exchange(4, 200, change="", **common),
        samples.exchange(5, 401, REFUSED, change="a token that was never issued", **common),
    ]
    after = [
        samples.exchange(8, 200, change="", **common),
        samples.exchange(9, 200, change="a token that was never issued", **common),
    ]
    return (
        written(tmp_path / "before", results(clause("passed")), beginning(), *before),
        written(tmp_path / "after", results(clause("failed")), beginning(), *after),
    )


def test_a_regression_shows_both_answers_to_the_same_request(regressed: tuple[Path, Path]) -> None:
    """Of the earlier run it is the request with the same change, and the status is marked as another."""
    comparison = differences.compare(*map(saved.load, regressed))
    (told,) = comparison["clauses"]
    (both,) = told["answers"]
    assert (both["before"], both["after"], both["change"]) == (5, 9, "a token that was never issued")
    assert {"before": "status 401", "after": "status 200", "differs": True} in both["rows"]
    assert {
        "before": "content-type: application/json",
        "after": "content-type: application/json",
        "differs": False,
    } in (both["rows"])


def test_a_request_that_the_earlier_run_never_sent(regressed: tuple[Path, Path]) -> None:
    """It is said, and the answer of the later run stands alone."""
    journal = regressed[0] / "journal.jsonl"
    journal.write_text("\n".join(journal.read_text().splitlines()[:2]) + "\n")
    (both,) = differences.compare(*map(saved.load, regressed))["clauses"][0]["answers"]
    assert both["before"] is None
    assert {row["before"] for row in both["rows"]} == {None}
    done = command("compare", *map(str, regressed))
    assert "no such request before" in " ".join(done.stdout.split())


def test_what_differs_between_any_two_answers_is_not_marked() -> None:
    """Times, ids, and marks of hidden values are folded; a value of another kind is not."""
    one = 'x [redacted init_token 77e0d2aa01bc] 2026-11-21T07:00:00Z "0b0a5d1e-8a6b-4c8e-9a51-2f6f0e9f3a10"'
    other = 'x [redacted init_token 1188ff001122] 2027-01-01T09:30:01.5Z "11111111-8a6b-4c8e-9a51-2f6f0e9f3a10"'
    assert shape.shape(one) == shape.shape(other)
    assert shape.shape('"https://a.example/b?run=k3s-12&to=1"') == shape.shape('"https://a.example/b?run=9zz-4&to=1"')
    assert shape.shape("https://a.example/?to=1") != shape.shape("https://a.example/?to=2")
    assert shape.shape('"amount": "99.50"') != shape.shape('"amount": "99.5"')
    assert shape.shape("status 401") != shape.shape("status 200")
    assert answers.apart('"amount": "99.50"', '"amount": "99.5"') == ('"amount": "99.5', "0", "", '"')


# The command.


def test_a_regression_is_told_everywhere_and_exits_with_1(regressed: tuple[Path, Path], tmp_path: Path) -> None:
    """Terminal, Markdown, HTML and JSON name the clause and both answers; the page needs no network and no script."""
    done = command("compare", *map(str, regressed), "--output", str(tmp_path / "out"))
    assert done.returncode == 1, done.stderr
    assert CLAUSE in done.stdout
    assert "- status 401" in done.stdout
    markdown = (tmp_path / "out/compare.md").read_text()
    assert "| status 401 | status 200 |" in markdown
    page = (tmp_path / "out/compare.html").read_text()
    assert "status <mark>401</mark>" in page
    assert "default-src 'none'" in page
    assert "<script" not in page
    comparison = json.loads((tmp_path / "out/compare.json").read_text())
    differences.validate(comparison)
    with pytest.raises(ValidationError):
        differences.validate({**comparison, "regression": "yes"})


def test_the_other_way_round_it_is_fixed(regressed: tuple[Path, Path]) -> None:
    """What fails now and held later is fixed, and exits with 0."""
    done = command("compare", *map(str, reversed(regressed)))
    assert done.returncode == 0, done.stderr
    assert "Fixed: 1 clause" in done.stdout


def test_runs_that_are_named_the_wrong_way_round_are_told() -> None:
    """Where the first is the later one, a note says so."""
    earlier, later = (run(clause("passed"), started=f"2026-11-{day}T07:00:00Z") for day in (20, 21))
    turned = "the run that is named first is the later one"
    assert differences.compare(later, earlier)["notes"][0].startswith(turned)
    assert not differences.compare(earlier, later)["notes"][0].startswith(turned)


def test_results_alone_can_be_compared(regressed: tuple[Path, Path]) -> None:
    """Named by results.json, the regression is told, and that the answers are not compared."""
    done = command("compare", *(str(folder / "results.json") for folder in regressed))
    assert done.returncode == 1, done.stderr
    assert "are not compared" in " ".join(done.stdout.split())


def mistakes(tmp_path: Path) -> Iterator[tuple[str, list[str], str]]:
    """What people do wrong, and what they are told."""
    good = written(tmp_path / "good", results(clause("passed")), beginning())
    other = written(tmp_path / "other", results(clause("passed"), contract="kryptonim"), beginning())
    silent = written(tmp_path / "silent", results(clause("not_verified"), verdict="inconclusive"), beginning())
    killed = written(tmp_path / "killed", results(clause("passed")), beginning())
    (killed / "results.json").unlink()
    broken = written(tmp_path / "broken", {}, beginning())
    cut = written(tmp_path / "cut", results(clause("passed")), beginning())
    (cut / "journal.jsonl").write_text("no record\n")
    yield "one run", [str(good)], "after"
    yield "nothing there", [str(good), str(tmp_path / "nosuch")], "there is no such file or folder"
    yield "no run", [str(good), str(tmp_path)], "holds no results.json"
    yield "no report yet", [str(good), str(killed)], "rampcheck report"
    yield "another contract", [str(good), str(other)], "different contracts: kryptonim, proof"
    yield "nothing judged", [str(good), str(silent)], "there is nothing to compare"
    yield "no results", [str(good), str(broken)], "is a required property"
    yield "no journal", [str(good), str(cut)], "is no record of a run"
    several = tmp_path / "several"
    several.mkdir()
    written(several / "proof", results(clause("passed")), beginning())
    yield "several runs", [str(good), str(several)], f"name one: {several / 'proof'}"
    yield "an empty output", [str(good), str(good), "--output", ""], "is empty"
    yield "a file as output", [str(good), str(good), "--output", str(good / "results.json")], "is a file"


def test_mistakes_are_told_with_exit_code_4(tmp_path: Path) -> None:
    """Each has one message that says what is wrong; the program ends with the exit code of usage."""
    for what, arguments, told in mistakes(tmp_path):
        with pytest.raises((UsageError, click.UsageError)) as caught:
            commands.compare.main(arguments, standalone_mode=False)
        assert told in str(caught.value), what
    done = command("compare", str(tmp_path / "good"), str(tmp_path / "other"))
    assert done.returncode == 4
    assert done.stderr.startswith("rampcheck: these are runs of different contracts")


def test_files_that_are_not_of_one_piece_are_told(tmp_path: Path) -> None:
    """Results that were edited beside their page or journal are compared all the same, and it is said."""
    before = written(tmp_path / "a", results(clause("passed")), beginning())
    digest = digests.of_file(before / "journal.jsonl")
    told = {"profile": "0" * 64, "register": "0" * 64, "document": "0" * 64, "journal": digest}
    after = written(tmp_path / "b", results(clause("passed"), digests=told), beginning())
    (after / "index.html").write_text(f"results {digests.of_file(after / 'results.json')}", encoding="utf-8")
    assert differences.compare(saved.load(before), saved.load(after))["notes"] == []
    changed = results(clause("passed"), digests=told | {"journal": "1" * 64})
    (after / "results.json").write_text(json.dumps(changed))
    journal, page = differences.compare(saved.load(before), saved.load(after))["notes"]
    assert journal.startswith("after: results.json was made from another journal")
    assert page.startswith("after: index.html was made from another results.json")


def test_the_port_of_a_webhook_is_shown(tmp_path: Path) -> None:
    """Settings that differ are shown as they were written."""
    runs = [
        written(
            tmp_path / str(number),
            results(clause("passed")),
            beginning(webhook={"listen": f"127.0.0.1:{port}", "public_url": f"http://{host}:{port}/hook"}),
        )
        for number, (host, port) in enumerate((("127.0.0.1", 8099), ("hooks.example", 9000)))
    ]
    changes = differences.compare(*map(saved.load, runs))["settings"]
    urls = {change["name"]: (change["before"], change["after"]) for change in changes}
    assert urls["webhook.public_url"] == ("http://127.0.0.1:8099/hook", "http://hooks.example:9000/hook")


def test_what_a_target_writes_stays_text(tmp_path: Path) -> None:
    """Hostile findings and answers are text in the page, in Markdown and on the terminal."""
    content = "\n".join(samples.HOSTILE)
    found = [samples.finding("401", text, 9) for text in samples.HOSTILE[:1]]
    asked = samples.exchange(9, 200, content, path="/widget/session")
    before = written(tmp_path / "a", results(clause("passed")), beginning(), samples.exchange(9, 200, path="/x"))
    after = written(tmp_path / "b", results(clause("failed", findings=found)), beginning(), asked)
    comparison = differences.compare(saved.load(before), saved.load(after))
    page, markdown = pages.html(comparison), pages.markdown(comparison)
    assert "<script" not in page.lower()
    assert "<img" not in page.lower()
    assert "\u202e" not in page + markdown
    assert "<script" not in markdown.replace("\\<", "")
    done = command("compare", str(before), str(after))
    assert "\x1b[31m" not in done.stdout


def test_an_unknown_contract_is_compared_all_the_same(tmp_path: Path) -> None:
    """Results of a pack that is not here need no pack: only the paths are not those of its document."""
    folders = [
        written(
            tmp_path / str(n),
            results(clause(verdict), contract="elsewhere"),
            beginning(),
            samples.exchange(9, path="/x/1"),
        )
        for n, verdict in enumerate(("passed", "failed"))
    ]
    comparison = differences.compare(*map(saved.load, folders))
    assert comparison["clauses"][0]["answers"][0]["request"] == "POST /x/1"
    with pytest.raises(UsageError, match="different contracts"):
        saved.demand_one_contract(saved.load(folders[0]), run(clause("passed")))


# Real runs.


@pytest.fixture
def alike(conforming: Callable[..., Completed]) -> list[Completed]:
    """Runs of one reference with other seeds and workers."""
    return [conforming("kryptonim"), conforming("kryptonim", "--seed", "2", "-n", "2")]


def test_runs_of_one_target_differ_in_nothing(alike: list[Completed]) -> None:
    """Other seeds, other workers and another order change no verdict, and no setting that matters."""
    for before, after in itertools.permutations([saved.load(done.folder) for done in alike], 2):
        comparison = differences.compare(before, after)
        assert comparison["clauses"] == []
        assert [change for change in comparison["settings"] if change["matters"]] == []
        assert words.outcome(comparison).word == "No difference"


@pytest.mark.parametrize(
    "defect", ["signature-skipped-when-absent", "wrong-signature-forbidden", "missing-signature-explained"]
)
def test_a_defect_is_named_by_its_clause(defect: str, alike: list[Completed], tmp_path: Path) -> None:
    """A run with a defect, compared at its end with a clean one, names a clause of it, and shows both answers."""
    breaks = next(known.clauses for known in all_defects("kryptonim") if known.name == defect)
    patterns = [argument for name in breaks for argument in ("--clause", name)]
    done = rampcheck(
        *("--contract", "kryptonim", "--defect", defect, *patterns, "--baseline", str(alike[0].folder)),
        folder=tmp_path / "run",
    )
    assert done.code == 1, done.printed
    comparison = json.loads((tmp_path / "run/compare.json").read_text())
    regressed = {one["id"]: one for one in comparison["clauses"] if one["kind"] == "regressed"}
    assert regressed.keys() & set(breaks)
    assert all(one["answers"][0]["before"] for one in regressed.values() if "follows" not in one)
    assert done.printed.index("Regressed:") < done.printed.index("Not conformant:")
    assert (tmp_path / "run/compare.html").is_file()


def test_a_baseline_leaves_the_exit_code_alone(alike: list[Completed], tmp_path: Path) -> None:
    """A part that holds is compared, says what was not, and exits as it would have without."""
    selection = ("--contract", "kryptonim", "--clause", "kryptonim.auth.signature-required")
    done = rampcheck(*selection, "--baseline", str(alike[0].folder), folder=tmp_path / "run")
    assert done.code == 0, done.printed
    assert "No regression" in done.printed
    assert "Partial: Kryptonim" in done.printed.rpartition("\n\n")[2]


def test_a_baseline_that_is_none_is_told_before_any_request(alike: list[Completed], tmp_path: Path) -> None:
    """Nothing there, or another contract: exit code 4, one message, and no folder."""
    for contract, named, told in (
        ("kryptonim", tmp_path / "nosuch", "there is no such file or folder"),
        ("proof", alike[0].folder, "is a run of the contract kryptonim, not of proof"),
        ("", alike[0].folder, "is one run, and proof and kryptonim would be judged"),
    ):
        chosen = ("--contract", contract) if contract else ()
        done = rampcheck(*chosen, "--baseline", str(named), folder=tmp_path / "run")
        assert done.code == 4, done.printed
        assert told in done.printed
        assert not (tmp_path / "run").exists()
