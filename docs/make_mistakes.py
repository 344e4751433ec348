"""Asks the doctor about each seeded mistake of configuration, and writes what it says: `python docs/make_mistakes.py`.

The table is that of `tests/mistakes.py`, whose small servers are started for it. `tests/test_handbook.py` tells
where what is written is not that table's any more.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.made.mistakes import FILE
from rampcheck.sandbox import server
from tests.misconfigured import World, alone, diagnosed
from tests.mistakes import MISTAKES


def main() -> None:
    """Writes the file."""
    told = []
    with server.start("proof") as first, server.start("kryptonim") as second:
        for case in MISTAKES:
            with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
                alone(patch)
                world = World({"proof": first, "kryptonim": second}, Path(folder), patch)
                seen = diagnosed(case.make(world), Path(folder) / "out")["observations"]
                world.closed()
            alone(pytest.MonkeyPatch())
            wrong = next(one for one in seen if one["severity"] == "wrong")
            said = {part: _steady(wrong[part], folder) for part in ("found", "cure")}
            told.append({"name": case.name, "whose": case.whose, **said})
    FILE.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _steady(text: str, folder: str) -> str:
    """Gives a text without what is another one each time."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8787", text.replace(f"{folder}/", ""))


if __name__ == "__main__":
    main()
