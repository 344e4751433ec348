"""Every command of the README and the handbook does what its page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rampcheck.sandbox import server
from tests.handbook import PAGES, Workplace, blocks, name

# Their runs are many, and whole.
LONG = {"docs/run.md", "docs/pipeline.md", "docs/tested.md"}
RUN = [
    pytest.param(page, id=name(page), marks=[pytest.mark.heavy] if name(page) in LONG else [])
    for page in PAGES
    if any(block.language == "sh" for block in blocks(page))
]


@pytest.fixture(scope="module")
def target() -> Iterator[server.RunningReference]:
    """The server that a page calls its sandbox."""
    with server.start("proof") as running:
        yield running


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_work(page: Path, target: server.RunningReference, tmp_path: Path) -> None:
    """Block after block in one folder; each ends with its exit code, and prints what stands below it."""
    workplace = Workplace(tmp_path, target.base_url, target.profile(), page.read_text(encoding="utf-8"))
    try:
        printed = ""
        for block in blocks(page):
            if block.language == "sh" and not block.remark.startswith("command: "):  # the gate runs those two
                done = workplace.run(block)
                printed = f"{done.stdout}\n{done.stderr}"
                assert done.returncode == block.code, f"{block.text}\n{printed}"
            if block.remark == "printed":
                words = " ".join(printed.split())
                assert [line for line in block.text.splitlines() if " ".join(line.split()) not in words] == [], printed
    finally:
        workplace.close()
