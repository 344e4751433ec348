"""The pages that tell how rampcheck is used, the blocks in them, and a place where a reader's commands are run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from rampcheck.running import conclusion
from rampcheck.wire.receiver import free_port

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
_BLOCK = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGET = "https://sandbox.example"

# The program as a reader has it, but that a server goes to the background, and that little is asked: generated requests
# are few, and at the default rate, which a target without a profile has, a whole run would take a minute.
PROGRAM = """#!/bin/bash
set -e
real() {{ "{python}" -m rampcheck.cli "$@"; }}
case "$*" in
  serve\\ --list-*) real "$@" ;;
  serve*)
    if [ -s "{pid}" ]; then kill "$(cat "{pid}")"; tail --pid="$(cat "{pid}")" -f /dev/null; fi
    "{python}" -m rampcheck.cli "$@" --port {port} --webhook-url {hook} > "{pid}.log" 2>&1 < /dev/null &
    echo $! > "{pid}"
    until grep -q "reference at" "{pid}.log"; do kill -0 "$(cat "{pid}")"; sleep 0.05; done
    cat "{pid}.log" ;;
  run\\ --base-url*) real "$@" --examples 1 --clause '*.auth.*' ;;
  run*|selftest*) real "$@" --examples 1 ;;
  *) real "$@" ;;
esac
"""


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, its text, and what the comment above it says."""

    language: str
    text: str
    remark: str

    @property
    def code(self) -> int:
        """The exit code with which it is to end."""
        found = re.fullmatch(r"exit code: (\d)", self.remark)
        return int(found[1]) if found else 0


def blocks(page: Path) -> list[Block]:
    """Gives the blocks of a page, in their order."""
    return [Block(found[2], found[3], found[1] or "") for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def name(page: Path) -> str:
    """Gives the name of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


class Workplace:
    """A folder in which a page's commands are run: with a profile, runs to look at, and a target at a base URL."""

    def __init__(self, folder: Path, base_url: str, profile: dict[str, object], text: str) -> None:
        self.folder = folder / "here"
        self.base_url = base_url
        self._pid = folder / "pid"
        self._token = str(profile["credentials"]["client_token"])  # type: ignore[index]
        self._bin = folder / "bin"
        self._bin.mkdir()
        self.folder.mkdir()
        program = self._bin / "rampcheck"
        hook = f"http://127.0.0.1:{free_port()}/webhooks/proof"
        told = PROGRAM.format(python=sys.executable, pid=self._pid, port=free_port(), hook=hook)
        program.write_text(told, encoding="utf-8")
        program.chmod(0o755)
        if "--write-profile sandbox.yaml" not in text:
            (self.folder / "sandbox.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
        for kept, place in (("signed", "before"), ("broken", "after"), ("broken", "proof-20261126T070000Z")):
            if f"reports/{place}" in text:
                shutil.copytree(ROOT / "reports" / "example" / kept, self.folder / "reports" / place)
        for signed in self.folder.rglob("attestation.json"):
            signed.unlink()
            if "rampcheck sign" in text:  # only reports of this version's own making are signed
                conclusion.conclude(signed.parent)

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        """Runs a block's commands in a shell."""
        text = block.text.replace(TARGET, self.base_url).replace("TOKEN=…", f"TOKEN={self._token}")
        if block.remark == "in the repository":
            text = text.replace("pytest ", f"pytest --rampcheck-output={self.folder / 'plain'} ", 1)
        environment = {
            **os.environ,
            "PATH": f"{self._bin}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SECRET_OF_THE_PIPELINE": "a-secret-of-the-tests-that-is-long",
            "NUMBER_OF_THE_RUN": "17",
        }
        return subprocess.run(
            ["bash", "-eu", "-c", text],
            cwd=ROOT if block.remark == "in the repository" else self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def close(self) -> None:
        """Ends the server that was left in the background."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(self._pid.read_text(encoding="utf-8")), signal.SIGTERM)
