"""What stands on the first sheet of a report, which both sides sign."""

from __future__ import annotations

from typing import Any

import pytest

from rampcheck.report import certificate, html, summary
from rampcheck.report.outline import outline
from tests import samples


@pytest.mark.parametrize(
    ("lengths", "longest"),
    [([], 0), ([900], 900), ([100, 1500], 1500), ([100, 3000], 1500), ([200] * 10, 160), ([50, 800, 800], 775)],
)
def test_what_is_signed_stands_whole_where_there_is_room(lengths: list[int], longest: int) -> None:
    """The reasons of waivers and gaps share the room of the certificate: only where they are too long they are cut."""
    assert certificate.fitting(["x" * length for length in lengths], 1_600) == longest


def test_a_long_reason_of_a_waiver_is_not_cut_on_the_certificate() -> None:
    """Both sides sign it."""
    reason = "a text that somebody took very seriously " * 12 + "and its end"
    results = samples.gaps()
    results["waivers"] = [{"clause": "proof.session.complete", "reason": reason, "until": None, "state": "used"}]
    page = html.render(results, {})
    assert "and its end" in page[page.index('id="waived-heading"') : page.index('id="sign-off"')]


def _with_gaps(number: int, text: str) -> dict[str, Any]:
    """A run in which so many more promises were not verified, for as many reasons."""
    results = samples.gaps()
    declared = {"gap": "declared", "section": "proof.auth"}
    results["clauses"] += [
        samples.clause(f"proof.auth.{n}", "proof.auth", "not_verified", f"{n} {text}", reason=f"no `x{n}`") | declared
        for n in range(number)
    ]
    results["counts"]["not_verified"] += number
    return results


def _first_sheet(results: dict[str, Any]) -> str:
    return html.render(results, {}).partition('id="sign-off"')[0]  # type: ignore[arg-type]


def test_what_was_not_verified_is_named_on_the_certificate() -> None:
    """By id and promise where all of them have room; else all by id, the required ones first: none is a mere number."""
    long = _with_gaps(40, "goes on and on " * 20)
    long["clauses"][-1]["level"] = "should"
    few, many = _first_sheet(_with_gaps(5, "is so.")), _first_sheet(long)
    assert all(f'href="#proof.auth.{n}">proof.auth.{n}</a>: {n} is so.</li>' in few for n in range(5))
    assert "no <code>x" not in few + many
    assert all(f'href="#proof.auth.{n}">proof.auth.{n}</a>' in many for n in range(40))
    assert "goes on" not in many
    assert "more promises" not in many
    assert many.index("Required: <a") < many.index("Recommended: <a")


def test_gaps_that_nobody_expected_are_named_where_they_are_signed() -> None:
    """What a budget left out of the recommendations is signed, too."""
    results = _with_gaps(1, "is so.")
    results["clauses"][-1] |= {"gap": "unexpected", "level": "should", "reason": "not tried within 250 requests"}
    assert 'href="#proof.auth.0">proof.auth.0</a> (should): 0 is so.</li>' in _first_sheet(results)


def test_what_has_no_room_is_counted() -> None:
    """Hundreds of promises do not push the signatures off the sheet."""
    results = _with_gaps(400, "is so.")
    sheet = certificate.certificate(results, outline(results))  # type: ignore[arg-type]
    assert len(sheet.promises) > 50
    assert sheet.more_promises > 200
    assert f"And {sheet.more_promises} more promises; " in _first_sheet(results)


def test_what_was_not_verified_is_named_before_a_waiver_has_its_reason() -> None:
    """Whoever signs with many waivers has all ids before them; each waiver stands with its promise."""
    results = _with_gaps(30, "is so.")
    waiver = {"clause": "proof.session.complete", "reason": "for long " * 60, "until": None, "state": "used"}
    results["waivers"] = [waiver] * 5
    shown = _first_sheet(results)
    (promise,) = (clause["text"] for clause in results["clauses"] if clause["id"] == "proof.session.complete")
    assert "more promises" not in shown
    assert f'href="#proof.session.complete">proof.session.complete</a>: {html.phrase(promise)} (used, ' in shown


def test_a_name_stands_whole_on_the_certificate() -> None:
    """Of a waiver and of the run: who owns, approved and asked is what is signed."""
    results = samples.gaps()
    name = "of the department for ramps, second floor, Example Payments (EU)"
    waiver = {"clause": "proof.session.complete", "reason": "ticket 1", "until": None, "state": "used"}
    results["waivers"] = [waiver | {"owner": f"Owner {name}", "approver": f"Approver {name}"}]
    results["subject"] = {"partner": f"P {name}", "build": f"B {name}", "requested_by": f"R {name}"}
    sheet = _first_sheet(results)
    assert [who for who in ("Owner", "Approver", "P", "B", "R") if f"{who} {name}" not in sheet] == []


def test_what_is_signed_is_never_cut() -> None:
    """A reason that is too long for its line on the certificate stands there whole, folded away."""
    results = samples.gaps()
    reason = "so it is, and so on " * 120 + "to the last word"
    results["waivers"] = [{"clause": "proof.session.complete", "reason": reason, "until": None, "state": "used"}]
    certificate = html.render(results, {}).partition('id="sign-off"')[0]
    assert certificate.count('<details class="fold">') == 1
    assert "to the last word" in certificate


NOTE = (
    "at most 250 requests were to be sent: those of the scenarios that find the most for them. Of 836 known kinds of "
    "defects that a run like this one finds, 101 were not looked for (proof.session 80, proof.auth 21); --thorough "
    "looks for all"
)
BUDGETED = {"selection": {"clauses": [], "keyword": "", "budget": 250}, "notes": [NOTE]}


def test_what_a_budget_left_out_stands_below_the_verdict() -> None:
    """Where "every required promise was verified" is read, on the page and on a pipeline's; not where all was sent."""
    results = samples.conformant() | BUDGETED
    banner = _first_sheet(results).partition('<dl class="facts">')[0]
    top = summary.render(results).partition("| Target |")[0]  # type: ignore[arg-type]
    for shown in (banner, top):
        assert "101 were not looked for" in shown
    whole = samples.conformant() | {"notes": [NOTE]}
    assert "101 were not looked for" not in _first_sheet(whole)
    broken = samples.results() | BUDGETED
    assert "101 were not looked for" not in _first_sheet(broken).partition('<dl class="facts">')[0]


def test_the_day_until_which_it_holds_is_that_of_the_first_waiver_to_end() -> None:
    """Among the facts, and where the two sides sign."""
    results = samples.gaps() | {"sign_off": {"valid_days": 90, "valid_until": "2027-02-25"}}
    page = html.render(results, {})  # type: ignore[arg-type]
    assert '<dt>Holds until</dt><dd><time datetime="2027-01-31">' in page
    assert "and hold until 2027-01-31, the last day of a waiver:" in page
    assert "2027-02-25" not in page.partition("</header>")[0]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, ("no owner", "no approver")),
        ({"owner": "", "approver": "Ms Roe"}, ("no owner", "approved by Ms Roe")),
        ({"owner": "API team", "approver": "Ms Roe"}, ("owned by API team", "approved by Ms Roe")),
    ],
)
def test_that_nobody_is_named_for_a_waiver_is_told(named: dict[str, str], told: tuple[str, str]) -> None:
    """On the certificate, below, and in the summary: such a waiver is one of nobody's."""
    results = samples.gaps()
    waiver = {"clause": "proof.session.complete", "reason": "ticket 1", "until": None, "state": "used"}
    results["waivers"] = [waiver | named]
    assert f"(used, without an end, {', '.join(told)}): ticket 1" in _first_sheet(results)
    names = [text.removeprefix("owned by ").removeprefix("approved by ") for text in told]
    below = html.render(results, {}).partition('<section id="waivers">')[2]  # type: ignore[arg-type]
    assert [name for name in names if f"<dd>{name}</dd>" not in below] == []
    assert f"| {names[0]} | {names[1]} | ticket 1 |" in summary.render(results)  # type: ignore[arg-type]


def test_no_waiver_is_said_to_be_of_both_sides() -> None:
    """The profile is one side's; a waiver in it says who agreed, or that nobody did."""
    assert "by both sides" not in outline(samples.results()).unsigned  # type: ignore[arg-type]
