"""How many requests a run may send: who says so, what it leaves out and how that is told, and an end before the end."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rampcheck.contract import descriptor, profile, register
from rampcheck.contract.profile import Profile
from rampcheck.report.outline import outline
from rampcheck.running import budgets, launch, worth
from rampcheck.running.forecast import forecast, takes
from rampcheck.sandbox import builtin_profile, server
from tests.runs import Completed, rampcheck

REMOTE, LOCAL = "https://sandbox.example", "http://127.0.0.1:1"
FAILING = ("--contract", "kryptonim", "--defect", "validation-fails")  # an error where a refusal is due


def of(base_url: str, **limits: Any) -> Profile:
    """Gives a profile of a target there, with these limits."""
    credentials = {"client_token": "${TOKEN}"}
    data = {"contract": "proof", "base_url": base_url, "credentials": credentials, "limits": limits}
    return profile.from_mapping(data, {"TOKEN": "a-token-of-some-length"})


@pytest.mark.parametrize(
    ("base_url", "limits", "asked", "thorough", "expected"),
    [
        (REMOTE, {}, None, False, budgets.FOR_REMOTE),
        (LOCAL, {}, None, False, None),
        (REMOTE, {}, None, True, None),
        (REMOTE, {"max_requests": 400}, None, False, 400),
        (LOCAL, {"max_requests": 400}, None, False, 400),
        (LOCAL, {}, 100, False, 100),
        (REMOTE, {"max_requests": 60}, 100, False, 60),
        (REMOTE, {"max_requests": 60}, None, True, None),
    ],
)
def test_who_says_how_many(
    base_url: str, limits: dict[str, Any], asked: int | None, thorough: bool, expected: int | None
) -> None:
    """The command line, then the profile; of a target on another machine not more than is usual."""
    assert budgets.of(of(base_url, **limits), asked, thorough=thorough) == expected


def test_what_is_left_out_is_told_at_the_start() -> None:
    """With the time that it takes, and that all would take."""
    assert takes(250, 25.0, 450) == (
        "It sends at most 250 requests, and takes about 25 s at this rate: those that find the most. "
        "--thorough sends all, in about 70 s."
    )


@pytest.mark.parametrize(("rate", "told"), [("auto", "at least 34 s"), (None, "at least 25 s"), (10, "about 25 s")])
def test_a_rate_that_may_become_less_is_no_estimate(rate: object, told: str) -> None:
    """Where it is stated, it is."""
    ahead = forecast(of(REMOTE, requests_per_second=rate), register.load("proof"), budget=250)
    assert f"takes {told} at this rate" in takes(ahead.requests, ahead.seconds, at_least=ahead.at_least)


@pytest.mark.parametrize("contract", ["proof", "kryptonim"])
def test_the_usual_budget_sees_every_clause(contract: str) -> None:
    """Whatever the profile allows is exercised by one of the scenarios that it takes."""
    with server.start(contract, webhook_url="http://127.0.0.1:1/webhooks") as running:
        full = profile.from_mapping(running.profile(), {})
    chosen = launch.within(full, (), "", budgets.FOR_REMOTE)
    assert chosen.budget == budgets.FOR_REMOTE
    assert "were not looked for" in chosen.note
    known = launch.worth.of_suite(contract)
    able = launch.able(full, register.of(full).clauses.keys(), "")
    values = {one.key: known.of(one.key, one.clauses) for one in able}
    seen = launch.worth.together(known.first, *(values[key] for key in chosen.scenarios or ()))
    assert seen.requests <= budgets.FOR_REMOTE
    assert seen.tries == launch.worth.together(known.first, *values.values()).tries


@pytest.mark.parametrize("contract", ["proof", "kryptonim"])
def test_a_budget_is_not_spent_on_what_is_for_credentials_that_are_not_there(contract: str) -> None:
    """With nothing but a first partner's credentials: what a scenario is made for is there, so each clause is tried."""
    data = builtin_profile(contract, LOCAL)
    known = descriptor.load(contract).credentials
    required = {name: value for name, value in data["credentials"].items() if known[name].required}
    kept = {"contract", "base_url", "environment"}
    scarce = profile.from_mapping({name: data[name] for name in kept} | {"credentials": required}, {})
    taken = launch.within(scarce, [], "", budgets.FOR_REMOTE).scenarios or frozenset()
    others = known.keys() - required.keys()
    assert taken
    assert [one for one in taken if any(f"[{name}" in one or f"{name}]" in one for name in others)] == []


def test_a_budget_is_not_spent_on_what_needs_a_partner_who_may_sell() -> None:
    """Where nobody may sell: a clause is tried by a scenario that can run, not by one that is passed over for that."""
    data = builtin_profile("proof", LOCAL)
    data["partner"]["off_ramp"] = data["second_partner"]["off_ramp"] = False
    taken = launch.within(profile.from_mapping(data, {}), [], "", budgets.FOR_REMOTE).scenarios or frozenset()
    names = {one.partition("::")[2] for one in taken}
    assert "test_client_ip_may_be_left_out" in names
    assert names.isdisjoint({"test_client_ip_may_be_left_out_of_a_sell", "test_the_default_type_outlasts_another_one"})


def test_the_forecast_of_a_part_is_what_it_sends(tmp_path: Path) -> None:
    """Within a tenth, whatever was selected: it is what the scenarios were measured to take."""
    done = rampcheck("--contract", "kryptonim", "--clause", "kryptonim.auth.*", folder=tmp_path / "run")
    told = re.search(r"It sends about ([\d,]+) requests", done.printed)
    assert told is not None, done.printed
    assert int(told[1]) == pytest.approx(done.results["requests"], rel=0.1)


@pytest.mark.parametrize(
    ("name", "keeps"),
    [("proof", ()), ("proof", ("partner", "second_partner")), ("kryptonim", ()), ("kryptonim", ("partner",))],
)
def test_the_forecast_leaves_out_what_the_profile_lacks(name: str, keeps: tuple[str, ...]) -> None:
    """What is lacked is weighed by what its scenarios take; all of them come to what a whole run sends."""
    data = builtin_profile(name, LOCAL)
    whole = profile.from_mapping(data, {})
    assert forecast(whole, register.of(whole)).requests == pytest.approx(whole.described.requests, rel=0.1)
    kept = {"contract", "base_url", "environment", "credentials", *keeps}
    scarce = profile.from_mapping({key: value for key, value in data.items() if key in kept}, {})
    ahead = forecast(scarce, register.of(scarce))
    measured = worth.of_suite(name).scenarios.values()
    lacked = {gap.clause.id for gap in ahead.gaps}
    assert ahead.requests == pytest.approx(sum(one.requests for one in measured if not one.tries & lacked), abs=10)


def test_what_fits_is_no_choice() -> None:
    """A budget that is enough for all that was selected leaves nothing out, and is kept all the same."""
    chosen = launch.within(of(LOCAL), ["proof.auth.bearer-required"], "", 250)
    assert (chosen.scenarios, chosen.budget, chosen.at_most) == (None, None, 250)


def test_a_budget_is_kept_whatever_was_reckoned(tmp_path: Path) -> None:
    """A target that is much broken costs more than one that conforms: what is not reached is left out, and no less."""
    done = rampcheck(*FAILING, "--budget", "90", folder=tmp_path / "run")
    assert done.results["requests"] == 90
    gaps = {clause["gap"]: clause["reason"] for clause in done.results["clauses"] if "gap" in clause}
    assert gaps["unexpected"] == "not tried within 90 requests; --thorough tries all"
    assert "used up" not in str(gaps)


def test_what_fits_is_bounded(tmp_path: Path) -> None:
    """A part for which its budget was reckoned to be enough is not sent more, and says so where it was not."""
    done = rampcheck(
        *FAILING, "--clause", "kryptonim.session.request.required.*", "--budget", "50", folder=tmp_path / "run"
    )
    assert done.results["requests"] == 50
    assert "budget" not in done.results["selection"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """A run that may send few requests."""
    return rampcheck("--contract", "kryptonim", "--budget", "60", folder=tmp_path_factory.mktemp("small") / "run")


def test_a_small_budget_is_kept(small: Completed) -> None:
    """It sends no more, and says what it was."""
    assert 30 < small.results["requests"] <= 60
    assert small.results["selection"]["budget"] == 60


def test_what_a_budget_leaves_out_is_told(small: Completed) -> None:
    """It is less than it takes to see each clause once: what was not tried is not signed for."""
    assert small.code == 5, small.printed
    assert small.results["verdict"] == "incomplete"
    gaps = [clause for clause in small.results["clauses"] if clause["verdict"] == "not_verified"]
    assert gaps
    assert {clause["gap"] for clause in gaps} == {"unexpected", "declared"}
    assert "not tried within 60 requests; --thorough tries all" in {clause["reason"] for clause in gaps}
    assert any("were not looked for" in note for note in small.results["notes"])
    reasons = {gap.reason: gap.group for gap in outline(small.results).gaps}
    assert {group for reason, group in reasons.items() if "requests" in reason} == {"left_out"}
    # Whoever chose the budget expected that: it is told as the choice that it is, with what to do.
    told = small.printed + (small.folder / "summary.md").read_text(encoding="utf-8")
    assert "nobody expected" not in told
    assert told.count("Not tried, as the run was to send no more requests") == 2
    assert "did not fit into the requests that it was to send" in " ".join(small.printed.split())
    assert "--thorough" in outline(small.results).unsigned


def test_a_run_ends_at_the_first_broken_promise(tmp_path: Path) -> None:
    """What was found is told, the rest is not tried, and the exit code is that of what was found."""
    run = rampcheck(
        "--contract", "kryptonim", "--defect", "widget-url-over-http", "--fail-fast", folder=tmp_path / "run"
    )
    assert run.code == 1, run.printed
    assert run.verdicts("failed")
    assert run.results["requests"] < 50
    assert "the run was to stop after 1 failed clause" in run.results["reason"] + run.printed


def test_what_is_waived_ends_nothing(tmp_path: Path) -> None:
    """Nobody waits for it."""
    with server.start("kryptonim", ["usdt-refused-in-dollars"]) as running:
        broken = "kryptonim.session.request.fiat-currency"
        waived = {"clause": broken, "reason": "known"}
        path = tmp_path / "profile.yaml"
        path.write_text(yaml.safe_dump({**running.profile(), "waivers": [waived]}), encoding="utf-8")
        chosen = ("--clause", "kryptonim.session.request.testnet", "--fail-fast")
        run = rampcheck(str(path), *chosen, folder=tmp_path / "run")
    assert run.verdicts("waived").keys() == {broken}
    assert "to stop" not in run.printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--budget", "10", "--thorough"), "--budget sends less, and --thorough sends all"),
        (("--budget", "10", "--shard", "1/2", "--base-url", LOCAL), "--budget sends less, and --shard takes a part"),
        (("--budget", "1"), "1 requests are too few"),
        (("--budget", "sandbox.yaml"), "a profile stands before the option"),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """Nothing is sent."""
    environment = {**os.environ, "PROOF_CLIENT_TOKEN": "a-token-of-some-length"}
    run = rampcheck("--contract", "proof", *arguments, folder=tmp_path / "run", environment=environment)
    assert run.code == 4, run.printed
    assert told in " ".join(run.printed.split())
    assert not (tmp_path / "run").exists()
