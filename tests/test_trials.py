"""What the selftest tries, and in which order."""

from __future__ import annotations

from itertools import pairwise

from rampcheck.contract import descriptor
from rampcheck.sandbox import all_defects
from rampcheck.selftest import Selection, announced, grouped, planned, spread
from rampcheck.selftest.trial import VARIANTS_AT_ONCE

DEFECT = "signature-skipped-when-absent"


def test_groups_are_of_one_contract_and_seed() -> None:
    """Every variant is in one group, with those that may be with it; what is no variant stays by itself."""
    single = planned(Selection(descriptor.contracts(), seeds=[1, 2]))
    trials = grouped(single)
    assert [trial for trial in trials if not trial.parts] == [one for one in single if one.kind != "variant"]
    parts = [part for trial in trials for part in trial.parts]
    assert len(parts) == len(set(parts))
    assert set(parts) == {one for one in single if one.kind == "variant"}
    for trial in trials:
        assert {(part.contract, part.seed) for part in trial.parts} <= {(trial.contract, trial.seed)}
        assert trial.variants == tuple(name for part in trial.parts for name in part.variants) or not trial.parts
        assert len(trial.parts) <= VARIANTS_AT_ONCE
        assert len(set(trial.options)) == len(trial.options), trial.name


def test_everything() -> None:
    """Without a choice, every defect and every variant is tried, with every seed, and the plain reference."""
    trials = planned(Selection(["kryptonim"], seeds=[1, 2]))
    names = [trial.name for trial in trials if trial.kind == "defect" and trial.seed == 2]
    assert names == [defect.name for defect in all_defects("kryptonim")]
    assert sorted(trial.seed for trial in trials if trial.kind == "reference") == [1, 2]
    assert any(trial.kind == "variant" for trial in trials)


def test_the_defects_of_clauses() -> None:
    """A pattern chooses the defects that break a clause of it, and nothing else but the plain reference."""
    trials = planned(Selection(["kryptonim"], patterns=["kryptonim.auth.*"]))
    assert trials[0].kind == "reference"
    assert all(any(clause.startswith("kryptonim.auth.") for clause in trial.clauses) for trial in trials[1:])
    assert 1 < len(trials) < len(all_defects("kryptonim"))


def test_what_waits_stands_among_what_does_not() -> None:
    """A target that is away keeps no processor busy: of its trials no two begin one after the other."""
    trials = planned(Selection(["proof"]))
    made = spread(trials)
    assert sorted(trial.label for trial in made) == sorted(trial.label for trial in trials)
    waits = [place for place, trial in enumerate(made) if trial.ends]
    assert waits[0] == 0
    assert all(after - before > len(made) // (2 * len(waits)) for before, after in pairwise(waits))
    assert spread(made[1:5]) == made[1:5]
    assert spread(made[:1]) == made[:1]


def test_before_trials_are_made_it_is_told_what_they_are() -> None:
    """How many, and how many servers of which kind they try: several variants share one."""
    trials = grouped(planned(Selection(["kryptonim"], defects=[DEFECT], patterns=[], variants=[])))
    assert announced(trials) == ("2 trials, each a run against a server of its own: 1 as it is and 1 with a defect.")
    several = grouped(planned(Selection(["kryptonim"])))
    assert announced(several).endswith("with a variant, several of them in one.")
