"""Shards: how scenarios are dealt out, what shards have in common, and the numbers of their exchanges."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path

import pytest

from rampcheck.contract import register
from rampcheck.errors import UsageError
from rampcheck.running import launch, shards
from rampcheck.running.shards import LONG, ORDINARY, VARIABLE, Dealt, Shard
from rampcheck.wire.client import Lane
from tests.runs import rampcheck

SECRET = "0123456789abcdef0123456789abcdef"
SCENARIOS = [Dealt(f"{number:02}", is_long=number % 7 == 0) for number in range(40)]


def costs(taken: set[str]) -> int:
    """What scenarios cost together."""
    return sum(LONG if one.is_long else ORDINARY for one in SCENARIOS if one.key in taken)


@pytest.mark.parametrize("of", [1, 2, 3, 4, 40])
def test_every_scenario_is_dealt_once_and_evenly(of: int) -> None:
    """Each goes to one shard, whatever their order was, and no shard costs more than a long scenario above another."""
    hands = [set(shards.share(SCENARIOS, Shard(index, of))) for index in range(1, of + 1)]
    assert sorted(chain.from_iterable(hands)) == [one.key for one in SCENARIOS]
    assert max(map(costs, hands)) - min(map(costs, hands)) <= LONG
    assert hands == [set(shards.share(reversed(SCENARIOS), Shard(index, of))) for index in range(1, of + 1)]


def test_the_first_shard_waits_for_webhooks() -> None:
    """What waits for webhooks is the first shard's, however much that is."""
    waiting = [Dealt(f"w{number}", is_long=True, awaits_webhooks=True) for number in range(9)]
    assert set(shards.share([*SCENARIOS, *waiting], Shard(1, 4))) == {one.key for one in waiting}


@pytest.mark.parametrize("name", ["proof", "kryptonim"])
def test_the_scenarios_of_a_suite_are_all_dealt(name: str) -> None:
    """The shards of a contract's run verify together what a whole run does; webhooks are the first one's."""
    contract = register.load(name)
    hands = [launch.share(contract, [], "", Shard(index, 3)) for index in (1, 2, 3)]
    keys = [key for hand in hands for key in hand.scenarios or ()]
    whole = launch.listed(name).scenarios
    assert sorted(keys) == sorted(one.key for one in whole)
    assert frozenset.union(*(hand.clauses for hand in hands)) == {clause for one in whole for clause in one.clauses}
    waited_for = {clause for clause in contract.clauses if ".webhook." in clause}
    assert waited_for <= hands[0].clauses
    assert not waited_for & (hands[1].clauses | hands[2].clauses)


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "1/65", "-1/2", "1/2/3", "a/b", " 1/2", "1/99999"])
def test_what_names_no_shard_is_told(text: str) -> None:
    """A number of none, too many or no shard at all is a mistake."""
    with pytest.raises(UsageError, match="names no shard"):
        shards.parsed(text)
    assert shards.parsed("2/4") == Shard(2, 4)


def test_shards_have_a_key_of_their_run() -> None:
    """The same secret gives the same name and key; another, or another contract, other ones. None gives it away."""
    one = shards.common("proof", {VARIABLE: SECRET})
    assert one == shards.common("proof", {VARIABLE: SECRET})
    others = [shards.common("proof", {VARIABLE: SECRET + "-2"}), shards.common("kryptonim", {VARIABLE: SECRET})]
    assert len({one.run, *(other.run for other in others)}) == len({one.key, *(other.key for other in others)}) == 3
    assert len(one.key) == 32


@pytest.mark.parametrize("secret", [None, "  ", "short", "0101" * 20])
def test_a_key_that_could_be_guessed_is_refused(secret: str | None) -> None:
    """It has to be there, long, and of different characters; it stands in no message."""
    with pytest.raises(UsageError, match=VARIABLE) as refused:
        shards.common("proof", {} if secret is None else {VARIABLE: secret})
    assert secret is None or secret.strip() == "" or secret not in str(refused.value)


def test_no_two_exchanges_of_a_run_have_the_same_number() -> None:
    """Neither those of two processes of a shard, nor those of two shards with other numbers of processes."""
    lanes = [Lane("run", index, 3, 1, 2) for index in range(5)] + [Lane("run", index, 2, 2, 2) for index in range(3)]
    numbers = list(chain.from_iterable(islice(lane.numbers(), 50) for lane in lanes))
    assert len(set(numbers)) == len(numbers)
    assert {number % 2 for number in islice(Lane("run", 0, 3, 1, 2).numbers(), 50)} == {1}


PROFILE = """\
contract: kryptonim
base_url: http://127.0.0.1:9
environment: testnet
credentials: {api_key: an-api-key-of-nobody, signature_secret: a-secret-of-nobody-at-all}
"""


@pytest.mark.parametrize(
    ("options", "secret", "told"),
    [
        (["--shard", "1/2"], None, VARIABLE),
        (["--shard", "1/2"], "guess me", "could be guessed"),
        (["--shard", "3/2"], SECRET, "names no shard"),
        (["--shard", "1/64", "--clause", "kryptonim.session.session-id"], SECRET, "too few for 64 shards"),
    ],
)
def test_a_mistake_sends_nothing(tmp_path: Path, options: list[str], secret: str | None, told: str) -> None:
    """It is told with exit code 4, and no folder is made: a request would have ended with 5, for nobody is there."""
    if "too few" in told:  # of the last shard: the first ones have something to do
        options[1] = "64/64"
    (tmp_path / "profile.yaml").write_text(PROFILE, encoding="utf-8")
    environment = {} if secret is None else {VARIABLE: secret}
    done = rampcheck(str(tmp_path / "profile.yaml"), *options, folder=tmp_path / "run", environment=environment)
    assert (done.code, told in done.printed) == (4, True), done.printed
    assert not (tmp_path / "run").exists()


def test_the_embedded_reference_has_no_shards(tmp_path: Path) -> None:
    """Each machine would have one of its own."""
    done = rampcheck("--shard", "1/2", "--contract", "proof", folder=tmp_path / "run", environment={VARIABLE: SECRET})
    assert (done.code, "all machines reach" in done.printed) == (4, True), done.printed
