"""The suite finds every defect of the reference, and blames no server that conforms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACK = Path(__file__).parents[1]


def test_the_suite_finds_every_defect(tmp_path: Path) -> None:
    """`rampcheck selftest` ends as required; what it printed says what did not."""
    command = [
        sys.executable,
        "-m",
        "rampcheck.cli",
        "selftest",
        "--quick",
        "--pack",
        str(PACK),
        "--contract",
        "tinyramp",
        "--output",
        str(tmp_path / "selftest"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
