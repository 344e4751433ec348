"""Whatever is wrong with the files of a pack: its writer is told what and where, and it is no fault of rampcheck."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from rampcheck.certification import script
from rampcheck.contract import descriptor, packs, profile, profile_schema, register
from rampcheck.errors import ContractError, ExitCode, RampcheckError
from rampcheck.running.forecast import forecast
from tests import small_pack
from tests.test_lint_partner import FILES as PARTNER

NUMBERS = count(1)
VALUES: tuple[Any, ...] = (None, True, -1.5, "text", "", [7], {"unheard": 1}, {})


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """A small pack with a partner's side that is right, and the name of its contract, which no other test has."""
    name = f"spoilt{next(NUMBERS)}x"
    small_pack.write(tmp_path, name)
    for path, text in PARTNER.items():
        file = tmp_path / path.replace("{name}", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{name}", name), encoding="utf-8")
    monkeypatch.setenv(packs.VARIABLE, str(tmp_path))
    return name, tmp_path / "openapi" / name


def used(name: str) -> None:
    """Does with a contract what a command does before anything is sent."""
    for known in (descriptor.load, register._newest, register.partner_side, profile_schema.validator):
        known.cache_clear()
    described = descriptor.load(name)
    environment = {known.variable: "a-secret-of-some-length" for known in described.credentials.values()}
    credentials = {key: f"${{{known.variable}}}" for key, known in described.credentials.items()}
    given = {"contract": name, "base_url": "https://sandbox.example", "credentials": credentials}
    target = profile.from_mapping(given, environment)
    for clause in register.of(target).clauses.values():
        clause.unmet(target)
    forecast(target, register.of(target))
    profile_schema.whole()
    register.partner_side(name)
    script.built_in(name)


def places(value: Any, *steps: str | int) -> Iterator[tuple[str | int, ...]]:
    """Gives the steps to each place of a document; of a list to its first."""
    yield steps
    children = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for step, child in children:
        yield from places(child, *steps, step)


def spoilt(document: Any) -> Iterator[Any]:
    """Gives a document with each of its places taken out, with one more key, and with another value."""
    for steps in places(document):
        for value in (*VALUES, "nothing"):
            other = {"": copy.deepcopy(document)}
            *parents, last = ("", *steps)
            around: Any = other
            for step in parents:
                around = around[step]
            if value == "nothing":
                del around[last]
            elif value == {"unheard": 1} and isinstance(around[last], dict):
                around[last]["unheard"] = 1
            else:
                around[last] = value
            yield other.get("")


@pytest.mark.parametrize("kind", ["contract", "clauses", "partner", "script"])
def test_no_mistake_in_a_file_is_a_fault(kind: str, pack: tuple[str, Path]) -> None:
    """Each is told of its writer's file, and ends with the exit code of a mistake."""
    name, folder = pack
    used(name)
    file = folder / f"{kind}.yaml"
    told, codes = 0, set()
    for document in spoilt(yaml.safe_load(file.read_text(encoding="utf-8"))):
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            used(name)
        except RampcheckError as error:
            codes.add(error.exit_code)
            told += file.name in str(error)
    assert codes == {ExitCode.USAGE}
    assert told > 50


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("clauses", "level: must", "level: msut", "clauses.0.level: 'msut' is not one of"),
        ("clauses", "text: A", "txt: A", "clauses.0: "),
        ("clauses", 'version: "1"', "version: 2026-11-01", r"2: version: .*\n  Write it in quotes\."),
        ("clauses", "{document: api", "{document: apy", "clauses.0: the clause .* cites apy, which is not listed"),
        ("clauses", ".session.answered\n    level", ".session.complete\n    level", "clauses.1: there are two"),
        ("clauses", ".session.complete\n    level", ".sesion.complete\n    level", "the clause .* is in no section"),
        ("clauses", "contract: ", "contract: x", "1: contract: the register is that of xspoilt"),
        ("contract", "envelope: [code]", "envelope: code", "4: envelope: 'code' is not of type 'array'"),
        ("contract", "type: boolean", "type: bolean", "profile: the profile's part is no JSON Schema: "),
        ("contract", "gateway:", "yes:", "the key True is no text"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(kind: str, old: str, new: str, said: str, pack: tuple[str, Path]) -> None:
    """And where, what, and what to do about it."""
    name, folder = pack
    file = folder / f"{kind}.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as told:
        used(name)
    assert re.match(rf"{re.escape(str(file))}:\d+: ", str(told.value)), str(told.value)
    assert re.search(said, str(told.value)), str(told.value)
    assert f"`rampcheck schema {kind}`" in told.value.cure
