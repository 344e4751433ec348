"""A run as it lies in its folder: its results, and as far as it is there its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rampcheck import digests
from rampcheck.contract import register
from rampcheck.contract.register import Contract
from rampcheck.errors import RampcheckError, UsageError
from rampcheck.report import results as results_file
from rampcheck.wire.journal import JOURNAL, all_of, read_records
from rampcheck.wire.journal_records import Record

NOTHING_JUDGED = "Name a run that judged something; its report says why this one did not."


@dataclass(frozen=True)
class Saved:
    """One run: its valid results, the path of its journal, None where there is none, and the folder that was named."""

    results: Mapping[str, Any]
    journal: Path | None = None
    folder: Path | None = None

    @cached_property
    def clauses(self) -> dict[str, Mapping[str, Any]]:
        """Its clauses by id."""
        return {clause["id"]: clause for clause in self.results["clauses"]}

    @property
    def build(self) -> str:
        """The build of the target that was judged, as the profile named it; "" where it did not."""
        return str(self.results.get("subject", {}).get("build", ""))

    def unlike(self) -> list[str]:
        """Says what lies beside the results and is of others: then one of them was changed, or put there."""
        told = []
        digest = self.results.get("digests", {}).get("journal", "")
        if self.journal is not None and digest and digests.of_file(self.journal) != digest:
            told.append("results.json was made from another journal than lies beside it")
        page = self.folder / "index.html" if self.folder is not None else None
        if self.folder is not None and page is not None and page.is_file():
            own = digests.of_file(self.folder / results_file.FILE_NAME)
            if own.encode() not in page.read_bytes():
                told.append("index.html was made from another results.json than lies beside it")
        return told

    def records(self) -> Iterator[Record]:
        """Gives the records of its journal one by one, none where there is no journal; of a killed run, of all of them.

        Raises `UsageError`.
        """
        if self.journal is not None:
            try:
                for journal in [self.journal] if self.folder is None else all_of(self.folder):
                    yield from read_records(journal)
            except OSError as error:
                raise UsageError(
                    f"{self.journal}: cannot be read: {error.strerror}", "Name its results.json to do without."
                ) from error

    @cached_property
    def scenarios(self) -> frozenset[str] | None:
        """The scenarios that sent something, None where there is no journal. Raises `UsageError`."""
        if self.journal is None:
            return None
        return frozenset(record["scenario"] for record in self.records() if record["kind"] == "exchange")

    @cached_property
    def contract(self) -> Contract | None:
        """What the target was judged by, as this rampcheck knows it; None where it does not, or it was no target."""
        if "side" in self.results:
            return None
        try:
            return register.load(self.results["contract"])
        except RampcheckError:  # The contract of a pack that is not here: paths are compared as they are.
            return None


def load(path: Path) -> Saved:
    """Gives the run in `path`, its folder or its results.json; the journal is read with a folder only.

    Raises `UsageError` where there is none, it is not valid, or it judged nothing.
    """
    saved = anything(path)
    if saved.results["verdict"] == "inconclusive":
        raise UsageError(f"{path}: the run was inconclusive: there is nothing to compare", NOTHING_JUDGED)
    return saved


def results_of(path: Path) -> Path:
    """Gives the results.json that is meant by `path`, the folder of a run or that file itself; it need not be there."""
    return path / results_file.FILE_NAME if path.is_dir() else path


def anything(path: Path) -> Saved:
    """Gives the run in `path` as `load` does, whatever it came to."""
    try:
        results = results_file.load(path)
    except UsageError:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder", _CURE) from None
        if path.is_dir() and not (path / results_file.FILE_NAME).exists():
            cure = results_file.which(path, _CURE)
            if (path / JOURNAL).exists():
                cure = f"`rampcheck report {path}` makes it from the journal."
            raise UsageError(f"{path} holds no {results_file.FILE_NAME}", cure) from None
        raise
    except results_file.ResultsError as error:
        raise UsageError(error.message, error.cure) from error
    journal = path / JOURNAL
    is_folder = path.is_dir()
    return Saved(results, journal if is_folder and journal.is_file() else None, path if is_folder else None)


def demand_one_contract(*runs: Saved) -> None:
    """Raises `UsageError` where the runs are not of one contract."""
    if len({"side" in run.results for run in runs}) > 1:
        raise UsageError(
            "one is a run of a target, the other a certification",
            "Name two of a kind; `rampcheck bind` shows both sides.",
        )
    if len(names := sorted({run.results["contract"] for run in runs})) > 1:
        raise UsageError(
            f"these are runs of different contracts: {', '.join(names)}", "Name runs of one and the same contract."
        )


_CURE = "Name the folder of a run (reports/<contract>-<time>, or what --output said), or its results.json."
