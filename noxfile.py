"""What is tried in environments of their own: every Python that is installed, the newest dependencies, the handbook.

`nox` runs the sessions named below; `nox -s newest` one of them, and so on. The gate runs those of other Pythons.
"""

from __future__ import annotations

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
TESTED = ("-c", "constraints.txt")

nox.options.sessions = ["quick", "docs"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=PYTHONS)
def quick(session: nox.Session) -> None:
    """The quick tests with the versions that the project is tested with; what is not installed is left out."""
    session.install(*TESTED, "-e", ".[dev]")
    session.run("pytest", "-q", "-n", "2", "-m", "quick", *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """The quick tests and the types, with the newest releases that the ranges in pyproject.toml allow."""
    session.install("--upgrade", "--upgrade-strategy", "eager", "-e", ".[dev]")
    session.run("pip", "list", "--outdated")
    session.run("mypy")
    session.run("pytest", "-q", "-n", "2", "-m", "quick", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The handbook as a site, build/handbook; a warning, or a link inside it that leads nowhere, fails."""
    session.install(*TESTED, "-e", ".[docs]")
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-b", "html", "docs", "build/handbook")


@nox.session
def links(session: nox.Session) -> None:
    """The links of the handbook to other places; needs a network."""
    session.install(*TESTED, "-e", ".[docs]")
    session.run("sphinx-build", "-b", "linkcheck", "docs", "build/links")
