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

from rampcheck.display import HIDDEN, one_line, shorten, visible
from rampcheck.judging.results import ClauseVerdict, OutageResult, Results
from rampcheck.report import results as results_file
from rampcheck.report.additions import CAVEAT, addition
from rampcheck.report.agreement import LONGEST_NAME, agreed
from rampcheck.report.certificate import LONGEST_PROMISE, certificate
from rampcheck.report.chart import milliseconds, requests_chart, statuses_chart, times_chart
from rampcheck.report.commands import MARK
from rampcheck.report.course import KINDS, course
from rampcheck.report.difference import Piece
from rampcheck.report.evidence import Evidence
from rampcheck.report.obstacles import obstacles
from rampcheck.report.outline import (
    CLAUSE_VERDICTS,
    GAPS,
    LEVELS,
    RUN_VERDICTS,
    Lead,
    outage_text,
    outline,
    verdicts_of,
)
from rampcheck.report.questions import questions
from rampcheck.report.sights import ClauseView, Shelf
from rampcheck.report.signatures import Signer, parties
from rampcheck.report.text import duration, moment, plural
from rampcheck.report.validity import ending_with, holds_until
from rampcheck.wire.journal_records import ExchangeRecord

# Of the clauses that were broken: what failed, what is advisory, what is waived, in the order of need.
BROKEN: tuple[ClauseVerdict, ...] = ("failed", "advisory", "waived")

LONGEST_VALUE = 1_000  # characters of one expected or actual value
LONGEST_PHRASE = 240  # characters of what stands in the way, on the certificate
MOST_OBSTACLES = 10  # on the certificate, which has room where nothing is signed
MOST_ASKED = 10  # exchanges that are shown of a run that judged nothing

SPECIAL = re.compile(f"{HIDDEN.pattern}|{MARK.pattern}")


@dataclass(frozen=True)
class OutageView:
    """An outage that did not end: what was not answered, and the exchanges before it, that are recorded."""

    data: OutageResult
    unanswered: Evidence | None
    before: tuple[Evidence, ...]


def render(results: Results, exchanges: Mapping[int, ExchangeRecord], signers: Sequence[Signer] = ()) -> str:
    """Gives the HTML of valid `results`, with the `signers` in its block of signatures.

    Of the `exchanges`, records of the journal by number, it holds those that findings, observations and an outage that
    did not end cite; how the run went is told from all of them.
    """
    summary = outline(results)
    shelf = Shelf(exchanges, variables=results.get("variables", {}))
    outages = [_outage(outage, shelf) for outage in summary.outages if outage["ended"] is None]
    broken = {verdict: summary.leads[verdict] for verdict in BROKEN}
    above = [clause for leads in broken.values() for lead in leads for clause in (lead.clause, *lead.followers)]
    views = shelf.views([*above, *results["clauses"]])
    went = course(exchanges.values(), summary.outages)
    templates = environment()
    assets = {name: asset(templates, name, f"run {results['run']}") for name in ("css", "js")}
    return templates.get_template("report.html.jinja").render(
        results=results,
        outline=summary,
        obstacles=obstacles(results, summary),
        shown_verdicts=verdicts_of(results),
        digest=hashlib.sha256(results_file.encode(results)).hexdigest(),
        outages=outages,
        asked=[*filter(None, map(shelf.take, sorted(exchanges)[:MOST_ASKED]))] if summary.judged_nothing else [],
        sheet=certificate(results, summary),
        holds_until=holds_until(results),
        ending_with=ending_with(results),
        waivers=results.get("waivers", ()),
        broken={verdict: [_seen(lead, views) for lead in leads] for verdict, leads in broken.items()},
        above={clause["id"] for clause in above},
        addition=addition(results["clauses"]),
        caveat=CAVEAT,
        questions=() if summary.judged_nothing else questions(results),
        course=went,
        charts=went
        and {"times": times_chart(went), "requests": requests_chart(went), "statuses": statuses_chart(went)},
        sections=[
            (section, [views[c["id"]] for c in results["clauses"] if c["section"] == section["id"]])
            for section in results["sections"]
        ],
        assets=assets,
        hashes={name: csp_hash(text) for name, text in assets.items()},
        parties=parties(signers),
    )


def block(signers: Sequence[Signer]) -> str:
    """Gives the block of signatures that a page of these signers holds."""
    return environment().get_template("signatures.html.j2").render(parties=parties(signers))


def _outage(outage: OutageResult, shelf: Shelf) -> OutageView:
    unanswered = shelf.take(outage["exchange"])
    before = [shelf.take(number) for number in outage["before"]]
    return OutageView(outage, unanswered, tuple(one for one in before if one is not None))


def _seen(lead: Lead, views: Mapping[str, ClauseView]) -> tuple[ClauseView, list[ClauseView]]:
    return views[lead.clause["id"]], [views[follower["id"]] for follower in lead.followers]


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
        "told": lambda text: pieces([(text, False)]),
        "phrase": phrase,
        "rest": folded,
        "agreed": agreed,
        "prose": prose,
        "moment": moment,
    }
    templates.filters |= {"line": line, "pieces": pieces}
    templates.globals |= {
        "plural": plural,
        "duration": duration,
        "milliseconds": milliseconds,
        "outage_text": outage_text,
        "verdicts": CLAUSE_VERDICTS,
        "run_verdicts": RUN_VERDICTS,
        "levels": LEVELS,
        "gap_words": GAPS,
        "kinds": KINDS,
        "most_obstacles": MOST_OBSTACLES,
        "longest_promise": LONGEST_PROMISE,
    }
    return templates


def asset(templates: Environment, suffix: str, run: str) -> Markup:
    """Gives our style sheet or script; `run`, shown on paper, has only letters, digits, spaces, `.`, `_`, `-`."""
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


def line(text: str, longest: int = LONGEST_NAME) -> Markup:
    """Gives text that a target may have written as one line, cut where it is too long."""
    return foreign(brief(text, longest))


def brief(text: str, longest: int = LONGEST_NAME) -> str:
    """Gives text as one line, cut where it is too long."""
    told = one_line(text, len(text))
    return told if len(told) <= longest else told[:longest] + "…"


def phrase(text: str, longest: int = LONGEST_PHRASE) -> Markup:
    """Gives a sentence of ours as one line, cut where it is too long."""
    return prose(brief(text, longest))


def folded(text: str, longest: int = LONGEST_PHRASE) -> Markup:
    """Gives all of a text, folded away, where a phrase of it is cut: what is signed stands there whole.

    A phrase has `longest` characters at the most.
    """
    if len(told := one_line(text, len(text))) <= longest:
        return Markup()
    return Markup('<details class="fold"><summary>All of it</summary>{}</details>').format(prose(told))


def pieces(parts: list[Piece]) -> Markup:
    """Gives what was expected or seen: foreign text may be in it, backticks set off code, what differs is marked."""
    has_code = sum(text.count("`") for text, _ in parts) % 2 == 0
    shown, is_code = [], False
    for text, differs in parts:
        spans = shorten(text, LONGEST_VALUE).split("`") if has_code else [shorten(text, LONGEST_VALUE)]
        for number, span in enumerate(spans):
            is_code ^= number > 0
            told = Markup("<code>{}</code>").format(foreign(span)) if is_code and span else foreign(span)
            shown.append(Markup("<mark>{}</mark>").format(told) if differs and span else told)
    return Markup("").join(shown)


def prose(text: str) -> Markup:
    """Gives a sentence of ours, in which backticks set off code."""
    pieces = visible(text).split("`")
    if len(pieces) % 2 == 0:  # a backtick without its fellow is a character like any other
        return escape(visible(text))
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(p) if number % 2 else escape(p) for number, p in enumerate(pieces))
