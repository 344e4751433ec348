"""attestation.json: a DSSE envelope for each signer, around the statement that this one signed.

One each, and not one statement with two signatures: what is a signer's alone (name, role, side, time) is then signed
by this signer, and both are over the same files. Source: DSSE 1.0; in-toto attestation framework v1, envelope.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner

from rampcheck import digests
from rampcheck.report.signatures import ATTESTATION
from rampcheck.signoff import keys
from rampcheck.signoff import statement as statements
from rampcheck.signoff.statement import Signing

PAYLOAD = "application/vnd.in-toto+json"
_LARGEST = 8 * 1024 * 1024  # bytes; a contract of a thousand clauses comes to a hundredth


class AttestationError(ValueError):
    """What stands in attestation.json is not what rampcheck writes; `str()` says why."""


@dataclass(frozen=True)
class Signed:
    """One envelope: its statement, who signed, the key's `fingerprint`; `fault` says why it does not hold, or is ""."""

    envelope: Envelope = field(repr=False)
    statement: dict[str, Any] = field(repr=False)
    signing: Signing
    fingerprint: str
    fault: str = ""

    @property
    def url(self) -> str:
        """Where the signer says that the run can be looked at, "" where nothing was said of it."""
        url = self.statement["predicate"].get("url", "")
        return url if isinstance(url, str) else ""

    @property
    def subjects(self) -> dict[str, str]:
        """The digests of what was signed, by name."""
        return statements.subjects_of(self.statement)


def sign(statement: dict[str, Any], signer: CryptoSigner) -> Envelope:
    """Gives the envelope of a statement, signed."""
    envelope = Envelope(digests.canonical(statement), PAYLOAD, {})
    envelope.sign(signer)
    return envelope


def encode(envelopes: Sequence[Envelope]) -> bytes:
    """Gives the content of attestation.json."""
    content = {"schema": 1, "envelopes": [envelope.to_dict() for envelope in envelopes]}
    return json.dumps(content, indent=1).encode("ascii") + b"\n"


def load(folder: Path) -> tuple[Signed, ...]:
    """Gives what was signed, in the order of signing; nothing where there is no attestation.

    Raises `AttestationError` where it is not as rampcheck writes it: what is not signed in it could say anything.
    """
    path = folder / ATTESTATION
    if path.exists() and not path.is_file():
        raise AttestationError("it is no file")
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        envelopes = [Envelope.from_dict(envelope) for envelope in json.loads(content)["envelopes"]]
        as_written = encode(envelopes)
        # The library keeps what it does not know of a signature.
        has_more = any(one.unrecognized_fields for envelope in envelopes for one in envelope.signatures.values())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise AttestationError(f"it cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise AttestationError("it holds no envelopes with signatures") from error
    if content != as_written or has_more:
        raise AttestationError("it was changed after it was written")
    return tuple(_opened(envelope) for envelope in envelopes)


def _opened(envelope: Envelope) -> Signed:
    try:
        statement = json.loads(envelope.payload)
        signing = statements.signing_of(statement)
        key = keys.from_hex(signing.key)
    except (ValueError, RecursionError) as error:
        raise AttestationError(f"an envelope cannot be understood: {error}") from error
    fault = _fault(envelope, statement) or _signature_fault(envelope, signing)
    return Signed(envelope, statement, signing, key.keyid, fault)


def _fault(envelope: Envelope, statement: dict[str, Any]) -> str:
    if envelope.payload_type != PAYLOAD:
        return f"its payload is called {str(envelope.payload_type)[:80]!r}"
    if envelope.payload != digests.canonical(statement):
        return "its statement is not in the form in which statements are signed"
    return "" if len(envelope.signatures) == 1 else "it does not have one signature"


def _signature_fault(envelope: Envelope, signing: Signing) -> str:
    key = keys.from_hex(signing.key)
    if key.keyid not in envelope.signatures:
        return "it was signed with another key than the statement says"
    try:
        envelope.verify([key], 1)
    except VerificationError:
        return "the signature is not that of this statement by this key"
    return ""
