"""What lies in a run's folder: its files as they are signed, and whether they say the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from rampcheck import __version__, digests
from rampcheck.errors import RampcheckError, UsageError
from rampcheck.judging.results import Results
from rampcheck.report import files, html, signatures
from rampcheck.report import results as results_file
from rampcheck.report.results import ResultsError, validate, which
from rampcheck.report.signatures import Page, Signer
from rampcheck.report.validity import holds_until
from rampcheck.running import conclusion
from rampcheck.running import folder as run_folder
from rampcheck.signoff.statement import PROFILE
from rampcheck.wire.journal import JOURNAL, exchange_records
from rampcheck.wire.journal_records import Record

PAGE = "index.html"
RESULTS = results_file.FILE_NAME
SUBJECTS = (RESULTS, JOURNAL, PAGE, PROFILE)


@dataclass(frozen=True)
class Contents:
    """The files of a run's folder, read once; what is missing is empty."""

    folder: Path
    files: Mapping[str, bytes] = field(repr=False)

    @cached_property
    def page(self) -> Page | None:
        """The report; None where it has not one block of signatures, or there is none."""
        return signatures.split(self.files[PAGE])

    @cached_property
    def subjects(self) -> dict[str, str]:
        """The digest of each thing that is signed; "" where there is nothing that could be."""
        profile = self._beginning.get("profile")
        return {
            RESULTS: self._digest(self.files[RESULTS]),
            JOURNAL: self._digest(self.files[JOURNAL]),
            PAGE: self._digest(self.page.unsigned if self.page else b""),
            PROFILE: "" if profile is None else digests.of_value(profile),
        }

    @staticmethod
    def _digest(content: bytes) -> str:
        return digests.of_bytes(content) if content else ""

    @cached_property
    def _beginning(self) -> Mapping[str, Any]:
        try:
            first = json.loads(self.files[JOURNAL].partition(b"\n")[0])
        except (ValueError, RecursionError):
            return {}
        return first if isinstance(first, dict) else {}

    @cached_property
    def results(self) -> Results:
        """The content of results.json, valid, with what a signature needs. Raises `ResultsError` where it is not."""
        try:
            loaded: Results = json.loads(self.files[RESULTS])
        except (ValueError, RecursionError):
            raise ResultsError(f"{RESULTS} is not there, or no JSON") from None
        validate(loaded)
        needed = ("subject", "sign_off", "digests", "selection", "strict", "waivers")
        if lacking := [name for name in needed if name not in loaded]:
            raise ResultsError(f"{RESULTS} is of an older rampcheck: it lacks {', '.join(lacking)}")
        try:
            for day in (loaded["sign_off"]["valid_until"], holds_until(loaded)):
                date.fromisoformat(day)
            last_day(loaded)
        except (ValueError, OverflowError):
            raise ResultsError(f"{RESULTS} holds a time that is none") from None
        return loaded

    @property
    def readable(self) -> Results | None:
        """The content of results.json as `results`; None where that cannot be read."""
        try:
            return self.results
        except RampcheckError:
            return None

    def unlike_results(self) -> list[str]:
        """Says which files are not what results.json says of them."""
        told = self.results["digests"]
        made_from = {JOURNAL: told["journal"], PROFILE: told["profile"]}
        return [name for name, digest in made_from.items() if digest != self.subjects[name]]

    def unlike_journal(self) -> list[str]:
        """Gives the members of results.json that the journal does not come to; what it was judged by is not compared.

        Raises `RampcheckError` where nothing can be made of the journal.
        """
        folded: Any = json.loads(results_file.encode(conclusion.judged(self.folder, self.records).results))
        told: Any = self.results
        names = {*told, *folded} - {"digests"}
        return sorted(name for name in names if (name in told, told.get(name)) != (name in folded, folded.get(name)))

    @cached_property
    def records(self) -> list[Record]:
        """The records of its journal. Raises `UsageError` as `folder.read` does."""
        return run_folder.read(self.folder)

    @property
    def is_of_this_version(self) -> bool:
        """Whether this rampcheck wrote the reports, so that it can write them again."""
        return self.results["rampcheck"] == __version__

    def differing(self) -> list[str]:
        """Gives the names of the reports that are not what the results and the journal make of them.

        Raises `RampcheckError` where nothing can be made of them.
        """
        try:
            made = files.rendered(self.results, exchange_records(self.records))
        except RampcheckError:
            raise
        except Exception as error:  # whatever a changed journal brings about is told, and never a traceback
            raise UsageError("no report can be made of the journal as it is") from error
        same_page = signatures.unsigned(self.files[PAGE]) == signatures.unsigned(made[PAGE])
        differing = [] if same_page else [PAGE]
        lying = {name: self.folder / name for name in made if name not in (PAGE, RESULTS)}
        differing += [name for name, path in lying.items() if path.exists() and _read(path) != made[name]]
        return differing

    def shows(self, signers: Sequence[Signer]) -> bool:
        """Whether the report's block of signatures names these signers, and says nothing else."""
        return self.page is not None and self.page.block.strip() == html.block(signers).strip().encode()


def last_day(results: Results) -> date:
    """Gives the last day on which a run holds if it is signed."""
    return datetime.fromisoformat(results["finished"]).date() + timedelta(days=results["sign_off"]["valid_days"])


def read(folder: Path) -> Contents:
    """Reads a run's folder. Raises `UsageError` where it is no folder, or none of a run."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "Name the folder that a run wrote.")
    files = {name: _read(folder / name) for name in (RESULTS, JOURNAL, PAGE)}
    if not (files[RESULTS] or files[JOURNAL]) and (not files[PAGE] or which(folder, "")):
        cure = which(folder, "Name the folder that a run wrote: reports/<contract>-<time>.")
        raise UsageError(f"{folder} holds no run of its own", cure)
    return Contents(folder, files)


def _read(path: Path) -> bytes:
    """Gives what a file holds, nothing where it is none: a pipe would be waited for without an end."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""
