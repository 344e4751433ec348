"""`pytest suites`, started by hand: after the README's first command, and beside plugins with options of their own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rampcheck.options import OPTIONS, PREFIX
from tests.hostile.ended import environment, shell

ROOT = Path(__file__).parents[1]
PART = "--rampcheck-contract kryptonim --rampcheck-clause kryptonim.auth.signature-required"


def test_a_checkout_judges_with_its_own_engine(tmp_path: Path) -> None:
    """Where another copy is installed, as the README's first command does it, the suites of the checkout still run."""
    installed = tmp_path / "site" / "rampcheck"
    shutil.copytree(ROOT / "rampcheck", installed)
    for data in ("openapi", "suites"):
        shutil.copytree(ROOT / data, installed / data)
    ended = shell(
        f"exec {sys.executable} -P -m pytest -q -p no:cacheprovider suites/kryptonim {PART} "
        f"--rampcheck-output {tmp_path / 'run'}",
        ROOT,
        environment(PYTHONPATH=str(installed.parent)),
    )
    assert ended.code == 0, ended.said
    assert (tmp_path / "run" / "results.json").exists()


def test_other_plugins_may_have_options_of_the_same_names(tmp_path: Path) -> None:
    """pytest-base-url, pytest-playwright and the like: every name of ours without its beginning is free."""
    names = [option.name for option in OPTIONS if option.name != "strict"]  # which is pytest's own
    (tmp_path / "neighbour.py").write_text(
        f"def pytest_addoption(parser):\n    for name in {names!r}:\n        parser.addoption('--' + name)\n",
        encoding="utf-8",
    )
    env = environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(tmp_path)]))
    ended = shell(f"exec {sys.executable} -m pytest -p neighbour -p rampcheck.running.plugin --help", tmp_path, env)
    assert ended.code == 0, ended.said
    assert all(f"--{PREFIX}{name}" in ended.out for name in names)
