"""The tiers of the tests: quick ones for the daily habit, heavy ones by themselves, and all that are not heavy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from rampcheck import pack_template
from rampcheck.contract import packs, profile
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.running.scenario import Target
from tests import runs
from tests.believed import Open

# The same examples each time: what fails here fails for everybody. `--hypothesis-profile=default` looks for others.
settings.load_profile("ci")

ROOT = Path(__file__).parents[1]

# They take long, or much of the machine: `pytest -m heavy` runs them, and nothing else does.
HEAVY = frozenset(
    {
        "test_allure_page",
        "test_answers_hostile",
        "test_channel_hostile",
        "test_receiver_hostile",
        "test_killed",
        "test_expressions",
        "test_merging",
        "test_reproduction",
        "test_formats",  # fetches the published schemas
        "test_files",
        "test_pipelines",
        "test_asked_to_end",
        "test_pipeline_examples",
        "test_partners",
    }
)
# `pytest -n 2 -m quick` runs these in less than a minute on two cores: no whole run, no wheel, nothing to wait for.
QUICK: frozenset[str] = frozenset(
    {
        "test_architecture",
        "test_blocks",
        "test_channel",
        "test_client",
        "test_client_together",
        "test_commands",
        "test_deadlines",
        "test_demands",
        "test_documents",
        "test_documents_following",
        "test_exercised",
        "test_folder",
        "test_foreign_files",
        "test_handbook",
        "test_init",
        "test_init_files",
        "test_internals",
        "test_journal",
        "test_kinds",
        "test_kryptonim_kinds",
        "test_pace",
        "test_pack_mistakes",
        "test_partner_programs",
        "test_partner_rules",
        "test_presence",
        "test_profile",
        "test_profile_mistakes",
        "test_profile_schema",
        "test_proof_trails",
        "test_provenance",
        "test_recipes",
        "test_redaction_properties",
        "test_reference",
        "test_reference_asking",
        "test_reference_following",
        "test_reference_kryptonim",
        "test_reference_proof",
        "test_report",
        "test_report_consequences",
        "test_report_verdicts",
        "test_signatures",
        "test_suggestions",
        "test_summary",
        "test_tiers",
        "test_tracing",
        "test_transport",
        "test_verdicts",
    }
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of these files."""
    for item in items:
        for tier, files in (("heavy", HEAVY), ("quick", QUICK)):
            if item.path.stem in files:
                item.add_marker(tier)


@pytest.fixture(autouse=True)
def _leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a file in the folder that it is started in, or in the checkout's."""
    before = _there()
    yield
    left = sorted(_there() - before)
    # Of several processes another one's test may be to blame, that goes on at the same time: one process is exact.
    assert not left, f"{request.node.nodeid} leaves {', '.join(left)}: tmp_path takes what a test writes"


def _there() -> frozenset[str]:
    """Gives what lies at the top of the checkout, and of its `reports`, but for what tools keep there by themselves."""
    found = (path for place in (ROOT, ROOT / "reports") for path in place.iterdir())
    built = ("__pycache__", "build", "dist", "rampcheck.egg-info")
    return frozenset(str(path.relative_to(ROOT)) for path in found if path.name[0] != "." and path.name not in built)


@pytest.fixture(scope="session")
def conforming(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., runs.Completed]:
    """Gives a whole run of the plain reference of a contract, the same to all tests, which only read it.

    Options of the run may follow the contract.
    """
    own: Path = tmp_path_factory.getbasetemp()
    # The workers of pytest-xdist have each a folder of their own in one of all: its documentation, "How-tos".
    return partial(runs.conforming, place=own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own)


@pytest.fixture(scope="module")
def signable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pack of one small contract, known to this process and those that it starts: its runs are soon judged."""
    pack = tmp_path_factory.mktemp("pack") / "signable"
    pack_template.write("signable", pack)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(packs.VARIABLE, str(pack))
        yield pack


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Open:
    """Opens a run against a base URL and gives its target; nothing is waited for."""
    monkeypatch.setattr("rampcheck.wire.client.time.sleep", lambda _: None)
    monkeypatch.setattr("rampcheck.running.recovery.EVERY", 0.01)
    monkeypatch.setattr("rampcheck.running.recovery.SECOND_LOOK", 0.0)
    numbers = count(1)

    def open_target(base_url: str, **more: Any) -> Target:
        described = profile.from_mapping(
            {
                "contract": "proof",
                "base_url": base_url,
                "credentials": {"client_token": "a-token-of-some-length"},
                "partner": {"pairs": [["USDT", "TRC20"]]},
                "limits": {"recovery_seconds": 5, "timeout_seconds": 2},
                **more,
            },
            {},
        )
        output = folder.claimed(str(tmp_path / str(next(numbers))), "proof")
        return Run(described, Settings("run", bytes(32), output)).target(0)

    return open_target
