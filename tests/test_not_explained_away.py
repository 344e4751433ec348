"""No defect of a reference is taken for a mistake of configuration: a run with it begins.

One server in this process serves the reference with one defect after the other. `pytest -m heavy` tries all of them, a
sample is tried each time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from rampcheck.contract.profile import Profile
from rampcheck.doctor.asking import Asking
from rampcheck.doctor.diagnosis import diagnose
from rampcheck.errors import Inconclusive
from rampcheck.running.run import Run, Settings
from rampcheck.sandbox import all_defects, builtin_profile, reference
from rampcheck.sandbox.defects import Defect
from rampcheck.wire import receiver
from tests import misconfigured
from tests.misconfigured import TOKENS, diagnosed, loaded

EVERY = 24  # of which a sample takes one
# What a run stops at where it is wrong.
STOPPING = {"connection", "base_url", "credentials", "session"}
CONTRACTS = ("proof", "kryptonim")


class Switched:
    """An application in whose place another one can be put."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on to the application that is there now."""
        assert self.app is not None
        await self.app(scope, receive, send)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serves an application in a thread; gives the base URL."""
    port = receiver.free_port()
    config = uvicorn.Config(app, port=port, http="h11", lifespan="off", log_level="critical", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)


def with_defect(contract: str, defect: Defect) -> ASGIApp:
    """Gives the reference with a defect, as `rampcheck serve` makes it."""
    known = reference.load(contract)
    classes = [defect.service] if defect.service else []
    app: ASGIApp = known.module("app").create_app(classes, known.environment, 0.0, None)
    return defect.wrap(app) if defect.wrap else app


def opening(profile: Profile, output: Path) -> str:
    """Gives what keeps a run from beginning, nothing where it begins."""
    run = Run(profile, Settings("run", b"0" * 32, output, allure=False))
    try:
        run.find_baseline()
    except Inconclusive as error:
        return str(error)
    finally:
        run.close()
    return ""


def diagnosis(profile: Profile, output: Path) -> str:
    """Gives what the doctor says that a run would stop at, and that is not the target's doing alone."""
    with Asking(profile, output) as asking:
        seen = diagnose(asking).observations
    blamed = [one.found for one in seen if one.severity == "wrong" and one.about in STOPPING and one.whose != "target"]
    own = [one.found for one in seen if one.severity == "wrong" and one.whose in {"profile", "machine"}]
    return "; ".join(dict.fromkeys([*blamed, *own]))


Look = Callable[[Profile, Path], str]


def blamed(look: Look, contract: str, defects: Sequence[Defect], folder: Path) -> dict[str, str]:
    """Gives the defects for which the profile is blamed, and in which words."""
    switched, told = Switched(), {}
    with serving(switched) as base_url:
        profile = loaded(builtin_profile(contract, base_url))
        for defect in defects:
            switched.app = with_defect(contract, defect)
            output = folder / defect.name
            output.mkdir()
            if words := look(profile, output):
                told[defect.name] = words
    return told


def defects_of(contract: str) -> list[Defect]:
    """Gives the defects that are said to break a clause: the others say how a run ends."""
    return [defect for defect in all_defects(contract) if not defect.ends]


@pytest.mark.parametrize("look", [opening, diagnosis])
@pytest.mark.parametrize("contract", CONTRACTS)
def test_no_defect_of_a_sample_is_explained_away(look: Look, contract: str, tmp_path: Path) -> None:
    """What the first requests meet is judged by the run."""
    assert blamed(look, contract, defects_of(contract)[::EVERY], tmp_path) == {}


@pytest.mark.parametrize("look", [opening, diagnosis])
@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_is_needed_though_optional_is_found(look: Look, contract: str, tmp_path: Path) -> None:
    """By itself or together, whatever the status of the refusal and in whose words, the optional part is sent."""
    needing = [one for one in defects_of(contract) if one.service and one.service.__module__.endswith("defects_needed")]
    assert any(one.name == "origin-alone-accepted" for one in needing)
    assert blamed(look, contract, needing, tmp_path) == {}


@pytest.mark.heavy
@pytest.mark.parametrize("look", [opening, diagnosis])
@pytest.mark.parametrize("contract", CONTRACTS)
def test_no_defect_is_explained_away(look: Look, contract: str, tmp_path: Path) -> None:
    """The same for all of them."""
    assert blamed(look, contract, defects_of(contract), tmp_path) == {}


@pytest.mark.parametrize("look", [opening, diagnosis])
def test_a_login_page_is_not_the_targets_doing(look: Look, tmp_path: Path) -> None:
    """What a run cannot begin with is told by both: these tests can fail."""
    page = next(defect for defect in all_defects("proof") if defect.name == "login-page")
    assert list(blamed(look, "proof", [page], tmp_path)) == ["login-page"]


def test_a_token_that_is_asked_for_on_every_path_makes_no_other_api(tmp_path: Path) -> None:
    """What refuses the minimum in a validator's words, and an unknown path for its token, is the API all the same."""

    def respond(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/widget/session":
            return 422, {}, '{"detail": [{"loc": ["body", "client_ip"], "msg": "field required"}]}'
        return 401, {}, '{"error": "unauthorized", "code": "UNAUTHORIZED", "message": "no token"}'

    with misconfigured.serving(respond) as host:
        told = diagnosed(
            {"contract": "proof", "base_url": f"http://{host}", "credentials": TOKENS["proof"]}, tmp_path / "out"
        )
    assert "this is the API of" not in " ".join(seen["found"] for seen in told["observations"])
