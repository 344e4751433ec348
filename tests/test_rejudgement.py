"""A run judged again from its journal alone: what was there comes out the same, what was changed is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rampcheck.errors import UsageError
from rampcheck.judging.rederived import is_hidden
from rampcheck.running import conclusion
from rampcheck.running.rejudgement import ATTESTED, DIFFERS, SAME, rejudged
from rampcheck.wire.journal import from_record
from tests import samples
from tests.runs import Completed, rampcheck

Record = dict[str, Any]
PART = ("--contract", "proof", "--clause", "proof.auth.*")
UNKNOWN, ENVELOPE = "proof.auth.unknown-token", "proof.errors.envelope"
MARKED = "https[redacted user_email b70afd4149a3]done"
# What only who was there can judge: a form that a mark does not have, a webhook that did not come.
ATTESTED_MUSTS = {"proof": {"proof.session.signature-format"}, "kryptonim": set[str]()}


def run(tmp_path_factory: pytest.TempPathFactory, *arguments: str) -> Completed:
    """A run with these arguments, in a folder of its own."""
    return rampcheck(*arguments, folder=tmp_path_factory.mktemp("run") / "run")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A part of a run in which all held."""
    return run(tmp_path_factory, *PART)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """Two workers find that a wrong token is accepted."""
    return run(tmp_path_factory, *PART, "-n", "2", "--defect", "unknown-token-accepted")


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A run in which refusals are wrong, and seen again."""
    return run(tmp_path_factory, *PART, "--defect", "unauthorised-in-american")


@pytest.mark.parametrize("contract", ["proof", "kryptonim"])
def test_a_conforming_run_comes_out_the_same(contract: str, conforming: Callable[[str], Completed]) -> None:
    """Nothing differs, and of the required clauses no more are attested by the live run only than is said above."""
    again = rejudged(conforming(contract).folder)
    assert again.holds, again.lines()
    musts = [clause for clause in again.clauses if clause.level == "must"]
    attested = {clause.clause for clause in musts if clause.outcome == ATTESTED}
    # Webhooks come only where the profile has a place for them.
    assert attested - {"proof.webhook.delivered"} == ATTESTED_MUSTS[contract]
    assert len([clause for clause in musts if clause.outcome == SAME]) / len(musts) >= 0.95


def test_broken_runs_come_out_the_same(taken: Completed, refused: Completed) -> None:
    """What was accepted wrongly, and what was refused wrongly and seen again, is found broken again."""
    for done in (taken, refused):
        assert done.clause(UNKNOWN)["verdict"] == "failed"
        again = rejudged(done.folder)
        assert again.holds, again.lines()
        assert {clause.clause: clause.outcome for clause in again.clauses}[UNKNOWN] == SAME
        assert again.lines()[-1].endswith("judged again with the same verdict")


@pytest.mark.parametrize(
    ("asked", "told", "about", "hidden"),
    [
        (MARKED, "https://a.example/done", "body.redirect_url", True),
        ("https://a.example/done", MARKED, "body.redirect_url", True),
        (MARKED, "https://a.example/done", "body.currency", False),
        (MARKED, "https://a.example/done", "status", False),
        ("https://b.example/done", "https://a.example/done", "body.redirect_url", False),
    ],
)
def test_what_is_hidden_on_either_side_decides_nothing(asked: str, told: str, about: str, hidden: bool) -> None:
    """Where an answer has to repeat what its request hides, who has the journal alone cannot see whether it does."""
    body, answer = (json.dumps({"redirect_url": url, "currency": "USDT"}) for url in (asked, told))
    assert is_hidden(from_record(samples.exchange(1, 200, answer, body)), [about]) is hidden


def of_nothing(records: list[Record]) -> list[Record]:
    """Takes away all that speaks of the clause: what was found, what was demanded, what was asked again."""
    return without("finding", "demand", "doubt", "again", of=UNKNOWN)(records)


def uncounted(records: list[Record]) -> list[Record]:
    """Leaves out what was counted, too."""
    return [record for record in of_nothing(records) if record["kind"] != "tally"]


def counted_again(records: list[Record]) -> list[Record]:
    """Takes the same away, and makes what was counted fit what is left."""
    left = of_nothing(records)
    scenarios = {record["number"]: record["scenario"] for record in left if record["kind"] == "exchange"}
    there = Counter(
        (record.get("scenario") or scenarios.get(record.get("exchange")), record["kind"])
        for record in left
        if record["kind"] != "tally"
    )
    for record in left:
        if record["kind"] == "tally":
            record["records"] = {
                kind: there[record["scenario"], kind] for kind in record["records"] if there[record["scenario"], kind]
            }
    return left


def as_if_never_asked(records: list[Record]) -> list[Record]:
    """Takes the exchanges of the clause's scenario away as well, with what counted them."""
    numbers = {record["exchange"] for record in records if record["kind"] == "finding"}
    scenarios = {record["scenario"] for record in records if record.get("number") in numbers}
    gone = {record["number"] for record in records if record["kind"] == "exchange" and record["scenario"] in scenarios}
    return [
        record
        for record in of_nothing(records)
        if record.get("scenario") not in scenarios and record.get("exchange") not in gone
    ]


def renumbered(records: list[Record]) -> list[Record]:
    """Closes the gap in the numbers after that."""
    left = as_if_never_asked(records)
    old = sorted(record["number"] for record in left if record["kind"] == "exchange")
    new = {number: place for place, number in enumerate(old, start=1)}
    for record in left:
        for member in ("number", "exchange", "control", "of"):
            if record.get(member) in new:
                record[member] = new[record[member]]
    left[0]["workers"] = 0
    return left


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (of_nothing, "records of the kind demand are missing of"),
        (uncounted, "nothing says how many records there were of"),
        (counted_again, "was accepted with a made-up credential, and nothing judges that"),
        (as_if_never_asked, "of one process there are none"),
        (renumbered, "told the target that it was exchange"),
    ],
)
def test_what_was_taken_out_is_missed(
    change: Callable[[list[Record]], list[Record]], told: str, taken: Completed, tmp_path: Path
) -> None:
    """Findings that were taken away together with what was demanded, and with more and more of what tells of them."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    tampered(folder, change)
    again = rejudged(folder)
    assert not again.holds
    assert told in " ".join(again.taken_out)
    assert any(told in line for line in again.lines())


def test_a_number_that_a_stranger_has_taken_is_not_missed(taken: Completed, tmp_path: Path) -> None:
    """What came to the webhook's address and is not of the run has a number; it was counted, and no more than it."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    tally = {"kind": "tally", "scenario": "", "records": {"unread": 1}}

    def passed_over(records: list[Record]) -> list[Record]:
        """Gives the last exchange of a process the number after its own."""
        numbers = {record["number"] for record in records if record["kind"] == "exchange"}
        step, last = records[0]["workers"] + 1, max(numbers)
        for record in records:
            for member in ("number", "exchange", "control", "of"):
                if record.get(member) == last:
                    record[member] = last + step
        return [*records[:-1], tally, records[-1]]

    tampered(folder, passed_over)
    assert not [line for line in rejudged(folder).taken_out if "of one process" in line]
    tampered(folder, lambda records: [record for record in records if record != tally])
    assert [line for line in rejudged(folder).taken_out if "of one process" in line]


def test_a_shard_takes_only_numbers_of_its_own(taken: Completed, tmp_path: Path) -> None:
    """Of a run on two machines, each passes over the numbers of the other."""

    def every_second(records: list[Record]) -> list[Record]:
        records[0]["selection"]["shard"] = "1/2"
        for record in records:
            for member in ("number", "exchange", "control", "of"):
                if isinstance(record.get(member), int):
                    record[member] = 2 * record[member] - 1
        return records

    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    tampered(folder, every_second)
    assert not [line for line in rejudged(folder).taken_out if "of one process" in line]


def test_a_run_without_an_end_can_be_judged_again(taken: Completed, tmp_path: Path) -> None:
    """Of a run that was killed, what there is comes out the same."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    tampered(folder, lambda records: records[:-1])
    again = rejudged(folder)
    assert (again.holds, again.told) == (True, "nonconformant"), again.lines()


def test_a_login_page_in_place_of_a_refusal_is_no_acceptance(clean: Completed, tmp_path: Path) -> None:
    """Where a page came for what has to be refused, and nobody could ask again, nothing is found afterwards either."""
    folder = Path(shutil.copytree(clean.folder, tmp_path / "run"))
    tampered(folder, with_a_login_page)
    again = rejudged(folder)
    assert (again.holds, again.told) == (True, "incomplete"), again.lines()


def test_credentials_that_are_taken_in_another_spelling_only_are_judged(tmp_path: Path) -> None:
    """The finding stands in the exchange that was refused; what was accepted instead lacks nothing."""
    part = ("--contract", "kryptonim", "--clause", "kryptonim.auth.signature-bytes")
    again = rejudged(rampcheck(*part, "--defect", "signature-in-base64url-only", folder=tmp_path / "run").folder)
    assert (again.holds, again.told) == (True, "nonconformant"), again.lines()


def with_a_login_page(records: list[Record]) -> list[Record]:
    """Puts a page in place of the last refusal that the clause demands, in a scenario that ended there."""
    number = max(record["exchange"] for record in records if record["kind"] == "demand" and record["clause"] == UNKNOWN)
    for record in records:
        if record["kind"] == "demand" and record["exchange"] == number:
            record["held"] = False
        if record["kind"] == "exchange" and record["number"] == number:
            headers = [["content-type", "text/html"]]
            record["response"] |= {"status": 200, "headers": headers, "body": "<html><title>Sign in</title></html>"}
            scenario, record["held"] = record["scenario"], []
    gone = {"kind": "unjudged", "clause": UNKNOWN, "scenario": scenario, "reason": "the target was gone"}
    return [*records[:-1], gone, records[-1]]


def tampered(folder: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    """Changes the journal of a run, and makes all else again, so that everything in the folder fits."""
    path = folder / "journal.jsonl"
    records = change([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    (folder / "results.json").unlink()
    conclusion.conclude(folder)


def without(*kinds: str, of: str) -> Callable[[list[Record]], list[Record]]:
    """Leaves out the records of these kinds that speak of a clause."""
    return lambda records: [
        record for record in records if not (record["kind"] in kinds and record.get("clause", of) == of)
    ]


def called_held(clause: str) -> Callable[[list[Record]], list[Record]]:
    """Takes away what was found, and says that every demand was met."""

    def change(records: list[Record]) -> list[Record]:
        return [
            {**record, "held": True} if record["kind"] == "demand" and record["clause"] == clause else record
            for record in without("finding", of=clause)(records)
        ]

    return change


def said_to_hold(clause: str) -> Callable[[list[Record]], list[Record]]:
    """Takes away what was found in exchanges, and says there that the clause held."""

    def change(records: list[Record]) -> list[Record]:
        numbers = {
            record["exchange"] for record in records if record["kind"] == "finding" and record["clause"] == clause
        }
        return [
            {**record, "held": [*record["held"], clause]}
            if record["kind"] == "exchange" and record["number"] in numbers
            else record
            for record in without("finding", of=clause)(records)
        ]

    return change


def doubted(clause: str) -> Callable[[list[Record]], list[Record]]:
    """Makes doubts of all that was found, as if it had not come again."""
    doubt = {"kind": "doubt", "signature": "a page", "gateway": True}
    return lambda records: [
        {**record, **doubt} if record["kind"] == "finding" and record["clause"] == clause else record
        for record in records
    ]


def set_right(clause: str) -> Callable[[list[Record]], list[Record]]:
    """Puts a refusal in place of every answer in which the clause was found broken."""
    body = {"error": "unauthorised", "code": "invalid_token", "message": "no"}

    def change(records: list[Record]) -> list[Record]:
        numbers = {
            record["exchange"] for record in records if record["kind"] == "finding" and record["clause"] == clause
        }
        return [
            {**record, "response": {**record["response"], "status": 401, "body": json.dumps(body)}}
            if record["kind"] == "exchange" and record["number"] in numbers
            else record
            for record in records
        ]

    return change


def answered(was: int, **members: Any) -> Callable[[list[Record]], list[Record]]:
    """Changes the last answer with this status."""

    def change(records: list[Record]) -> list[Record]:
        place = max(
            place
            for place, record in enumerate(records)
            if record["kind"] == "exchange" and record["response"] and record["response"]["status"] == was
        )
        return [
            {**record, "response": {**record["response"], **members}} if at == place else record
            for at, record in enumerate(records)
        ]

    return change


def of_a_session(**members: Any) -> Callable[[list[Record]], list[Record]]:
    """Changes members of every session."""

    def change(records: list[Record]) -> list[Record]:
        for record in records:
            if record["kind"] == "exchange" and record["response"] and record["response"]["status"] == 200:
                body = json.loads(record["response"]["body"])
                if "fix_currency" in body:
                    record["response"]["body"] = json.dumps({**body, **members})
        return records

    return change


def without_the_controls(records: list[Record]) -> list[Record]:
    """Leaves out every exchange that was a control."""
    controls = {record["control"] for record in records if record["kind"] == "demand"}
    return [record for record in records if record.get("number") not in controls]


def without_the_exchanges(records: list[Record]) -> list[Record]:
    """Leaves out every exchange in which something was found."""
    numbers = {record["exchange"] for record in records if record["kind"] == "finding"}
    return [record for record in records if record.get("number") not in numbers]


def with_a_finding(records: list[Record]) -> list[Record]:
    """Adds a finding against an answer in which nothing is wrong."""
    number = max(record["exchange"] for record in records if record["kind"] == "demand" and record["clause"] == UNKNOWN)
    finding = {
        "clause": UNKNOWN,
        "expected": "401",
        "actual": "200",
        "exchange": number,
        "scenario": "one",
        "judge": "scenario",
        "about": ["status"],
        "change": "",
        "times": 1,
    }
    return [*records[:-1], {"kind": "finding", **finding}, records[-1]]


@pytest.mark.parametrize(
    ("which", "change", "clause"),
    [
        ("taken", called_held(UNKNOWN), UNKNOWN),
        ("taken", set_right(UNKNOWN), UNKNOWN),
        ("taken", without_the_exchanges, UNKNOWN),
        ("taken", without("finding", of=UNKNOWN), UNKNOWN),
        ("refused", called_held(UNKNOWN), UNKNOWN),
        ("refused", without("finding", "again", of=UNKNOWN), UNKNOWN),
        ("refused", doubted(UNKNOWN), UNKNOWN),
        ("refused", set_right(UNKNOWN), UNKNOWN),
        ("refused", said_to_hold("proof.errors.matrix"), "proof.errors.matrix"),
        ("clean", answered(401, status=200), "proof.auth.token-secrecy"),
        ("clean", answered(401, body="{}"), ENVELOPE),
        ("clean", of_a_session(fix_currency=False), "proof.session.fix-currency"),
        ("clean", of_a_session(amount="1"), "proof.session.amount-echo"),
        ("clean", without_the_controls, UNKNOWN),
        ("clean", with_a_finding, UNKNOWN),
    ],
)
def test_what_was_changed_is_found(
    which: str,
    change: Callable[[list[Record]], list[Record]],
    clause: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """A journal that was changed, with results and reports that fit it, differs from what its exchanges show."""
    done: Completed = request.getfixturevalue(which)
    folder = Path(shutil.copytree(done.folder, tmp_path / "run"))
    tampered(folder, change)
    again = rejudged(folder)
    assert not again.holds
    found = {one.clause for one in again.of(DIFFERS)}
    assert found if clause == "proof.auth.token-secrecy" else clause in found, again.lines()


@pytest.mark.parametrize("old", ['"verdict": "failed"', '"exercised": ', '"verdict": "nonconformant"'])
def test_results_that_do_not_follow_from_the_journal_are_found(old: str, taken: Completed, tmp_path: Path) -> None:
    """A verdict, a count, or the run's verdict that was changed in results.json alone."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    text = (folder / "results.json").read_text(encoding="utf-8")
    assert old in text
    new = {'"exercised": ': '"exercised": 1'}.get(old, '"verdict": "passed"')
    (folder / "results.json").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert not rejudged(folder).holds


def test_a_demand_that_cannot_be_read_is_told(taken: Completed, tmp_path: Path) -> None:
    """What was changed by hand into something else ends in a message, not in a traceback."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    tampered(
        folder,
        lambda records: [
            {**record, "due": {"is": "holds"}} if record["kind"] == "demand" else record for record in records
        ],
    )
    with pytest.raises(UsageError, match="cannot be judged again"):
        rejudged(folder)


def test_a_folder_without_results_is_told(taken: Completed, tmp_path: Path) -> None:
    """What there is to compare with is missing."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    (folder / "results.json").unlink()
    with pytest.raises(UsageError, match=r"results\.json cannot be read"):
        rejudged(folder)


def test_verify_judges_again(taken: Completed, tmp_path: Path) -> None:
    """`verify --rejudge` tells what comes out otherwise, and ends as it does for what does not hold."""
    folder = Path(shutil.copytree(taken.folder, tmp_path / "run"))
    tampered(folder, called_held(UNKNOWN))
    done = subprocess.run(
        [sys.executable, "-m", "rampcheck.cli", "verify", str(folder), "--rejudge"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stdout + done.stderr
    assert f"✗ differs: {UNKNOWN}: passed by results.json, failed judged again" in done.stdout
