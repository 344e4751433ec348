"""Adding a signature to a run."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rampcheck.errors import UsageError, writing
from rampcheck.report import files, html, signatures
from rampcheck.report.signatures import ATTESTATION
from rampcheck.signoff import attestation, checks, contents, keys
from rampcheck.signoff import statement as statements
from rampcheck.signoff.attestation import AttestationError, Signed
from rampcheck.signoff.checks import State
from rampcheck.signoff.contents import PAGE, Contents
from rampcheck.signoff.statement import Signing

LONGEST = 200  # characters of a name or a role


@dataclass(frozen=True)
class Signatory:
    """Who signs: for which side, under which name and role, with the key in which file; `url` is where the run is."""

    side: str
    name: str
    role: str
    key: Path
    url: str = ""


def sign(folder: Path, who: Signatory, environ: Mapping[str, str], now: datetime | None = None) -> tuple[Signed, ...]:
    """Adds a signature to a run's folder, and names the signer in its report; gives all signatures that it has now.

    Raises `UsageError` where the run is none that can be signed, its files do not say the same, the side has signed
    already, or the key is none to sign with; `NoRoom` where nothing can be written.
    """
    for option, text in (("--name", who.name), ("--role", who.role), ("--url", who.url)):
        _check_text(option, text)
    # What was typed first: a key that is none would be no other one after the folder was looked into.
    signer = keys.signer(who.key, environ, folder)
    now = now or datetime.now(UTC)
    found = contents.read(folder)
    _check_folder(found, now)
    page = found.page
    if page is None:
        raise UsageError(f"{folder / PAGE} has no place for signatures", _RENDER)
    before = _signed_before(found, who.side)
    if any(one.fingerprint == signer.public_key.keyid for one in before):
        raise UsageError("the other side has signed with this very key", "Each side signs with a key of its own.")
    signed = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    signing = Signing(who.side, who.name, who.role, signed, signer.public_key.keyval["public"])
    statement = statements.of(found.results, found.subjects, signing, who.url)
    envelopes = [*(one.envelope for one in before), attestation.sign(statement, signer)]
    with writing(folder, "A run is signed where it lies."):
        files.replace(folder / ATTESTATION, attestation.encode(envelopes))
        signers = signatures.saved(folder, found.files[contents.RESULTS])
        files.replace(folder / PAGE, page.signed(html.block(signers)))
    return attestation.load(folder)


def _check_text(option: str, text: str) -> None:
    if {unicodedata.category(character) for character in text} & {"Cc", "Cs", "Zl", "Zp"}:
        raise UsageError(f"{option} holds a control character", "Write it as it shall stand in the report.")
    if len(text) > LONGEST:
        raise UsageError(f"{option} has {len(text)} characters, and {LONGEST} are the most", "Shorten it.")
    if option == "--url" and text and not text.startswith("https://"):
        raise UsageError("--url is no address that begins with https://", "Name where the run can be looked at.")


def _check_folder(found: Contents, now: datetime) -> None:
    told = checks.of_folder(found, now.astimezone(UTC).date())
    # Who signs has to see what is signed: what cannot be compared here is signed where it can.
    wrong = [check for check in told if check.state is not State.HOLDS]
    if wrong:
        why = "\n".join(f"  {check.text}" for check in wrong)
        raise UsageError(f"{found.folder} cannot be signed:\n{why}", _CURES.get(wrong[0].name, _RENDER))


def _signed_before(found: Contents, side: str) -> Sequence[Signed]:
    try:
        signed = attestation.load(found.folder)
    except AttestationError as error:
        raise UsageError(f"{ATTESTATION} cannot be signed into: {error}", _AWAY) from error
    for one in signed:
        if one.fault:
            raise UsageError(f"the signature of the {one.signing.side} does not hold: {one.fault}", _AWAY)
        if one.subjects != found.subjects:
            raise UsageError(f"the {one.signing.side} signed other files than lie here", _AWAY)
        if one.signing.side == side:
            raise UsageError(f"{one.signing.who} has signed for the {side} already", "Each side signs once.")
    return signed


_RENDER = "`rampcheck report DIR` judges again what the journal holds, by the documents of this rampcheck."
_CURES = {
    "verdict": "",
    "validity": "Run it again, and sign that.",
    "register": f"--pack DIR names the pack of a contract that is not ours. {_RENDER}",
}
_AWAY = f"`rampcheck verify DIR` tells more. To sign anew, take {ATTESTATION} away; both sides sign then."
