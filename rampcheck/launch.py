"""Starting pytest over the suites, with no plugin and no option but our own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from rampcheck import resources, termination


def judge(options: Sequence[str], *, workers: int = 1, allure: bool = True) -> int:
    """Runs the suites in this process, with these `options` of `rampcheck.plugin`; gives the exit code.

    With more than one of `workers`, as many processes of their own do the work. Without `allure`, no Allure results
    are written.
    """
    arguments = [
        "-p", "rampcheck.plugin", "-c", str(resources.PACKAGE / "pytest.ini"),
        "--rootdir", str(resources.suites().parent), "-p", "no:cacheprovider", "-qq", "--tb=no", "-rN", "--no-header",
        *options,
    ]
    if workers > 1:
        arguments += ["-p", "xdist.plugin", "-n", str(workers), "--dist", "worksteal"]
    if allure:
        arguments += ["-p", "allure_pytest.plugin"]
    with _only_own_plugins(), termination.as_interruption():  # what was judged is written
        return int(pytest.main([*arguments, str(resources.suites())]))


@contextmanager
def _only_own_plugins() -> Iterator[None]:
    """Keeps pytest plugins and options of the user's own environment out: they could change what is sent."""
    given = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    given["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in given.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
