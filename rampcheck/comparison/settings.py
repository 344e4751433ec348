"""What else than the target may explain a difference between two runs: profile, selection, contract, suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rampcheck.comparison.saved import Saved
from rampcheck.comparison.shape import chosen

# Of results.json, by what they are called here. The first ones decide what is judged, and how; runs that differ in the
# last ones alone have to come to the same.
DECIDING = {
    "rampcheck": "rampcheck",
    "contract version": "contract_version",
    "strict": "strict",
    "clauses selected": "selection.clauses",
    "scenarios selected": "selection.keyword",
    "shard": "selection.shard",
    "budget": "selection.budget",
}
OTHER = {"seed": "seed", "workers": "workers"}
# Where no journal tells of the profile.
TARGET = {"base_url": "target.base_url", "environment": "target.environment"}
ABSENT = "not given"


def changes(before: Saved, after: Saved) -> list[dict[str, Any]]:
    """Gives what two runs differ in besides what they saw: its name, both values, and whether it `matters`."""
    told = [*_of_results(before, after, DECIDING, matters=True), *_of_profiles(before, after)]
    return [*told, *_of_results(before, after, OTHER, matters=False)]


def profile(saved: Saved) -> dict[str, Any] | None:
    """Gives the profile, without secrets, of which a journal's first record tells; None where there is none."""
    beginning = next(saved.records(), None)
    return beginning["profile"] if beginning is not None and beginning["kind"] == "run" else None


def _of_results(before: Saved, after: Saved, places: Mapping[str, str], *, matters: bool) -> Iterator[dict[str, Any]]:
    for name, place in places.items():
        yield from _change(name, _at(before.results, place), _at(after.results, place), matters=matters)


def _of_profiles(before: Saved, after: Saved) -> Iterator[dict[str, Any]]:
    told = profile(before), profile(after)
    if told[0] is not None and told[1] is not None:
        earlier, later = (dict(_leaves(one)) for one in told)
        for name in dict.fromkeys([*earlier, *later]):
            if name != "contract":
                yield from _change(name, earlier.get(name, ABSENT), later.get(name, ABSENT), matters=True)
        return
    yield from _of_results(before, after, TARGET, matters=True)
    waivers = [sorted(waiver["clause"] for waiver in run.results.get("waivers", ())) for run in (before, after)]
    # The digests of the profiles tell nothing: marks are in them, and those of two runs differ.
    yield from _change("waivers", *waivers, matters=True)


def _change(name: str, before: Any, after: Any, *, matters: bool) -> Iterator[dict[str, Any]]:
    if _text(chosen(before)) != _text(chosen(after)):
        yield {"name": name, "before": _text(before), "after": _text(after), "matters": matters}


def _at(results: Mapping[str, Any], place: str) -> Any:
    value: Any = results
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Gives the dotted place and the value of what has no members of its own; a list is one value."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _text(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        # What has parts itself keeps them together: a list of pairs is no list of their halves.
        return ", ".join(f"({_text(item)})" if isinstance(item, list | Mapping) else _text(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return str(value)
