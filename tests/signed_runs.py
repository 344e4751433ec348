"""A signed run of a small reference, and every way to tamper with one."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from rampcheck import digests
from rampcheck.report import signatures
from rampcheck.report.files import rendered
from rampcheck.report.signatures import OWN
from rampcheck.signoff import attestation, contents, keys, signing, verification
from rampcheck.signoff import statement as statements
from rampcheck.signoff.signing import Signatory
from rampcheck.signoff.verification import Trust, Verification
from rampcheck.wire.journal import exchange_records
from tests.runs import rampcheck

OTHERS = ("junit.xml", "summary.md", "ctrf.json", "rampcheck.sarif", "annotations.txt")
FILES = ("results.json", "journal.jsonl", "index.html", *OTHERS, "attestation.json")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Ceremony:
    """A run that both sides have signed: its files, their keys and a stranger's, and whom to trust."""

    folder: Path
    files: Files
    signers: Mapping[str, CryptoSigner]
    trust: tuple[Trust, ...]
    pack: Path
    today: datetime

    def verified(
        self, files: Files, today: datetime | None = None, trust: tuple[Trust, ...] | None = None
    ) -> Verification:
        """Verifies the run with these files in place of its own."""
        for name in FILES:
            (self.folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        when = (today or self.today).date()
        return verification.verify(contents.read(self.folder), self.trust if trust is None else trust, when)


def run(pack: Path, folder: Path, *options: str) -> Path:
    """Judges the reference of a pack whose only contract is `signable`."""
    done = rampcheck("--pack", str(pack), "--contract", "signable", *options, folder=folder)
    assert done.code == 0, done.printed
    return folder


def ceremony(pack: Path, folder: Path) -> Ceremony:
    """Has a run signed by both sides."""
    signers = {}
    for side in ("provider", "partner", "stranger"):
        path = folder.parent / f"{folder.name}-{side}.pem"
        keys.generate(path, {})
        if side != "stranger":
            signing.sign(folder, Signatory(side, f"Ms {side}", "Head of QA", path), {})
        signers[side] = keys.signer(path, {}, folder)
    trust = tuple(Trust(signers[side].public_key.keyid, side) for side in ("provider", "partner"))
    files = {name: (folder / name).read_bytes() for name in FILES}
    return Ceremony(folder, files, signers, trust, pack, datetime.now(UTC))


# How to tamper.


@dataclass(frozen=True)
class Tampering:
    """One way to tamper: the files as they lie there then, and the names of the checks of which one has to fail."""

    name: str
    files: Files
    reasons: frozenset[str]
    not_reasons: frozenset[str] = frozenset()
    today: datetime | None = None
    trust: tuple[Trust, ...] | None = None


Path_ = tuple[str | int, ...]


def leaves(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Gives the place of every value in JSON that holds no other."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items:
        yield at
    for key, item in items:
        yield from leaves(item, (*at, key))


def changed(value: Any, at: Path_) -> Any:
    """Gives JSON in which the value at a place is another one of its kind."""
    whole = copy.deepcopy(value)
    holder = whole
    for key in at[:-1]:
        holder = holder[key]
    old = holder[at[-1]]
    match old:
        case bool():
            new: Any = not old
        case int() | float():
            new = old + 1
        case str():
            new = ("0" if old[:1] != "0" else "1") + old[1:]
        case list():
            new = ["more"]
        case dict():
            new = {"more": 1}
        case _:
            new = "more"
    holder[at[-1]] = new
    return whole


def without(value: Any, at: Path_) -> Any:
    """Gives JSON without the value at a place."""
    whole = copy.deepcopy(value)
    holder = whole
    for key in at[:-1]:
        holder = holder[key]
    del holder[at[-1]]
    return whole


def named(prefix: str, at: Path_) -> str:
    """Names a tampering by the place that it changes."""
    return f"{prefix} {'.'.join(map(str, at))}"


def of_results(signed: Ceremony) -> Iterator[Tampering]:
    """Every value of results.json changed, and every member removed; the signatures hold."""
    whole = json.loads(signed.files["results.json"])
    for at in leaves(whole):
        yield _file(signed, named("results changed", at), "results.json", json.dumps(changed(whole, at)).encode())
        yield _file(signed, named("results without", at), "results.json", json.dumps(without(whole, at)).encode())
    yield _file(signed, "results as other bytes", "results.json", json.dumps(whole).encode())


def of_journal(signed: Ceremony) -> Iterator[Tampering]:
    """Each record removed, written twice, put elsewhere, and changed in each of its values."""
    lines = signed.files["journal.jsonl"].splitlines(keepends=True)
    for number, line in enumerate(lines):
        before, after = lines[:number], lines[number + 1 :]
        yield _file(signed, f"record {number} removed", "journal.jsonl", b"".join([*before, *after]))
        yield _file(signed, f"record {number} twice", "journal.jsonl", b"".join([*before, line, line, *after]))
        record = json.loads(line)
        for at in leaves(record):
            edited = json.dumps(changed(record, at)).encode() + b"\n"
            content = b"".join([*before, edited, *after])
            yield _file(signed, named(f"record {number} changed", at), "journal.jsonl", content)
    exchange = next(line for line in lines if b'"kind":"exchange"' in line)
    added = json.dumps({**json.loads(exchange), "number": 10**6}).encode() + b"\n"
    yield _file(signed, "an exchange added", "journal.jsonl", b"".join([*lines[:-1], added, lines[-1]]))


def of_page(signed: Ceremony) -> Iterator[Tampering]:
    """One character of the report changed, all over it, in the block of signatures and outside of it."""
    page = signed.files["index.html"]
    parts = signatures.split(page)
    assert parts is not None
    block = range(len(parts.before), len(parts.before) + len(parts.block))
    step = max(1, len(page) // 60)
    for at in [*range(0, len(page), step), *(block[0] + (len(block) * tenth) // 10 for tenth in range(10))]:
        other = page[:at] + (b"x" if page[at : at + 1] != b"x" else b"y") + page[at + 1 :]
        inside = at in block and page[at : at + 1].strip()
        reasons = frozenset({"block"} if inside else {"digest", "block"})
        yield Tampering(f"page at {at}", {**signed.files, "index.html": other}, reasons, frozenset({"signature"}))
    shown = page.replace(b"Ms partner", b"Mr Nobody")
    yield _file(signed, "another name on the page", "index.html", shown, "block")
    yield _file(signed, "a sentence in the block", "index.html", parts.signed("<h1>Fine</h1>"), "block")
    yield _file(signed, "a second block", "index.html", page + parts.before[-20:] + b"<!-- /signatures -->", "digest")


def of_other_reports(signed: Ceremony) -> Iterator[Tampering]:
    """One character of each other report changed."""
    for name in OTHERS:
        content = signed.files[name]
        for at in range(0, len(content), max(1, len(content) // 20)):
            other = content[:at] + (b"x" if content[at : at + 1] != b"x" else b"y") + content[at + 1 :]
            yield _file(signed, f"{name} at {at}", name, other, "reports")


def of_attestation(signed: Ceremony) -> Iterator[Tampering]:
    """The attestation's own text changed: each value, each member, and what would say more than was signed."""
    content = signed.files["attestation.json"]
    whole = json.loads(content)
    reasons = frozenset({"attestation", "signature", "sides"})

    def told(name: str, other: Any) -> Tampering:
        text = (json.dumps(other, indent=1) + "\n").encode()
        return Tampering(f"attestation: {name}", {**signed.files, "attestation.json": text}, reasons)

    for at in leaves(whole):
        yield told(named("changed", at), changed(whole, at))
        yield told(named("without", at), without(whole, at))
    for number in range(2):
        for member in ("payload", "signatures", "payloadType"):
            more = copy.deepcopy(whole)
            more["envelopes"][number][f"{member}More"] = "approved by everybody"
            yield told(f"a member beside {member} {number}", more)
        more = copy.deepcopy(whole)
        more["envelopes"][number]["signatures"][0]["note"] = "approved by everybody"
        yield told(f"a note on signature {number}", more)
        payload = whole["envelopes"][number]["payload"]
        for at_character in range(0, len(payload) - 4, max(1, len(payload) // 15)):
            other = copy.deepcopy(whole)
            letter = "A" if payload[at_character] != "A" else "B"
            other["envelopes"][number]["payload"] = payload[:at_character] + letter + payload[at_character + 1 :]
            yield told(f"payload {number} at {at_character}", other)
    swapped = copy.deepcopy(whole)
    first, second = swapped["envelopes"]
    first["signatures"], second["signatures"] = second["signatures"], first["signatures"]
    yield told("signatures swapped", swapped)
    yield told("no envelopes", {**whole, "envelopes": []})
    yield told("one of two", {**whole, "envelopes": whole["envelopes"][:1]})
    yield told("the other of two", {**whole, "envelopes": whole["envelopes"][1:]})
    yield told("one twice", {**whole, "envelopes": [whole["envelopes"][0]] * 2})
    yield told("three", {**whole, "envelopes": [*whole["envelopes"], whole["envelopes"][0]]})
    for name, text in (("empty", b""), ("no JSON", b"{"), ("a list", b"[]"), ("compact", json.dumps(whole).encode())):
        yield Tampering(f"attestation: {name}", {**signed.files, "attestation.json": text}, reasons)


def of_statements(signed: Ceremony) -> Iterator[Tampering]:
    """Each value of a statement changed: not signed again, signed by a stranger, signed by the side itself."""
    provided, partnered = _statements(signed)
    for at in leaves(provided):
        unsigned = _with(signed, 0, changed(provided, at), None)
        yield Tampering(named("not signed again", at), unsigned, frozenset({"signature", "attestation"}))
        if at[:3] != ("predicate", OWN, "signer"):  # whose words these are, and free to choose
            lying = _with(signed, 0, changed(provided, at), signed.signers["provider"])
            reasons = frozenset({"statement", "digest", "attestation"})
            yield Tampering(named("the provider lies", at), lying, reasons, frozenset({"signature", "trust"}))
        if at[-1] != "key":
            hers = changed(partnered, at)
            hers["predicate"][OWN]["signer"]["key"] = signed.signers["stranger"].public_key.keyval["public"]
            strange = _with(signed, 1, hers, signed.signers["stranger"])
            reasons = frozenset({"trust", "attestation"})
            yield Tampering(named("by a stranger", at), strange, reasons, frozenset({"signature"}))


def of_verdicts(signed: Ceremony) -> Iterator[Tampering]:
    """Each clause's verdict flipped, and all reports and digests made right: not signed again, and by a stranger."""
    results = json.loads(signed.files["results.json"])
    for number, clause in enumerate(results["clauses"]):
        for verdict in ("failed", "not_verified", "observed", "waived", "passed"):
            if clause["verdict"] == verdict:
                continue
            flipped = copy.deepcopy(results)
            flipped["clauses"][number]["verdict"] = verdict
            flipped["counts"][clause["verdict"]] -= 1
            flipped["counts"][verdict] += 1
            for signer, reason in (("", "signature"), ("stranger", "trust")):
                name = f"{clause['id']} {verdict} {signer or 'not signed again'}"
                yield Tampering(name, consistent(signed, flipped, signer), frozenset({reason}))


def consistent(signed: Ceremony, results: dict[str, Any], signer: str) -> Files:
    """Gives the files of a run with other results, everything else made again.

    Both signatures are those of `signer`; "own": each side's, "": those that were there.
    """
    records = [json.loads(line) for line in signed.files["journal.jsonl"].splitlines()]
    made = {**signed.files, **rendered(results, exchange_records(records))}
    parts = signatures.split(made["index.html"])  # None where there is nothing to sign
    subjects = {
        "results.json": digests.of_bytes(made["results.json"]),
        "journal.jsonl": digests.of_bytes(made["journal.jsonl"]),
        "index.html": digests.of_bytes(parts.unsigned if parts else made["index.html"]),
        "profile": digests.of_value(records[0]["profile"]),
    }
    files = made
    for number, before in enumerate(_statements(signed)):
        one = statements.signing_of(before)
        known = signed.signers.get(one.side if signer == "own" else signer)
        if known is not None:
            one = replace(one, key=known.public_key.keyval["public"])
        statement = statements.of(results, subjects, one)
        files = _with(replace(signed, files=files), number, statement, known)
    return files


def of_circumstances(signed: Ceremony, other: Ceremony) -> Iterator[Tampering]:
    """What is wrong with who signed, when, and of which run."""
    whole, others = (json.loads(one.files["attestation.json"])["envelopes"] for one in (signed, other))
    provider, partner = signed.trust
    late, early = signed.today + timedelta(days=91), signed.today - timedelta(days=2)
    known = (*signed.trust, *other.trust)

    def attested(name: str, envelopes: list[Any], *reasons: str) -> Tampering:
        text = (json.dumps({"schema": 1, "envelopes": envelopes}, indent=1) + "\n").encode()
        files = {**signed.files, "attestation.json": text}
        return Tampering(name, files, frozenset(reasons), frozenset({"signature"}), trust=known)

    yield Tampering("expired", signed.files, frozenset({"validity"}), frozenset({"signature", "digest"}), today=late)
    yield Tampering("signed tomorrow", signed.files, frozenset({"time"}), today=early)
    for trust, name in (((), "nobody"), ((provider,), "one"), ((partner,), "the other"), (other.trust, "others")):
        yield Tampering(f"trusted: {name}", signed.files, frozenset({"trust"}), frozenset({"digest"}), trust=trust)
    crossed = (Trust(provider.fingerprint, "partner"), Trust(partner.fingerprint, "provider"))
    yield Tampering("trusted crosswise", signed.files, frozenset({"trust"}), trust=crossed)
    yield attested("both of another run", others, "digest")
    yield attested("one of another run", [whole[0], others[1]], "digest")
    yield attested("the other of another run", [others[0], whole[1]], "digest")
    for name in FILES:
        files = {one: content for one, content in signed.files.items() if one != name}
        if name not in OTHERS:
            yield Tampering(f"no {name}", files, frozenset({"digest", "sides"}))
        swapped = {**signed.files, name: other.files[name]}
        if swapped != signed.files:  # annotations name no run: those of two may be the same
            yield Tampering(f"{name} of another run", swapped, frozenset({"digest", "reports"}), trust=known)
    for name, reason, lie in (
        ("made from another journal", "results", {"digests": {"journal": "0" * 64}}),
        ("made from another profile", "results", {"digests": {"profile": "0" * 64}}),
        ("judged by another register", "register", {"digests": {"register": "0" * 64}}),
        ("valid for ever", "results", {"sign_off": {"valid_until": "9999-12-31"}}),
        ("none to be signed", "verdict", {"verdict": "incomplete"}),
    ):
        results = json.loads(signed.files["results.json"])
        for member, value in lie.items():
            results[member] = {**results[member], **value} if isinstance(value, dict) else value
        lying = consistent(signed, results, "own")
        yield Tampering(name, lying, frozenset({reason}), frozenset({"signature", "trust", "statement"}))
    one_key = copy.deepcopy(_statements(signed)[1])
    one_key["predicate"][OWN]["signer"]["key"] = signed.signers["provider"].public_key.keyval["public"]
    yield Tampering("one key for both", _with(signed, 1, one_key, signed.signers["provider"]), frozenset({"sides"}))


KINDS: tuple[Callable[[Ceremony], Iterator[Tampering]], ...] = (
    of_results,
    of_journal,
    of_page,
    of_other_reports,
    of_attestation,
    of_statements,
    of_verdicts,
)


def _file(signed: Ceremony, name: str, file: str, content: bytes, *reasons: str) -> Tampering:
    due = frozenset(reasons or {"digest"})
    return Tampering(name, {**signed.files, file: content}, due, frozenset({"signature", "trust", "sides"}))


def _statements(signed: Ceremony) -> list[dict[str, Any]]:
    envelopes = json.loads(signed.files["attestation.json"])["envelopes"]
    return [json.loads(base64.b64decode(envelope["payload"])) for envelope in envelopes]


def _with(signed: Ceremony, number: int, statement: dict[str, Any], signer: CryptoSigner | None) -> Files:
    """Gives the files with another statement in one envelope: signed, or with the signature that was there."""
    given = json.loads(signed.files["attestation.json"])["envelopes"]
    envelopes = [Envelope.from_dict(envelope) for envelope in given]
    if signer is None:
        envelopes[number].payload = digests.canonical(statement)
    else:
        envelopes[number] = attestation.sign(statement, signer)
    return {**signed.files, "attestation.json": attestation.encode(envelopes)}
