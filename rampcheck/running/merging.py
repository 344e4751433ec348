"""The shards of one run, put together: one journal, as if one machine had done all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rampcheck.errors import UsageError, writing
from rampcheck.running import conclusion, folder, shards
from rampcheck.running.shards import Shard
from rampcheck.wire.journal import JOURNAL, UNTOUCHED, exchange_records, from_record, timestamp
from rampcheck.wire.journal_records import EndRecord, Record, RunRecord

# What the shards of a run have in common: members of a journal's first record, and what they are called here.
SAME = {
    "contract": "contract",
    "contract_version": "contract version",
    "rampcheck": "rampcheck",
    "profile": "profile",
    "seed": "seed",
    "selection": "selection",
    "strict": "--strict",
    "require_complete": "--require-complete",
    "run": f"run (another {shards.VARIABLE})",
}
# Members of a profile that each machine has of its own, and what they stand in; None: all of it is a machine's.
OF_A_MACHINE: Mapping[str, str | None] = {"tls": None, "egress": "outside_source_address", "webhook": "listen"}
_OF_ONE_RUN = (
    "Shards of one run have the same rampcheck, profile and options, but for --shard and --output, and the same "
    f"{shards.VARIABLE}."
)


@dataclass(frozen=True)
class _Part:
    """A shard as it lies in its folder."""

    folder: Path
    shard: Shard
    beginning: RunRecord
    records: Sequence[Record]

    @property
    def end(self) -> EndRecord | None:
        """The record of its end; None where the journal has none."""
        return next((record for record in self.records if record["kind"] == "end"), None)

    @property
    def lacking(self) -> str:
        """Why this shard is not all that it should be; "" where it came to its end."""
        match conclusion.ending(self.end):
            case "unfinished":
                return f"shard {self.shard} has no end: it was killed, or still goes on"
            case "interrupted":
                return f"shard {self.shard} was interrupted"
            case "early":
                return f"shard {self.shard} judged nothing: {self.end['reason'] if self.end else ''}"
        return ""

    @property
    def judged_nothing(self) -> bool:
        """Whether it ended before any scenario: it was not the API that answered, or nobody."""
        return conclusion.ending(self.end) == "early"


def merge(folders: Sequence[Path], output: str | None) -> Path:
    """Makes one run of the shards that lie in `folders`, in the folder `output` (None: a new one); gives that folder.

    All exchanges are there as the shards saw them, under the numbers that they had on the wire: no two have the same.
    Of shards that are missing, killed or interrupted the first record tells (`lacking`).

    Marks are of one key: the same secret has the same mark in all shards. The clocks of the machines are not compared:
    what a history invariant says of the order of two exchanges is sure within a shard only.

    Raises `UsageError` where a folder holds no shard, two hold the same one, or one is of another run; nothing is
    written then. `NoRoom` where nothing can be written.
    """
    parts = sorted(map(_part, folders), key=lambda part: part.shard.index)
    _check_same(parts)
    _check_once(parts)
    # Where none judged anything, that is what the run came to.
    judged = [part for part in parts if not part.judged_nothing] or parts
    records = [_beginning(parts), *chain.from_iterable(map(_own, judged)), _end(parts)]
    _check_numbers(judged)
    made = folder.claimed(output, parts[0].beginning["contract"])
    with writing(made, "Name another folder with --output."):
        folder.moved(made, records)
    return made


def _part(where: Path) -> _Part:
    records = folder.read(where)
    beginning = folder.beginning(where, records)
    told = beginning["selection"].get("shard")
    if told is None:
        raise UsageError(
            f"{where} holds no shard of a run, but a run", "Only what `rampcheck run --shard` wrote is put together."
        )
    return _Part(where, shards.parsed(told), beginning, records)


def _check_same(parts: Sequence[_Part]) -> None:
    first, *others = parts
    for part in others:
        unlike = list(_differences(first, part))
        if unlike:
            raise UsageError(
                f"{part.folder} and {first.folder} are no shards of one run; they differ in: {'; '.join(unlike)}",
                _OF_ONE_RUN,
            )


def _differences(one: _Part, other: _Part) -> Iterator[str]:
    if one.shard.of != other.shard.of:
        yield f"the number of shards ({one.shard} and {other.shard})"
    for member, name in SAME.items():
        first, second = _compared(one.beginning, member), _compared(other.beginning, member)
        if first == second:
            continue
        if member == "profile":
            unlike = sorted(key for key in {**first, **second} if first.get(key) != second.get(key))
            yield f"{name} ({', '.join(unlike)})"
        elif isinstance(first, str | int) and member != "run":
            yield f"{name} ({first} and {second})"
        else:
            yield name


def _compared(beginning: RunRecord, member: str) -> Any:
    value: Any = dict(beginning)[member]
    if member == "profile":
        return _of_any_machine(value)
    return {key: item for key, item in value.items() if key != "shard"} if member == "selection" else value


def _of_any_machine(profile: Mapping[str, Any]) -> Mapping[str, Any]:
    """Gives a profile without what each machine has of its own; that it has it stays."""
    made = dict(profile)
    for name, inner in OF_A_MACHINE.items():
        if inner is None:
            made.pop(name, None)
        elif isinstance(made.get(name), dict) and inner in made[name]:
            made[name] = {**made[name], inner: ""}
    return made


def _check_once(parts: Sequence[_Part]) -> None:
    known: dict[int, _Part] = {}
    for part in parts:
        same = known.setdefault(part.shard.index, part)
        if same is not part:
            raise UsageError(
                f"{same.folder} and {part.folder} are both shard {part.shard}",
                "Name each shard once: of one that was run again, the later.",
            )


def _check_numbers(parts: Sequence[_Part]) -> None:
    """Raises `UsageError` where a shard holds numbers of exchanges that are not its own."""
    for part in parts:
        for number in exchange_records(part.records):
            if (number - part.shard.index) % part.shard.of:
                raise UsageError(f"{part.folder / JOURNAL}: exchange {number} is none of shard {part.shard}", UNTOUCHED)


def _own(part: _Part) -> Iterator[Record]:
    return (record for record in part.records if record["kind"] not in ("run", "end"))


def _beginning(parts: Sequence[_Part]) -> RunRecord:
    first = parts[0].beginning
    selection = first["selection"].copy()
    del selection["shard"]
    lacking = list(_lacking(parts))
    made: RunRecord = {
        **first,
        "workers": sum(max(1, part.beginning["workers"]) for part in parts),
        "selection": selection,
        "selected": sorted(_selected(parts)),
        "allure": any(part.beginning["allure"] for part in parts),
        "started": min(part.beginning["started"] for part in parts),
        "shards": parts[0].shard.of,
    }
    if lacking:
        made["lacking"] = lacking
    return made


def _lacking(parts: Sequence[_Part]) -> Iterator[str]:
    there = {part.shard.index: part for part in parts}
    of = parts[0].shard.of
    for index in range(1, of + 1):
        if index not in there:
            yield f"shard {Shard(index, of)} is missing"
        elif why := there[index].lacking:
            yield why


def _selected(parts: Sequence[_Part]) -> frozenset[str]:
    """Gives the clauses that the run set out to try; with a keyword, those that the shards tell of."""
    beginning = parts[0].beginning
    if not beginning["selection"]["keyword"]:
        return conclusion.contract_of(parts[0].folder, beginning).selected(beginning["selection"]["clauses"])
    return frozenset(chain.from_iterable(part.beginning["selected"] for part in parts))


def _end(parts: Sequence[_Part]) -> EndRecord:
    made: EndRecord = {"kind": "end", "finished": max(map(_finished, parts)), "interrupted": False, "reason": ""}
    early = next((part.end for part in parts if part.end is not None), None)
    if early is not None and all(part.judged_nothing for part in parts):
        made["reason"] = early["reason"]
        if "cure" in early:
            made["cure"] = early["cure"]
    return made


def _finished(part: _Part) -> str:
    if part.end is not None:
        return part.end["finished"]
    last = [timestamp(from_record(record).ended) for record in exchange_records(part.records).values()]
    return max([part.beginning["started"], *last])
