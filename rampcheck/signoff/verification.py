"""Whether a run is signed by both sides, for what lies in its folder, and still valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rampcheck.errors import RampcheckError, UsageError
from rampcheck.options import SIDES
from rampcheck.report import signatures
from rampcheck.report.signatures import ATTESTATION, OWN
from rampcheck.report.text import enumerated, moment
from rampcheck.signoff import attestation, checks, keys
from rampcheck.signoff import statement as statements
from rampcheck.signoff.attestation import AttestationError, Signed
from rampcheck.signoff.checks import Check, State, fails, holds, noted
from rampcheck.signoff.contents import RESULTS, SUBJECTS, Contents
from rampcheck.wire.journal import JOURNAL


@dataclass(frozen=True)
class Trust:
    """A key that is known, by its fingerprint; where `side` is not empty, as that side's alone."""

    fingerprint: str
    side: str = ""


@dataclass(frozen=True)
class Verification:
    """All that was looked at, each told apart."""

    checks: tuple[Check, ...]

    @property
    def failing(self) -> tuple[Check, ...]:
        """The checks that found what should not be."""
        return tuple(check for check in self.checks if check.state is State.FAILS)

    @property
    def is_verified(self) -> bool:
        """Whether nothing was found that should not be."""
        return not self.failing

    @property
    def lacks_only_trust(self) -> bool:
        """Whether all holds together, and only nobody said whose keys these are."""
        return bool(self.failing) and {check.name for check in self.failing} == {"trust"}


def trusted(named: Sequence[str]) -> tuple[Trust, ...]:
    """Gives whom to trust, as named on the command line: FILE, or SIDE=FILE. Raises `UsageError` as `keys.public`."""
    found = []
    for text in named:
        side, equals, path = text.partition("=")
        if equals and side not in SIDES and not Path(text).exists():
            raise UsageError(
                f"--trust {text}: {side!r} is no side", f"Begin with {' or '.join(f'{one}=' for one in SIDES)}."
            )
        side, path = (side, path) if equals and side in SIDES else ("", text)
        if not path:
            raise UsageError(f"--trust {text} names no file", "Name the file of a public key after it.")
        found.append(Trust(keys.public(Path(path)).keyid, side))
    if len({trust.fingerprint for trust in found}) != len(found):
        raise UsageError("--trust names a key twice", "Each side has a key of its own: name each once.")
    return tuple(found)


def verify(contents: Contents, trust: Sequence[Trust], today: date) -> Verification:
    """Looks at a run's folder, at the signatures in it, and at whether the two belong together."""
    try:
        signed = attestation.load(contents.folder)
    except AttestationError as error:
        told = [fails("attestation", f"{ATTESTATION} is no attestation of a run: {error}")]
        return Verification((*told, *checks.of_folder(contents, today)))
    return Verification((*_of_signatures(signed, trust, today), *_of_both(contents, signed, today)))


def _of_signatures(signed: Sequence[Signed], trust: Sequence[Trust], today: date) -> Iterator[Check]:
    for one in signed:
        yield _signature(one)
    yield _sides(signed)
    # Whose key it is that did not sign says nothing.
    yield from (_trust(one, trust) for one in signed if not one.fault)
    yield from (_time(one, today) for one in signed)


def _signature(one: Signed) -> Check:
    side, who = one.signing.side, one.signing.who
    if one.fault:
        return fails("signature", f"The signature of the {side} does not hold: {one.fault}")
    at = f"; it says that the run can be looked at under {one.url}" if one.url else ""
    signed = moment(one.signing.signed)
    return holds("signature", f"The signature for the {side} in the name of {who} holds, {signed}{at}")


def _sides(signed: Sequence[Signed]) -> Check:
    sides = [one.signing.side for one in signed if not one.fault]
    if not signed:
        return fails("sides", "This run is not signed: a sign-off needs the provider's signature and the partner's")
    if twice := [side for side in SIDES if sides.count(side) > 1]:
        return fails("sides", f"The {twice[0]} signed twice; each side signs once")
    if len({one.fingerprint for one in signed}) != len(signed):
        return fails("sides", "Both sides signed with the same key: that is one side")
    if missing := [side for side in SIDES if side not in sides]:
        lacking = " and of the ".join(missing)
        return fails("sides", f"A sign-off needs both sides; missing: a signature of the {lacking}")
    return holds("sides", "Signed by both sides")


def _trust(one: Signed, trust: Sequence[Trust]) -> Check:
    side, claims = one.signing.side, f"{one.signing.who}, for the {one.signing.side}"
    key = f"key {one.fingerprint}"
    if any(known.fingerprint == one.fingerprint and known.side in ("", side) for known in trust):
        return holds("trust", f"The {key} of the {side} is one that you trust")
    if any(known.fingerprint == one.fingerprint for known in trust):
        return fails("trust", f"You trust the {key} as another side's; here it signed for the {side}")
    if trust:
        return fails("trust", f"The {key} is none that you trust; it claims to belong to {claims}")
    return fails("trust", f"Nobody said whose key this is. It claims to belong to {claims}: {key}")


def _time(one: Signed, today: date) -> Check:
    signed = datetime.fromisoformat(one.signing.signed)
    finished = datetime.fromisoformat(one.statement["predicate"][OWN]["finished"])
    # A day of grace on both ends: the clocks of two sides differ.
    if (finished.date() - signed.date()).days > 1 or (signed.date() - today).days > 1:
        ended = f"a run that ended on {finished.date()}"
        return fails("time", f"The {one.signing.side} cannot have signed {ended} on {signed.date()}")
    return holds("time", f"The {one.signing.side} signed after the run")


def _of_both(contents: Contents, signed: Sequence[Signed], today: date) -> Iterator[Check]:
    for name in SUBJECTS if signed else ():
        yield _subject(name, contents.subjects[name], signed)
    is_signed = {name: digest for one in signed for name, digest in one.subjects.items()}
    again = not signed or all(is_signed.get(name) == contents.subjects[name] for name in (RESULTS, JOURNAL))
    yield from checks.of_folder(contents, today, again=again)
    if signed:
        yield _statement(contents, signed)
        yield _block(contents, signed)


def _subject(name: str, digest: str, signed: Sequence[Signed]) -> Check:
    if not digest:
        return fails("digest", f"{name} is not there, or cannot be read")
    unlike = [one.signing.side for one in signed if one.subjects.get(name) != digest]
    if unlike:
        return fails("digest", f"{name} is not what the {enumerated(unlike)} signed")
    return holds("digest", f"{name} is what was signed")


def _statement(contents: Contents, signed: Sequence[Signed]) -> Check:
    """Whether the statements say of the run what its results say."""
    try:
        results = contents.results
    except RampcheckError:
        return noted("statement", "What was signed was not compared with results that cannot be read")
    for one in signed:
        given = one.statement
        due = statements.of(results, one.subjects, one.signing, one.url)
        if given != due:
            what = ", ".join(_unlike(given["predicate"], due["predicate"])) or "more than its predicate"
            return fails("statement", f"The {one.signing.side} signed other words than the results have: {what}")
    return holds("statement", "What was signed says what the results say")


def _unlike(said: Mapping[str, Any], due: Mapping[str, Any]) -> list[str]:
    """Gives the members that differ, those of our own member among them."""
    given, meant = {**said, **said[OWN]}, {**due, **due[OWN]}
    return sorted(key for key in given.keys() | meant.keys() if key != OWN and given.get(key) != meant.get(key))


def _block(contents: Contents, signed: Sequence[Signed]) -> Check:
    signers = signatures.saved(contents.folder, contents.files[RESULTS])
    if len(signers) == len(signed) and contents.shows(signers):
        return holds("block", "The report names those who signed")
    return fails("block", "The report does not name those who signed, and them alone; `rampcheck report` mends that")
