"""`rampcheck doctor` looks at the profile's other parts; a right one is ready, and no defect is a mistake of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from rich.console import Console

from rampcheck import resources
from rampcheck.contract import descriptor, register
from rampcheck.doctor import telling
from rampcheck.mistakes import connection
from rampcheck.sandbox import server
from rampcheck.wire import receiver
from rampcheck.wire.exchanges import Failure
from tests.conducts import call
from tests.misconfigured import World, alone, diagnosed, exchanges, serving

ROOT = Path(__file__).parents[1]
MOST = 25


@pytest.fixture(scope="module")
def references() -> Iterator[dict[str, server.RunningReference]]:
    """A conforming server of each contract."""
    webhooks = f"http://127.0.0.1:{receiver.free_port()}/webhooks"
    with server.start("proof", webhook_url=webhooks) as first, server.start("kryptonim") as second:
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


def seen_of(told: dict[str, Any], *severities: str) -> list[dict[str, Any]]:
    """Gives the observations of these severities."""
    return [seen for seen in told["observations"] if seen["severity"] in severities]


@pytest.mark.parametrize("contract", ["proof", "kryptonim"])
def test_a_right_profile_is_ready(contract: str, world: World, tmp_path: Path) -> None:
    """Nothing is wrong, nothing to look at, in at most 25 requests."""
    told = diagnosed(world.profile(contract), tmp_path / "out")
    assert seen_of(told, "look", "wrong") == []
    assert told["ready"] is True
    schema = json.loads(resources.schema("doctor").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(told)
    assert told.keys() == schema["properties"].keys()
    assert len(exchanges(tmp_path / "out")) == told["requests"] <= MOST


def test_every_part_of_a_profile_is_looked_at(world: World, tmp_path: Path) -> None:
    """What the profile of the reference says has a line each."""
    told = diagnosed(world.profile(), tmp_path / "out")
    named = {re.sub(r"\[\d+\]", "", seen["about"]) for seen in told["observations"]}
    partner = {f"partner.{name}" for name in world.profile()["partner"]} - {"partner.address_mode"}
    credentials = {f"credentials.{name}" for name in world.profile()["credentials"]} - {"credentials.client_token"}
    triggers = {f"triggers.{name}" for name in world.profile()["triggers"]}
    others = {"environment", "connection", "clock", "base_url", "credentials", "session", "egress", "webhook", "limits"}
    assert named == partner | credentials | triggers | others


# By what is looked at: the part of the profile's `partner`, `triggers`, … that is wrong, words of what is found.
PARTNER: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("partner.widget_id", {"partner": {"widget_id": "6d0f3c1e-0000-4b7b-9f0e-2c41d7a95b38"}}, "the profile says"),
    ("partner.widget_config", {"partner": {"widget_config": {"lang": "de"}}}, "lang is 'en'"),
    ("partner.widget_config", {"partner": {"widget_config": {"currencies": ["BTC"]}}}, "currencies is"),
    ("partner.origins[0]", {"partner": {"origins": ["https://other.example.com"]}}, "refused, 403"),
    ("partner.pairs[1]", {"partner": {"pairs": [["USDT", "TRC20"], ["USDT", "BEP20"]]}}, "refused, 400"),
    ("partner.unprovisioned_pair", {"partner": {"unprovisioned_pair": ["USDT", "ERC20"]}}, "accepted"),
    ("partner.disabled_currency", {"partner": {"disabled_currency": "USDT"}}, "accepted"),
    ("partner.off_ramp", {"partner": {"off_ramp": True}}, "refused, 4"),
    ("triggers.complete", {"triggers": {"complete": {"currency": "DOGE"}}}, "refused, 400"),
    ("triggers.upstream_error_once", {"triggers": {"upstream_error_once": {"partner_user_id": "a-{unique}"}}}, "200"),
    ("egress", {"egress": {"outside_source_address": "127.0.0.1"}}, "accepted"),
)


@pytest.mark.parametrize(("about", "sections", "found"), PARTNER)
def test_what_the_target_does_otherwise_is_told(
    about: str, sections: dict[str, Any], found: str, world: World, tmp_path: Path
) -> None:
    """It is left open who is right: the profile may be, and then a run finds the target's mistake."""
    told = diagnosed(world.profile(**sections, webhook=None), tmp_path / "out")
    wrong = seen_of(told, "wrong")
    assert [(seen["about"], seen["whose"]) for seen in wrong] == [(about, "either")]
    assert found in wrong[0]["found"]
    assert wrong[0]["cure"]
    assert told["requests"] <= MOST


KRYPTONIM: tuple[tuple[str, dict[str, str], str], ...] = (
    ("credentials.second_api_key", {"second_api_key": "key-of-nobody-at-all"}, "refused, 401"),
    ("credentials.second_api_key", {"second_signature_secret": "secret-of-nobody"}, "refused, 401"),
)


@pytest.mark.parametrize(("about", "credentials", "found"), KRYPTONIM)
def test_a_second_partner_that_is_none_is_told(
    about: str, credentials: dict[str, str], found: str, world: World, tmp_path: Path
) -> None:
    """Its key and its secret belong together, or one of them is wrong."""
    wrong = seen_of(diagnosed(world.wrongly("kryptonim", **credentials), tmp_path / "out"), "wrong")
    assert [seen["about"] for seen in wrong] == [about]
    assert found in wrong[0]["found"]


def test_an_address_that_this_machine_has_not_is_told(world: World, tmp_path: Path) -> None:
    """It is the profile's mistake alone."""
    profile = world.profile(egress={"outside_source_address": "203.0.113.9"})
    wrong = seen_of(diagnosed(profile, tmp_path / "out"), "wrong")
    assert [(seen["about"], seen["whose"]) for seen in wrong] == [("egress", "profile")]
    assert "no address" in wrong[0]["found"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("previous_client_token", "token-that-was-never-issued", "refused, 401"),
        ("second_client_token", "token-that-was-never-issued", "refused, 401"),
    ],
)
def test_a_credential_that_is_not_what_it_should_be_is_told(
    name: str, value: str, found: str, world: World, tmp_path: Path
) -> None:
    """Each besides the default one is tried by itself."""
    wrong = seen_of(diagnosed(world.wrongly("proof", **{name: value}), tmp_path / "out"), "wrong")
    assert [seen["about"] for seen in wrong] == [f"credentials.{name}"]
    assert found in wrong[0]["found"]


LOOKS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("environment", {"environment": None}, "does not say it", "Write `environment: sandbox`"),
    ("limits", {"limits": {"requests_per_second": 0, "max_requests": 200}}, "about 760", "limits.max_requests"),
    (
        "limits",
        {"limits": {"requests_per_second": 50, "max_minutes": 0.2}},
        "`max_minutes` is 0.2",
        "limits.max_minutes",
    ),
    ("triggers.complete", {"triggers": {"complete": {"user_id": "x"}}}, "no field user_id", "Documented are"),
)


@pytest.mark.parametrize(("about", "sections", "found", "cure"), LOOKS)
def test_what_may_be_meant_is_told(  # noqa: PLR0917 - a row of a table
    about: str, sections: dict[str, Any], found: str, cure: str, world: World, tmp_path: Path
) -> None:
    """It keeps no run from beginning."""
    told = diagnosed(world.profile(**sections), tmp_path / "out")
    looks = [seen for seen in seen_of(told, "look") if seen["about"] == about]
    assert [found in seen["found"] and cure in seen["cure"] for seen in looks] == [True], told["observations"]


def test_the_name_of_another_environment_is_told(world: World, tmp_path: Path) -> None:
    """A host that is named after one environment, in the profile of another."""
    told = diagnosed(world.scarce("https://production.invalid", environment="sandbox"), tmp_path / "out")
    assert [seen["about"] for seen in seen_of(told, "look")] == ["environment"]


# What `public_url` leads to, by its path and where it goes; words of what is found.
@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda port, other: (f"127.0.0.1:{port}", f"http://127.0.0.1:{other}/hook"), "something else answers"),
        (
            lambda port, _: (f"127.0.0.1:{port}", f"http://127.0.0.1:{receiver.free_port()}/hook"),
            "refused the connection",
        ),
        (lambda port, _: (f"127.0.0.1:{port}", f"https://127.0.0.1:{port}/hook"), "does not speak TLS"),
        (lambda port, _: (f"127.0.0.1:{port}", "https://no-such-tunnel.invalid/hook"), "could not be resolved"),
    ],
)
def test_a_webhook_that_does_not_come_back_is_told(make: Any, found: str, world: World, tmp_path: Path) -> None:
    """The public URL has to lead to this machine's receiver."""
    other = world.stack.enter_context(serving(lambda _: (200, {}, "{}"))).rpartition(":")[2]
    listen, public = make(receiver.free_port(), other)
    told = diagnosed(world.profile(webhook={"listen": listen, "public_url": public}), tmp_path / "out")
    wrong = seen_of(told, "wrong")
    assert [seen["about"] for seen in wrong] == ["webhook"]
    assert found in wrong[0]["found"]


def test_a_proxy_that_changes_the_path_is_told(world: World, tmp_path: Path) -> None:
    """What arrives at another path than the public URL's is no webhook."""
    port = receiver.free_port()

    def stripping(_: str) -> tuple[int, dict[str, str], str]:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", data=b"{}")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        return refused.value.code, {}, ""

    host = world.stack.enter_context(serving(stripping))
    webhook = {"listen": f"127.0.0.1:{port}", "public_url": f"http://{host}/hook"}
    wrong = seen_of(diagnosed(world.profile(webhook=webhook), tmp_path / "out"), "wrong")
    assert [seen["about"] for seen in wrong] == ["webhook"]
    assert "another path" in wrong[0]["found"]
    assert "keep the path" in wrong[0]["cure"]


# A defect, and what the target and the profile disagree about; none where a run can begin.
DEFECTS = (
    ("proof", "previous-token-forbidden", "credentials.previous_client_token"),
    ("proof", "inactive-token-accepted", "credentials.inactive_client_token"),
    ("proof", "registered-origin-refused", "partner.origins[0]"),
    ("proof", "origin-required", ""),
    ("proof", "client-ip-required", ""),
    ("proof", "allowlist-not-enforced", "egress"),
    ("proof", "disabled-sell-served", "partner.off_ramp"),
    ("proof", "currencies-not-as-configured", "partner.widget_config"),
    ("proof", "widget-id-per-session", "partner.widget_id"),
    ("proof", "message-missing", ""),
    ("proof", "session-as-text", ""),
    ("kryptonim", "signature-over-sorted-json", ""),
    ("kryptonim", "signature-in-base64-only", ""),
    ("kryptonim", "fiat-amount-refused", ""),
    ("kryptonim", "ip-address-required", ""),
    ("kryptonim", "session-called-page", ""),
    ("kryptonim", "api-key-in-widget-url", ""),
)


@pytest.mark.parametrize(("contract", "defect", "about"), DEFECTS)
def test_no_defect_is_explained_away(contract: str, defect: str, about: str, tmp_path: Path) -> None:
    """What is wrong is the target's, or left open between it and the profile: never the profile's alone."""
    with server.start(contract, [defect]) as broken:
        told = diagnosed(broken.profile(), tmp_path / "out")
    blamed = [seen for seen in seen_of(told, "look", "wrong") if seen["whose"] in {"profile", "machine"}]
    assert blamed == []
    wrong = seen_of(told, "wrong")
    assert {seen["whose"] for seen in wrong} <= {"target", "either"}
    assert [seen["about"] for seen in wrong][:1] == [about] * bool(about)


def test_the_forecast_counts_what_the_register_does(world: World, tmp_path: Path) -> None:
    """Verified, gaps and what nobody can try are all clauses; what is added closes the gaps."""
    scarce = {
        **world.profile(),
        "partner": {},
        "triggers": None,
        "webhook": None,
        "egress": None,
        "second_partner": None,
    }
    profile = {name: value for name, value in scarce.items() if value is not None}
    told = diagnosed(profile, tmp_path / "out")
    whole = diagnosed(world.profile(), tmp_path / "full")
    run, full = told["run"], whole["run"]
    counted = len(run["verified"]) + len(run["gaps"]) + len(run["untestable"])
    assert counted == len(register.load("proof").clauses)
    assert run["requests"] < full["requests"]
    assert set(yaml.safe_load(run["addition"])) >= {"partner", "triggers"}
    telling.show({**told, "ready": True}, printed := Console(file=StringIO(), width=400))
    assert "The values are examples: write only what is so" in printed.file.getvalue()  # type: ignore[attr-defined]
    (complete,) = [seen for seen in whole["observations"] if seen["about"] == "triggers.complete"]
    assert complete["found"].endswith("whether they end a transaction, the run shows")


def test_the_size_of_a_run_is_what_was_measured() -> None:
    """Each contract's is within a tenth of what benchmarks/README.md tells of a default run."""
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    row = re.search(r"requests of a default run \| (\d+) \| (\d+)", text)
    assert row is not None
    for name, measured in zip(("proof", "kryptonim"), map(int, row.groups()), strict=True):
        assert descriptor.load(name).requests == pytest.approx(measured, rel=0.1)


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `rampcheck doctor` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "rampcheck.cli", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **environment},
    )


def test_as_a_user_does_it(world: World, tmp_path: Path) -> None:
    """Exit code 0 and the last word where a run can begin; `--json` gives the same as data."""
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(world.profile("kryptonim")), encoding="utf-8")
    told = run("profile.yaml", folder=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert "Ready: a run can begin." in told.stdout
    assert "about 800 requests" in told.stdout
    data = run("profile.yaml", "--json", "--output", "out", folder=tmp_path)
    assert json.loads(data.stdout)["ready"] is True
    assert (tmp_path / "out" / "journal.jsonl").is_file()
    again = run("profile.yaml", "--output", "out", folder=tmp_path)
    assert again.returncode == 4
    assert "holds a run already" in again.stderr


def test_a_base_url_and_a_token_are_enough(world: World, tmp_path: Path) -> None:
    """As for `run`; a token that is refused ends with 1, and is not shown."""
    url = world.references["proof"].base_url
    told = run("--base-url", url, folder=tmp_path, PROOF_CLIENT_TOKEN="Bearer token-of-nobody-91f3")
    assert told.returncode == 1
    assert "Not ready" in told.stdout
    assert "token-of-nobody" not in told.stdout + told.stderr
    assert "Add `--environment sandbox`, if it is." in told.stdout


def profile_with(**sections: Any) -> dict[str, Any]:
    """A profile of a target that nobody asks."""
    credentials = {"client_token": "${PROOF_CLIENT_TOKEN}"}
    return {"contract": "proof", "base_url": "https://sandbox.invalid", "credentials": credentials, **sections}


TOKEN = "token-of-the-tests-4f7c1e9a"
# A mistake that is told before any request: the profile, the environment, words of the message and of its cure.
MISTAKES: dict[str, tuple[dict[str, Any], dict[str, str], str, str]] = {
    "unset": (profile_with(), {}, "PROOF_CLIENT_TOKEN is not set", "set it"),
    "empty": (profile_with(), {"PROOF_CLIENT_TOKEN": ""}, "is empty", "set it"),
    "line break": (profile_with(), {"PROOF_CLIENT_TOKEN": f"{TOKEN}\n"}, "control character", "remove it"),
    "space": (profile_with(), {"PROOF_CLIENT_TOKEN": f"{TOKEN} "}, "ends with a space", "remove it"),
    "literal": (profile_with(credentials={"client_token": TOKEN}), {}, "is written out", "write ${PROOF_CLIENT_TOKEN}"),
    "$NAME": (profile_with(credentials={"client_token": "$PROOF_CLIENT_TOKEN"}), {}, "is written out", "${PROOF_"),
    "http": (profile_with(base_url="http://sandbox.invalid"), {"PROOF_CLIENT_TOKEN": TOKEN}, "unencrypted", "https://"),
    "no scheme": (
        profile_with(base_url="sandbox.invalid"),
        {"PROOF_CLIENT_TOKEN": TOKEN},
        "scheme is missing",
        "write https://",
    ),
    "query": (profile_with(base_url="https://a.invalid/?x=1"), {"PROOF_CLIENT_TOKEN": TOKEN}, "a query", "end it"),
    "key": (profile_with(partnr={}), {"PROOF_CLIENT_TOKEN": TOKEN}, "unknown key", "did you mean partner"),
    "proxy": (
        profile_with(),
        {"PROOF_CLIENT_TOKEN": TOKEN, "HTTPS_PROXY": "socks://x:1"},
        "HTTPS_PROXY is no URL",
        "Write http://HOST:PORT",
    ),
    "certificates": (
        profile_with(),
        {"PROOF_CLIENT_TOKEN": TOKEN, "SSL_CERT_FILE": "none.pem"},
        "SSL_CERT_FILE names none.pem",
        "Name a file of certificates",
    ),
    "production": (
        profile_with(environment="production"),
        {"PROOF_CLIENT_TOKEN": TOKEN},
        "environment: production",
        "--allow-production",
    ),
    "listen": (
        profile_with(webhook={"listen": "203.0.113.9:80", "public_url": "https://hooks.invalid/x"}),
        {"PROOF_CLIENT_TOKEN": TOKEN},
        "cannot listen",
        "address of this machine",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_the_profile_is_told_before_any_request(name: str, tmp_path: Path) -> None:
    """Exit code 4, as `run` tells it, and nothing is written."""
    profile, environment, found, cure = MISTAKES[name]
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    told = run("profile.yaml", folder=tmp_path, **environment)
    assert told.returncode == 4
    assert found in told.stderr
    assert cure in told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    assert not (tmp_path / "reports").exists()


def test_what_keeps_webhooks_away_is_said_of_their_own_url(tmp_path: Path) -> None:
    """Nobody looks for the mistake in `base_url`, and a diagnosis without a profile speaks of none."""
    asked = call("/hook", {}, 0)
    for kind in ("dns", "refused", "protocol"):
        told = connection.explained(asked, Failure(kind, "x"), "h", "webhook", key="webhook.public_url")
        assert "`webhook.public_url`" in told.cure
        assert "base_url" not in told.cure + told.found
    run = {"verified": ["a"], "gaps": [{"clause": "b"}], "untestable": [], "addition": "", "requests": 0}
    for has_file, words in ((True, "with this profile"), (False, "without a profile")):
        printed = Console(file=StringIO(), width=400)
        telling._show_run(run | {"seconds": 0, "left_out": 0}, printed, is_ready=True, has_file=has_file)
        assert words in printed.file.getvalue()  # type: ignore[attr-defined]
