"""Everything that a trial needs, imported and used once: each trial is a copy of a process that has loaded this.

A run spends half of its processor time on imports, and on what Hypothesis works out when it first generates; neither
depends on the target, so it is done once here and not in each of some hundred trials. Source: the documentation of
`multiprocessing`, "set_forkserver_preload".
"""

from __future__ import annotations

import gc
import importlib
import tempfile
from contextlib import suppress

import hypothesis
import hypothesis.configuration

from rampcheck.contract import descriptor, register
from rampcheck.errors import RampcheckError
from rampcheck.judging import suite
from rampcheck.report import html, questions, summary
from rampcheck.running import launch, properties
from rampcheck.sandbox import all_defects, all_variants
from rampcheck.sandbox.reference import load, references

# What a run or a reference imports only when it comes to need it.
LATE = (
    "click",
    "jinja2",
    "pytest",
    "schemathesis",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "xml.dom.expatbuilder",
    "rampcheck.running.conclusion",
    "rampcheck.running.launch",
    "rampcheck.running.plugin",
    "rampcheck.sandbox.http_protocols",
    "rampcheck.sandbox.server",
)
# What renders pages, and what the names of its templates have in them.
PAGES = ((html.environment, ""), (summary.environment, ".md."), (questions.environment, ".md."))


def warm_up() -> None:
    """Imports and collects it all, compiles the pages, and generates a few bodies of each documented request."""
    for name in LATE:
        importlib.import_module(name)
    for name in references():
        with suppress(RampcheckError):  # Who tries a broken pack is told by the trial.
            suite.load(name)
            load(name).module("app")
            all_defects(name)
            all_variants(name)
            launch.scenarios(register.load(name), "")
    for templates, ending in PAGES:
        for name in templates().list_templates():
            if ending in name:
                templates().get_template(name)
    with tempfile.TemporaryDirectory(prefix="rampcheck-") as home:
        hypothesis.configuration.set_hypothesis_home_dir(home)
        for name in descriptor.contracts():
            with suppress(RampcheckError):
                _generate(register.load(name))


def _generate(loaded: register.Contract) -> None:
    for path, methods in loaded.document["paths"].items():
        for method in (method for method, operation in methods.items() if "requestBody" in operation):
            for positive in (True, False):
                _draw(properties.bodies(loaded, method.upper(), path, positive=positive))


def _draw(bodies: hypothesis.strategies.SearchStrategy[bytes]) -> None:
    @hypothesis.settings(
        max_examples=10,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(bodies)
    def drawn(body: bytes) -> None:
        assert isinstance(body, bytes)  # noqa: S101 - all that is wanted is that they are generated

    drawn()


warm_up()
# A copy shares the memory of what is here; the collector must not go through it, which would copy it.
gc.collect()
gc.freeze()
