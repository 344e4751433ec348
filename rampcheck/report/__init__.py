"""The reports of a run, rendered from nothing but what it saved: its results and its redacted exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from rampcheck.judging.results import Results
from rampcheck.report import html, junit, summary
from rampcheck.report.results import FILE_NAME, encode, load, validate
from rampcheck.report.terminal import print_summary, where
from rampcheck.wire.journal_records import ExchangeRecord

__all__ = ["FILE_NAME", "encode", "load", "print_summary", "where", "write_reports"]


def write_reports(directory: Path, results: Results, exchanges: Mapping[int, ExchangeRecord]) -> None:
    """Writes results.json, index.html, junit.xml and summary.md into `directory`, made if it is not there.

    `results` is the content of results.json, `exchanges` the exchange records of journal.jsonl by number;
    only those that findings, observations and outages cite are read. Everything is rendered before anything is
    written, and each file is replaced as a whole. Raises `ResultsError` where `results` break their
    schema, `OSError` where a file cannot be written.
    """
    validate(results)
    rendered = {
        FILE_NAME: encode(results),
        "index.html": html.render(results, exchanges).encode(),
        "junit.xml": junit.render(results),
        "summary.md": summary.render(results).encode(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in rendered.items():
        partial = directory / f".{name}.partial"
        try:
            partial.write_bytes(content)
            partial.replace(directory / name)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise
