"""index.html of a selftest: the matrix for a reader, one file that needs no network; it looks like a run's report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from rampcheck.judging.results import SectionResult
from rampcheck.report.html import asset, csp_hash, environment
from rampcheck.report.text import plural
from rampcheck.selftest.matrix import is_as_required
from rampcheck.selftest.members import ClauseMembers, ContractMembers, Matrix, Result, TrialMembers
from rampcheck.wire.journal_records import JudgeName

FILE_NAME = "index.html"
State = Literal["missed", "few", "none", "convicted"]
FEWEST_DEFECTS = 2  # of a `must` clause


class Word(NamedTuple):
    """How a result is shown: the word, a symbol, the colour (a verdict's, by its class), and what it means."""

    word: str
    symbol: str
    tone: str
    meaning: str


# Of a trial. In the order of reading: what needs somebody's attention first.
RESULTS: Mapping[Result, Word] = {
    "fault": Word("fault", "✗", "failed", "the trial came to no judgement"),
    "missed": Word("missed", "✗", "failed", "no finding against a clause that the defect breaks"),
    "accused": Word("falsely failed", "✗", "failed", "a server that conforms was found broken"),
    "convicted": Word("caught", "✓", "passed", "a finding against a clause that the defect breaks"),
    "ended": Word("ended", "✓", "passed", "the run ended with the verdict that says why nothing could be judged"),
    "conforming": Word("conforming", "✓", "passed", "nothing was found broken, as it has to be"),
}

# Of a finding: what saw it, as `Finding.judge` has it.
JUDGES: Mapping[JudgeName, str] = {
    "schema": "the schema",
    "invariant": "an invariant",
    "history": "an invariant of the whole run",
    "scenario": "the scenario",
}

# Of a clause, over the defects that break it.
STATES: Mapping[State, Word] = {
    "missed": Word("missed", "✗", "failed", "a defect that breaks it was not caught"),
    "few": Word("few defects", "!", "advisory", "a `must` clause that fewer than two defects break"),
    "none": Word("no defect", "○", "observed", "no defect breaks it, and it is no `must` clause or cannot be tested"),
    "convicted": Word("caught", "✓", "passed", "every defect that breaks it was caught"),
}


@dataclass(frozen=True)
class ClauseView:
    """A clause, its state, and the trials of the defects that break it."""

    data: ClauseMembers
    state: State
    trials: tuple[TrialMembers, ...]


@dataclass(frozen=True)
class ContractView:
    """A contract: its sections with their clauses, and the trials of servers that conform, or cannot be judged."""

    data: ContractMembers
    sections: tuple[tuple[SectionResult, tuple[ClauseView, ...]], ...]
    variants: tuple[TrialMembers, ...]
    ended: tuple[TrialMembers, ...]


def render(matrix: Matrix, *, is_everything: bool) -> str:
    """Gives the HTML of a matrix; where not everything was tried, clauses without a trial are left out."""
    templates = environment()
    # The script and the print margins name a run; a selftest is named by what it is.
    assets = {name: asset(templates, name, "selftest") for name in ("css", "js")}
    contracts = [_contract(data, matrix["trials"], is_everything=is_everything) for data in matrix["contracts"]]
    states = {clause.state for contract in contracts for _, clauses in contract.sections for clause in clauses}
    return templates.get_template("selftest.html.jinja").render(
        matrix=matrix,
        sums=matrix["summary"],
        sentence=sentence(matrix),
        contracts=contracts,
        results=RESULTS,
        judges=JUDGES,
        states={name: word for name, word in STATES.items() if name in states},
        wrong=[entry for entry in matrix["trials"] if not is_as_required(entry)],
        remark=remark,
        early=early(matrix),
        assets=assets,
        hashes={name: csp_hash(text) for name, text in assets.items()},
    )


def write(matrix: Matrix, folder: Path, *, is_everything: bool) -> Path:
    """Writes index.html into `folder`, and gives its path."""
    path = folder / FILE_NAME
    path.write_bytes(render(matrix, is_everything=is_everything).encode("utf-8", "backslashreplace"))
    return path


def sentence(matrix: Matrix) -> str:
    """Says in a sentence what came of a selftest."""
    sums = matrix["summary"]
    mishaps = [
        (sums["missed"], "{} missed"),
        (sums["unrelated"], "{} blamed on an unrelated clause"),
        (sums["accused"], "{} falsely failed"),
        (sums["with_gaps"], "{} with a gap"),
        (sums["faults"], "{} not judged for a fault"),
    ]
    told = [text.format(number) for number, text in mishaps if number]
    ended = f"; {plural(sums['ended'], 'run')} that could not go on said so" if sums["ended"] else ""
    tried = f"{plural(sums['defects'], 'defect')} and {plural(sums['variants'], 'conforming server')} tried"
    if told:
        return f"{tried}: {', '.join(told)}."
    return (
        f"{tried}: every defect is caught by a clause of its own, no other clause is blamed, no conforming "
        f"server is falsely failed{ended}."
    )


def remark(entry: TrialMembers) -> str:
    """Says what is wrong with a trial that did not end as it must, and what to look at."""
    told = [*entry["faults"]]
    if entry["result"] == "missed" and entry["ends"]:
        told.append(f"the run ended {entry['verdict']}, not {entry['ends']}")
    elif entry["result"] == "missed":
        told.append(f"no finding against {', '.join(entry['clauses'])}")
    falsely = [*entry["unrelated"], *(entry["advisories"] if entry["kind"] != "defect" else ())]
    told += [f"{one['clause']} was found broken: expected {one['expected']}; actual {one['actual']}" for one in falsely]
    if entry["kind"] != "defect" and entry["gaps"]:
        told.append(f"not verified: {', '.join(entry['gaps'])}")
    if entry["reason"]:
        told.append(entry["reason"])
    return "; ".join(told)


def early(matrix: Matrix) -> str:
    """Says how early the defects of each contract are found, by its APFD; "" where no whole runs were made."""
    return ", ".join(f"{one['name']} {one['apfd']:.2f}" for one in matrix["contracts"] if one["apfd"] is not None)


def _contract(data: ContractMembers, trials: Sequence[TrialMembers], *, is_everything: bool) -> ContractView:
    own = [entry for entry in trials if entry["contract"] == data["name"]]
    clauses = [_clause(clause, own, is_everything=is_everything) for clause in data["clauses"]]
    shown = [clause for clause in clauses if is_everything or clause.trials]
    return ContractView(
        data,
        tuple(
            (section, tuple(clause for clause in shown if clause.data["section"] == section["id"]))
            for section in data["sections"]
        ),
        tuple(entry for entry in own if entry["kind"] != "defect"),
        tuple(entry for entry in own if entry["ends"]),
    )


def _clause(
    clause: ClauseMembers,
    trials: Iterable[TrialMembers],
    *,
    is_everything: bool,
) -> ClauseView:
    own = tuple(entry for entry in trials if clause["id"] in entry["clauses"])
    return ClauseView(clause, _state(clause, own, is_everything=is_everything), own)


def _state(clause: ClauseMembers, trials: Sequence[TrialMembers], *, is_everything: bool) -> State:
    if not all(entry["result"] in {"convicted", "ended"} for entry in trials):
        return "missed"
    is_demanded = is_everything and clause["level"] == "must" and not clause["untestable"]
    if is_demanded and len(clause["defects"]) < FEWEST_DEFECTS:
        return "few"
    return "convicted" if trials else "none"
