"""Whatever is done to a signed run, it is refused, and for the right reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rampcheck.contract import packs
from tests import signed_runs
from tests.signed_runs import KINDS, Ceremony, Tampering


@pytest.fixture(scope="module")
def signed(signable: Path, tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    """A run that both sides signed."""
    return signed_runs.ceremony(signable, signed_runs.run(signable, tmp_path_factory.mktemp("signed") / "run"))


@pytest.fixture(scope="module")
def other(signable: Path, tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    """Another run, signed by others."""
    return signed_runs.ceremony(
        signable, signed_runs.run(signable, tmp_path_factory.mktemp("other") / "run", "--seed", "2")
    )


def accepted(signed: Ceremony, tamperings: Iterator[Tampering]) -> tuple[int, list[str]]:
    """Gives how many tamperings there were, and those that were not refused for their reason, with what was told."""
    told, number = [], 0
    for one in tamperings:
        number += 1
        found = signed.verified(one.files, one.today, one.trust)
        failing = {check.name for check in found.failing}
        if not failing & one.reasons or failing & one.not_reasons:
            told.append(f"{one.name}: {sorted(failing)}, and due was one of {sorted(one.reasons)}")
    return number, told


def test_what_was_not_touched_is_verified(signed: Ceremony) -> None:
    """The run as it was signed holds, until its last day."""
    assert [check.text for check in signed.verified(signed.files).failing] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_tampering_is_refused(signed: Ceremony, kind: Callable[[Ceremony], Iterator[Tampering]]) -> None:
    """Each is refused for the reason that it is due to, and not for one that it has nothing to do with."""
    number, told = accepted(signed, kind(signed))
    assert told == []
    assert number > 30


def test_every_circumstance_is_refused(signed: Ceremony, other: Ceremony) -> None:
    """Time, keys, sides, and what belongs to another run."""
    number, told = accepted(signed, signed_runs.of_circumstances(signed, other))
    assert told == []
    assert number > 20


def test_there_are_enough_of_them(signed: Ceremony) -> None:
    """At least five hundred, and no two alike."""
    names = [one.name for kind in KINDS for one in kind(signed)]
    assert len(names) == len(set(names)) >= 500


@pytest.mark.parametrize("document", ["clauses", "openapi"])
def test_another_register_is_refused(signed: Ceremony, document: str) -> None:
    """Where this machine has other documents under the same version, the run was not judged by them."""
    path = packs.of("signable").document("signable", document)
    before = path.read_bytes()
    path.write_bytes(before + b"# changed\n")
    try:
        failing = {check.name for check in signed.verified(signed.files).failing}
    finally:
        path.write_bytes(before)
    assert failing == {"register"}
    assert signed.verified(signed.files).is_verified
