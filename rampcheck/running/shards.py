"""A shard: the scenarios of a run that one of several machines takes, and what all of these machines have in common.

How the scenarios are dealt out follows from nothing but the suite, the selection and the number of shards: each machine
comes to the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rampcheck.errors import UsageError

MOST = 64
VARIABLE = "RAMPCHECK_SHARD_KEY"
SHORTEST, FEWEST = 32, 8  # characters of the key, and different ones: who has the journal must not guess it
# What a scenario costs, in the requests that the references were sent: 30 for a long one, 6 for another.
LONG, ORDINARY = 5, 1

_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})", re.ASCII)
_HOW = (
    f"All shards of a run, and no other run, need the same {VARIABLE}: a secret of the pipeline and the run's number, "
    "or what `openssl rand -hex 32` prints."
)


@dataclass(frozen=True)
class Shard:
    """The part `index` of as many as `of`, counted from 1."""

    index: int
    of: int

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


def parsed(text: str) -> Shard:
    """Gives the shard that `text` (2/4) names. Raises `UsageError` where it names none."""
    found = _SHARD.fullmatch(text)
    index, of = map(int, found.groups()) if found else (0, 0)
    if not 1 <= index <= of <= MOST:
        raise UsageError(
            f"--shard {text[:40]} names no shard", f"For example 2/4: the second of four; {MOST} are the most."
        )
    return Shard(index, of)


class Common(NamedTuple):
    """What all shards of a run have in common: its name, and the `key` of the redaction, which is written nowhere."""

    run: str
    key: bytes


def common(contract: str, environ: Mapping[str, str]) -> Common:
    """Gives what the shards of a run have in common, by the secret that the environment gives to each of them.

    The marks of all shards can so be compared: the same secret has the same mark. Raises `UsageError` where there is no
    such secret, or one that could be guessed.
    """
    secret = environ.get(VARIABLE, "")
    if not secret.strip():
        raise UsageError(f"--shard needs {VARIABLE}, which is not set", _HOW)
    if len(secret) < SHORTEST or len(set(secret)) < FEWEST:
        raise UsageError(
            f"{VARIABLE} could be guessed: it needs {SHORTEST} characters, {FEWEST} different ones among them", _HOW
        )
    # Slow on purpose, for a key that somebody made up.
    derived = hashlib.scrypt(
        secret.encode("utf-8", "surrogateescape"),
        salt=f"rampcheck: the shards of a run of {contract}".encode(),
        n=2**14,
        r=8,
        p=1,
        dklen=36,
    )
    return Common(derived[:4].hex(), derived[4:])


@dataclass(frozen=True)
class Dealt:
    """A scenario to be dealt out: its `key`, whether it is long, and whether it waits for the target's webhooks."""

    key: str
    is_long: bool
    awaits_webhooks: bool = False


def share(scenarios: Iterable[Dealt], shard: Shard) -> Collection[str]:
    """Gives the keys of the scenarios that a shard takes.

    The costly ones first, each goes to the shard that has the least to do. What waits for webhooks goes to the first: a
    target sends them to one address.
    """
    loads = [0] * shard.of
    taken: list[list[str]] = [[] for _ in loads]
    for scenario in sorted(scenarios, key=lambda one: (not one.awaits_webhooks, not one.is_long, one.key)):
        place = 0 if scenario.awaits_webhooks else loads.index(min(loads))
        loads[place] += LONG if scenario.is_long else ORDINARY
        taken[place].append(scenario.key)
    return frozenset(taken[shard.index - 1])
