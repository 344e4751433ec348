"""What each released version of a contract promised, kept as it was: `openapi/NAME/versions/VERSION.yaml`.

The register is that of the newest version. A file here holds, of an older one or of the newest once it is released, the
level and the text of each clause that counted, and a digest of them, so that nobody changes it unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rampcheck import digests
from rampcheck.contract import packs
from rampcheck.contract.packs import Pack
from rampcheck.contract.yaml_file import read_formatted, read_yaml
from rampcheck.errors import ContractError, UsageError, writing

FOLDER = "versions"
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")  # what a version may be called, being a file's name too
HEAD = "# What this version promised. It is released: nobody changes it; a change is a new version.\n"


@dataclass(frozen=True)
class Promise:
    """A clause as a version had it."""

    level: Literal["must", "should", "open"]
    text: str


def folder(pack: Pack, contract: str) -> Path:
    """Gives where the versions of a contract are kept; it need not be there."""
    return pack.document(contract, "clauses").with_name(FOLDER)


def order(version: str) -> list[tuple[int, str]]:
    """Gives what versions are sorted by: numbers by their value, so that 1.10 comes after 1.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", version) if part]


def names(contract: str) -> list[str]:
    """Gives the versions of a contract that this rampcheck can judge by, the newest last. Raises `UsageError`."""
    pack = packs.of(contract)
    newest = str(read_yaml(pack.document(contract, "clauses")).get("version", ""))
    kept = {path.stem for path in folder(pack, contract).glob("*.yaml")}
    return [*sorted(kept - {newest}, key=order), newest]


def demand(contract: str, version: str) -> None:
    """Raises `UsageError` unless this rampcheck can judge by a version of a contract."""
    if version not in (known := names(contract)):
        raise UsageError(f"there is no version {version} of the contract {contract}", f"Known: {', '.join(known)}.")


def load(contract: str, version: str) -> dict[str, Promise]:
    """Gives what a version promised, by clause.

    Raises `UsageError` where it is not kept, `ContractError` where it is not as it was when it was released.
    """
    demand(contract, version)
    path = folder(packs.of(contract), contract) / f"{version}.yaml"
    kept = read_yaml(path)
    try:
        promises = {clause: Promise(told["level"], told["text"]) for clause, told in kept["clauses"].items()}
        is_intact = kept["digest"] == digest(kept["clauses"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ContractError(f"{path} does not have the format of a kept version: {error!r}") from error
    if not is_intact:
        raise ContractError(f"{path} was changed since it was released", "Take it as it was released.")
    return promises


def digest(clauses: Mapping[str, Any]) -> str:
    """Gives the SHA-256 of clauses as a version keeps them."""
    return digests.of_value(clauses)


def promised(register: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Gives what the content of a register promises, as a version keeps it."""
    return {
        entry["id"]: {"level": entry["level"], "text": " ".join(entry["text"].split())} for entry in register["clauses"]
    }


def freeze(contract: str) -> Path:
    """Writes what the newest version of a contract promises, for ever; gives the file.

    Raises `UsageError` where that was done already, or the file cannot be written.
    """
    pack = packs.of(contract)
    register = read_formatted(pack.document(contract, "clauses"), "clauses")
    version = str(register["version"])
    path = folder(pack, contract) / f"{version}.yaml"
    if not NAME.fullmatch(version):
        raise UsageError(f"the version {version!r} cannot be a file's name", "Use letters, digits, `.` and `-`.")
    if path.exists():
        raise UsageError(
            f"{path}: version {version} of {contract} is released, and stays as it is",
            "Give the register and the OpenAPI document another version.",
        )
    clauses = promised(register)
    lines = [f"  {clause}: {json.dumps(told, ensure_ascii=False)}\n" for clause, told in clauses.items()]
    head = f'{HEAD}contract: {contract}\nversion: "{version}"\ndigest: {digest(clauses)}\nclauses:\n'
    with writing(path):
        path.parent.mkdir(exist_ok=True)
        path.write_text(head + "".join(lines), encoding="utf-8")
    return path
