"""What each scenario is worth, as the selftest measured it, and the order that finds the most for the fewest requests.

A suite's `worth.json` tells of each scenario how many requests it takes of a conforming target, and which of the known
defects it finds. Source of the measure by which an order is judged: Elbaum, Malishevsky and Rothermel, "Incorporating
Varying Test Costs and Fault Severities into Test Case Prioritization" (APFD with costs).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypedDict, TypeVar

from rampcheck.contract import packs
from rampcheck.errors import ContractError

FILE_NAME = "worth.json"
UNKNOWN = 6  # requests of a scenario that was not measured: what most take of the references
RESERVED = 0.96  # of a budget is dealt out: the request that a run begins with, and what a target makes it ask again
Scenario = TypeVar("Scenario")


class ScenarioWorth(TypedDict):
    """Of one scenario: the `requests` it takes, and the places of the defects that it `finds` in the file's list."""

    requests: int
    finds: list[int]


class WorthFile(TypedDict):
    """The content of worth.json: the names of all `defects` tried, and the scenarios by their keys; see `key`."""

    schema: Literal[1]
    defects: list[str]
    scenarios: dict[str, ScenarioWorth]


@dataclass(frozen=True)
class Worth:
    """How many requests a scenario takes, and the names of the known defects that it finds."""

    requests: int = UNKNOWN
    finds: frozenset[str] = frozenset()


def key(scenario: str) -> str:
    """Gives what a scenario is known by in its suite, of pytest's id for it or of its path and name: `FILE::NAME`."""
    path, _, name = scenario.partition("::")
    return "::".join((re.split(r"[/\\]", path)[-1], name))


@cache
def of_suite(contract: str) -> Mapping[str, Worth]:
    """Gives what is known of the scenarios of a contract's suite, by their keys; nothing where it was not measured.

    Raises `ContractError` where the file is not one that `written` gives.
    """
    path = packs.of(contract).suite(contract) / FILE_NAME
    if not path.is_file():
        return {}
    try:
        known: WorthFile = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Worth(one["requests"], frozenset(known["defects"][place] for place in one["finds"]))
            for name, one in known["scenarios"].items()
        }
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ContractError(
            f"{path} cannot be read: {type(error).__name__}", "`rampcheck selftest --write-worth` makes it anew."
        ) from error


def written(found: Mapping[str, Iterable[str]], costs: Mapping[str, int]) -> WorthFile:
    """Gives the content of worth.json.

    `found` names for each defect the scenarios that find it, `costs` says how many requests each scenario takes.
    """
    defects = sorted(found)
    return {
        "schema": 1,
        "defects": defects,
        "scenarios": {
            scenario: {
                "requests": requests,
                "finds": [place for place, defect in enumerate(defects) if scenario in found[defect]],
            }
            for scenario, requests in sorted(costs.items())
        },
    }


def ranked(
    scenarios: Sequence[Scenario], worth: Callable[[Scenario], Worth], clauses: Callable[[Scenario], Iterable[str]]
) -> list[Scenario]:
    """Gives the scenarios in the order of what each shows that those before it do not, per request.

    What it shows is the known defects, and the `clauses` that it verifies. Equal ones stay in the order in which they
    were given; what shows nothing new comes last, the cheapest first.
    """
    left = {
        place: worth(scenario).finds | {f"clause {clause}" for clause in clauses(scenario)}
        for place, scenario in enumerate(scenarios)
    }
    cost = {place: max(1, worth(scenarios[place]).requests) for place in left}
    order: list[int] = []
    while left:
        best = max(left, key=lambda place: (len(left[place]) / cost[place], -cost[place], -place))
        shown = left.pop(best)
        order.append(best)
        left = {place: more - shown for place, more in left.items()}
    return [scenarios[place] for place in order]


def within(scenarios: Iterable[Scenario], worth: Callable[[Scenario], Worth], requests: int) -> list[Scenario]:
    """Gives the first of these scenarios that fit into a budget of so many requests."""
    taken, spent = [], 0
    requests = int(RESERVED * requests)
    for scenario in scenarios:
        cost = max(1, worth(scenario).requests)
        if spent + cost <= requests:
            taken.append(scenario)
            spent += cost
    return taken


def apfd(places: Iterable[int | None], requests: int) -> float | None:
    """Gives the weighted average of the percentage of defects found, 0 to 1, None without any.

    `places` says for each defect with which request it was found, None for one that was missed; `requests` is the
    number that a whole run takes. Every request costs the same, every defect weighs the same.
    """
    found = [requests + 1 if place is None else min(place, requests) for place in places]
    if not found or not requests:
        return None
    return 1 - sum(found) / (requests * len(found)) + 1 / (2 * requests)
