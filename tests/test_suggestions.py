"""What may be meant is said of a name that is not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rampcheck import lint, pack_template
from rampcheck.contract import packs, register
from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Waiver
from rampcheck.errors import UsageError
from rampcheck.judging import waivers
from rampcheck.judging.lacking import lacking
from rampcheck.report.additions import addition

PROOF = register.load("proof")
LISTED = "`rampcheck clauses --contract proof` lists them."


def refusal(called: Callable[[], object]) -> str:
    """The message and the cure of what cannot be."""
    with pytest.raises(UsageError) as raised:
        called()
    return str(raised.value)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("proof.errors.request-ids", "proof.errors.request-id"),
        ("proof.atuh.*", "proof.auth.*"),
        ("proof.session.reqest.*", "proof.session.request.*"),
        ("nothing-like-it", LISTED),
    ],
)
def test_of_clauses(pattern: str, said: str) -> None:
    """Of a clause's id, of a section's pattern, in a selection as in a waiver; all are listed elsewhere."""
    selected = refusal(lambda: PROOF.selected([pattern]))
    waived = refusal(lambda: waivers.check([Waiver(pattern, "a reason", date(2027, 1, 31))], PROOF))
    for told in (selected, waived):
        assert said in told
        assert LISTED in told
        assert ("Did you mean" in told) == (said != LISTED)


def test_of_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a contract's name; where a folder nearby is a pack that brings it, that is what is missing."""
    monkeypatch.chdir(tmp_path)
    assert "Did you mean kryptonim?" in refusal(lambda: packs.of("kryptonym"))
    assert "Did you mean proof?" in refusal(lambda: list(lint.lint("prof")))
    assert "named with --pack DIR" in refusal(lambda: packs.of("acme"))
    pack_template.write("acme", Path("rampcheck-acme"))
    assert "add --pack rampcheck-acme" in refusal(lambda: packs.of("acme"))
    assert "`rampcheck lint rampcheck-acme`" in refusal(lambda: list(lint.lint("acme")))
    assert "named with --pack DIR" in refusal(lambda: packs.of("*"))


def test_another_partners_credential_comes_with_that_partner() -> None:
    """What it may ask for is asked for with it, unless the profile says so already."""
    environ = {"PROOF_CLIENT_TOKEN": "tok-51d07b-3f9a2c-first"}
    scarce = profiles.from_environment("proof", "https://sandbox.example", environ)
    clause = PROOF.clauses["proof.transaction.isolation"]
    assert [lack["key"] for lack in lacking(clause, scarce)] == [
        "credentials.second_client_token",
        "second_partner.pairs",
    ]
    piece = addition([{"lacks": lacking(clause, scarce)}])  # type: ignore[list-item, typeddict-item]
    assert 'second_partner:\n  pairs: [["USDC", "ERC20"]]  # for 1 clause' in piece
    (trigger,) = lacking(PROOF.clauses["proof.transaction.terminal"], scarce)
    piece = addition([{"lacks": [trigger]}])  # type: ignore[list-item, typeddict-item]
    assert "ask-the-vendor-{unique}" in piece
    assert "# for 1 clause; a placeholder, the vendor knows the value" in piece
    unrelated = PROOF.clauses["proof.auth.origin-registered"]
    assert [lack["key"] for lack in lacking(unrelated, scarce)] == ["partner.origins"]
