"""Scenarios judge what they are marked with, and nothing judges what is no clause."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rampcheck.contract import descriptor, packs, register
from rampcheck.contract.profile import from_mapping
from rampcheck.errors import ContractError
from rampcheck.judging import suite as suites
from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import Invariant
from rampcheck.running import launch
from rampcheck.sandbox import builtin_profile
from rampcheck.wire.journal import Journal
from rampcheck.wire.redaction import Redactor
from tests import small_pack
from tests.runs import Completed

# A generated request breaks what it happens to break; marks for all of that would start this one for each.
GENERATED = "test_properties.py::test_generated_invalid_requests"
PART = re.compile(r"^[0-9]+$|^part[0-9]|-part[0-9]")
FOLLOWED = "test_following.py::test_transactions"
PAIRS = "test_session_request.py::test_every_provisioned_pair_is_accepted"
# What a scenario judges besides its marks, and what it is marked with and judges only where it is broken; and why.
BESIDES = {
    (
        "proof",
        f"{FOLLOWED}_are_followed_to_their_end_on_every_channel",
        "proof.kyc.not-started",
    ): "a look at another user by the way; where no transaction can be followed, the clause is not the worse for it",
    (
        "proof",
        f"{FOLLOWED}_are_followed_to_their_end_on_every_channel",
        "proof.kyc.isolation",
    ): "the other partner asks for the user of a transaction that is over, by the way; as above",
    (
        "proof",
        f"{FOLLOWED}_are_followed_to_their_end_on_every_channel",
        "proof.session.request.no-server-error",
    ): "a second session of a user whose first has come to its end; as above",
    (
        "proof",
        PAIRS,
        "proof.session.request.currency-enabled",
    ): "a pair that is accepted shows nothing of one that must be refused",
    ("proof", PAIRS, "proof.session.request.wallet-provisioned"): "as for currency-enabled",
    (
        "proof",
        "test_session_request.py::test_an_undocumented_field",
        "proof.transaction.pending",
    ): "a look at what such a field may have set; where it is refused, the clause is not the worse for it",
    (
        "kryptonim",
        "test_errors.py::test_one_error_of_each_kind",
        "kryptonim.session.request.network-supported",
    ): "an error by the way, which whoever was asked for the network before may no longer give",
    (
        "kryptonim",
        "test_session_values.py::test_a_second_amount_of_nothing",
        "kryptonim.session.request.type.fiatAmount",
    ): "which of the amounts is the second one depends on the target",
}
# What they send may be refused, and then shows nothing of a session: their control does, which may be another's.
CONTROLLED = {
    "test_session_request.py::test_another_letter_case_comes_back_as_it_was_sent",
    "test_session_response.py::test_configured_fields_do_not_follow_the_request",
}


@pytest.fixture(scope="module", params=descriptor.contracts())
def name(request: pytest.FixtureRequest) -> str:
    """The name of a contract."""
    return str(request.param)


@pytest.fixture(scope="module")
def run(name: str, conforming: Callable[[str], Completed]) -> Completed:
    """A run of the plain reference."""
    return conforming(name)


@pytest.fixture(scope="module")
def marks(name: str) -> dict[str, set[str]]:
    """The clauses that each scenario is marked with."""
    scenarios = launch.listed(name).scenarios
    return {f"{scenario.path.name}::{scenario.name}": set(scenario.clauses) for scenario in scenarios}


def by_scenario(run: Completed, *kinds: str) -> dict[str, set[str]]:
    """The clauses that a run's records of these kinds name, by scenario."""
    found: dict[str, set[str]] = defaultdict(set)
    asked_by = {record["number"]: record["scenario"] for record in run.records("exchange")}
    for kind in kinds:
        for record in run.records(kind):
            scenario = (record.get("scenario") or asked_by[record["exchange"]]).rpartition("/")[2]
            found[scenario] |= set(record["held"]) if kind == "exchange" else {record["clause"]}
    return found


def undivided(scenario: str) -> str:
    """The name of a scenario without the part of it: its parts try what it is marked with together."""
    name, _, values = scenario.removesuffix("]").partition("[")
    return name if PART.search(values) else scenario


def test_a_scenario_judges_nothing_but_its_marks(name: str, run: Completed, marks: dict[str, set[str]]) -> None:
    """What a scenario sees hold, or observes, is what it is marked with: `--clause` chooses it by that."""
    assert run.code == 0
    judged = by_scenario(run, "held", "demand", "unjudged", "untried", "observation")
    by_invariants = set(suites.load(name).judged)
    observed = by_scenario(run, "observation")
    besides = {
        (name, scenario, clause)
        for scenario, clauses in judged.items()
        if undivided(scenario) != GENERATED
        for clause in clauses - marks[scenario]
        if clause not in by_invariants & observed[scenario]
    }
    assert besides == {entry for entry in BESIDES if entry[0] == name and entry[2] not in marks[entry[1]]}


def shown(run: Completed) -> dict[str, set[str]]:
    """The clauses that each scenario of a run put to the test, by itself or by an invariant in one of its exchanges."""
    return by_scenario(run, "held", "demand", "unjudged", "untried", "observation", "exchange")


def shown_otherwise(name: str) -> set[str]:
    """The clauses that the whole run shows, and those of which only an acceptance would tell something."""
    suite = suites.load(name)
    of_acceptances = {known.clause for known in suite.invariants if not known.exercises}
    return of_acceptances | {known.clause for known in suite.history}


def test_a_scenario_judges_all_of_its_marks(name: str, run: Completed, marks: dict[str, set[str]]) -> None:
    """Each mark is judged by the scenario, by an invariant in one of its exchanges, or by one of the whole run."""
    judged, elsewhere = shown(run), shown_otherwise(name)
    together: dict[str, set[str]] = defaultdict(set)
    for scenario, clauses in judged.items():
        together[undivided(scenario)] |= clauses
    missing = {
        (name, undivided(scenario), clause)
        for scenario, clauses in marks.items()
        for clause in clauses - together[undivided(scenario)] - elsewhere
        if not (scenario.partition("[")[0] in CONTROLLED and clause in judged["baseline"])
    }
    assert missing == {entry for entry in BESIDES if entry[0] == name and entry[2] in marks[entry[1]]}


def test_each_part_of_a_scenario_judges_one_of_its_marks(name: str, run: Completed, marks: dict[str, set[str]]) -> None:
    """No part is there for nothing."""
    judged, elsewhere = shown(run), shown_otherwise(name)
    parts = {scenario: clauses for scenario, clauses in marks.items() if scenario != undivided(scenario)}
    assert parts
    assert not {scenario for scenario, clauses in parts.items() if not clauses & (judged[scenario] | elsewhere)}


WRONG = [
    ('@pytest.mark.verifies("smallest.session.answered")\n', "", "test_answer verifies no clause"),
    (
        "smallest.session.answered",
        "smallest.session.answer",
        "test_answer verifies 'smallest.session.answer', which is no clause",
    ),
    ("@pytest.mark.verifies", "@pytest.mark.verify", "test_session verifies no clause"),
]


def test_a_scenario_without_a_clause_is_not_collected(tmp_path: Path) -> None:
    """Nobody would miss a scenario that no run starts: it fails the collection of its file."""
    folder = small_pack.write(tmp_path, "smallest")
    file = folder / "suites" / "smallest" / "test_session.py"
    text = file.read_text(encoding="utf-8")

    def collected(*files: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "rampcheck.running.plugin"),
                *("--import-mode=importlib", "--collect-only", "-q", *map(str, files)),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, packs.VARIABLE: str(folder)},
        )

    right = collected(file)
    assert right.returncode == 0, right.stdout
    wrong_files = [file.with_name(f"test_wrong_{number}.py") for number, _ in enumerate(WRONG)]
    for path, (old, new, _) in zip(wrong_files, WRONG, strict=True):
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    wrong = collected(*wrong_files)
    assert wrong.returncode not in (0, 5)
    for path, (_, _, told) in zip(wrong_files, WRONG, strict=True):
        assert told in wrong.stdout
        assert f"ERROR suites/smallest/{path.name}" in wrong.stdout, wrong.stdout


@pytest.fixture
def judge(name: str, tmp_path: Path) -> Judge:
    """A judge with the contract's suite."""
    return judge_of(name, suites.load(name), tmp_path)


def judge_of(name: str, suite: suites.Suite, folder: Path) -> Judge:
    """A judge with this suite, which writes to a folder."""
    profile = from_mapping(builtin_profile(name, "http://127.0.0.1:9"), {}, "a test")
    return Judge(register.load(name), suite, profile, Journal(folder / "journal.jsonl", Redactor(b""), ()))


def test_judging_what_is_no_clause_is_a_fault(judge: Judge) -> None:
    """Whatever a scenario says of an id that the register does not have, it is told at once."""
    unknown = f"{judge.contract.name}.no.such"
    for say in (
        lambda: judge.unjudged(unknown, "why"),
        lambda: judge.untried(unknown, "why"),
        lambda: judge.observed(unknown, "what", None),
        lambda: judge.broken(unknown, "this", "that", None),
    ):
        with pytest.raises(ContractError, match=f"judges '{unknown}', which is no clause"):
            say()


def test_a_scenario_of_one_clause_need_not_name_it(judge: Judge) -> None:
    """Its judgements are of that clause; where it verifies several, or none, one has to be named."""
    first, second = list(judge.contract.clauses)[:2]
    judge.begin("one", (first, first))
    assert judge.clause == first
    for clauses in ((), (first, second)):
        judge.begin("test_of_some", clauses)
        with pytest.raises(ContractError, match=f"test_of_some verifies {len(clauses)} clauses, and a judgement"):
            _ = judge.clause


def test_a_suite_that_judges_what_is_no_clause_makes_no_judge(name: str, tmp_path: Path) -> None:
    """An invariant of an unknown id would be journalled as held."""
    suite = suites.load(name)
    stray = Invariant(f"{name}.no.such", lambda *_: True, lambda *_: None)
    with pytest.raises(ContractError, match=r"the suite judges '\w+\.no\.such'"):
        judge_of(name, replace(suite, invariants=[*suite.invariants, stray]), tmp_path)
