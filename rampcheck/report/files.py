"""All files of a report, rendered and written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rampcheck.judging.results import Results
from rampcheck.report import ctrf, github, html, junit, questions, sarif, signatures, summary
from rampcheck.report.results import FILE_NAME, encode, validate
from rampcheck.wire.journal_records import ExchangeRecord


def write_reports(directory: Path, results: Results, exchanges: Mapping[int, ExchangeRecord]) -> None:
    """Writes the results and all that is rendered of them into `directory`, which is made if it is not there.

    `results` is the content of results.json, `exchanges` the exchange records of journal.jsonl by number;
    only those that findings, observations and outages cite are read. Everything is rendered before anything is
    written, and each file is replaced as a whole. Raises `ResultsError` where `results` break their
    schema, `OSError` where a file cannot be written. Who signed these very results stands on the page.
    """
    files = rendered(results, exchanges, signatures.saved(directory, encode(results)))
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        replace(directory / name, content)


def rendered(
    results: Results, exchanges: Mapping[int, ExchangeRecord], signers: Sequence[signatures.Signer] = ()
) -> dict[str, bytes]:
    """Gives the files that `write_reports` writes, by name, with these `signers` on the page. Raises as it does."""
    validate(results)
    return {
        FILE_NAME: encode(results),
        "index.html": html.render(results, exchanges, signers).encode(),
        "junit.xml": junit.render(results),
        ctrf.FILE_NAME: ctrf.render(results),
        sarif.FILE_NAME: sarif.render(results, exchanges),
        github.FILE_NAME: github.render(results).encode(),
        "summary.md": summary.render(results).encode(),
        questions.FILE_NAME: questions.render(results).encode(),
    }


def replace(path: Path, content: bytes) -> None:
    """Writes a file in place of the one that there is, as a whole or not at all. Raises `OSError`."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
