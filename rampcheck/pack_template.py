"""Writing a pack that runs, for `rampcheck new`: a copy of `templates/pack` under a name of its own.

The template is a pack itself, of a contract that is called `vendorname`, and is checked like all other code.
"""

from __future__ import annotations

import re
from pathlib import Path

from rampcheck import resources
from rampcheck.contract import packs
from rampcheck.errors import UsageError, writing

TEMPLATE = resources.PACKAGE / "templates" / "pack"
NAME = re.compile(r"[a-z][a-z0-9]{0,23}")  # the register's form; with a longer one, lines would be too long
PLACEHOLDER = "vendorname"
CACHE = re.compile(r"__pycache__|\.\w+_cache")  # what tools leave in a checkout


def write(name: str, folder: Path) -> list[Path]:
    """Writes a pack with one contract, called `name`, into `folder`; gives the files.

    Raises `UsageError` for a name that is none or is taken, and for a folder that holds something already, or cannot be
    written.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a contract", "At most 24 small letters and digits, a letter first.")
    if name in packs.contracts():
        raise UsageError(f"there is a contract {name} already: {packs.of(name).folder}", "Choose another name.")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already", "Name another folder.")
    written = []
    with writing(folder, "Name another folder."):
        for source in sorted(TEMPLATE.rglob("*")):
            relative = source.relative_to(TEMPLATE)
            if source.is_file() and not any(map(CACHE.fullmatch, relative.parts)):
                target = folder / named(relative.as_posix(), name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(named(source.read_text(encoding="utf-8"), name), encoding="utf-8")
                written.append(target)
    return written


def named(text: str, name: str) -> str:
    """Gives a text of the template with the name in place of the placeholder, in each letter case."""
    for case in (str.lower, str.upper, str.capitalize):
        text = text.replace(case(PLACEHOLDER), case(name))
    return text
