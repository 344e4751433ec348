"""A run's folder: it belongs to one run by its making, and all of the run's processes keep their journals there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from rampcheck.errors import UsageError
from rampcheck.report.results import which
from rampcheck.wire.journal import JOURNAL, exchange_records, folded, parts, read_records
from rampcheck.wire.journal_records import EndRecord, ExchangeRecord, Record, RunRecord

SHARED = "shared"  # what the workers count in common, while the run lasts
LOOKED = "`rampcheck doctor` asked whether a run can begin: nothing was judged"  # why its journal ends

REPORTS = "reports"  # below it, a run makes its folder where none is named
_ANOTHER = "Name another folder with --output."


def claimed(named: str | None, contract: str) -> Path:
    """Makes the folder of a run, for this run alone, and gives it: the one that is `named`, or one below `reports`.

    A folder that is there and empty is taken, once. Raises `UsageError` where it is not empty, cannot be made, or
    another run was faster.
    """
    try:
        folder = Path(named).absolute() if named else new(contract)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            what = "holds a run already" if (folder / JOURNAL).exists() else "is not empty"
            raise UsageError(f"{folder} {what}", _ANOTHER)
        # Of two runs that find it empty, one makes this file.
        (folder / JOURNAL).touch(exist_ok=False)
    except FileExistsError:
        raise UsageError(f"{named}: is a file, or another run has just taken it", _ANOTHER) from None
    except OSError as error:
        raise UsageError(f"{named or REPORTS} cannot be written: {error.strerror}", _ANOTHER) from error
    return folder


def new(name: str) -> Path:
    """Makes a folder below `reports` that was not there: of this second, or, where somebody has it, with a number.

    Raises `OSError` where it cannot be made.
    """
    base = Path(f"{REPORTS}/{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}").absolute()
    base.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("there is always another number")


def journal_of(folder: Path, lane: int) -> Path:
    """Gives the journal of one of a run's processes; that of the first is the run's, when it is over."""
    return folder / (f"journal.{lane}.jsonl" if lane else JOURNAL)


def finish(folder: Path, end: EndRecord) -> None:
    """Makes one journal of those of all processes, with the record `end` as its last, and leaves no other.

    Killed meanwhile, all is as it was, or the journal is whole.
    """
    partial = folder / f".{JOURNAL}.partial"
    try:
        with partial.open("wb") as whole:
            for path in journals(folder):
                with path.open("rb") as lines:
                    # The last line of a process that was killed may be cut.
                    whole.writelines(line for line in lines if line.endswith(b"\n"))
            whole.write(json.dumps(end, separators=(",", ":")).encode() + b"\n")
        partial.replace(folder / JOURNAL)
    finally:
        partial.unlink(missing_ok=True)
    for part in parts(folder):
        part.unlink()
    shutil.rmtree(folder / SHARED, ignore_errors=True)


def journals(folder: Path) -> list[Path]:
    """Gives the journals of a run that goes on: of its first process, and of its workers as far as they have begun."""
    return [folder / JOURNAL, *parts(folder)]


def read(folder: Path, *, own: bool = False) -> list[Record]:
    """Gives the records of a run's processes, that of its beginning first, with nothing that others stand for.

    Raises `UsageError` where there is no journal, it has no beginning, or more than one, or it holds what is no
    record; this very run's `own` is not held to that again.
    """
    if not (folder / JOURNAL).is_file():
        raise UsageError(
            f"{folder} {f'holds no {JOURNAL}' if folder.is_dir() else 'is no folder'}",
            which(folder, "Name the folder that a run wrote: reports/<contract>-<time>, or what --output said."),
        )
    records = list(read_records(folder / JOURNAL, own=own))
    beginning(folder, records)
    if records[-1]["kind"] != "end":
        records += chain.from_iterable(read_records(part, own=own) for part in parts(folder))
    return folded(records)


def exchanges(folder: Path, *, own: bool = False) -> Iterable[ExchangeRecord]:
    """Gives the exchanges of a run, as it saw them. Raises as `read` does."""
    return exchange_records(read(folder, own=own)).values()


def beginning(folder: Path, records: Sequence[Record]) -> RunRecord:
    """Gives the first of a run's records. Raises `UsageError` where they do not begin as those of a run do."""
    first = records[0] if records else None
    if first is None or first["kind"] != "run":
        raise UsageError(
            f"{folder / JOURNAL} does not begin as a run's journal does",
            "The run was killed before it had begun, or the file was changed by hand.",
        )
    if any(record["kind"] == "run" for record in records[1:]):
        raise UsageError(
            f"{folder / JOURNAL} holds the beginning of more than one run",
            "A journal is one run's: keep those of several apart, each in a folder of its own.",
        )
    return first


def there(folder: Path) -> list[Record]:
    """Gives the records of all of this run's own journals in a folder, as far as there are any."""
    paths = [path for path in journals(folder) if path.is_file()]
    return [record for path in paths for record in read_records(path, own=True)]


def ended(records: Iterable[Record], end: EndRecord) -> list[Record]:
    """Gives the records of a run, as `read` does, with `end` as the last."""
    return folded([*(record for record in records if record["kind"] != "end"), end])


def moved(folder: Path, records: Sequence[Record]) -> Sequence[Record]:
    """Writes records as the journal of a folder, which is made, and gives them. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    (folder / JOURNAL).write_text("".join(lines), encoding="utf-8")
    return records
