"""Whatever stands in a file or an environment that rampcheck is given, it is refused by name and not stumbled over."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope

from rampcheck.certification import script
from rampcheck.comparison import saved
from rampcheck.contract import profile as profiles
from rampcheck.contract import register
from rampcheck.contract.yaml_file import read_yaml
from rampcheck.errors import ContractError, ProfileError, UsageError
from rampcheck.lint.draft import Page
from rampcheck.report import results
from rampcheck.report.files import write_reports
from rampcheck.running import conclusion, incidents, rejudgement
from rampcheck.running.replay import replay
from rampcheck.signoff import statement as statements
from rampcheck.signoff import verification
from rampcheck.signoff.attestation import Signed
from rampcheck.signoff.checks import State
from tests import samples
from tests.journals import BEGINNING

DEEP = "[" * 100_000
# What a YAML reader stumbles over that the text itself asked for: a date, a number, a flag that is none.
NO_VALUES = ("2020-13-45", "!!int ''", "!!float half", "!!bool perhaps", "!!timestamp noon", f"9{':5' * 200}.5")


@pytest.mark.parametrize(
    "value", ["ab[cdefghijkl", "pa℀ssword-of-mine", "//[abcdefgh", "http://x]y", "user:pass[@host"]
)
def test_a_fault_is_told_whatever_the_environment_holds(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret need not be a URL; the line and the traceback are written, and neither tells it."""
    monkeypatch.setenv("VENDOR_TOKEN", value)
    line = incidents.tell(ValueError(f"it was {value}"), tmp_path)
    (written,) = tmp_path.iterdir()
    assert "a fault of rampcheck" in line
    assert value not in line + capsys.readouterr().err + written.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("proxy", "hidden"),
    [
        ("http://someone:p%40ssw0rd1@proxy.example:3128", ["someone:p@ssw0rd1", "someone:p%40ssw0rd1"]),
        ("someone:passw0rd1@proxy.example:3128", ["someone:passw0rd1"]),
        ("http://someone:pa[ssw0rd@proxy.example", ["someone:pa[ssw0rd"]),
    ],
)
def test_the_login_of_a_proxy_is_hidden(
    proxy: str, hidden: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may stand in a message without the rest of the address, and as the client decodes it."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    line = incidents.tell(ValueError(" and ".join(hidden)), tmp_path)
    assert not [login for login in hidden if login in line]


@pytest.mark.parametrize("text", ["${HOME}", "a text", "1", "null", "[]", "[${HOME}]", "${"])
def test_a_profile_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    """That is a mistake of its writer, with a reference or without."""
    path = tmp_path / "rampcheck.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError):
        profiles.load(path, os.environ)


@pytest.mark.parametrize("value", NO_VALUES)
def test_a_yaml_value_that_is_none_is_refused(value: str, tmp_path: Path) -> None:
    """Scripts, documents of a pack and what is linted: each says that the file cannot be read."""
    path = tmp_path / "some.yaml"
    path.write_text(f"a: {value}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        script.read(path, "proof")
    with pytest.raises(ContractError, match="cannot be read"):
        read_yaml(path)
    assert Page(path).fault is not None


def test_results_that_are_nested_too_deeply_are_refused(tmp_path: Path) -> None:
    """Each that reads results.json says that it cannot."""
    path = tmp_path / results.FILE_NAME
    path.write_text(DEEP, encoding="utf-8")
    with pytest.raises(UsageError, match="is not JSON"):
        results.load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        rejudgement._told(tmp_path)
    assert conclusion._differences(path, {}) == (f"{results.FILE_NAME} as it stood could not be read",)  # type: ignore[typeddict-item]


def test_a_run_without_an_exchange_has_none_to_send_again(tmp_path: Path) -> None:
    """It says so; no number can be named."""
    path = tmp_path / "journal.jsonl"
    path.write_text(f"{json.dumps(BEGINNING)}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="The run has no exchange at all"):
        replay(tmp_path, 1)


@pytest.mark.parametrize(("signed", "finished"), [("2026-11-21", "0001-01-01"), ("9999-12-31", "2026-11-21")])
def test_a_time_at_the_end_of_all_time_is_one(signed: str, finished: str) -> None:
    """What a stranger signed may tell any: it is before or after the others."""
    signing = statements.Signing("partner", "A", "B", f"{signed}T00:00:00Z", "00")
    statement = {"predicate": {statements.OWN: {"finished": f"{finished}T00:00:00Z"}}}
    one = Signed(Envelope(b"", "", {}), statement, signing, "00", "")
    state = verification._time(one, date(2026, 11, 21)).state
    assert state is (State.HOLDS if signed < "9" else State.FAILS)


@pytest.mark.parametrize("time", ["2026-11-21T07:00:00", "2026-11-21T07:00:00+05:00", "2026-11-21", "noon", 7])
@pytest.mark.parametrize("member", ["signed", "finished"])
def test_a_statement_is_signed_in_utc(member: str, time: Any) -> None:
    """A report shows the time of a signature as one in UTC, so another is none of rampcheck's."""
    times = {"signed": "2026-11-21T07:00:00Z", "finished": "2026-11-21T07:00:00.000000Z"} | {member: time}
    signer = {"side": "partner", "name": "A", "role": "B", "signed": times["signed"], "key": "00"}
    statement = {
        "_type": statements.TYPE,
        "subject": [],
        "predicateType": statements.PREDICATE,
        "predicate": {statements.OWN: {"finished": times["finished"], "signer": signer}},
    }
    with pytest.raises(ValueError, match=r"time|isoformat|statement"):
        statements.signing_of(statement)


@pytest.mark.parametrize(
    "changes",
    [
        {"started": "2026-13-45T10:00:00Z"},
        {"finished": "2026-02-30T10:00:00Z"},
        {"sign_off": {"valid_days": 90, "valid_until": "2027-02-30"}},
        {"waivers": [{"clause": "a.b", "reason": "c", "until": "2027-00-01", "state": "used"}]},
        {"outages": [{"began": "2026-11-21T25:00:00Z", "ended": None, "exchange": None, "detail": "", "before": []}]},
    ],
    ids=lambda changes: str(next(iter(changes))),
)
def test_results_with_a_time_that_is_none_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    """`compare`, `history` and whatever else reads results.json end with exit code 4, and no fault."""
    (tmp_path / "results.json").write_text(json.dumps({**samples.results(), **changes}), encoding="utf-8")
    with pytest.raises(UsageError, match=rf"\$\.{next(iter(changes))}.* is not a 'date"):
        saved.anything(tmp_path)


@pytest.mark.parametrize("days", [100_000_000, 10**400, 3_651, 0, "90", None])
def test_a_journal_whose_profile_is_valid_for_ever_is_refused(days: Any, tmp_path: Path) -> None:
    """What no profile may say is no run's: `report` ends with exit code 4, `verify` with 5."""
    first: Any = {**BEGINNING, "profile": {**BEGINNING["profile"], "sign_off": {"valid_days": days}}}
    with pytest.raises(UsageError, match="line 1: its profile is none of proof"):
        conclusion.profile_of(tmp_path, register.load("proof"), first)


def test_a_journal_whose_profile_is_valid_long_is_taken(tmp_path: Path) -> None:
    """Up to what a profile may say."""
    first: Any = {**BEGINNING, "profile": {**BEGINNING["profile"], "sign_off": {"valid_days": 3_650}}}
    assert conclusion.profile_of(tmp_path, register.load("proof"), first).sign_off.valid_days == 3_650


def test_another_file_of_a_run_is_told_from_its_results(tmp_path: Path) -> None:
    """Whoever names the page, or the journal, is told what to name; of another, the first mistakes."""
    write_reports(tmp_path / "run", samples.conformant(), {})
    with pytest.raises(UsageError, match=r"another file of that run") as told:
        saved.load(tmp_path / "run" / "index.html")
    assert str(tmp_path / "run") in told.value.cure
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"and [\d,]+ mistakes more: is it another file\?"):
        saved.load(tmp_path / "other.json")
    (tmp_path / "profile.yaml").write_text("contract: proof\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"is not JSON") as told:
        saved.load(tmp_path / "profile.yaml")
    assert "Name the folder of a run" in told.value.cure
