"""What others publish and we do not keep: packages of npm and PyPI, of one version each, as they are needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest


def npm(package: str, version: str, folder: Path) -> Path:
    """Gives the folder of a package of npm without what it needs; skips the test where there is no npm."""
    program = npm_program()
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [program, "pack", "--silent", f"{package}@{version}"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return _unpacked(folder / done.stdout.split()[-1])


def npm_program() -> str:
    """Gives the path of npm; skips the test where there is none."""
    program = shutil.which("npm")
    if program is None or shutil.which("node") is None:
        pytest.skip("there is no npm")
    return program


def pypi(package: str, version: str, folder: Path) -> Path:
    """Gives the folder of a package's sources as PyPI has them."""
    folder.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run([*pip, f"{package}=={version}"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    return _unpacked(archive)


def _unpacked(archive: Path) -> Path:
    with tarfile.open(archive) as packed:
        packed.extractall(archive.parent, filter="data")
    (root,) = (path for path in archive.parent.iterdir() if path.is_dir())
    return root
