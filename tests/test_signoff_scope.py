"""What `sign` and `verify` tell of the run: which one it is, and what is signed though nobody verified it."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from rampcheck.signoff import checks, contents, keys, scope
from rampcheck.signoff.checks import State
from tests import samples, signed_runs
from tests.runs import commanded

BUILD = "2026.11.3"
NAMED = {"subject": {"partner": "Acme", "build": "7", "requested_by": "QA"}, "waivers": []}


@pytest.fixture(scope="module")
def judged(signable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody has signed, of a build that the command line named."""
    return signed_runs.run(signable, tmp_path_factory.mktemp("judged") / "run", "--build", BUILD)


@pytest.fixture
def folder(judged: Path, tmp_path: Path) -> Path:
    """A copy of that run for each test."""
    return Path(shutil.copytree(judged, tmp_path / "run"))


def done(*arguments: str | Path) -> tuple[int, list[str]]:
    """Runs a command; gives its exit code and the lines that it printed."""
    code, printed = commanded(*map(str, arguments), environment=dict(os.environ))
    return code, printed.splitlines()


def test_both_commands_begin_with_the_run_that_is_signed(folder: Path, tmp_path: Path) -> None:
    """Build, target, environment, partner, run and day: who has many folders sees which one this is."""
    keys.generate(tmp_path / "key", {})
    results = json.loads((folder / "results.json").read_bytes())
    expected = scope.described(contents.read(folder).results)
    assert expected.startswith(f"Build {BUILD}, at {results['target']['base_url']}, ")
    assert f", run {results['run']}, judged " in expected
    options = ("--key", tmp_path / "key", "--as", "provider", "--name", "Jane Doe", "--role", "Head of QA")
    for command in (("sign", folder, *options), ("verify", folder)):
        _, printed = done(*command)
        assert printed[0] == expected


def test_what_is_not_named_of_the_run_is_said_to_be_so() -> None:
    """The line has a place for each, and none is left out in silence."""
    nameless = {
        "subject": {"partner": "", "build": "", "requested_by": ""},
        "target": {"base_url": "https://sandbox.example", "environment": ""},
    }
    named = {"subject": {"partner": "Acme", "build": "7", "requested_by": "QA"}, "side": "partner"}
    assert scope.described(samples.conformant() | nameless).startswith(  # type: ignore[arg-type]
        "No build named, at https://sandbox.example, no environment named, no partner named, run "
    )
    assert scope.described(samples.conformant() | nameless | named).startswith(  # type: ignore[arg-type]
        "Build 7, with the sandbox https://sandbox.example, no environment named, partner Acme, run "
    )


def test_who_signs_and_who_verifies_is_told_what_is_not_named(folder: Path, tmp_path: Path) -> None:
    """Of partner, build, environment and who asked each that is missing; a run that names all is signed in silence."""
    keys.generate(tmp_path / "key", {})
    options = ("--key", tmp_path / "key", "--as", "provider", "--name", "Jane Doe", "--role", "Head of QA")
    for command in (("sign", folder, *options), ("verify", folder)):
        _, printed = done(*command)
        lines = [line.strip() for line in printed]
        assert "No partner is named (`subject.partner` in the profile)." in lines
        assert "Nobody is named who asked for the run (`subject.requested_by` in the profile)." in lines
        assert not [line for line in lines if line.startswith("No build is named")]
    nameless = samples.conformant() | {
        "subject": {"partner": "", "build": "", "requested_by": ""},
        "target": {"base_url": "https://sandbox.example", "environment": ""},
        "waivers": [],
    }
    assert [text.partition(" is named")[0] for text in scope.reservations(nameless)] == [  # type: ignore[arg-type]
        "No build",
        "No environment",
        "No partner",
        "Nobody",
    ]


@pytest.mark.parametrize(
    ("named_with", "embedded"),
    [
        (["--contract", "proof"], True),
        (["--contract", "proof", "--defect", "users-forgotten"], True),
        (["--contract", "proof", "--base-url", "http://127.0.0.1:8080"], False),
        ([], False),  # a profile did
    ],
)
def test_who_signs_is_told_that_it_was_the_embedded_reference(named_with: list[str], embedded: bool) -> None:
    """A profile that was forgotten makes a run of nobody's server."""
    results = samples.conformant() | NAMED | {"clauses": [], "named_with": named_with}
    assert scope.reservations(results) == [scope.EMBEDDED] * embedded  # type: ignore[arg-type]


def test_who_signs_is_told_what_is_not_verified_or_waived() -> None:
    """How many gaps there are and where they stand, and the waivers, also that nobody is named who approved one."""
    results = (
        samples.gaps()
        | NAMED
        | {
            "waivers": [
                {
                    "clause": "a.b",
                    "reason": "known",
                    "until": None,
                    "state": "used",
                    "owner": "API",
                    "approver": "Ms Roe",
                },
                {"clause": "a.c", "reason": "known", "until": None, "state": "stale", "owner": "", "approver": ""},
            ]
        }
    )
    unverified = [clause for clause in results["clauses"] if clause["verdict"] == "not_verified"]
    gaps, used, stale = scope.reservations(results)  # type: ignore[arg-type]
    assert gaps.startswith(f"{len(unverified)} clause")
    assert "index.html#not-verified" in gaps
    assert used == "The waiver of a.b is used."
    assert stale == "The waiver of a.c is stale, and names no owner and no approver."
    seen = samples.clause("a.d", "proof.auth", "attested", "It is so.", reason="nobody can see it")
    (attested,) = scope.reservations(results | {"waivers": [], "clauses": [seen]})  # type: ignore[arg-type, operator]
    assert attested.startswith("1 clause attested, ")
    assert attested.endswith("the partner stands: a.d (index.html#attested).")
    assert scope.reservations(samples.conformant() | NAMED | {"clauses": []}) == []  # type: ignore[arg-type]


NOTE = (
    "at most 250 requests were to be sent: those of the scenarios that find the most for them. Of 836 known kinds of "
    "defects that a run like this one finds, 101 were not looked for (proof.session 80, proof.auth 21); --thorough "
    "looks for all"
)
BUDGET = {"selection": {"clauses": [], "keyword": "", "budget": 250}}


def test_who_signs_and_who_verifies_is_told_what_a_budget_left_out() -> None:
    """Every promise was verified, and yet not every kind of defect was looked for; where all was, nothing is told."""
    results = samples.conformant() | NAMED
    assert scope.reservations(results) == []  # type: ignore[arg-type]
    (told,) = scope.reservations(results | BUDGET | {"notes": ["another", NOTE]})  # type: ignore[arg-type]
    assert told == f"A{NOTE[1:]}."
    (short,) = scope.reservations(results | BUDGET)  # type: ignore[arg-type]
    assert short == "At most 250 requests were to be sent."


SIGN_OFF = {"sign_off": {"valid_days": 90, "valid_until": "2027-02-25"}}


@pytest.mark.parametrize(
    ("waivers", "until", "ending"),
    [
        ([], "2027-02-25", ""),
        ([("a.b", "2027-01-31", "used"), ("a.c", "2027-01-30", "used")], "2027-01-30", "a.c"),
        ([("a.b", "2027-01-31", "used"), ("a.c", "2027-01-31", "used")], "2027-01-31", "a.b and a.c"),
        ([("a.b", "2027-01-31", "stale"), ("a.c", "2027-01-31", "untried"), ("a.d", None, "used")], "2027-02-25", ""),
        ([("a.b", "2027-03-31", "used")], "2027-02-25", ""),
    ],
    ids=["none", "the first", "both", "of no use", "later"],
)
def test_a_signature_does_not_outlive_a_waiver(
    waivers: list[tuple[str, str | None, str]], until: str, ending: str
) -> None:
    """It ends with the first one that the run rests on, where that is before the days of the profile are over."""
    listed = [{"clause": clause, "reason": "known", "until": day, "state": state} for clause, day, state in waivers]
    results = samples.gaps() | NAMED | SIGN_OFF | {"waivers": listed}
    last = date.fromisoformat(until)
    held = checks._validity(results, last)  # type: ignore[arg-type]
    over = checks._validity(results, date.fromordinal(last.toordinal() + 1))  # type: ignore[arg-type]
    why = f", the last day of the waiver of {ending}" if ending else ""
    assert (held.state, held.text) == (State.HOLDS, f"Valid until {until}{why}")
    assert (over.state, over.text) == (State.FAILS, f"Expired: it was valid until {until}{why}")


def test_where_a_run_can_be_looked_at_is_shown(folder: Path, tmp_path: Path) -> None:
    """In the report and by `verify`, of the side that said it; the report is as `verify` expects it."""
    place = "https://ci.example/runs/7?of=<proof>"
    for side, more in (("provider", ("--url", place)), ("partner", ())):
        keys.generate(tmp_path / side, {})
        done("sign", folder, "--key", tmp_path / side, "--as", side, "--name", "Jane Doe", "--role", "QA", *more)
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count('<dd class="address">https://ci.example/runs/7?of=&lt;proof&gt;</dd>') == 1
    trust = [word for side in ("provider", "partner") for word in ("--trust", f"{tmp_path / side}.pub")]
    code, printed = done("verify", folder, *trust)
    assert code == 0, printed
    assert [line.startswith("✓ The signature for the provider") for line in printed if line.endswith(place)] == [True]
