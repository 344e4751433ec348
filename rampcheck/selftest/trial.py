"""What is tried: the reference as it is, each defect, each variant; each a whole run of its own."""

from __future__ import annotations

import fnmatch
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from rampcheck.errors import UsageError
from rampcheck.sandbox import Defect, Variant, all_defects, all_variants, reference

Kind = Literal["reference", "defect", "variant"]
Entry = TypeVar("Entry", Defect, Variant)
VARIANTS_AT_ONCE = 8


@dataclass(frozen=True)
class Trial:
    """A whole run of one contract's suite against its reference, and what is demanded of it.

    A `defect` has to be caught by a finding against one of its `clauses`; what fails besides has to be in
    `may_break` (ids, or beginnings of ids). A defect with `ends` has to end with that verdict of the run, and no `must`
    clause that is not foreseen may be held against it. A `variant`, and the plain `reference`, have to be found
    conforming; of a variant, the clauses in `unverified` may remain unverified. `defects` and `variants` are what the
    reference is started with, `options` names the options of the server that they set, `seed` is of the generated
    requests. `parts` are the trials that this one makes at once, if it does.
    """

    contract: str
    kind: Kind
    name: str
    summary: str = ""
    seed: int = 1
    clauses: tuple[str, ...] = ()
    may_break: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    ends: str = ""
    options: tuple[str, ...] = ()
    parts: tuple[Trial, ...] = ()

    @property
    def label(self) -> str:
        """What a reader knows it by, and its folder is called: `NAME-defect-token-ignored-seed-1`."""
        return f"{self.contract}-{self.kind}-{self.name}-seed-{self.seed}"


@dataclass(frozen=True)
class Selection:
    """What to try: everything of `contracts`, or only what is named.

    `defects` and `variants` are names, `patterns` shell patterns of clauses whose defects are meant. Each trial is made
    with each of `seeds`.
    """

    contracts: Sequence[str]
    defects: Sequence[str] = ()
    variants: Sequence[str] = ()
    patterns: Sequence[str] = ()
    seeds: Sequence[int] = (1,)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out of these contracts."""
        return not (self.defects or self.variants or self.patterns)


def planned(selection: Selection) -> list[Trial]:
    """Gives the trials of a selection; the plain reference, with which the others are compared, is always among them.

    Raises `UsageError` for a contract, name or pattern that there is none of.
    """
    for contract in selection.contracts:
        reference.load(contract)
    trials = [_of_defect(defect) for defect in _defects(selection)]
    trials += [_of_variant(variant) for variant in _variants(selection)]
    touched = {trial.contract for trial in trials}
    plain = [
        Trial(contract, "reference", "plain", "The reference as it is.")
        for contract in selection.contracts
        if contract in touched
    ]
    return [replace(trial, seed=seed) for seed in dict.fromkeys(selection.seeds) for trial in [*plain, *trials]]


def spread(trials: Sequence[Trial]) -> list[Trial]:
    """Gives these trials with those evenly among the others that wait for a target that is away, not for a processor.

    Side by side they would leave the processors idle; the longest waits begin early.
    """
    idle = [trial for trial in trials if trial.ends]
    busy = [trial for trial in trials if not trial.ends]
    each = len(busy) // max(len(idle), 1)
    made: list[Trial] = []
    for number, trial in enumerate(idle):
        made += [trial, *busy[number * each : (number + 1) * each]]
    return made + busy[len(idle) * each :]


def grouped(trials: Sequence[Trial], at_once: int = VARIANTS_AT_ONCE) -> list[Trial]:
    """Gives these trials with the variants in groups, each one trial of a reference that behaves in all these ways.

    No two of a group set the same option of the server, for one of them would not be tried. The variants of a group
    come from all over the list, because those that stand together change the same things.
    """
    made = [trial for trial in trials if trial.kind != "variant"]
    alike: dict[tuple[str, int], list[Trial]] = defaultdict(list)
    for trial in trials:
        if trial.kind == "variant":
            alike[trial.contract, trial.seed].append(trial)
    for variants in alike.values():
        made += map(_together, _groups(variants, at_once))
    return made


def _groups(variants: Sequence[Trial], at_once: int) -> list[list[Trial]]:
    """Deals variants out to as few groups as there can be; where two set the same option, the next group is taken."""
    groups: list[list[Trial]] = [[] for _ in range(math.ceil(len(variants) / at_once))]
    for number, variant in enumerate(variants):
        first = number % len(groups)
        free = (
            group
            for group in (*groups[first:], *groups[:first])
            if len(group) < at_once and not any(set(variant.options) & set(other.options) for other in group)
        )
        group = next(free, None)
        if group is None:
            groups.append([variant])
        else:
            group.append(variant)
    return groups


def _together(variants: Sequence[Trial]) -> Trial:
    first = variants[0]
    return replace(
        first,
        name="+".join(trial.name for trial in variants),
        summary=" ".join(trial.summary for trial in variants),
        unverified=tuple(clause for trial in variants for clause in trial.unverified),
        variants=tuple(name for trial in variants for name in trial.variants),
        options=tuple(option for trial in variants for option in trial.options),
        parts=tuple(variants),
    )


def _defects(selection: Selection) -> Iterator[Defect]:
    known = [defect for contract in selection.contracts for defect in all_defects(contract)]
    for pattern in selection.patterns:
        if not any(fnmatch.filter(defect.clauses, pattern) for defect in known):
            raise UsageError(f"no defect breaks a clause that matches {pattern!r}", "`rampcheck clauses` lists them.")
    named = set(_named(known, selection.defects, "defect"))
    for defect in known:
        meant = any(fnmatch.filter(defect.clauses, pattern) for pattern in selection.patterns)
        if selection.is_everything or defect.name in named or meant:
            yield defect


def _variants(selection: Selection) -> Iterator[Variant]:
    known = [variant for contract in selection.contracts for variant in all_variants(contract)]
    named = set(_named(known, selection.variants, "variant"))
    yield from (variant for variant in known if selection.is_everything or variant.name in named)


def _named(known: Iterable[Entry], names: Sequence[str], kind: str) -> Sequence[str]:
    there = {entry.name for entry in known}
    for name in names:
        if name not in there:
            raise UsageError(f"there is no {kind} {name!r}", f"`rampcheck serve --list-{kind}s` names them.")
    return names


def _of_defect(defect: Defect) -> Trial:
    return Trial(
        defect.contract,
        "defect",
        defect.name,
        _sentence(defect.summary),
        clauses=defect.clauses,
        may_break=defect.may_break,
        defects=(defect.name,),
        ends=defect.ends,
    )


def _of_variant(variant: Variant) -> Trial:
    return Trial(
        variant.contract,
        "variant",
        variant.name,
        _sentence(variant.summary),
        unverified=variant.unverified,
        variants=(variant.name,),
        options=(*variant.serving, *(["host"] if variant.host else [])),
    )


def _sentence(docstring: str) -> str:
    """Gives a docstring as one line."""
    return " ".join(docstring.split())
