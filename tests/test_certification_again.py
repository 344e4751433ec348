"""A certification judged again, signed, bound: what was there comes out the same, what was changed is found."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rampcheck.certification.integration import End
from rampcheck.cli import main
from rampcheck.errors import ExitCode
from rampcheck.judging import conducted
from rampcheck.judging.conduct import rules
from rampcheck.running import conclusion
from rampcheck.running.rejudgement import ATTESTED, DIFFERS, SAME, Rejudgement, rejudged
from rampcheck.wire.journal import Journal
from rampcheck.wire.redaction import Redactor
from tests.conducts import CREDENTIALS, TOLD, call, conduct
from tests.test_certification import Certified, certified, purchase

Record = dict[str, Any]
CLIENT_IP, RETRIES = "proof.partner.client-ip", "proof.partner.no-retry-4xx"


def wrong(step: Any, told: Any, seconds: float) -> End:
    """An integration that sends its own address, and after a 403 the same again."""
    asked = {**told, "RAMPCHECK_CLIENT_IP": "127.0.0.1"}
    if step.name == "forbidden":
        purchase(step, asked, seconds)
    return purchase(step, asked, seconds)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A certification in which all held."""
    return certified(tmp_path_factory.mktemp("right"), purchase, "works", "fails-once", "forbidden")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """One in which two clauses are broken."""
    return certified(tmp_path_factory.mktemp("broken"), wrong, "works", "forbidden")


def again_of(found: Certified, place: Path, change: Callable[[list[Record]], list[Record]]) -> Rejudgement:
    """Judges a copy again whose journal was changed, and whose reports were made of that."""
    shutil.copytree(found.place, place)
    journal = place / "journal.jsonl"
    records = change([json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()])
    journal.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    conclusion.conclude(place)
    return rejudged(place)


def test_it_comes_out_the_same(right: Certified, broken: Certified) -> None:
    """What held and what was broken; nothing of Proof's is out of a journal's sight."""
    for found in (right, broken):
        again = rejudged(found.place)
        assert again.holds, again.lines()
        assert not again.of(ATTESTED)
    verdicts = {clause.clause: clause.again for clause in rejudged(broken.place).of(SAME)}
    assert verdicts[CLIENT_IP] == verdicts[RETRIES] == "advisory"
    assert verdicts["proof.partner.token-placement"] == "passed"


def _passed(clause: str) -> Callable[[list[Record]], list[Record]]:
    """Takes what was found of a clause for what held."""

    def change(records: list[Record]) -> list[Record]:
        return [
            {"kind": "held", "clause": clause, "scenario": one["scenario"], "exchange": one["exchange"]}
            if one["kind"] == "finding" and one["clause"] == clause
            else one
            for one in records
        ]

    return change


@pytest.mark.parametrize("clause", [CLIENT_IP, RETRIES])
def test_a_finding_that_is_gone_is_found(broken: Certified, clause: str, tmp_path: Path) -> None:
    """Though journal, results and reports fit together; the clause is named, and no other."""
    again = again_of(broken, tmp_path / "copy", _passed(clause))
    assert not again.holds
    (told,) = again.of(DIFFERS)
    assert (told.clause, told.told, told.again) == (clause, "passed", "advisory")
    assert "held by the journal, broken when it is judged again" in str(told)


def test_a_finding_that_is_made_up_is_found(right: Certified, tmp_path: Path) -> None:
    """What the rules do not say is broken is not."""

    def change(records: list[Record]) -> list[Record]:
        made_up = {"expected": "x", "actual": "y", "judge": "scenario", "about": [], "change": "", "times": 1}
        finding = {"kind": "finding", "clause": CLIENT_IP, "exchange": 1, "scenario": "works", **made_up}
        return [*records[:-1], finding, records[-1]]

    (told,) = again_of(right, tmp_path / "copy", change).of(DIFFERS)
    assert (told.clause, told.told, told.again) == (CLIENT_IP, "advisory", "passed")


def _without_retry(records: list[Record]) -> list[Record]:
    """Takes the second try after 403 away, and all that is said of it."""
    tries = [one["number"] for one in records if one["kind"] == "exchange" and one["scenario"] == "forbidden"]
    return [one for one in _passed(RETRIES)(records) if tries[1] not in (one.get("number"), one.get("exchange"))]


def _without_conduct(records: list[Record]) -> list[Record]:
    """Takes away what the rules judge again by."""
    return [one for one in _passed(CLIENT_IP)(records) if one["kind"] != "conduct"]


@pytest.mark.parametrize(
    ("change", "told"), [(_without_retry, "1 exchanges are missing"), (_without_conduct, "what the integration did")]
)
def test_what_was_taken_out_is_missed(
    broken: Certified, change: Callable[[list[Record]], list[Record]], told: str, tmp_path: Path
) -> None:
    """An exchange, or all that the rules go by."""
    again = again_of(broken, tmp_path / "copy", change)
    assert not again.holds
    assert told in " ".join(again.lines())


def test_what_only_the_live_run_could_judge_is_told(tmp_path: Path) -> None:
    """Kryptonim's signature is one over bytes, of which some are hidden: no mark is called a breach."""
    body = {"email": TOLD["user_email"], "cryptoAmount": 1, "ipAddress": TOLD["client_ip"]}
    secrets = CREDENTIALS["kryptonim"]
    signature = hmac.new(secrets["signature_secret"].encode(), json.dumps(body).encode(), hashlib.sha256).hexdigest()
    headers = [("X-API-Key", secrets["api_key"]), ("X-Request-Signature", signature)]
    exchange = call("/v1/widget-sessions", body, answer={"sessionId": "s-1"}, headers=headers)
    did, redactor = conduct("kryptonim", exchange), Redactor(b"key")
    for name, value in secrets.items():
        redactor.add(name, value)
    written = {exchange.number: Journal(tmp_path / "journal.jsonl", redactor, ()).exchange(exchange)}
    record = conducted.written(did, rules("kryptonim"), written, redactor)
    assert record["hidden"] == ["kryptonim.partner.signs-bytes"]
    assert not any(secret in json.dumps([record, written]) for secret in (*secrets.values(), TOLD["user_email"]))


def command(*words: str | Path) -> Any:
    """Calls the command line."""
    return CliRunner().invoke(main, [*map(str, words)])


def test_it_is_signed_verified_and_bound_as_any_report(tmp_path: Path) -> None:
    """By both sides, and judged again, bound or not; what binds two reports is none to verify or render itself."""
    place, both = tmp_path / "out", tmp_path / "both"
    certified(place, purchase)
    for side in ("provider", "partner"):
        assert command("keygen", tmp_path / f"{side}.pem").exit_code == ExitCode.CONFORMANT
        words = ("sign", place, "--key", tmp_path / f"{side}.pem", "--as", side, "--name", "Jo", "--role", "QA")
        done = command(*words)
        assert done.exit_code == ExitCode.CONFORMANT, done.output
    trust = [word for side in ("provider", "partner") for word in ("--trust", f"{side}={tmp_path}/{side}.pem.pub")]
    target = Path(__file__).parents[1] / "reports" / "example" / "broken"
    bound = " ".join(command("bind", target, place, "--output", both).output.split())
    assert "partner: signed for the provider by Jo, QA; for the partner by Jo, QA" in bound
    assert "target: signed by nobody yet" in bound
    assert "for the provider by Jo, QA; for the partner by Jo, QA" in (both / "index.html").read_text(encoding="utf-8")
    for signed in (place, both / "partner"):
        done = command("verify", signed, *trust, "--rejudge")
        assert done.exit_code == ExitCode.CONFORMANT, done.output
        assert "13 of 13 clauses judged again with the same verdict" in done.output
    assert command("report", place).exit_code == ExitCode.CONFORMANT
    for words in (("verify", both), ("report", both), ("replay", both, "1"), ("compare", both, both)):
        done = command(*words)
        assert done.exit_code == ExitCode.USAGE
        assert f"name one: {both}/partner, {both}/target" in done.output.replace("\n", " ")
