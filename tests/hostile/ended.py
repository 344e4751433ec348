"""The program in a process of its own, bounded in time and memory: how it ends, and what it says."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAM = f"{shlex.quote(sys.executable)} -m rampcheck.cli"
# The shortest whole run of an embedded reference.
BRIEF = ("run", "--contract", "kryptonim", "--clause", "kryptonim.auth.signature-required")
MOST_SECONDS = 120
MOST_BYTES = 4 << 30  # of addresses, of which threads and shared libraries take most
# What the machine that runs the tests says of proxies and certificates is not theirs.
FOREIGN = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONWARNINGS")


@dataclass(frozen=True)
class Ended:
    """How a process ended: its code, its standard output, its standard error."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that it said."""
        return self.out + self.err


def environment(**more: str) -> dict[str, str]:
    """Gives the environment of this process without what names proxies, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if name.upper() not in FOREIGN}
    root = str(Path(__file__).parents[2])
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH")])), **more}


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def shell(script: str, current: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Runs a script of bash in the folder `current`; `$rampcheck` is the program."""
    done = subprocess.run(
        ["bash", "-c", f"rampcheck={shlex.quote(PROGRAM)}\n{script}"],
        cwd=current,
        env=env or environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=MOST_SECONDS,
        preexec_fn=_bound,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def program(*arguments: str, current: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Runs the program with these arguments in the folder `current`."""
    return shell(f"exec $rampcheck {shlex.join(arguments)}", current, env)
