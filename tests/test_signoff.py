"""`rampcheck keygen`, `sign` and `verify`, as two sides use them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jsonschema import Draft202012Validator

from rampcheck import cli
from rampcheck.contract import packs, versions
from rampcheck.errors import UsageError
from rampcheck.report import files
from rampcheck.running import folder as run_folder
from rampcheck.signoff import attestation, checks, contents, keys, signing, verification
from rampcheck.signoff import statement as statements
from rampcheck.signoff.signing import Signatory
from rampcheck.wire.journal import exchange_records
from tests import samples, signed_runs
from tests.runs import commanded
from tests.signed_runs import Ceremony

DOCUMENTS = [("signable", "clauses"), ("signable", "openapi")]
WHO = ("--name", "Jane Doe", "--role", "Head of QA")


def done(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Runs a command; gives its exit code and what it printed, with white space made single."""
    code, printed = commanded(*map(str, arguments), environment={**os.environ, **environment})
    return code, " ".join(printed.split())


@pytest.fixture(scope="module")
def judged(signable: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nobody has signed, of a build that the command line named."""
    folder = signed_runs.run(signable, tmp_path_factory.mktemp("judged") / "run", "--build", "2026.11.3")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def folder(judged: dict[str, bytes], tmp_path: Path) -> Path:
    """The folder of that run, a copy for each test."""
    place = tmp_path / "run"
    place.mkdir()
    for name, content in judged.items():
        (place / name).write_bytes(content)
    return place


@pytest.fixture
def signed(folder: Path, signable: Path) -> Ceremony:
    """The run, signed by both sides."""
    return signed_runs.ceremony(signable, folder)


def key(folder: Path, name: str = "key") -> Path:
    """Makes a key beside a folder."""
    path = folder.parent / name
    keys.generate(path, {})
    return path


def test_two_sides_sign_and_anybody_verifies(folder: Path, tmp_path: Path) -> None:
    """From two keys to a sign-off that is verified, by the commands that each answer names."""
    provider, partner = tmp_path / "provider.pem", tmp_path / "partner.pem"
    for path in (provider, partner):
        assert done("keygen", path)[0] == 0
    code, printed = done("verify", folder)
    assert (code, "is not signed" in printed) == (5, True), printed
    code, printed = done("sign", folder, "--key", provider, "--as", "provider", *WHO)
    assert code == 0, printed
    assert "--as partner" in printed
    code, printed = done("verify", folder, "--trust", f"{provider}.pub")
    assert (code, "missing: a signature of the partner" in printed) == (5, True), printed
    code, printed = done("sign", folder, "--key", partner, "--as", "partner", "--name", "Max", "--role", "CTO")
    assert (code, "Both sides have signed" in printed) == (0, True), printed
    code, printed = done("verify", folder)
    assert (code, "Not verified yet" in printed) == (5, True), printed
    assert printed.count("Nobody said whose key this is") == 2
    code, printed = done("verify", folder, "--trust", f"provider={provider}.pub", "--trust", f"{partner}.pub")
    assert code == 0, printed
    assert "Verified: signed by both sides" in printed
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Jane Doe, Head of QA" in page
    assert keys.public(Path(f"{partner}.pub")).keyid in page


def test_the_private_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    """Nobody else may read it, and nothing is overwritten, neither it nor the public one."""
    path = tmp_path / "key"
    keys.generate(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(UsageError, match="there already"):
        keys.generate(path, {})
    (tmp_path / "other.pub").touch()
    with pytest.raises(UsageError, match="there already"):
        keys.generate(tmp_path / "other", {})
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="there already"):
        keys.generate(tmp_path / "dangling", {})
    assert path.read_bytes() == before
    assert not (tmp_path / "other").exists()
    with pytest.raises(UsageError, match="cannot be written"):
        keys.generate(tmp_path / "no" / "folder", {})


def test_the_fingerprint_is_one_that_openssl_gives(tmp_path: Path) -> None:
    """So that both sides can compare it without rampcheck."""
    made = keys.generate(tmp_path / "key", {})
    command = ["openssl", "pkey", "-pubin", "-in", str(tmp_path / "key.pub"), "-outform", "DER"]
    der = subprocess.run(command, capture_output=True, check=True).stdout
    hashed = subprocess.run(["openssl", "dgst", "-sha256"], input=der, capture_output=True, check=True).stdout
    assert made.keyid in hashed.decode()


def test_no_key_lies_in_the_folder_of_a_run(folder: Path) -> None:
    """Neither is one made there, nor is one that lies there used, however it is named."""
    with pytest.raises(UsageError, match="in the folder of a run"):
        keys.generate(folder / "key", {})
    inside = folder / "deep" / "key"
    inside.parent.mkdir()
    key(folder).rename(inside)
    (folder.parent / "link").symlink_to(inside)
    for named in (inside, folder.parent / "link"):
        with pytest.raises(UsageError, match="in the folder of a run"):
            signing.sign(folder, Signatory("provider", "A", "B", named), {})
    assert not (folder / "attestation.json").exists()


def test_an_encrypted_key_wants_its_passphrase(folder: Path) -> None:
    """It comes from the environment, and no message shows it."""
    path, passphrase = folder.parent / "key", "correct horse battery"
    keys.generate(path, {keys.PASSPHRASE: passphrase})
    assert b"ENCRYPTED" in path.read_bytes()
    who = Signatory("provider", "A", "B", path)
    with pytest.raises(UsageError, match=f"Set {keys.PASSPHRASE}"):
        signing.sign(folder, who, {})
    with pytest.raises(UsageError, match="cannot be decrypted") as caught:
        signing.sign(folder, who, {keys.PASSPHRASE: "wrong horse"})
    assert "wrong horse" not in str(caught.value)
    assert len(signing.sign(folder, who, {keys.PASSPHRASE: passphrase})) == 1


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "public", "rsa", "huge", "cut"])
def test_what_is_no_key_is_refused(folder: Path, kind: str) -> None:
    """One message each, and nothing is signed."""
    made = key(folder)
    path = folder.parent / kind
    other = rsa.generate_private_key(65537, 2048)
    content = {
        "empty": b"",
        "public": Path(f"{made}.pub").read_bytes(),
        "rsa": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "huge": b"x" * 100_000,
        "cut": made.read_bytes()[:60],
    }
    if kind == "folder":
        path.mkdir()
    elif kind in content:
        path.write_bytes(content[kind])
    with pytest.raises(UsageError, match=kind):
        signing.sign(folder, Signatory("provider", "A", "B", path), {})
    assert not (folder / "attestation.json").exists()


def test_what_is_no_public_key_is_refused(folder: Path) -> None:
    """A private one is not handed about; one of another kind signs nothing here; naming one twice is a mistake."""
    made = key(folder)
    (folder.parent / "none").touch()
    other = rsa.generate_private_key(65537, 2048).public_key()
    (folder.parent / "rsa").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for name, said in ((made.name, "private key"), ("none", "no public key"), ("rsa", "kind")):
        with pytest.raises(UsageError, match=said):
            verification.trusted([f"partner={folder.parent / name}"])
    with pytest.raises(UsageError, match="twice"):
        verification.trusted([f"{made}.pub", f"provider={made}.pub"])


@pytest.mark.parametrize("verdict", ["nonconformant", "incomplete", "inconclusive", "partial"])
def test_only_what_conforms_is_signed(folder: Path, verdict: str) -> None:
    """Every other verdict says why not, and exit code 4 says that it is a mistake."""
    results = json.loads((folder / "results.json").read_bytes())
    (folder / "results.json").write_text(json.dumps({**results, "verdict": verdict}), encoding="utf-8")
    code, printed = done("sign", folder, "--key", key(folder), "--as", "provider", *WHO)
    assert code == 4, printed
    assert "cannot be signed: The verdict is" in printed
    assert not (folder / "attestation.json").exists()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("target", {"base_url": "https://other.example", "environment": "production"}),
        ("subject", {"partner": "Another", "build": "2", "requested_by": ""}),
        ("requests", 99_999),
        ("sign_off", {"valid_days": 3650, "valid_until": "2036-11-23"}),
    ],
)
def test_results_that_no_journal_comes_to_are_not_signed(folder: Path, member: str, value: object) -> None:
    """Also where all reports were made anew of them, so that everything in the folder says the same."""
    results = {**json.loads((folder / "results.json").read_bytes()), member: value}
    files.write_reports(folder, results, exchange_records(run_folder.read(folder)))
    with pytest.raises(UsageError, match=r"results\.json"):
        signing.sign(folder, Signatory("provider", "A", "B", key(folder)), {})
    assert not (folder / "attestation.json").exists()


@pytest.mark.parametrize("name", ["results.json", "journal.jsonl", "index.html", "junit.xml", "summary.md"])
def test_only_what_says_the_same_is_signed(folder: Path, name: str) -> None:
    """A folder that was changed is not signed: whoever signs would sign for something else than is read."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b"ignable", b"pecial"))
    who = Signatory("provider", "A", "B", key(folder))
    with pytest.raises(UsageError, match=r"cannot be signed|no place for"):
        signing.sign(folder, who, {})
    (folder / name).unlink()
    if name in ("results.json", "journal.jsonl", "index.html"):
        with pytest.raises(UsageError):
            signing.sign(folder, who, {})
    assert not (folder / "attestation.json").exists()


def test_each_side_signs_once_with_a_key_of_its_own(folder: Path) -> None:
    """A second signature of a side, and one with the other side's key, are refused; the first one stays."""
    first, second = key(folder, "first"), key(folder, "second")
    signing.sign(folder, Signatory("partner", "A", "B", first), {})
    before = (folder / "attestation.json").read_bytes()
    for side, path, said in (("partner", second, "already"), ("provider", first, "very key")):
        with pytest.raises(UsageError, match=said):
            signing.sign(folder, Signatory(side, "C", "D", path), {})
    assert (folder / "attestation.json").read_bytes() == before


def test_a_key_is_looked_at_before_the_run(folder: Path, tmp_path: Path) -> None:
    """Who typed a wrong name of a key is told that, not that it has signed already, or that there is no run."""
    mine = tmp_path / "mine"
    keys.generate(mine, {})
    signing.sign(folder, Signatory("provider", "Jane Doe", "QA", mine), {})
    for run in (folder, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match=r"nosuch\.pem"):
            signing.sign(run, Signatory("provider", "Jane Doe", "QA", tmp_path / "nosuch.pem"), {})


def test_nothing_is_signed_beside_what_does_not_hold(signed: Ceremony) -> None:
    """Where the first signature is broken, or of other files, the second side is told."""
    folder = signed.folder
    envelopes = json.loads(signed.files["attestation.json"])["envelopes"]
    one = {"schema": 1, "envelopes": envelopes[:1]}
    for content, said in (
        (json.dumps(one, indent=1) + "\n", "already"),
        ("{}", "cannot be signed into"),
        (json.dumps(one, indent=1).replace('"sig": "', '"sig": "AAAA') + "\n", "does not hold"),
    ):
        (folder / "attestation.json").write_text(content, encoding="utf-8")
        side = "provider" if said == "already" else "partner"
        with pytest.raises(UsageError, match=said):
            signing.sign(folder, Signatory(side, "A", "B", folder.parent / "run-stranger.pem"), {})


@pytest.mark.parametrize("text", ["line\nbreak", "bell\x07", "x" * 300, "half \udcff"])
def test_a_name_is_one_that_can_stand_in_a_report(folder: Path, text: str) -> None:
    """Control characters, and more than a line, are refused."""
    with pytest.raises(UsageError, match="--name"):
        signing.sign(folder, Signatory("provider", text, "B", key(folder)), {})


def test_a_name_is_shown_and_not_obeyed(folder: Path) -> None:
    """Markup in a name is text on the page, and the page is verified as it is."""
    hostile = "<b>Jane</b> <!-- /signatures --> \u202eDoe"
    signing.sign(folder, Signatory("provider", hostile, "B", key(folder)), {})
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<b>Jane" not in page
    assert page.count("<!-- /signatures -->") == 1
    trust = verification.trusted([f"{folder.parent / 'key'}.pub"])
    found = verification.verify(contents.read(folder), trust, datetime.now(UTC).date())
    assert {check.name for check in found.failing} == {"sides"}


def test_reports_made_again_keep_the_signatures(signed: Ceremony) -> None:
    """`rampcheck report` renders the same page, signatures and all; of other results it shows none."""
    assert done("report", signed.folder)[0] == 0
    assert (signed.folder / "index.html").read_bytes() == signed.files["index.html"]
    journal = signed.files["journal.jsonl"].replace(b'"seed":1', b'"seed":2')
    (signed.folder / "journal.jsonl").write_bytes(journal)
    assert done("report", signed.folder)[0] == 0
    assert b"Ms partner" not in (signed.folder / "index.html").read_bytes()


def test_the_attestation_follows_its_schema(signed: Ceremony) -> None:
    """`rampcheck schema attestation` says what stands in the file, and in each statement that was signed."""
    code, printed = done("schema", "attestation")
    schema = json.loads(printed)
    assert code == 0
    content = json.loads(signed.files["attestation.json"])
    Draft202012Validator(schema).validate(content)
    of_statements = Draft202012Validator({"$defs": schema["$defs"], "$ref": "#/$defs/statement"})
    for one in attestation.load(signed.folder):
        of_statements.validate(one.statement)
        assert not of_statements.is_valid(one.statement | {"predicateType": "another"})
    assert not Draft202012Validator(schema).is_valid(content | {"envelopes": []})


def test_who_verifies_is_told_how_much_was_not_verified() -> None:
    """Where all that is required was verified, nothing is told of it."""
    told = checks._verdict(samples.gaps()).text
    assert told.endswith("can be signed; of 9 required promises, 4 were not verified")
    whole = {**samples.conformant(), "clauses": []}
    assert checks._verdict(whole).text.endswith("can be signed")  # type: ignore[arg-type]


def test_the_statement_is_in_toto_s(signed: Ceremony) -> None:
    """It names its types, its four subjects, what was configured, and each test once."""
    statement = attestation.load(signed.folder)[0].statement
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert [subject["name"] for subject in statement["subject"]] == [
        "results.json",
        "journal.jsonl",
        "index.html",
        "profile",
    ]
    predicate = statement["predicate"]
    assert [one["name"] for one in predicate["configuration"]] == ["suite", "register", "document", "target"]
    assert predicate["configuration"][3]["annotations"]["build"] == "2026.11.3"
    results = json.loads(signed.files["results.json"])
    assert results["subject"]["build"] == "2026.11.3"
    listed = [*predicate["passedTests"], *predicate["warnedTests"], *predicate["failedTests"]]
    assert sorted([*listed, *predicate["rampcheck"]["observedTests"]]) == sorted(
        one["id"] for one in results["clauses"]
    )


@pytest.mark.parametrize(
    ("level", "verdict", "result", "where"),
    [
        ("must", "passed", "PASSED", "passedTests"),
        ("must", "not_verified", "WARNED", "warnedTests"),
        ("should", "not_verified", "PASSED", "warnedTests"),
        ("must", "waived", "WARNED", "warnedTests"),
        ("should", "advisory", "WARNED", "warnedTests"),
        ("must", "failed", "FAILED", "failedTests"),
    ],
)
def test_a_gap_is_never_green(judged: dict[str, bytes], level: str, verdict: str, result: str, where: str) -> None:
    """A `must` that was not verified warns, in the result and in the list, and so does what was waived."""
    results = json.loads(judged["results.json"])
    results["clauses"] = [{**results["clauses"][0], "id": "a", "level": level, "verdict": verdict}]
    one = statements.Signing("partner", "A", "B", "2026-11-26T08:00:00Z", "00")
    predicate = statements.of(results, {}, one)["predicate"]
    assert (predicate["result"], predicate[where]) == (result, ["a"])
    assert sum(len(predicate[name]) for name in ("passedTests", "warnedTests", "failedTests")) == 1


def test_results_of_an_older_rampcheck_are_not_signed(tmp_path: Path) -> None:
    """What lacks the digests is told as such."""
    results = {key: value for key, value in samples.results().items() if key != "digests"}
    run = tmp_path / "run"
    run.mkdir()
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    keys.generate(tmp_path / "key", {})
    with pytest.raises(UsageError, match="older rampcheck"):
        signing.sign(run, Signatory("partner", "A", "B", tmp_path / "key"), {})


def test_a_run_by_an_older_version_is_signed(folder: Path) -> None:
    """A version that is kept is one to sign by, judged by the documents of now: it was said to be unknown."""
    documents = {path: path.read_bytes() for path in (packs.of("signable").document(*one) for one in DOCUMENTS)}
    kept = versions.freeze("signable")
    provider, partner = key(folder, "provider.pem"), key(folder, "partner.pem")
    first = ("sign", folder, "--key", provider, "--as", "provider", *WHO)
    try:
        for path, content in documents.items():
            assert content.count(b'version: "2026-01"') == 1
            path.write_bytes(content.replace(b'version: "2026-01"', b'version: "2026-02"'))
        code, printed = done(*first)
        assert (code, "another register and OpenAPI document than this rampcheck has" in printed) == (4, True), printed
        assert done("report", folder)[0] == 0
        code, printed = done(*first)
        assert code == 0, printed
        assert done("sign", folder, "--key", partner, "--as", "partner", *WHO)[0] == 0
        code, printed = done("verify", folder, "--trust", f"{provider}.pub", "--trust", f"{partner}.pub")
        assert code == 0, printed
        assert "the register and the OpenAPI document of signable 2026-01" in printed
    finally:
        kept.unlink()
        for path, content in documents.items():
            path.write_bytes(content)


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_what_holds_no_run_is_a_mistake(tmp_path: Path, name: str) -> None:
    """Exit code 4 and one message, of `sign` and `verify` alike."""
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    keys.generate(tmp_path / "key", {})
    code, printed = done("verify", tmp_path / name)
    assert code == 4, printed
    assert "Traceback" not in printed
    with pytest.raises(UsageError, match=name):
        signing.sign(tmp_path / name, Signatory("partner", "A", "B", tmp_path / "key"), {})


def test_the_libraries_that_sign_are_loaded_by_nothing_else() -> None:
    """Neither the command line nor a run pays for them."""
    program = "import sys, rampcheck.cli, rampcheck.running.plugin; print('securesystemslib' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
    assert {"keygen", "sign", "verify"} <= cli.main.commands.keys()
