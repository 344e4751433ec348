"""What is asked of a run's folder before it is signed, and again when its signatures are verified."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import NamedTuple

from rampcheck import digests
from rampcheck.contract import packs, register, versions
from rampcheck.errors import RampcheckError
from rampcheck.judging.results import Results
from rampcheck.report.outline import RUN_VERDICTS, unsigned
from rampcheck.report.text import enumerated
from rampcheck.report.validity import ending_with, holds_until
from rampcheck.signoff.contents import Contents, last_day


class State(Enum):
    """What became of a check, with the sign that it is shown with: `NOTED` could not be looked at, and says why."""

    HOLDS = "✓"
    FAILS = "✗"
    NOTED = "○"


class Check(NamedTuple):
    """One thing that was looked at: its name, what became of it, and a sentence for a reader."""

    name: str
    state: State
    text: str


def holds(name: str, text: str) -> Check:
    """Gives a check that found what it should."""
    return Check(name, State.HOLDS, text)


def fails(name: str, text: str) -> Check:
    """Gives a check that found what should not be."""
    return Check(name, State.FAILS, text)


def noted(name: str, text: str) -> Check:
    """Gives a check that could not be made here."""
    return Check(name, State.NOTED, text)


def of_folder(contents: Contents, today: date, *, again: bool = True) -> list[Check]:
    """Gives what the folder says of itself: the results are a run's that can be signed, all else says the same.

    Where not `again`, the reports are not made again to be compared.
    """
    try:
        results = contents.results
    except RampcheckError as error:
        return [fails("results", f"The results cannot be read: {_first(error)}")]
    reports = _reports(contents) if again else noted("reports", "The reports were not compared with what was changed")
    return [_verdict(results), _results(contents), _register(results), reports, _validity(results, today)]


def _first(error: RampcheckError) -> str:
    return error.message.splitlines()[0]


def _results(contents: Contents) -> Check:
    if unlike := contents.unlike_results():
        return fails("results", f"results.json was made from another {' and '.join(unlike)} than lies here")
    results = contents.results
    last = last_day(results).isoformat()
    if (told := results["sign_off"]["valid_until"]) != last:
        return fails("results", f"results.json says that it is valid until {told}; by the days that it names: {last}")
    if not contents.is_of_this_version:
        return noted("results", f"Only rampcheck {results['rampcheck']} can fold the journal again to compare")
    try:
        unlike = contents.unlike_journal()
    except RampcheckError as error:
        return fails("results", f"Nothing can be made of the journal: {_first(error)}")
    if unlike:
        return fails("results", f"results.json is not what the journal comes to: {enumerated(unlike)}")
    return holds("results", "The results are what the journal and the profile come to that lie here")


def _verdict(results: Results) -> Check:
    verdict = results["verdict"]
    word = RUN_VERDICTS[verdict].word
    if why := unsigned(results):
        return fails("verdict", f"The verdict is {word!r}, and there is nothing to sign. {why}")
    musts = [clause for clause in results["clauses"] if clause["level"] == "must"]
    gaps = sum(clause["verdict"] == "not_verified" for clause in musts)
    without = f"; of {len(musts)} required promises, {gaps} were not verified" if gaps else ""
    return holds("verdict", f"The verdict is {word!r}, which can be signed{without}")


def _register(results: Results) -> Check:
    """Whether it was judged by the clauses that this rampcheck knows under the same version of the contract."""
    name, version = results["contract"], results["contract_version"]
    is_of_partner = "side" in results
    try:
        known = [register.partner_side(name).version] if is_of_partner else versions.names(name)
    except RampcheckError:
        return noted("register", f"This rampcheck does not know the contract {name}: its documents were not compared")
    if version not in known:
        return noted(
            "register",
            f"Judged by {name} {version}; this rampcheck knows {enumerated(known)}: documents were not compared",
        )
    pack = packs.of(name)
    told = results["digests"]
    here = {
        "register": (told["register"], digests.of_file(pack.document(name, "partner" if is_of_partner else "clauses"))),
        "OpenAPI document": (told["document"], digests.of_file(pack.document(name, "openapi"))),
    }
    unlike = [one for one, (then, now) in here.items() if then != now]
    if unlike and version != known[-1]:
        # It may have been judged while that was the newest: the documents have changed since, as they may.
        return noted(
            "register",
            f"Judged by {name} {version} with another {' and '.join(unlike)} than this rampcheck has now",
        )
    if unlike:
        return fails(
            "register", f"Judged by another {' and '.join(unlike)} than this rampcheck has as {name} {version}"
        )
    return holds("register", f"Judged by the register and the OpenAPI document of {name} {version}")


def _reports(contents: Contents) -> Check:
    if not contents.is_of_this_version:
        wrote = contents.results["rampcheck"]
        return noted("reports", f"The reports are of rampcheck {wrote}; only that can make them again to compare")
    try:
        differing = contents.differing()
    except RampcheckError as error:
        return fails("reports", f"The reports cannot be made again: {_first(error)}")
    if differing:
        return fails("reports", f"Not what the results and the journal say: {', '.join(differing)}")
    return holds("reports", "The reports say what the results and the journal say")


def _validity(results: Results, today: date) -> Check:
    until, ending = holds_until(results), [waiver["clause"] for waiver in ending_with(results)]
    why = f", the last day of the waiver of {enumerated(ending)}" if ending else ""
    if today > date.fromisoformat(until):
        return fails("validity", f"Expired: it was valid until {until}{why}")
    return holds("validity", f"Valid until {until}{why}")
