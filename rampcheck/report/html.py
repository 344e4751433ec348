"""index.html: the report that both sides sign, one file that needs no network and no script."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rampcheck.display import HIDDEN, shorten, visible
from rampcheck.judging.results import ClauseResult, Example, FindingResult, ObservationResult, OutageResult, Results
from rampcheck.report import results as results_file
from rampcheck.report.curl import MARK
from rampcheck.report.evidence import Evidence, evidence
from rampcheck.report.outline import CLAUSE_VERDICTS, GAPS, LEVELS, RUN_VERDICTS, others, outage_text, outline
from rampcheck.report.signatures import Signer, parties
from rampcheck.report.text import duration, moment, plural
from rampcheck.wire.journal_records import ExchangeRecord

LONGEST_VALUE = 1_000  # characters of one expected or actual value
SEEN_SHOWN = 20  # findings or observations of one clause; results.json holds all

SPECIAL = re.compile(f"{HIDDEN.pattern}|{MARK.pattern}")


@dataclass(frozen=True)
class Sight:
    """A finding or an observation. `evidence` is set where its exchange is shown: where it is first cited.

    `examples` are those of the same kind with other values.
    """

    expected: str | None
    actual: str
    exchange: int | None
    recorded: bool
    evidence: Evidence | None
    scenario: str
    times: int
    examples: tuple[Sight, ...] = ()


@dataclass(frozen=True)
class OutageView:
    """An outage that did not end: what was not answered, and the exchanges before it, that are recorded."""

    data: OutageResult
    unanswered: Evidence | None
    before: tuple[Evidence, ...]


@dataclass(frozen=True)
class ClauseView:
    """A clause with what was seen of it."""

    data: ClauseResult
    findings: tuple[Sight, ...]
    observations: tuple[Sight, ...]


def render(results: Results, exchanges: Mapping[int, ExchangeRecord], signers: Sequence[Signer] = ()) -> str:
    """Gives the HTML of valid `results`, with the `signers` in its block of signatures.

    Of the `exchanges`, records of the journal by number, it holds those that findings, observations and an outage that
    did not end cite.
    """
    summary = outline(results)
    shown: set[int] = set()
    outages = [_outage(outage, exchanges, shown) for outage in summary.outages if outage["ended"] is None]
    above = [clause for lead in summary.leads["failed"] for clause in (lead.clause, *lead.followers)]
    views = _views([*above, *results["clauses"]], exchanges, shown)
    templates = environment()
    assets = {name: asset(templates, name, results["run"]) for name in ("css", "js")}
    return templates.get_template("report.html.jinja").render(
        results=results,
        outline=summary,
        outages=outages,
        waivers=results.get("waivers", ()),
        failed=[
            (views[lead.clause["id"]], [views[follower["id"]] for follower in lead.followers])
            for lead in summary.leads["failed"]
        ],
        above={clause["id"] for clause in above},
        sections=[
            (section, [views[c["id"]] for c in results["clauses"] if c["section"] == section["id"]])
            for section in results["sections"]
        ],
        verdicts=CLAUSE_VERDICTS,
        run_verdicts=RUN_VERDICTS,
        levels=LEVELS,
        gap_words=GAPS,
        outage_text=outage_text,
        assets=assets,
        hashes={name: csp_hash(text) for name, text in assets.items()},
        parties=parties(signers),
        digest=hashlib.sha256(results_file.encode(results)).hexdigest(),
    )


def block(signers: Sequence[Signer]) -> str:
    """Gives the block of signatures that a page of these signers holds."""
    return environment().get_template("signatures.html.j2").render(parties=parties(signers))


def _outage(outage: OutageResult, exchanges: Mapping[int, ExchangeRecord], shown: set[int]) -> OutageView:
    def recorded(number: int | None) -> Evidence | None:
        if number is None or number not in exchanges or number in shown:
            return None
        shown.add(number)
        return evidence(exchanges[number])

    unanswered = recorded(outage["exchange"])
    before = [recorded(number) for number in outage["before"]]
    return OutageView(outage, unanswered, tuple(one for one in before if one is not None))


def _views(
    clauses: list[ClauseResult], exchanges: Mapping[int, ExchangeRecord], shown: set[int]
) -> dict[str, ClauseView]:
    """Gives the view of each clause, by id; `clauses` stand in the order of reading, and may come twice.

    The exchanges `shown` are shown already, and what is shown here joins them.
    """
    views: dict[str, ClauseView] = {}

    def sights(seen: Sequence[FindingResult | ObservationResult]) -> tuple[Sight, ...]:
        return tuple(sight(one, one["times"]) for one in seen[:SEEN_SHOWN])

    def sight(seen: FindingResult | ObservationResult | Example, times: int = 1) -> Sight:
        number = seen["exchange"]
        exchange = exchanges.get(number) if number is not None else None
        first = number not in shown
        if number is not None:
            shown.add(number)
        return Sight(
            expected=seen["expected"] if "expected" in seen else None,  # noqa: SIM401 - of a union, `get` gives any object
            actual=seen["actual"],
            exchange=number,
            recorded=exchange is not None,
            evidence=evidence(exchange) if exchange is not None and first else None,
            scenario=seen["scenario"],
            times=times,
            examples=tuple(map(sight, others(seen))),
        )

    for clause in clauses:
        if clause["id"] not in views:
            views[clause["id"]] = ClauseView(clause, sights(clause["findings"]), sights(clause["observations"]))
    return views


@cache
def environment() -> Environment:
    """Gives what renders our pages: their templates, the filters of foreign text, strict about what is missing."""
    templates = Environment(
        loader=PackageLoader("rampcheck.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "foreign": foreign,
        "value": lambda text: foreign(shorten(text, LONGEST_VALUE)),
        "prose": prose,
        "moment": moment,
    }
    templates.globals |= {"plural": plural, "duration": duration}
    return templates


def asset(templates: Environment, suffix: str, run: str) -> Markup:
    """Gives our style sheet or script; `run`, which it shows, has only letters, digits, `.`, `_`, `-`."""
    text = templates.get_template(f"report.{suffix}").render(run=run)
    return Markup(text)  # noqa: S704 - nothing foreign is in it


def csp_hash(asset: str) -> str:
    """Gives what lets one inline asset through the Content-Security-Policy (CSP Level 3, section 2.3.1)."""
    return "sha256-" + b64encode(hashlib.sha256(asset.encode()).digest()).decode()


def foreign(text: str) -> Markup:
    """Gives text that a target may have written: escaped, hidden characters and redaction marks set apart."""
    pieces, position = [], 0
    for special in SPECIAL.finditer(text):
        pieces.append(escape(text[position : special.start()]))
        kind = "mark" if special[1] else "hidden"
        pieces.append(Markup('<span class="{}">{}</span>').format(kind, visible(special[0])))
        position = special.end()
    return Markup("").join([*pieces, escape(text[position:])])


def prose(text: str) -> Markup:
    """Gives a sentence of ours, in which backticks set off code."""
    pieces = visible(text).split("`")
    if len(pieces) % 2 == 0:  # a backtick without its fellow is a character like any other
        return escape(visible(text))
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(p) if number % 2 else escape(p) for number, p in enumerate(pieces))
