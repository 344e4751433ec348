"""`rampcheck doctor` names each mistake of configuration with its cure, in a few requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from rampcheck import resources
from rampcheck.contract.profile import Profile
from rampcheck.doctor import asking as doctors
from rampcheck.doctor import telling
from rampcheck.doctor.asking import Asking
from rampcheck.doctor.limits import let_through
from rampcheck.errors import UsageError
from rampcheck.sandbox import server
from rampcheck.wire import limits as budgets
from rampcheck.wire.exchanges import Exchange, Request, Response, Sent
from rampcheck.wire.pace import Pace
from tests.misconfigured import World, alone, diagnosed, exchanges, serving
from tests.mistakes import CONNECTION, CREDENTIALS, MISTAKES, Case, swapped
from tests.test_pace import Time

SESSION = (200, {}, '{"merchant_transaction_id":"x","init_token":"y"}')
TOO_MANY = (429, {"Retry-After": "7"}, "{}")


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of the waits after 429, none of which takes its time."""
    made = Time()
    monkeypatch.setattr(doctors, "sleep", made.sleep)
    monkeypatch.setattr(budgets, "Pace", partial(Pace, clock=made, sleep=made.sleep))
    return made


@pytest.fixture(scope="module")
def references() -> Iterator[dict[str, server.RunningReference]]:
    """A conforming server of each contract."""
    with server.start("proof") as first, server.start("kryptonim") as second:
        yield {"proof": first, "kryptonim": second}


@pytest.fixture
def world(
    references: dict[str, server.RunningReference], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """What the cases are made of."""
    alone(monkeypatch)
    made = World(references, tmp_path, monkeypatch)
    yield made
    made.closed()
    alone(monkeypatch)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in MISTAKES])
def test_a_mistake_is_named_with_its_cure(case: Case, world: World, tmp_path: Path) -> None:
    """In a few requests, before anything is asked about the partner; each is in the journal."""
    profile = case.make(world)
    told = diagnosed(profile, tmp_path / "out")
    wrong = [seen for seen in told["observations"] if seen["severity"] == "wrong"]
    assert [seen["about"] for seen in wrong] == [case.about], wrong
    assert case.found in wrong[0]["found"]
    assert case.cure in wrong[0]["cure"]
    assert wrong[0]["whose"] == case.whose
    assert told["ready"] is False
    jsonschema.validate(told, json.loads(resources.schema("doctor").read_text(encoding="utf-8")))
    assert 1 <= told["requests"] <= case.most
    assert len(exchanges(tmp_path / "out")) == told["requests"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in (*CONNECTION, *CREDENTIALS)])
def test_no_secret_is_told(case: Case, world: World, tmp_path: Path) -> None:
    """Neither a diagnosis nor its journal holds a credential, or the password of a proxy."""
    profile = case.make(world)
    told = diagnosed(profile, tmp_path / "out")
    written_down = str(told) + (tmp_path / "out" / "journal.jsonl").read_text(encoding="utf-8")
    secrets = [*profile["credentials"].values(), "open-sesame-1234"]
    assert [secret for secret in secrets if secret in written_down] == []


def test_a_clock_that_is_wrong_is_told(world: World, tmp_path: Path) -> None:
    """It is no reason not to begin, and may explain what comes after."""
    session = '{"merchant_transaction_id":"x","init_token":"y"}'
    respond = (200, {"Date": "Mon, 02 Nov 2026 08:00:00 GMT"}, session)
    host = world.stack.enter_context(serving(lambda _: respond))
    told = diagnosed(world.scarce(f"http://{host}"), tmp_path / "out")
    seen = next(seen for seen in told["observations"] if seen["about"] == "clock")
    assert seen["severity"] == "look"
    assert "NTP" in seen["cure"]
    assert told["ready"] is True


def test_a_credential_that_can_be_no_other_is_passed_over(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authentication that refuses to sign with another credential's text ends no diagnosis."""
    ask = Asking.ask

    def picky(asking: Asking, request: Request, profile: Profile | None = None) -> Exchange:
        if profile is not None:
            raise UsageError("that is no key")
        return ask(asking, request)

    monkeypatch.setattr(Asking, "ask", picky)
    told = diagnosed(swapped("kryptonim", "api_key", "signature_secret")(world), tmp_path / "out")
    wrong = [seen for seen in told["observations"] if seen["severity"] == "wrong"]
    assert [(seen["about"], seen["whose"]) for seen in wrong] == [("credentials", "either")]


def test_the_forecast_reckons_with_what_the_target_lets_through(world: World, tmp_path: Path) -> None:
    """A target that bears a request a second takes minutes, not the seconds of the profile's rate."""
    session = (200, {}, '{"merchant_transaction_id":"x","init_token":"y"}')
    answers = iter([session])
    host = world.stack.enter_context(serving(lambda _: next(answers, (429, {"Retry-After": "1"}, "{}"))))
    told = diagnosed(world.scarce(f"http://{host}", partner=world.profile()["partner"]), tmp_path / "out")
    assert told["run"]["seconds"] > told["run"]["requests"]
    printed = Console(file=StringIO(), width=400)
    telling.show(told, printed)
    text = printed.file.getvalue()  # type: ignore[attr-defined]
    assert " min at the rate that the target let through" in text
    assert re.search(r"asked with 10 requests a second; it let about (0\.\d|1) a second through", text), text


@pytest.mark.parametrize(("wait", "least"), [("30", 30.0), ("99999999999", 86_400.0)])
def test_a_quota_is_told_of_by_its_wait(wait: str, least: float, world: World, tmp_path: Path) -> None:
    """What goes through until the next one may go is the rate, however long that is."""
    told = diagnosed(world.served(429, "{}", Retry_After=wait), tmp_path / "out")
    assert told["run"]["seconds"] >= told["run"]["requests"] * least


def limits_of(told: dict[str, Any]) -> dict[str, Any]:
    """Gives the one line of a diagnosis that is about limits."""
    (seen,) = [seen for seen in told["observations"] if seen["about"] == "limits"]
    return seen  # type: ignore[no-any-return]


@pytest.mark.parametrize(("rate", "severity"), [("auto", "ok"), (None, "look"), (10, "wrong")])
def test_what_is_too_much_is_asked_again_after_the_wait(
    rate: object, severity: str, world: World, time: Time, tmp_path: Path
) -> None:
    """A run that learns the rate trips over nothing; one that keeps to a stated rate does."""
    answers = iter([TOO_MANY])
    host = world.stack.enter_context(serving(lambda _: next(answers, SESSION)))
    told = diagnosed(world.scarce(f"http://{host}", limits={"requests_per_second": rate}), tmp_path / "out")
    seen = limits_of(told)
    assert seen["severity"] == severity
    assert re.search(r"answers 429 .*; it let about [\d.]+ a second through", seen["found"])
    assert (told["ready"], bool(seen["cure"])) == (severity != "wrong", severity != "ok")
    assert time.slept[0] == 7.0
    assert told["run"]["refused"] == 1
    assert told["run"]["at_least"] is (rate != 10)


def test_of_a_target_that_lets_nothing_through_no_figure_is_told(world: World, time: Time, tmp_path: Path) -> None:
    """It is asked once more when the wait is over, and not again."""
    told = diagnosed(world.served(*TOO_MANY[::2], Retry_After="7"), tmp_path / "out")
    assert limits_of(told)["severity"] == "wrong"
    assert limits_of(told)["found"].endswith("; it let nothing through")
    assert (told["requests"], told["run"]["refused"], told["run"]["lets_through"]) == (2, 2, None)
    assert time.slept[0] == 7.0


@pytest.mark.parametrize(("rate", "severity"), [("auto", "ok"), (10, "ok"), (None, "look")])
def test_a_rate_that_nobody_stated_was_not_tried(rate: object, severity: str, world: World, tmp_path: Path) -> None:
    """That a few requests met no 429 says nothing of more."""
    host = world.stack.enter_context(serving(lambda _: SESSION))
    told = diagnosed(world.scarce(f"http://{host}", limits={"requests_per_second": rate}), tmp_path / "out")
    seen = limits_of(told)
    assert (seen["severity"], told["ready"]) == (severity, True)
    assert "no 429; more at once was not tried" in seen["found"]
    assert ("less than 10 a second" in seen["cure"]) is (rate is None)


def answered(began: float, status: int, **headers: str) -> Exchange:
    """Gives an exchange that began then."""
    head = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(1, "one", Sent("POST", "https://a.example/", (), b""), Response(status, head, b""), began, 0.0, "/")


def test_what_goes_through_after_the_last_refusal_takes_its_time() -> None:
    """Ten in ten seconds are one a second, although only the first was followed by a refusal."""
    seen = [answered(0, 200), answered(0, 429, Retry_After="1"), *(answered(at, 200) for at in range(1, 11))]
    assert let_through(seen) == pytest.approx(1.1)
    assert let_through(seen[:2]) == pytest.approx(1.0)
    assert let_through(seen[1:2]) is None
