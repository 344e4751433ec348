"""Each variant of the reference behaves otherwise than the plain one; that none is accused, `test_defects` shows."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rampcheck.contract import descriptor
from rampcheck.contract import register as contracts
from rampcheck.errors import UsageError
from rampcheck.sandbox import Variant, all_variants, builtin_profile, find_variants, server
from rampcheck.sandbox.variants import variant as registered
from tests import references
from tests.runs import rampcheck
from tests.variant_signs import SIGNS

VARIANTS = [variant for contract in descriptor.contracts() for variant in all_variants(contract)]
each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.contract}-{variant.name}")


def needs_host(variant: Variant) -> None:
    """Passes over a variant whose address this machine does not have."""
    try:
        socket.create_server(
            (variant.host or "127.0.0.1", 0), family=socket.AF_INET6 if variant.host else socket.AF_INET
        ).close()
    except OSError:
        pytest.skip(f"this machine has no {variant.host}")


@pytest.fixture(scope="module")
def plain() -> Iterator[Any]:
    """Gives the plain reference of a contract."""
    running: dict[str, server.RunningReference] = {}

    def of(contract: str) -> server.RunningReference:
        if contract not in running:
            running[contract] = references.start(contract)
        return running[contract]

    yield of
    for reference in running.values():
        reference.stop()


@each_variant
def test_the_variant_differs_as_it_says(variant: Variant, plain: Any) -> None:
    """The variant's own answer shows what it is known by, the plain reference's answer to the same does not."""
    needs_host(variant)
    probe, sign = SIGNS[variant.contract][variant.name]
    with references.start(variant.contract, variants=[variant.name]) as reference:
        answer = probe(reference)
    assert re.search(sign, answer), f"{variant.summary}\n{answer[:2000]}"
    assert not re.search(sign, probe(plain(variant.contract)))


@pytest.mark.parametrize("contract", descriptor.contracts())
def test_every_sign_belongs_to_a_variant(contract: str) -> None:
    """No sign is left of a variant that is gone."""
    assert set(SIGNS[contract]) == {variant.name for variant in all_variants(contract)}


# The registry.


@pytest.mark.parametrize("contract", descriptor.contracts())
def test_variants_say_what_they_do(contract: str) -> None:
    """Each variant says in a sentence what differs, changes something, and names clauses that exist."""
    known = contracts.load(contract).clauses
    for variant in all_variants(contract):
        assert variant.summary.endswith("."), variant.name
        assert variant.service or variant.wrap or variant.serving or variant.host, variant.name
        assert set(variant.unverified) <= set(known), variant.name


def test_an_unknown_variant_is_refused() -> None:
    """A misspelt variant is refused with the names that come near, wherever it is named."""
    with pytest.raises(UsageError, match=r"(?s)no variant 'gzipp' of proof.* gzip"):
        find_variants("proof", ["gzipp"])
    with pytest.raises(UsageError, match="gzipp"):
        server.start("proof", variants=["gzipp"])
    with pytest.raises(UsageError, match="gzipp"):
        builtin_profile("proof", "http://127.0.0.1", variants=["gzipp"])


def test_a_name_is_given_once() -> None:
    """Two variants of one name would hide each other."""
    all_variants("proof")
    with pytest.raises(ValueError, match="two variants named gzip"):
        registered("proof", "gzip")(object)


def test_variants_and_defects_combine() -> None:
    """Several variants hold at once, and none of them heals a defect."""
    names = ["created", "cors-headers", "id-counts", "redirect-null"]
    with references.start("proof", ["fix-amount-false"], variants=names) as reference:
        answer = SIGNS["proof"]["created"][0](reference)
        assert "redirect_url" not in reference.profile()["partner"]["widget_config"]
    for name in names:
        assert re.search(SIGNS["proof"][name][1], answer), name
    assert '"fix_amount": false' in answer


@pytest.mark.parametrize("arguments", [["--base-url", "http://127.0.0.1:9"], ["profile.yaml"]], ids=" ".join)
def test_a_variant_of_another_target_is_refused(arguments: list[str], tmp_path: Path) -> None:
    """Only the embedded reference has variants."""
    done = rampcheck(*arguments, "--variant", "gzip", folder=tmp_path / "run")
    assert done.code == 4
    assert "embedded reference only" in done.printed
