"""What a report says of a finding is seen again: by pasting its command into a shell, and by `rampcheck replay`."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.contract import descriptor, register
from rampcheck.contract.profile import Partner
from rampcheck.errors import ExitCode, UsageError
from rampcheck.judging import suite as suites
from rampcheck.judging.doubts import signature
from rampcheck.judging.schema import SchemaJudge
from rampcheck.judging.suite import Broken
from rampcheck.report.commands import Commands
from rampcheck.report.evidence import evidence
from rampcheck.running.replay import replay
from rampcheck.sandbox.server import start
from rampcheck.wire.exchanges import Exchange, Response
from rampcheck.wire.journal import from_record
from tests.runs import Completed, rampcheck

DEFECTS = {
    "proof": (
        "token-compared-by-prefix",
        "scheme-ignored",
        "inactive-token-accepted",
        "fix-currency-false",
        "ws-with-any-token",
        "event-without-name",
        "poll-status-in-capitals",
        "kyc-status-in-capitals",
        "unknown-transaction-as-bad-request",
        "allowlist-not-enforced",
        "amount-missing-accepted",
        "email-not-checked",
        "signature-without-ip",
    ),
    "kryptonim": (
        "sha1-signature-accepted",
        "sha512-signature-accepted",
        "plain-sha256-accepted",
        "base64-signature-accepted",
        "signature-under-api-key-accepted",
        "signature-without-secret-accepted",
        "signature-over-nothing-accepted",
        "second-partners-secret-accepted",
        "api-key-not-checked",
    ),
}
CLAUSES = {
    "proof": (
        "proof.auth.*",
        "proof.session.fix-currency",
        "proof.session.signature-mixes-ip",
        "proof.session.request.required.*",
        "proof.transaction.*",
        "proof.kyc.*",
        "proof.ws.*",
    ),
    "kryptonim": ("kryptonim.auth.*",),
}
COMMAND = re.compile(r'<details class="exchange" id="exchange-(\d+)">.*?</details>', re.DOTALL)
PASTED = re.compile(r'<pre tabindex="0" class="curl"[^>]*><code>(.*?)</code></pre>', re.DOTALL)


@dataclass(frozen=True)
class Judged:
    """A defective reference that still runs, the profile of it, and what a run found."""

    profile: Path
    run: Completed
    credentials: dict[str, str]

    @property
    def contract(self) -> str:
        """The contract's name."""
        return str(self.run.results["contract"])

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that the contract's documentation names."""
        known = descriptor.load(self.contract).credentials
        return {known[name].variable: value for name, value in self.credentials.items()}

    @property
    def exchanges(self) -> dict[int, Any]:
        """The journal's records of exchanges, by number."""
        return {record["number"]: record for record in self.run.records("exchange")}

    @property
    def commands(self) -> dict[int, str]:
        """The commands on the page, by the number of the exchange."""
        page = (self.run.folder / "index.html").read_text(encoding="utf-8")
        found = ((int(match[1]), PASTED.search(match[0])) for match in COMMAND.finditer(page))
        return {number: html.unescape(re.sub(r"<[^>]+>", "", told[1])) for number, told in found if told}

    @property
    def findings(self) -> list[tuple[str, dict[str, Any]]]:
        """The clauses that were found broken, and the findings."""
        return [(clause["id"], finding) for clause in self.run.results["clauses"] for finding in clause["findings"]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Judged]]:
    """A defective reference of each contract, judged and still there."""
    with ExitStack() as stack:
        found: dict[str, Judged] = {}
        for contract, defects in DEFECTS.items():
            running = stack.enter_context(start(contract, defects))
            described = running.profile()
            folder = tmp_path_factory.mktemp(contract)
            profile = folder / "profile.yaml"
            profile.write_text(yaml.safe_dump(described), encoding="utf-8")
            chosen = [f"--clause={pattern}" for pattern in CLAUSES[contract]]
            run = rampcheck(str(profile), "--examples=1", *chosen, folder=folder / "run")
            assert run.code == ExitCode.NONCONFORMANT, run.printed
            found[contract] = Judged(profile, run, described["credentials"])
        yield found


needs_shell = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "openssl"))),
    reason="a command is pasted into bash, with curl and openssl",
)


def pasted(command: str, environment: dict[str, str]) -> Response:
    """What a command prints when it is pasted into a shell, as a response."""
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "--norc", "-c", command],
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    assert status.startswith("HTTP/"), (command, done.stderr)
    headers = [line.partition(": ") for line in lines]
    return Response(int(status.split()[1]), tuple((name, value) for name, _, value in headers), body)


def broken(exchange: Exchange, contract: str) -> set[str]:
    """The clauses that schema and invariants see broken in one exchange."""
    _, violations = SchemaJudge(register.load(contract)).judge(exchange)
    invariants = (one for one in suites.load(contract).invariants if one.when(exchange, Partner()))
    return {violation.clause for violation in violations} | {
        one.clause for one in invariants if isinstance(one.judge(exchange, Partner()), Broken)
    }


def is_seen(clause: str, finding: dict[str, Any], before: Exchange, now: Exchange, contract: str) -> bool:
    """Whether the answer shows a finding again: the member or the status that is wrong."""
    if before.protocol == "websocket":
        told = [message.json for message in before.events]
        assert now.response is not None
        same = all(f'"{name}"'.encode() in now.response.body for event in told for name in event)
        return (
            now.status == before.status
            and same
            and not (clause == "proof.ws.event" and b'"event"' in now.response.body)
        )
    if finding["judge"] in {"schema", "invariant"}:
        return clause in broken(now, contract)
    envelope = descriptor.load(contract).envelope
    return signature(before, envelope) == signature(now, envelope)


@needs_shell
@pytest.mark.parametrize("contract", list(DEFECTS))
def test_each_finding_is_seen_again_by_pasting(judged: dict[str, Judged], contract: str) -> None:
    """The command of each finding's exchange, with the credentials in the environment, shows the finding again."""
    known = judged[contract]
    commands, exchanges = known.commands, known.exchanges
    answers: dict[int, Response] = {}
    missed = []
    for clause, finding in known.findings:
        number = finding["exchange"]
        if exchanges[number]["direction"] == "incoming":
            continue
        if number not in answers:
            answers[number] = pasted(commands[number], known.environment)
        before = from_record(exchanges[number])
        now = replace(before, response=answers[number], messages=())
        if not is_seen(clause, finding, before, now, contract):
            missed.append((clause, number, answers[number], commands[number]))
    assert missed == []


@needs_shell
def test_both_sides_of_a_disagreement_are_pasted_at_once(judged: dict[str, Judged]) -> None:
    """Two users with two addresses: the command of the finding asks for both, and shows one signature twice."""
    known = judged["proof"]
    page = (known.run.folder / "index.html").read_text(encoding="utf-8")
    finding = page[page.index('id="failed.proof.session.signature-mixes-ip"') :]
    both = finding[finding.index('<details class="exchange together">') :]
    found = PASTED.search(both)
    assert found
    command = html.unescape(re.sub(r"<[^>]+>", "", found[1]))
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, env={**os.environ, **known.environment}
    )
    signatures = re.findall(r'"signature": *"([^"]+)"', done.stdout)
    addresses = re.findall(r'"client_ip": *"([^"]+)"', command)
    assert (len(signatures), len(set(signatures))) == (2, 1), done.stdout
    assert len(set(addresses)) == 2


def test_they_are_forty_findings_and_more(judged: dict[str, Judged]) -> None:
    """What is pasted are findings of many kinds: in bodies, headers, signatures, polls and WebSockets."""
    assert sum(len(known.findings) for known in judged.values()) >= 40
    protocols = {known.exchanges[one["exchange"]]["protocol"] for known in judged.values() for _, one in known.findings}
    assert protocols >= {"http", "websocket"}


def test_no_secret_is_in_a_command(judged: dict[str, Judged]) -> None:
    """A command names the documented variables and holds no credential, nor a part that gives one away."""
    for known in judged.values():
        text = "\n".join(known.commands.values())
        assert [name for name, value in known.credentials.items() if value in text or value[:12] in text] == []
        assert set(re.findall(r"\b(?:PROOF|KRYPTONIM)_\w+", text)) <= known.environment.keys()
        assert "[redacted" not in text


def test_what_was_signed_is_signed_anew(judged: dict[str, Judged]) -> None:
    """A signature is made in the command, over the very bytes that it sends."""
    text = "\n".join(judged["kryptonim"].commands.values())
    assert 'printf %s "$BODY" | openssl dgst -sha256 -hmac "$KRYPTONIM_API_KEY"' in text
    assert '--data-raw "$BODY"' in text


def replayed(known: Judged, number: int, profile: Path | None = None) -> tuple[int, str]:
    """The exit code of `rampcheck replay`, and what it prints."""
    arguments = ["replay", str(known.run.folder), str(number), *(["--profile", str(profile)] if profile else [])]
    done = CliRunner().invoke(main, arguments, env=known.environment)
    return done.exit_code, done.output


@pytest.mark.parametrize("contract", list(DEFECTS))
def test_a_finding_is_seen_again_by_replay(judged: dict[str, Judged], contract: str) -> None:
    """Replaying an exchange sees its findings again, prints no secret, and tells it by its exit code."""
    known = judged[contract]
    firsts = {clause: finding for clause, finding in reversed(known.findings) if finding["judge"] != "history"}
    assert len(firsts) >= 4
    for clause, finding in firsts.items():
        code, printed = replayed(known, finding["exchange"])
        # What is recommended only, does not make the exit code.
        is_must = any(
            known.run.clause(name)["level"] == "must"
            for name in re.findall(r"^(?:seen again|new): (\S+)", printed, re.MULTILINE)
        )
        assert (code, f"seen again: {clause}" in printed) == (int(is_must), True), printed
        assert [name for name, value in known.credentials.items() if value in printed] == []


def test_what_was_mended_is_not_seen(judged: dict[str, Judged], tmp_path: Path) -> None:
    """Sent to a target that conforms, nothing of it is seen, and the exit code is 0."""
    known = judged["kryptonim"]
    with start("kryptonim") as mended:
        profile = tmp_path / "mended.yaml"
        profile.write_text(yaml.safe_dump(mended.profile()), encoding="utf-8")
        for clause, finding in known.findings:
            code, printed = replayed(known, finding["exchange"], profile)
            assert (code, f"not seen: {clause}" in printed) == (ExitCode.CONFORMANT, True), printed


def test_a_good_request_is_replayed(judged: dict[str, Judged]) -> None:
    """An exchange in which nothing was broken is sent again just so: it is accepted, and it is said."""
    known = judged["kryptonim"]
    first = min(number for number, record in known.exchanges.items() if record["authenticated"])
    code, printed = replayed(known, first)
    assert code == ExitCode.CONFORMANT, printed
    assert "Nothing was found broken in it, then or now." in printed


def test_a_credential_that_is_lacking_is_named(judged: dict[str, Judged], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment lacks a credential, the message names its documented variable."""
    known = judged["proof"]
    for name in known.environment:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="PROOF_CLIENT_TOKEN"):
        replay(known.run.folder, known.findings[0][1]["exchange"])


def test_a_second_credential_that_is_lacking_is_named(
    judged: dict[str, Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an exchange that another partner's credential was sent with, only that one's variable is to be set."""
    known = judged["proof"]
    number = next(n for n, record in known.exchanges.items() if record["credential"] == "second_client_token")
    for name, value in known.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PROOF_SECOND_CLIENT_TOKEN", raising=False)
    with pytest.raises(UsageError, match="and PROOF_SECOND_CLIENT_TOKEN is not set") as caught:
        replay(known.run.folder, number)
    assert "export PROOF_SECOND_CLIENT_TOKEN=" in caught.value.cure


def test_a_credential_that_the_named_profile_lacks_is_named(judged: dict[str, Judged], tmp_path: Path) -> None:
    """It is optional, so the profile is sound; that the exchange needs it is told before anything is sent."""
    known = judged["proof"]
    described = yaml.safe_load(known.profile.read_text(encoding="utf-8"))
    kept = {name: value for name, value in described["credentials"].items() if name == "client_token"}
    scarce = {name: value for name, value in described.items() if name != "second_partner"}
    profile = tmp_path / "scarce.yaml"
    profile.write_text(yaml.safe_dump({**scarce, "credentials": kept}), encoding="utf-8")
    number = next(n for n, record in known.exchanges.items() if record["credential"] == "second_client_token")
    with pytest.raises(UsageError, match=r"sent again with second_client_token, which .*scarce.yaml does not have"):
        replay(known.run.folder, number, profile)


def test_what_was_sent_without_a_credential_needs_none(
    judged: dict[str, Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent again with no variable set, for all that the profile has, and no credential is told of it."""
    known = judged["proof"]
    number, record = next(
        (n, record)
        for n, record in known.exchanges.items()
        if record["direction"] == "outgoing"
        and record["request"]["method"] == "POST"
        and not any(name.lower() == "authorization" for name, _ in record["request"]["headers"])
    )
    for name in known.environment:
        monkeypatch.delenv(name, raising=False)
    again = replay(known.run.folder, number)
    assert again.now["response"]["status"] == record["response"]["status"]  # type: ignore[index]
    assert "credential" not in dict(evidence(record, Commands({}, {})).facts)


def test_what_is_no_exchange_is_told(judged: dict[str, Judged]) -> None:
    """A number that no exchange has ends with 4, and says which there are."""
    code, printed = replayed(judged["kryptonim"], 999_999)
    assert code == ExitCode.USAGE, printed


def test_production_is_not_touched_unasked(judged: dict[str, Judged], tmp_path: Path) -> None:
    """Production needs the option, and a run that was made there: another's exchanges may be what it is spared."""
    known = judged["kryptonim"]
    profile = tmp_path / "production.yaml"
    described = yaml.safe_load(known.profile.read_text(encoding="utf-8"))
    profile.write_text(yaml.safe_dump({**described, "environment": "production"}), encoding="utf-8")
    number = known.findings[0][1]["exchange"]
    with pytest.raises(UsageError, match="Only --allow-production"):
        replay(known.run.folder, number, profile)
    with pytest.raises(UsageError, match="was not made with production"):
        replay(known.run.folder, number, profile, allow_production=True)


def test_the_questions_to_the_vendor_are_a_file(judged: dict[str, Judged]) -> None:
    """Each ambiguity of the register is one question in questions.md, with what the target did."""
    known = judged["proof"]
    text = (known.run.folder / "questions.md").read_text(encoding="utf-8")
    asked = {text for clause in known.run.results["clauses"] for text in clause["ambiguities"]}
    assert len(re.findall(r"^## \d+\. ", text, re.MULTILINE)) >= len(asked) > 20
    assert len(re.findall(r"^\* This target: ", text, re.MULTILINE)) >= len(asked)
    assert json.dumps(text).count("Documentation: ") >= len(asked)
