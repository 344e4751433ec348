"""What each scenario is worth, as the selftest measured it, and the order that finds the most for the fewest requests.

A suite's `worth.json` tells of each scenario how many requests it takes of a conforming target, and which of the known
defects it finds. Source of the measure by which an order is judged: Elbaum, Malishevsky and Rothermel, "Incorporating
Varying Test Costs and Fault Severities into Test Case Prioritization" (APFD with costs).
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal, TypedDict, TypeVar

from rampcheck.contract import packs
from rampcheck.errors import ContractError

FILE_NAME = "worth.json"
FIRST = "baseline"
UNKNOWN = 6  # requests of a scenario that was not measured: what most take of the references
DEALT_OUT = 0.9  # of a budget; the rest is for controls, and for what a target makes a run ask again
COVERING = 0.95  # of a budget at the most is for seeing each clause once
Scenario = TypeVar("Scenario")


class ScenarioWorth(TypedDict):
    """Of one scenario: the `requests` it takes, and the places of the defects it `finds` and of the clauses it `tries`.

    What a run's first request tries already is left out of the clauses.
    """

    requests: int
    finds: list[int]
    tries: list[int]


class WorthFile(TypedDict):
    """The content of worth.json: the names of all `defects` tried, and the scenarios by their keys; see `key`.

    `breaks` says of each defect the first clause that it breaks. The first request of a run stands among the scenarios.
    """

    schema: Literal[1]
    defects: list[str]
    breaks: list[str]
    clauses: list[str]
    scenarios: dict[str, ScenarioWorth]


@dataclass(frozen=True)
class Worth:
    """How many requests a scenario takes, the names of the known defects it finds, and the clauses that it tries."""

    requests: int = UNKNOWN
    finds: frozenset[str] = frozenset()
    tries: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Known:
    """What is known of a suite: the worth of its `scenarios` by their keys, and which clause each defect `breaks`."""

    scenarios: Mapping[str, Worth]
    breaks: Mapping[str, str]

    def of(self, scenario: str, clauses: Iterable[str]) -> Worth:
        """Gives the worth of a scenario, by pytest's id for it or by its path and name, that verifies these clauses.

        Of those it tries what it was seen to try; what none was seen to try, as the whole run is judged by it, say, is
        tried by all that verify it. What else it tries is added.
        """
        worth = self.scenarios.get(key(scenario), Worth())
        return replace(worth, tries=worth.tries | ({*clauses} - self._seen))

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset[str]().union(*(worth.tries for worth in self.scenarios.values()))

    @property
    def first(self) -> Worth:
        """The worth of the first request of a run, whatever comes after it."""
        return self.scenarios.get(FIRST, Worth())


def key(scenario: str) -> str:
    """Gives what a scenario is known by in its suite, of pytest's id for it or of its path and name: `FILE::NAME`.

    That of a run's first request is its name.
    """
    path, _, name = scenario.partition("::")
    if not name:
        return scenario
    return "::".join((re.split(r"[/\\]", path)[-1], name))


@cache
def of_suite(contract: str) -> Known:
    """Gives what is known of the scenarios of a contract's suite; nothing where it was not measured.

    Raises `ContractError` where the file is not one that `written` gives.
    """
    path = packs.of(contract).suite(contract) / FILE_NAME
    if not path.is_file():
        return Known({}, {})
    try:
        known: WorthFile = json.loads(path.read_text(encoding="utf-8"))
        return Known(
            {
                name: Worth(
                    one["requests"],
                    frozenset(known["defects"][place] for place in one["finds"]),
                    frozenset(known["clauses"][place] for place in one["tries"]),
                )
                for name, one in known["scenarios"].items()
            },
            dict(zip(known["defects"], known["breaks"], strict=True)),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ContractError(
            f"{path} cannot be read: {type(error).__name__}", "`rampcheck selftest --write-worth` makes it anew."
        ) from error


def written(
    found: Mapping[str, Iterable[str]],
    breaks: Mapping[str, str],
    costs: Mapping[str, int],
    tried: Mapping[str, AbstractSet[str]],
) -> WorthFile:
    """Gives the content of worth.json.

    `found` names for each defect the scenarios that find it, and `breaks` the clause that it breaks; `costs` says how
    many requests each scenario takes, and `tried` which clauses it puts to the test.
    """
    defects = sorted(found)
    clauses = sorted(set[str]().union(*tried.values()))
    first = tried.get(FIRST, frozenset())
    return {
        "schema": 1,
        "defects": defects,
        "breaks": [breaks[defect] for defect in defects],
        "clauses": clauses,
        "scenarios": {
            scenario: {
                "requests": requests,
                "finds": [place for place, defect in enumerate(defects) if scenario in found[defect]],
                "tries": [
                    place
                    for place, clause in enumerate(clauses)
                    if clause in tried.get(scenario, ()) and (scenario == FIRST or clause not in first)
                ],
            }
            for scenario, requests in sorted(costs.items())
        },
    }


def ranked(scenarios: Sequence[Scenario], worth: Callable[[Scenario], Worth], shown: Worth) -> list[Scenario]:
    """Gives the scenarios in the order of what each shows that those before it do not, per request.

    What it shows is the known defects, and the clauses that it tries, but for those `shown` already. Equal ones stay in
    the order in which they were given; what shows nothing new comes last, the cheapest first.
    """
    left = {
        place: {*(worth(scenario).finds - shown.finds), *map("clause {}".format, worth(scenario).tries - shown.tries)}
        for place, scenario in enumerate(scenarios)
    }
    cost = {place: max(1, worth(scenarios[place]).requests) for place in left}
    waiting = [(-len(left[place]) / cost[place], cost[place], place) for place in left]
    heapq.heapify(waiting)
    order: list[int] = []
    seen: set[object] = set()
    while waiting:
        # What one shows only becomes less: who is still the best with what is new today need not be compared with all.
        place = heapq.heappop(waiting)[-1]
        left[place] -= seen
        now = (-len(left[place]) / cost[place], cost[place], place)
        if waiting and now > waiting[0]:
            heapq.heappush(waiting, now)
            continue
        order.append(place)
        seen |= left[place]
    return [scenarios[place] for place in order]


def within(
    scenarios: Sequence[Scenario], worth: Callable[[Scenario], Worth], requests: int, shown: Worth
) -> list[Scenario]:
    """Gives those of these scenarios that show the most for so many requests, besides what is `shown` already.

    Each clause has one that tries it, of those that show the most, or of the cheapest where only these fit, unless that
    alone would take nearly all of them.
    """
    left = int(DEALT_OUT * requests)

    def cheaply(scenario: Scenario) -> Worth:
        return replace(worth(scenario), finds=frozenset())

    for value in (worth, cheaply):
        taken = _covering(scenarios, value, shown)
        if sum(max(1, worth(one).requests) for one in taken) <= COVERING * left:
            break
    else:
        taken = []
    others = [one for one in scenarios if one not in taken]
    left -= sum(max(1, worth(one).requests) for one in taken)
    for scenario in ranked(others, worth, together(shown, *map(worth, taken))):
        cost = max(1, worth(scenario).requests)
        if cost <= left:
            taken.append(scenario)
            left -= cost
    return taken


def together(*those: Worth) -> Worth:
    """Gives what several come to."""
    return Worth(
        sum(one.requests for one in those),
        frozenset[str]().union(*(one.finds for one in those)),
        frozenset[str]().union(*(one.tries for one in those)),
    )


def _covering(scenarios: Sequence[Scenario], worth: Callable[[Scenario], Worth], shown: Worth) -> list[Scenario]:
    """Gives scenarios that try all clauses between them, of those that show the most for a request.

    None is among them of which the others try every clause.
    """
    taken: list[Scenario] = []
    tried = shown.tries
    for scenario in ranked(scenarios, worth, shown):
        if not worth(scenario).tries <= tried:
            taken.append(scenario)
            tried |= worth(scenario).tries
    for scenario in sorted(taken, key=lambda one: len(worth(one).finds) / max(1, worth(one).requests)):
        others = [one for one in taken if one != scenario]
        if worth(scenario).tries <= together(shown, *map(worth, others)).tries:
            taken = others
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
