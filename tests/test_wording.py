"""Advice is said in the words of who reads it: with a profile's file, or with options alone; and nothing twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rampcheck.contract import descriptor
from rampcheck.contract.profile import Profile, from_environment, recalled
from rampcheck.contract.wording import KEY, MADE, lacks, worded
from rampcheck.mistakes import base_url, connection, credentials
from rampcheck.sandbox import server
from tests.runs import rampcheck

CURES = sorted(
    {
        *(cure for *_, cure, _ in connection.FAILURES),
        *(cure for _, _, cure, _ in base_url.ANSWERS),
        *(cure for _, _, cure, _ in credentials.FAULTS),
        *(descriptor.load(name).advice for name in descriptor.contracts()),
    }
)


@pytest.fixture(scope="module")
def bare() -> Profile:
    """A target that only options name."""
    return from_environment("proof", "https://sandbox.example", {"PROOF_CLIENT_TOKEN": "a-token-of-nobody"})


def test_what_is_lacking_is_no_profiles_where_there_is_none(bare: Profile) -> None:
    """Also when the run is judged again, which knows it by the options that named its target."""
    assert lacks("`partner.origins`", bare) == "no profile gives `partner.origins`"
    for has_file, told in ((True, "the profile lacks `x`"), (False, "no profile gives `x`")):
        assert lacks("`x`", recalled("proof", bare.as_public(), has_file=has_file)) == told


@pytest.mark.parametrize("cure", CURES, ids=range(len(CURES)))
def test_advice_without_a_profile_names_options_or_how_a_profile_is_made(cure: str, bare: Profile) -> None:
    """No key of a profile that is not there, unless it is said how one comes to be; with a file, as it is."""
    told = worded(cure, bare)
    assert "the profile" not in told
    assert not re.search(r"`(base_url|contract|environment)\b", told)
    assert MADE in told or not ("profile" in told or KEY.search(told)), told
    assert worded(cure, replace(bare, has_file=True)) == cure


@pytest.fixture(scope="module")
def reference() -> Iterator[server.RunningReference]:
    """A conforming server."""
    with server.start("proof") as running:
        yield running


def test_a_mistake_is_told_once_and_no_profile_is_spoken_of(
    reference: server.RunningReference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused credentials, from options alone: the reason says it once, the cure names nothing that nobody stated."""
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", "a-token-of-nobody-at-all")
    done = rampcheck("--contract", "proof", "--base-url", reference.base_url, folder=tmp_path / "run")
    assert done.code == 5
    reason, cure = done.results["reason"], done.results["cure"]
    assert reason.startswith(f"{reference.base_url} refuses the credentials: 401")
    assert reason.count("refuses") == 1
    assert "`--base-url`" in cure
    assert "sandbox" not in cure
    assert "profile" not in cure
