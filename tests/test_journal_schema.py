"""The schema of a journal: what real runs write follows it, what does not is refused with its line."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from rampcheck.contract import profile
from rampcheck.errors import UsageError
from rampcheck.judging.results import Results
from rampcheck.report.results import schema as results_schema
from rampcheck.running.conclusion import conclude
from rampcheck.running.folder import claimed
from rampcheck.running.run import Run, Settings
from rampcheck.wire.journal import read_records
from rampcheck.wire.journal_records import Record
from rampcheck.wire.journal_schema import mistake, schema
from tests.answering import SESSION
from tests.runs import Completed, commanded, rampcheck
from tests.scripted import REFUSED, scripted
from tests.typed import differences

KINDS = {branch["$ref"].rpartition("/")[2] for branch in schema()["oneOf"]}
VALIDATOR = Draft202012Validator(schema())
OUTGROWN = 20 * 1024  # bytes of a journal after which a run is killed


def report(folder: Path) -> Completed:
    """Runs `rampcheck report`."""
    return Completed(*commanded("report", str(folder)), folder)


def killed(folder: Path) -> Path:
    """Makes a run, kills it when it has written something, and gives its folder."""
    command = [sys.executable, "-m", "rampcheck.cli", "run", "--contract", "proof", "--output", str(folder)]
    journal = folder / "journal.jsonl"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while not journal.exists() or journal.stat().st_size < OUTGROWN:
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(0.01)
                pytest.fail("it ended by itself")
        run.kill()
    return folder


def doubted(folder: Path) -> Path:
    """Makes a run that meets a refusal which does not come again, and a fault of its own."""
    refusals = [REFUSED]

    def respond(body: dict[str, Any]) -> bytes:
        return refusals.pop() if refusals and body.get("partner_user_id") == "suspect" else SESSION

    with scripted(respond) as (base_url, _):
        described = profile.from_mapping(
            {"contract": "proof", "base_url": base_url, "credentials": {"client_token": "a-token-of-some-length"}}, {}
        )
        run = Run(described, Settings("run", bytes(32), claimed(str(folder), "proof")))
        target = run.target(0)
        target.accepted().but(partner_user_id="suspect").is_accepted(clause="proof.session.request.client-ip-optional")
        run.judge.note("a note")
        run.fault("ValueError")
        run.conclude()
    return folder


def of(*arguments: str) -> Callable[[Path], Path]:
    """Makes a run as a user starts it."""
    return lambda folder: rampcheck("--contract", *arguments, folder=folder).folder


UNKNOWN = ("proof", "--clause", "proof.ws.*", "--clause", "proof.webhook.*", "--clause", "proof.auth.unknown-token")
RUNS: dict[str, Callable[[Path], Path]] = {
    "channels and two workers": of(*UNKNOWN, "--defect", "unknown-token-accepted", "-n", "2"),
    "generated": of("kryptonim", "-k", "generated", "--defect", "widget-url-missing"),
    "an outage": of("kryptonim", "-k", "generated or auth", "--defect", "gone-in-mid-run"),
    "a doubt, a fault": doubted,
    "killed": killed,
}


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What runs of both references have written."""
    return {name: run(tmp_path_factory.mktemp("run") / "out") / "journal.jsonl" for name, run in RUNS.items()}


def records(journal: Path) -> list[dict[str, Any]]:
    """The records of a journal, as anybody reads them; the last line of a killed run may be cut."""
    return [json.loads(line) for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


# What is written


def test_the_schema_is_a_schema() -> None:
    """It is valid, and tells its kinds apart by nothing but `kind`."""
    Draft202012Validator.check_schema(schema())
    assert {schema()["$defs"][kind]["properties"]["kind"]["const"] for kind in KINDS} == KINDS


def test_every_record_of_every_run_follows_the_schema(journals: dict[str, Path]) -> None:
    """Findings, doubts, outages, messages, webhooks, the cut and the whole journal: all of it is in the schema."""
    seen: dict[str, set[str]] = {}
    for name, journal in journals.items():
        found = records(journal)
        assert [(record, error.message) for record in found for error in VALIDATOR.iter_errors(record)] == []
        assert [record for record in found if mistake(record)] == []
        seen[name] = {record["kind"] for record in found}
    # What a webhook shows is held without a demand, and a control is refused by chance; sums are of recorded traffic,
    # what is attested of a partner's integration, and its conduct: their own tests hold them to the schema.
    assert KINDS - set().union(*seen.values()) <= {"held", "aside", "sum", "attested", "conduct"}
    assert "end" not in seen["killed"]
    assert {"outage", "cut"} <= seen["an outage"]


def test_types_and_schema_of_the_journal_agree() -> None:
    """The records that the program is checked with are those of the schema, member by member."""
    types = {get_args(get_type_hints(type_)["kind"])[0]: type_ for type_ in get_args(Record)}
    assert types.keys() == KINDS
    told = [line for kind in KINDS for line in differences(types[kind], schema()["$defs"][kind], schema(), kind)]
    assert told == []
    assert all(schema()["$defs"][kind]["additionalProperties"] is False for kind in KINDS)


def test_types_and_schema_of_the_results_agree() -> None:
    """So are the members of results.json."""
    assert list(differences(Results, results_schema(), results_schema())) == []


# What is read

EDITS: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "an unknown kind": (lambda lines: lines[3].update(kind="rumour"), "line 4 .*no record is of the kind 'rumour'"),
    "no kind": (lambda lines: lines[3].pop("kind"), "line 4 .*no JSON object with a `kind`"),
    "a missing member": (lambda lines: first(lines, "exchange").pop("path"), "line 3 .*'path' is a required"),
    "an unknown member": (lambda lines: first(lines, "exchange").update(colour="red"), "line 3 .*'colour'"),
    "a wrong type": (lambda lines: first(lines, "exchange").update(number="2"), r"line 3 .*exchange\.number: '2'"),
    "no day": (lambda lines: first(lines, "exchange").update(started="2026-02-31T00:00:00Z"), "line 3 .*date-time"),
    "no number": (lambda lines: first(lines, "exchange").update(elapsed_ms=float("nan")), "line 3 .*no JSON"),
    "no base64": (
        lambda lines: first(lines, "exchange")["request"].update(body="a", encoding="base64"),
        r"line 3 .*exchange\.request\.body",
    ),
    "no beginning": (lambda lines: lines.pop(0), "does not begin as"),
    "two beginnings": (lambda lines: lines.append(lines[0]), "more than one run"),
    "a clause of nobody's": (lambda lines: first(lines, "demand").update(clause="a.b"), r"a\.b, which is no clause of"),
    "held of nobody's": (lambda lines: first(lines, "exchange").update(held=["a.b"]), r"a\.b, which is no clause of"),
    "a profile of another kind": (lambda lines: lines[0]["profile"].update(partner="x"), r"line 1 .*profile\.partner"),
    "limits of nobody's": (lambda lines: lines[0]["profile"].update(limits={"a": 1}), "line 1: its profile is none"),
    "a waiver of nobody's": (
        lambda lines: lines[0]["profile"].update(waivers=[{"clause": "a.b", "reason": "c"}]),
        "the profile waives what is no clause",
    ),
    "another schema": (lambda lines: lines[0].update(schema=2, rampcheck="9.0"), r"line 1 .*the version .* 9\.0"),
    "an older one": (
        lambda lines: (lines[0].update(rampcheck="0.0"), lines[5].pop("kind")),
        r"line 6 .*rampcheck 0\.0",
    ),
}


def first(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The first record of a kind."""
    return next(record for record in lines if record["kind"] == kind)


@pytest.mark.parametrize(("edit", "said"), EDITS.values(), ids=EDITS)
def test_what_no_run_has_written_is_told(
    journals: dict[str, Path], tmp_path: Path, edit: Callable[[list[dict[str, Any]]], object], said: str
) -> None:
    """An edited journal is refused with what is wrong, its line and what to do; nothing is written beside it."""
    lines = records(journals["an outage"])
    edit(lines)
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in lines), encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        conclude(tmp_path)
    assert re.search(said, str(refused.value), re.DOTALL), str(refused.value)
    assert refused.value.cure
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'"\xff"', b"\0", b"", b'{"kind": "note", "text": ' + b"9" * 5000 + b"}", b"[1]", b"null"]
)
def test_a_line_that_is_no_record_is_told(tmp_path: Path, line: bytes) -> None:
    """Whatever stands there, nothing but the message is raised."""
    (tmp_path / "journal.jsonl").write_bytes(line + b"\n")
    with pytest.raises(UsageError, match="line 1 is no record"):
        list(read_records(tmp_path / "journal.jsonl"))


def test_what_is_left_as_it_was_is_judged(journals: dict[str, Path], tmp_path: Path) -> None:
    """The journals that were not touched are judged, that of the killed run as far as it came."""
    for name, journal in journals.items():
        where = tmp_path / name
        shutil.copytree(journal.parent, where)
        assert conclude(where).results["unfinished"] is (name == "killed")


def test_a_refused_journal_ends_with_4(journals: dict[str, Path], tmp_path: Path) -> None:
    """`rampcheck report` says it in its own words, without a traceback."""
    lines = records(journals["an outage"])
    lines[3]["\x1b[31mcolour"] = "red"
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in lines), encoding="utf-8")
    done = report(tmp_path)
    assert done.code == 4, done.printed
    assert "line 4" in done.printed
    assert "Traceback" not in done.printed
    assert "\x1b" not in done.printed


@pytest.mark.parametrize("name", ["profile", "results", "journal"])
def test_schemas_are_printed(name: str) -> None:
    """`rampcheck schema` gives each as a schema that a validator takes."""
    command = [sys.executable, "-m", "rampcheck.cli", "schema", name]
    printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    Draft202012Validator.check_schema(printed)
    assert name != "journal" or printed == schema()
