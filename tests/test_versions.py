"""Frozen contracts: a released version stays as it is, and can still be judged by."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path

import pytest

from rampcheck.contract import packs, profile, register, versions
from rampcheck.contract.packs import Pack
from rampcheck.contract.yaml_file import read_yaml
from rampcheck.errors import ContractError, ProfileError, UsageError
from rampcheck.judging.evidence import Account
from rampcheck.judging.findings import Finding
from rampcheck.judging.verdicts import Scope, clause_results, run_verdict
from rampcheck.lint import look
from tests import small_pack

NUMBERS = count(1)
ROOT = Path(__file__).parents[1]

# What was released stays as it was: these never change, and a new version is a new line.
RELEASED = {
    "kryptonim/2026-11": "8b2c1468674018f8a380fa7a7e2b94e126c026b68fe2be50f7204f43c399370c",
    "proof/2026-11": "44cbf61d50ca9e10aa49b9411ff3c0c93d2548e4bfa3a3ae512a828131838111",
}


@pytest.mark.parametrize("name", sorted({path.parent.parent.name for path in ROOT.glob("openapi/*/versions/*.yaml")}))
def test_released_versions_are_as_they_were(name: str) -> None:
    """Each kept version has the digest of its release, and so have its clauses."""
    kept = sorted((ROOT / "openapi" / name / "versions").glob("*.yaml"))
    assert kept
    for path in kept:
        content = read_yaml(path)
        assert content["digest"] == RELEASED[f"{name}/{path.stem}"]
        assert versions.digest(content["clauses"]) == content["digest"]
    assert [key for key in RELEASED if key.startswith(f"{name}/")] == [f"{name}/{path.stem}" for path in kept]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Pack, str]:
    """A pack that is right, and the name of its contract."""
    name = f"versioned{next(NUMBERS)}"
    small_pack.write(tmp_path / "pack", name)
    monkeypatch.setenv(packs.VARIABLE, str(tmp_path / "pack"))
    return Pack(tmp_path / "pack"), name


def change(path: Path, *pairs: tuple[str, str]) -> None:
    """Replaces texts in a file, each of which is there."""
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def advance(pack: Pack, name: str) -> None:
    """Gives a contract whose version 1 is released a version 2: a new clause, a level, a text, one that fell away."""
    versions.freeze(name)
    clauses = pack.document(name, "clauses")
    change(
        clauses,
        ('version: "1"', 'version: "2"'),
        ("level: should", "level: must"),
        ("A session has an id.", "A session has an id of its own."),
        (
            f"  - id: {name}.session.inside\n    level: must\n    text: Sessions are kept in one place.",
            f'  - id: {name}.session.new\n    since: "2"\n    level: must\n    text: Something is new.',
        ),
    )
    change(pack.document(name, "openapi"), ('version: "1"', 'version: "2"'))


def profile_of(name: str, **more: str) -> profile.Profile:
    """A profile of a small contract."""
    data = {
        "contract": name,
        "base_url": "http://127.0.0.1:1",
        "environment": "sandbox",
        "credentials": {"key": "x" * 12},
    }
    return profile.from_mapping({**data, **more}, {})


def test_an_older_version_has_its_own_levels_and_texts(small: tuple[Pack, str]) -> None:
    """By version 1, levels and texts are those of version 1, what came later is open, what fell away is not tried."""
    pack, name = small
    advance(pack, name)
    newest, older = register.load(name), register.of(profile_of(name, contract_version="1"))
    assert (newest.version, older.version) == ("2", "1")
    assert newest.clauses[f"{name}.session.answered"].level == "must"
    assert older.clauses[f"{name}.session.answered"].level == "should"
    assert older.clauses[f"{name}.session.complete"].text == "A session has an id."
    assert older.clauses[f"{name}.session.new"].level == "open"
    assert older.newer == {f"{name}.session.new"}
    assert "fell away after version 1" in older.clauses[f"{name}.session.inside"].untestable
    assert f"{name}.session.inside" not in newest.clauses
    assert newest.newer == frozenset()


def test_a_newer_clause_is_shown_and_cannot_fail(small: tuple[Pack, str]) -> None:
    """Seen broken, it fails a run by its own version, and is no failure by an older one."""
    pack, name = small
    advance(pack, name)
    clause = f"{name}.session.new"
    verdicts = {}
    for version in ("1", "2"):
        chosen = profile_of(name, contract_version=version)
        contract = register.of(chosen)
        account = Account()
        if contract.clauses[clause].level == "open":  # as the judge writes it
            account.clauses[clause].observations.append({"actual": "wrong", "exchange": 1, "scenario": "s"})
        else:
            account.clauses[clause].findings.append(Finding(clause, "right", "wrong", 1, "s"))
        account.clauses[f"{name}.session.complete"].held.add(1)
        scope = Scope(frozenset(contract.clauses), date(2026, 11, 26))
        told = {one["id"]: one for one in clause_results(contract, chosen, account, scope)}
        assert told[clause]["since"] == "2"
        verdicts[version] = told[clause]["verdict"], run_verdict(list(told.values()), scope)
    assert verdicts == {"1": ("observed", "conformant_with_gaps"), "2": ("failed", "nonconformant")}


def test_a_version_that_is_not_kept_is_told(small: tuple[Pack, str]) -> None:
    """In a profile with its line and the known ones; of a number, that it has to be a text."""
    pack, name = small
    advance(pack, name)
    with pytest.raises(ProfileError, match=r"contract_version: there is no such version; known: 1, 2"):
        profile_of(name, contract_version="3")
    with pytest.raises(ProfileError, match="put it in quotes"):
        profile_of(name, contract_version=1)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"there is no version 3 .*\n.*1, 2"):
        register.load(name, "3")


def test_versions_are_sorted_by_their_numbers() -> None:
    """1.10 comes after 1.9, and a month after the one before it."""
    assert sorted(["1.10", "1.9", "1"], key=versions.order) == ["1", "1.9", "1.10"]
    assert sorted(["2027-02", "2026-11", "2026-9"], key=versions.order) == ["2026-9", "2026-11", "2027-02"]


def test_a_version_is_kept_once(small: tuple[Pack, str]) -> None:
    """What is kept is what the register promises; a second time it is refused, and a changed file is not used."""
    pack, name = small
    path = versions.freeze(name)
    kept = read_yaml(path)
    assert kept["clauses"] == versions.promised(read_yaml(pack.document(name, "clauses")))
    with pytest.raises(UsageError, match="is released, and stays as it is"):
        versions.freeze(name)
    assert look(pack, name).mistakes == ()
    advanced = path.with_name("0.yaml")
    shutil.copy(path, advanced)
    change(advanced, ("A session has an id.", "A session has a name."))
    with pytest.raises(ContractError, match="was changed since it was released"):
        versions.load(name, "0")


def test_a_new_version_is_clean(small: tuple[Pack, str]) -> None:
    """A register that says since when its new clause counts has no mistake, released or not."""
    pack, name = small
    advance(pack, name)
    assert rules(pack, name) == {}
    versions.freeze(name)
    assert rules(pack, name) == {}


def rules(pack: Pack, name: str) -> dict[str, str]:
    """What the rules of this module say of a contract: that a new clause is tried nowhere is not their business."""
    own = {"versions named", "released versions", "the released register", "since"}
    return {rule: str(mistake) for rule, mistake in look(pack, name).mistakes if rule in own}


def released(pack: Pack, name: str, old: str, new: str) -> None:
    """Changes the register of a version that is released."""
    versions.freeze(name)
    change(pack.document(name, "clauses"), (old, new))


def developed(pack: Pack, name: str, old: str, new: str) -> None:
    """Changes the register of a version that comes after a released one."""
    advance(pack, name)
    change(pack.document(name, "clauses"), (old, new))


def tampered(pack: Pack, name: str, old: str, new: str) -> None:
    """Changes a released version itself."""
    change(versions.freeze(name), (old, new))


BREACHES: list[tuple[Callable[[Pack, str, str, str], None], str, str, str, str]] = [
    (released, "A session has an id.", "It has.", "the released register", "is not as version 1 promised it"),
    (released, "level: should", "level: must", "the released register", "is not as version 1 promised it"),
    (released, "session.inside\n", "session.within\n", "the released register", "which is no clause any more"),
    (released, "    level: should", '    since: "1"\n    level: should', "since", "counts since the first version"),
    (developed, 'since: "2"', 'since: "3"', "since", "counts since 3, which is no version"),
    (developed, '    since: "2"\n', "", "since", "counts since 1, but version 1 did not promise it"),
    (
        developed,
        "    level: must\n    text: Every",
        '    since: "2"\n    level: must\n    text: Every',
        "since",
        "already",
    ),
    (developed, 'version: "2"', 'version: "0"', "versions named", "is older than 1, which is kept"),
    (released, 'version: "1"', 'version: "1/2"', "versions named", "cannot be a file's name"),
    (tampered, '"level": "should"', '"level": "open"', "released versions", "was changed since it was released"),
    (tampered, 'version: "1"', 'version: "2"', "released versions", "is not what was kept of"),
    (tampered, "clauses:", "clauses: [", "released versions", "cannot be read"),
]


@pytest.mark.parametrize("breach", BREACHES, ids=[breach[4] for breach in BREACHES])
def test_the_linter_sees_to_versions(
    small: tuple[Pack, str], breach: tuple[Callable[[Pack, str, str, str], None], str, str, str, str]
) -> None:
    """Each thing that must not become of a version is told, with the file and its line."""
    pack, name = small
    how, old, new, rule, told = breach
    how(pack, name, old, new)
    found = rules(pack, name)
    assert told in found[rule], found
    assert re.match(r".+\.yaml(:\d+)?: ", found[rule])


def test_a_kept_version_is_readable_elsewhere(small: tuple[Pack, str]) -> None:
    """Each clause stands in a line of its own, its promise in JSON: other tools need no YAML library for it."""
    _, name = small
    lines = versions.freeze(name).read_text().partition("clauses:\n")[2].splitlines()
    told = {key.strip(): json.loads(value) for key, _, value in (line.partition(": ") for line in lines)}
    assert told[f"{name}.session.answered"] == {"level": "should", "text": "Every request is answered."}
