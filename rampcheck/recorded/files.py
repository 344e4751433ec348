"""Reading files of recorded traffic, an entry at a time: what each is, how far it can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import ijson

from rampcheck.errors import UsageError
from rampcheck.recorded import har, lines
from rampcheck.recorded.entries import Entry
from rampcheck.recorded.nesting import Nesting
from rampcheck.wire.journal import JOURNAL, all_of
from rampcheck.wire.json_text import DEEPEST

VERSION = "1.2"
READABLE = (
    "Readable are HAR 1.2 (`log.entries`), journals of rampcheck, and lines of JSON as `rampcheck schema traffic` has "
    "them."
)
BOM = b"\xef\xbb\xbf"
CHUNK = 256 * 1024
LONGEST_LINE = 64 * 1024 * 1024  # bytes of the first line that are read to know what a file is
LONGEST = 100  # characters of a parser's word
ENTRIES = "log.entries.item"
OWN = "rampcheck"  # the creator of a HAR that a run wrote


@dataclass
class File:
    """A file of recorded traffic.

    `is_own` says that a run of rampcheck wrote it, which leaves nothing out. When its `entries` were read, `cut` says
    why not all of them were, and `broken` how many were none, of which `first_broken` tells. `parts` are the journals
    that the other processes of a run have left, which was killed.
    """

    path: Path
    name: str
    is_own: bool
    _read: Callable[[File, BinaryIO], Iterator[Entry]]
    parts: Sequence[File] = ()
    cut: str = ""
    broken: int = 0
    first_broken: str = ""

    def entries(self, progress: Callable[[int], None] = lambda _: None) -> Iterator[Entry]:
        """Gives what was recorded; `progress` is told how many bytes were read. Raises `UsageError`, or `OSError`."""
        with self.path.open("rb") as raw:
            if raw.read(len(BOM)) != BOM:
                raw.seek(0)
            yield from self._read(self, cast("BinaryIO", _Counting(self.path, raw, progress)))
        for part in self.parts:
            yield from part.entries(progress)
            self.cut = self.cut or part.cut

    @property
    def size(self) -> int:
        """How many bytes there are to read."""
        return self.path.stat().st_size + sum(part.size for part in self.parts)

    def skip(self, where: str, problem: ValueError) -> None:
        """Notes that something stands there that is no exchange."""
        self.broken += 1
        self.first_broken = self.first_broken or f"{where}: {problem}"


class _Counting:
    """A file that tells how much of it was read. To read what is nested too deeply raises `UsageError`."""

    def __init__(self, path: Path, raw: BinaryIO, progress: Callable[[int], None] = lambda _: None) -> None:
        self._path = path
        self._raw = raw
        self._nesting = Nesting()
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        """Reads as a file does."""
        data = self._raw.read(size)
        if self._nesting.is_too_deep(data):
            raise UsageError(
                f"{self._path} nests arrays and objects more than {DEEPEST} levels deep, as no traffic does", READABLE
            )
        self._progress(len(data))
        return data

    def __iter__(self) -> Iterator[bytes]:
        for line in self._raw:
            self._progress(len(line))
            yield line


def opened(path: Path) -> File:
    """Says what a file of recorded traffic is; of a run's folder it is the journal, of a killed run's all of them.

    Reads no more than its beginning, and the end of a journal.

    Raises `UsageError` where it cannot be read or is nothing of the kind.
    """
    name = path.name or str(path)
    further: Sequence[Path] = ()
    try:
        if path.is_dir():
            folder, path = path, path / JOURNAL
            further = all_of(folder)[1:]
        with path.open("rb") as raw:
            head = raw.read(CHUNK).removeprefix(BOM)
            if b"\n" not in head and b'"log"' not in head[:1000]:  # a line of traffic is as long as its bodies
                head += raw.readline(LONGEST_LINE)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", READABLE) from None
    if not head.strip():
        raise UsageError(f"{path} is empty", READABLE)
    if not head.lstrip().startswith(b"{"):
        raise UsageError(f"{path} is no JSON: it does not begin with an object", READABLE)
    line = _value(head.lstrip().partition(b"\n")[0])
    if isinstance(line, dict) and "log" not in line:
        is_journal = line.get("kind") == "run"
        if is_journal and "side" in line:
            raise UsageError(
                f"{path} is the journal of a certification: the sandbox in it is rampcheck's own",
                "Its report judges the integration; name traffic of the vendor's API.",
            )
        parts = [File(part, f"{name}/{part.name}", True, _journal) for part in further] if is_journal else ()
        return File(path, name, is_journal, _journal if is_journal else _traffic, parts)
    if line is None and b'"log"' not in head[:1000]:
        what = "no HAR: it has no `log.entries`" if _begins_well(head) else "no JSON"
        raise UsageError(f"{path} is {what}", READABLE)
    return File(path, name, _creator(path) == OWN, _har)


def _value(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _begins_well(head: bytes) -> bool:
    """Whether a JSON parser takes the beginning of a file."""
    try:
        for _ in ijson.basic_parse(head, use_float=True):
            pass
    except ijson.IncompleteJSONError as error:
        return "premature EOF" in str(error) or "parse error" not in str(error)
    except ijson.JSONError:
        return False
    return True


def _creator(path: Path) -> str:
    """Gives the creator of a HAR, as far as it stands before the entries. Raises `UsageError` for another version."""
    creator, version, has_entries = "", "", False
    with path.open("rb") as raw:
        if raw.read(len(BOM)) != BOM:
            raw.seek(0)
        try:
            for prefix, event, value in ijson.parse(_Counting(path, raw), use_float=True):
                if (prefix, event) == ("log.entries", "start_array"):
                    has_entries = True
                    break
                if prefix == "log.version" and event != "null":
                    version = str(value)
                if prefix == "log.creator.name":
                    creator = str(value)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} is no JSON, or ends before its entries: {_line(error)}", READABLE) from None
    if version and version != VERSION:
        raise UsageError(f"{path} is a HAR {version[:20]}", f"Export it as HAR {VERSION}: other versions are not read.")
    if not has_entries:
        raise UsageError(f"{path} is JSON, but no HAR: it has no `log.entries`", READABLE)
    return creator


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:LONGEST] if str(error).strip() else type(error).__name__


def _har(file: File, raw: BinaryIO) -> Iterator[Entry]:
    number = 0
    try:
        for number, item in enumerate(_items(file.path, raw), start=1):
            where = f"{file.name}, entry {number}"
            try:
                yield har.entry_of(item, where, is_own=file.is_own)
            except ValueError as problem:
                file.skip(where, problem)
    except (ijson.JSONError, ValueError) as error:
        file.cut = f"{file.name} ends, or is no JSON, after entry {number}: {_line(error)}"


def _items(path: Path, raw: BinaryIO) -> Iterator[Any]:
    """Gives the entries of a HAR.

    What the fast parser stops at, the one of pure Python takes: lone surrogates, huge integers.
    """
    number = 0
    try:
        for item in ijson.items(raw, ENTRIES, use_float=True, buf_size=CHUNK):
            number += 1
            yield item
    except (UnicodeDecodeError, ijson.JSONError) as error:
        if isinstance(error, ijson.JSONError) and "integer overflow" not in str(error):
            raise
        with path.open("rb") as again:
            again.seek(len(BOM) if again.read(len(BOM)) == BOM else 0)
            patient = ijson.get_backend("python").items(again, ENTRIES, use_float=True, buf_size=CHUNK)
            yield from islice(patient, number, None)


def _json_lines(file: File, raw: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Gives each line's value, with where it stands; of what is no JSON, the last line is a file that was cut off."""
    broken = ""
    for number, line in enumerate(raw, start=1):
        where = f"{file.name}, line {number}"
        if broken:
            raise UsageError(f"{broken} is no JSON", READABLE)
        if not line.strip():
            continue
        value = _value(line)
        if value is None:
            broken = where
            continue
        yield where, value
    if broken:
        file.cut = f"{broken} is no JSON: the file was cut off there"


def _traffic(file: File, raw: BinaryIO) -> Iterator[Entry]:
    for where, value in _json_lines(file, raw):
        try:
            yield lines.entry_of(value, where)
        except ValueError as problem:
            raise UsageError(f"{where}: {problem}", READABLE) from None


def _journal(file: File, raw: BinaryIO) -> Iterator[Entry]:
    for where, value in _json_lines(file, raw):
        try:
            if entry := lines.of_journal(value, where):
                yield entry
        except ValueError as problem:
            raise UsageError(f"{where}: {problem}", READABLE) from None
