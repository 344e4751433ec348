"""Holds rampcheck against schemathesis: `python -m benchmarks.peer [DEFECTS VARIANTS] [OPTIONS of rampcheck selftest]`.

Takes so many defects that a finding tells of, and so many variants, of both contracts, drawn with a fixed seed; a name
that both contracts have is tried with both.
"""

from __future__ import annotations

import random
import subprocess
import sys

from rampcheck.sandbox import all_defects, all_variants
from rampcheck.sandbox.reference import references

SEED = 16


def drawn(names: list[str], number: int) -> list[str]:
    """Gives so many of these names, always the same ones of the same names."""
    return random.Random(SEED).sample(sorted({*names}), number)  # noqa: S311 - no secret


def main(defects: int = 60, variants: int = 20, *given: str) -> int:
    """Draws, and runs the selftest; gives its exit code."""
    broken = [one.name for contract in references() for one in all_defects(contract) if not one.ends]
    conforming = [one.name for contract in references() for one in all_variants(contract)]
    chosen = [
        *(word for name in drawn(broken, defects) for word in ("--defect", name)),
        *(word for name in drawn(conforming, variants) for word in ("--variant", name)),
    ]
    command = [sys.executable, "-m", "rampcheck.cli", "selftest", "--quick", "--peer", "schemathesis"]
    return subprocess.run([*command, *chosen, *given], check=False).returncode


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3] if word.isdecimal()]
    sys.exit(main(*numbers, *sys.argv[1 + len(numbers) :]))
