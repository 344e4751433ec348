"""A peer on the same trials: `st run` of the schemathesis that is installed, with the contract's own OpenAPI document.

It is given what its users give it: the credentials as headers, and a hook that signs where requests are signed; its own
defaults otherwise, and leave to go on after a failure. Source: schemathesis's documentation, "CLI Reference".
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import yaml
from rich.console import Console
from rich.table import Table

from rampcheck import __version__
from rampcheck.contract import packs, profile
from rampcheck.errors import RampcheckError
from rampcheck.judging import suite
from rampcheck.running import termination
from rampcheck.sandbox import server
from rampcheck.selftest.members import Matrix
from rampcheck.selftest.trial import Kind, Selection, Trial, planned
from rampcheck.wire.exchanges import Request

FILE_NAME = "peer.json"
FOLDER = "peer"
REPORT = "report.json"
HOOKS = "rampcheck.selftest.peer_hooks"
PROFILE = "profile.yaml"  # of the target, in the current folder of the peer, where the hooks find it
MOST_SECONDS = 300.0  # of one run
WRONG = ("convicted", "accused")
HOW_IT_IS_COUNTED = (
    "schemathesis finds a defect, or fails a variant, where a check fails for an operation for which it does not fail "
    "with the plain reference; the plain reference it fails where any check does. Its seconds are without its start, "
    "rampcheck's those of a process that has everything loaded. Defects for which no clause can be blamed are left out."
)
QUICK = (
    " --quick: rampcheck tried each defect with the scenarios of its own clauses only, and several variants at once."
)


@dataclass(frozen=True)
class PeerRun:
    """A run of the peer: what it complained of, as a check and an operation each; `requests`, and how long it took.

    `fault` says why it came to no end, "" where it did; `seconds` are its own, without its start.
    """

    trial: Trial
    complaints: frozenset[str] = frozenset()
    requests: int = 0
    seconds: float = 0.0
    fault: str = ""


class Sums(TypedDict):
    """What one of both comes to over the trials of a contract; `requests` and `seconds` are the medians of a trial.

    `conforming` is the number of conforming servers tried, the plain reference among them.
    """

    defects: int
    found: int
    conforming: int
    falsely_failed: int
    requests: float
    seconds: float


class PeerMembers(TypedDict):
    """What the peer said in a trial: its `complaints`, and those that are `new`: not of the plain reference, too.

    `fault` says why it came to no end, "" where it did.
    """

    contract: str
    kind: Kind
    name: str
    seed: int
    complaints: list[str]
    new: list[str]
    requests: int
    seconds: float
    fault: str


class Compared(TypedDict):
    """The content of peer.json: the versions of both, and by contract what each comes to."""

    rampcheck: str
    schemathesis: str
    quick: bool
    contracts: dict[str, dict[str, Sums]]
    trials: list[PeerMembers]


def compare(  # noqa: PLR0913 - each is an option
    selection: Selection, matrix: Matrix, folder: Path, *, jobs: int | None, keep: bool, console: Console
) -> Compared:
    """Lets the peer judge what a selection names, writes peer.json beside the matrix, prints both; gives the content.

    `jobs` are its runs at a time, one a processor unless given; `keep` keeps what they wrote, below `folder`. Raises
    `UsageError` for a name or pattern that there is none of.
    """
    try:
        runs = judged(planned(selection), folder.absolute() / FOLDER, jobs or os.cpu_count() or 1)
    finally:
        if not keep:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
    content = compared(matrix, runs)
    write(content, folder)
    print_compared(content, console)
    return content


def judged(trials: Sequence[Trial], folder: Path, jobs: int) -> list[PeerRun]:
    """Gives what the peer says of each of these trials, `jobs` of them at a time; it writes below `folder`.

    After Ctrl-C or SIGTERM, those under way are ended.
    """
    for trial in trials:
        suite.load(trial.contract)  # before threads would do it at the same time, and one see half of it
    running: set[subprocess.Popen[bytes]] = set()
    with termination.as_interruption(), ThreadPoolExecutor(jobs) as pool:
        try:
            return list(pool.map(lambda trial: _judged(trial, folder / trial.label, running), trials))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in [*running]:
                process.terminate()
            raise


def _judged(trial: Trial, folder: Path, running: set[subprocess.Popen[bytes]]) -> PeerRun:
    folder.mkdir(parents=True)
    with server.start(trial.contract, trial.defects, variants=trial.variants) as reference:
        target = folder / PROFILE
        target.write_text(yaml.safe_dump(reference.profile(), sort_keys=False), encoding="utf-8")
        # Of its own, or one that lies in a folder above would be found.
        configuration = folder / "schemathesis.toml"
        configuration.touch()
        with (
            (folder / "printed.txt").open("wb") as printed,
            subprocess.Popen(  # noqa: S603 - this very interpreter
                [
                    *(sys.executable, "-P", "-m", "schemathesis.cli", "--config-file", str(configuration)),
                    *_arguments(trial, profile.load(target, os.environ), folder),
                ],
                cwd=folder,
                # The hooks import what this process would, wherever it was started.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "SCHEMATHESIS_HOOKS": HOOKS},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            running.add(process)
            try:
                process.wait(MOST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return PeerRun(trial, fault=f"it did not end within {MOST_SECONDS:g} s")
            finally:
                running.discard(process)
    try:
        return _read(trial, json.loads((folder / REPORT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        return PeerRun(trial, fault=f"it wrote no report: {error}")


def _arguments(trial: Trial, target: profile.Profile, folder: Path) -> list[str]:
    known = suite.load(trial.contract)
    bare = known.authenticate(Request("POST", "/", credential=known.credential), target)
    carried = [pair for pair in bare.headers if pair[0] not in known.contract.computed_headers]
    return [
        *("run", str(packs.of(trial.contract).document(trial.contract, "openapi")), "--url", target.base_url),
        *("--seed", str(trial.seed), "--continue-on-failure", "--generation-database", "none"),
        *("--report", "json", "--report-json-path", str(folder / REPORT)),
        *(word for name, value in carried for word in ("-H", f"{name}: {value}")),
    ]


def _read(trial: Trial, report: dict[str, Any]) -> PeerRun:
    failed = {f"{group['code']} {one}" for group in report["failures"] for one in group["operations"]}
    errors = {group["title"] for group in report["errors"]}
    return PeerRun(
        trial, frozenset(failed | errors), report["test_cases"]["generated"], round(report["running_time"] or 0.0, 2)
    )


def compared(matrix: Matrix, runs: Sequence[PeerRun]) -> Compared:
    """Gives what both found, falsely failed, sent and took.

    The peer finds a defect, or falsely fails a variant, where it complains of something of which it does not complain
    with the plain reference and the same seed. Defects for which no clause can be blamed are left out. Raises
    `RampcheckError` where its run of the plain reference came to no end.
    """
    for run in runs:
        if run.fault and run.trial.kind == "reference":
            raise RampcheckError(f"schemathesis did not judge {run.trial.label}: {run.fault}", "Try it with --keep.")
    plain = {(run.trial.contract, run.trial.seed): run.complaints for run in runs if run.trial.kind == "reference"}
    said: list[PeerMembers] = [
        {
            "contract": run.trial.contract,
            "kind": run.trial.kind,
            "name": run.trial.name,
            "seed": run.trial.seed,
            "complaints": sorted(run.complaints),
            "new": sorted(run.complaints - plain[run.trial.contract, run.trial.seed]),
            "requests": run.requests,
            "seconds": run.seconds,
            "fault": run.fault,
        }
        for run in runs
        if not run.trial.ends
    ]
    ours = [one for one in matrix["trials"] if not one["ends"]]
    return {
        "rampcheck": __version__,
        "schemathesis": metadata.version("schemathesis"),
        "quick": matrix["quick"],
        "contracts": {
            name: {
                "rampcheck": _sums(
                    Said(one["kind"], len(one["parts"]) or 1, one["result"] in WRONG, one["requests"], one["seconds"])
                    for one in ours
                    if one["contract"] == name
                ),
                "schemathesis": _sums(
                    Said(
                        one["kind"],
                        1,
                        bool(one["complaints"] if one["kind"] == "reference" else one["new"]),
                        one["requests"],
                        one["seconds"],
                    )
                    for one in said
                    if one["contract"] == name
                ),
            }
            for name in dict.fromkeys(one["contract"] for one in ours)
        },
        "trials": said,
    }


class Said(NamedTuple):
    """What came of a trial, or of several variants at once, by either: whether the server `is_wrong`, and the cost."""

    kind: Kind
    number: int
    is_wrong: bool
    requests: int
    seconds: float


def _sums(those: Iterable[Said]) -> Sums:
    those = list(those)
    defects = [one for one in those if one.kind == "defect"]
    others = [one for one in those if one.kind != "defect"]
    return {
        "defects": len(defects),
        "found": sum(one.is_wrong for one in defects),
        "conforming": sum(one.number for one in others),
        "falsely_failed": sum(one.is_wrong for one in others),
        "requests": statistics.median(one.requests for one in those),
        "seconds": statistics.median(one.seconds for one in those),
    }


def write(content: Compared, folder: Path) -> Path:
    """Writes peer.json into `folder`, and gives its path."""
    path = folder / FILE_NAME
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def print_compared(content: Compared, console: Console) -> None:
    """Prints both side by side, and how it is counted."""
    table = Table("")
    sums = [one for both in content["contracts"].values() for one in both.values()]
    for name, both in content["contracts"].items():
        for tool in both:
            table.add_column(f"{name}\n{tool}", justify="right")
    table.add_row("defects found", *(f"{one['found']} of {one['defects']}" for one in sums))
    table.add_row("conforming servers failed", *(f"{one['falsely_failed']} of {one['conforming']}" for one in sums))
    table.add_row("requests, median of a trial", *(f"{one['requests']:g}" for one in sums))
    table.add_row("seconds, median of a trial", *(f"{one['seconds']:.1f}" for one in sums))
    console.print(table, highlight=False)
    for one in content["trials"]:
        if one["fault"]:
            console.print(
                f"schemathesis, {one['contract']} {one['kind']} {one['name']}: {one['fault']}", highlight=False
            )
    console.print(
        f"rampcheck {content['rampcheck']}, schemathesis {content['schemathesis']}. {HOW_IT_IS_COUNTED}"
        f"{QUICK * content['quick']}",
        highlight=False,
    )
