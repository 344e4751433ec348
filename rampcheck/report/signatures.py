"""The block of the report that says who signed; all else of the page is what was signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rampcheck import digests
from rampcheck.options import SIDES

ATTESTATION = "attestation.json"
OWN = "rampcheck"  # the member of the signed predicate that is ours
_BEGIN, _END = b"<!-- signatures -->", b"<!-- /signatures -->"


class Signer(NamedTuple):
    """Who signed, as the signed statement says: when (RFC 3339), and with which key, by its fingerprint.

    `url` is where this one says that the run can be looked at, "" where nothing was said of it.
    """

    side: str
    name: str
    role: str
    signed: str
    fingerprint: str
    url: str = ""


class Page(NamedTuple):
    """A page in three parts: before the block of signatures, the block, after it."""

    before: bytes
    block: bytes
    after: bytes

    @property
    def unsigned(self) -> bytes:
        """All but the block: what is signed."""
        return self.before + self.after

    def signed(self, block: str) -> bytes:
        """Gives the page with another block, the white space around it as it was."""
        white, text = self.block, self.block.strip()
        before, _, after = white.partition(text) if text else (b"", b"", white)
        return self.before + before + block.strip().encode() + after + self.after


def split(page: bytes) -> Page | None:
    """Gives the parts of a page, None where it has not one block of signatures."""
    before, begin, rest = page.partition(_BEGIN)
    block, end, after = rest.partition(_END)
    if not end or any(mark in part for mark in (_BEGIN, _END) for part in (before, block, after)):
        return None
    return Page(before + begin, block, end + after)


def unsigned(page: bytes) -> bytes:
    """Gives all of a page but its block of signatures; one that cannot be signed has none."""
    parts = split(page)
    return page if parts is None else parts.unsigned


def saved(folder: Path, results: bytes) -> tuple[Signer, ...]:
    """Gives those who signed these bytes of results.json, by the attestation in a run's folder.

    Whether their signatures hold is not asked here: `rampcheck verify` does. None where there is no attestation, or
    one that cannot be read.
    """
    try:
        envelopes = json.loads((folder / ATTESTATION).read_bytes())["envelopes"]
        return tuple(signer for envelope in envelopes for signer in _signers(envelope, digests.of_bytes(results)))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ()


def _signers(envelope: Any, results: str) -> Sequence[Signer]:
    statement = json.loads(base64.b64decode(envelope["payload"]))
    signed = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    predicate = statement["predicate"]
    own = predicate[OWN]["signer"]
    if signed["results.json"] != results:
        return ()
    datetime.fromisoformat(own["signed"])  # raises where it is no time
    told = [own["side"], own["name"], own["role"], own["signed"], envelope["signatures"][0]["keyid"]]
    told.append(predicate.get("url", ""))
    return [Signer(*map(str, told))]


def parties(signers: Sequence[Signer]) -> list[tuple[str, Signer | None]]:
    """Gives each side, with who signed for it, None where nobody has."""
    by_side = {signer.side: signer for signer in signers}
    return [(side, by_side.get(side)) for side in SIDES]
