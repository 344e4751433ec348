"""Says what runs of so many requests see, by worth.json: `python -m benchmarks.budget [CONTRACT]`. It sends nothing.

For each budget the share of the selftest's defects that its scenarios find, and the clauses that they try; then the
share that a whole run has found after 100 and 250 requests, and its APFD, each found with the last request of its
scenario.
"""

from __future__ import annotations

import sys

from rampcheck.contract import profile, register
from rampcheck.running import launch, worth
from rampcheck.running.launch import Listed
from rampcheck.running.worth import Worth
from rampcheck.sandbox import builtin_profile

BUDGETS = (100, 150, 200, 250, 300, 400)


def shown(contract: str) -> None:
    """Prints what a full profile of one contract's reference lets be seen."""
    full = profile.from_mapping(
        builtin_profile(contract, "http://127.0.0.1:1", None, "http://127.0.0.1:2/webhooks", ()), {}
    )
    known = worth.of_suite(contract)
    scenarios = launch.able(full, register.load(contract).clauses.keys(), "")

    def value(scenario: Listed) -> Worth:
        return known.of(scenario.key, scenario.clauses)

    every = worth.together(known.first, *map(value, scenarios))
    print(f"{contract}: {len(scenarios)} scenarios, {every.requests} requests, {len(every.finds)} defects")
    for requests in BUDGETS:
        seen = worth.together(known.first, *map(value, worth.within(scenarios, value, requests, known.first)))
        share = len(seen.finds) / len(every.finds)
        print(f"  {requests} requests: {share:.1%} of the defects, {len(seen.tries)} of {len(every.tries)} clauses")
    sent, found = known.first.requests, dict.fromkeys(known.first.finds, 1)
    for scenario in worth.ranked(scenarios, value, known.first):
        sent += value(scenario).requests
        found = {**dict.fromkeys(value(scenario).finds, sent), **found}
    for requests in (100, 250):
        early = sum(place <= requests for place in found.values()) / len(found)
        print(f"  a whole run, after {requests}: {early:.1%}")
    print(f"  APFD of a whole run: {worth.apfd(found.values(), sent):.3f}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("proof", "kryptonim"):
        shown(name)
