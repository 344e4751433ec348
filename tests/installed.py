"""The program as it comes from its wheel, in an environment of its own; beside it that of a pack."""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
# As pip writes it. Processes that the program starts import it again.
SCRIPT = """from rampcheck.cli import main

if __name__ == "__main__":
    main()
"""


@cache
def program() -> Path:
    """Gives the program, installed from the wheel into an empty virtual environment."""
    scratch = _scratch()
    _install(_environment(scratch), _wheel(scratch, ROOT))
    return scratch / "venv" / "bin" / "rampcheck"


@cache
def program_with(pack: Path) -> Path:
    """Gives the program in an environment that has the wheel of a pack, too; what both need is that of `program`."""
    scratch = _scratch()
    environment = _environment(scratch)
    (there,) = program().parents[1].glob("lib/python*/site-packages")
    (here,) = environment.glob("lib/python*/site-packages")
    (here / "beside.pth").write_text(f"{there}\n", encoding="utf-8")
    _install(environment, _wheel(scratch, pack))
    command = environment / "bin" / "rampcheck"
    script = f"#!{environment / 'bin' / 'python'}\n{SCRIPT}"
    command.write_text(script, encoding="utf-8")
    command.chmod(0o755)
    return command


def _scratch() -> Path:
    scratch = tempfile.TemporaryDirectory(prefix="rampcheck-tests-")
    atexit.register(scratch.cleanup)
    return Path(scratch.name)


def _environment(scratch: Path) -> Path:
    """Makes an environment without a pip of its own: that of this one installs into it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(scratch / "venv")], check=True)
    return scratch / "venv"


def _wheel(scratch: Path, project: Path) -> Path:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(scratch), str(project)]
    subprocess.run(build, check=True)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def _install(environment: Path, wheel: Path) -> None:
    """Installs a wheel and what it asks for; what of it is never imported need not be compiled."""
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    asked = ["install", "--quiet", "--no-compile", "-c", str(ROOT / "constraints.txt"), str(wheel)]
    subprocess.run([*pip, *asked], check=True)
