"""Verdicts: what the journal says of a clause, what that makes of the run, and with which exit code it ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rampcheck.contract import register
from rampcheck.contract.profile import from_mapping
from rampcheck.errors import ExitCode
from rampcheck.judging.evidence import Account, collect
from rampcheck.judging.folding import folded_findings, pattern
from rampcheck.judging.verdicts import Scope, clause_results, has_gap, run_verdict
from rampcheck.judging.waivers import notes, states
from rampcheck.report.outline import answers_text
from rampcheck.running.conclusion import exit_code
from tests import samples

PROOF = register.load("proof")
TODAY = date(2026, 11, 21)
WHOLE = Scope(frozenset(PROOF.clauses), TODAY)
PROFILE = {"contract": "proof", "base_url": "http://127.0.0.1:9", "credentials": {"client_token": "token-of-nobody"}}
# A `must`, a `should` and an `open` clause that need nothing, and a `must` that needs more than a token.
MUST, SHOULD, OPEN, NEEDY = (
    "proof.auth.unknown-token",
    next(clause.id for clause in PROOF.clauses.values() if clause.level == "should" and not clause.needs),
    next(clause.id for clause in PROOF.clauses.values() if clause.level == "open" and not clause.needs),
    "proof.auth.inactive-token",
)
OPENED = [clause.id for clause in PROOF.clauses.values() if clause.level == "open" and not clause.needs][1]
LOST = "no answer within 10 s"


def exchanged(number: int, *held: str, status: int = 200, final: bool = True) -> dict[str, Any]:
    """A journal's record of an exchange, as far as it matters here."""
    return {
        "kind": "exchange",
        "direction": "outgoing",
        "final": final,
        "elapsed_ms": 30.0,
        "number": number,
        "held": list(held),
        "protocol": "http",
        "failure": None,
        "request": {"headers": []},
        "response": {"status": status},
    }


def held(clause: str, number: int) -> dict[str, Any]:
    """A scenario saw a clause hold."""
    return {"kind": "held", "clause": clause, "exchange": number, "scenario": "s"}


def found(clause: str, number: int | None, actual: str = "200, accepted", **members: Any) -> dict[str, Any]:
    """A clause was found broken."""
    return {
        "kind": "finding",
        "clause": clause,
        "expected": "401",
        "actual": actual,
        "exchange": number,
        "scenario": "s",
        "judge": "scenario",
        "about": [],
        "change": "",
        "times": 1,
        **members,
    }


def unjudged(clause: str, reason: str = LOST) -> dict[str, Any]:
    """A scenario gave up."""
    return {"kind": "unjudged", "clause": clause, "scenario": "s", "reason": reason}


def doubt(clause: str, number: int, signature: str = "403 forbidden", *, gateway: bool = False) -> dict[str, Any]:
    """A wrong refusal that did not come again."""
    return found(
        clause,
        number,
        f"refusal {signature}",
        about=["status"],
        signature=signature,
        gateway=gateway,
    ) | {"kind": "doubt"}


def result(clause: str, *records: dict[str, Any], scope: Scope = WHOLE, **profile: Any) -> dict[str, Any]:
    """The result of one clause in a run with these records."""
    results = clause_results(PROOF, from_mapping({**PROFILE, **profile}, {}), collect(records), scope)
    return next(entry for entry in results if entry["id"] == clause)


# What the journal says of a clause


def test_an_exchange_counts_once_for_a_clause() -> None:
    """Whatever judged a clause in an exchange, and however often, it was exercised once there."""
    records = [exchanged(1, MUST), held(MUST, 1), exchanged(2), held(MUST, 2), held(MUST, 2), exchanged(3, MUST)]
    assert result(MUST, *records)["exercised"] == 3
    broken = result(MUST, *records, found(MUST, 3), found(MUST, 3, "other"), found(MUST, 4), found(MUST, None))
    assert broken["exercised"] == 5


def test_what_the_whole_history_tested_counts_too() -> None:
    """How often an invariant of the run was put to the test comes on top, and its findings are among these times."""
    account = collect([exchanged(1, MUST), found(MUST, 2, judge="history")])
    account.clauses[MUST].times = 7
    assert account.clauses[MUST].exercised == 8


@pytest.mark.parametrize("clause", [MUST, SHOULD])
def test_what_was_left_unjudged_is_not_passed(clause: str) -> None:
    """A clause that something set out to try and could not is not verified, though it held elsewhere; it says both."""
    known = result(clause, exchanged(1, clause), held(clause, 2), unjudged(clause))
    assert (known["verdict"], known["gap"]) == ("not_verified", "unexpected")
    assert known["reason"] == f"{LOST}; it held 2 times elsewhere"
    assert result(clause, unjudged(clause))["reason"] == LOST
    assert result(clause, exchanged(1, clause))["verdict"] == "passed"


def test_what_is_broken_stays_broken() -> None:
    """A finding counts, whatever else was left unjudged; and what is open stays observed."""
    assert result(MUST, found(MUST, 1), unjudged(MUST))["verdict"] == "failed"
    observation = {"kind": "observation", "clause": OPEN, "actual": "200", "exchange": 1, "scenario": "s"}
    assert result(OPEN, observation, unjudged(OPEN))["verdict"] == "observed"


@pytest.mark.parametrize("judge", ["scenario", "history"])
def test_what_is_not_promised_cannot_be_broken(judge: str) -> None:
    """Of an open clause, as those of a later version are, whatever judges it tells what the target did."""
    known = result(OPEN, exchanged(1, OPEN), found(OPEN, 2, "seen", judge=judge, times=3))
    assert (known["verdict"], known["findings"], known["exercised"]) == ("observed", [], 4 if judge == "history" else 2)
    assert [seen["actual"] for seen in known["observations"]] == ["seen"]


def test_what_nothing_set_out_to_try_passes_where_it_held() -> None:
    """In production a scenario that is passed over leaves what else sees the clause hold alone; a gap is declared."""
    untried = {"kind": "untried", "clause": MUST, "scenario": "s", "reason": "not tried in production"}
    assert result(MUST, untried, exchanged(1, MUST))["verdict"] == "passed"
    known = result(MUST, untried)
    assert (known["gap"], known["reason"]) == ("declared", "not tried in production")


@pytest.mark.parametrize(
    ("clause", "scope", "gap", "reason"),
    [
        (NEEDY, WHOLE, "declared", "the profile lacks `credentials.inactive_client_token`"),
        (MUST, WHOLE, "unexpected", "nothing in this run exercised it"),
        (MUST, Scope(frozenset(PROOF.clauses), TODAY, ending="interrupted"), "unexpected", "the run was interrupted"),
        (MUST, Scope(frozenset(PROOF.clauses), TODAY, ending="early"), "unexpected", "the run ended before"),
        (MUST, Scope(frozenset({NEEDY}), TODAY, is_whole=False), "unselected", "not selected for this run"),
        (NEEDY, Scope(frozenset({MUST}), TODAY, is_whole=False), "unselected", "not selected for this run"),
    ],
)
def test_the_kind_of_a_gap(clause: str, scope: Scope, gap: str, reason: str) -> None:
    """A gap is declared where the profile lacks something, unselected where nobody asked, else unexpected."""
    known = result(clause, scope=scope)
    assert (known["verdict"], known["gap"]) == ("not_verified", gap)
    assert known["reason"].startswith(reason)


def test_only_a_gap_has_a_kind() -> None:
    """What was verified names no kind of gap."""
    assert "gap" not in result(MUST, exchanged(1, MUST))
    assert "gap" not in result(MUST, found(MUST, 1))


# Doubts


def test_one_wrong_refusal_is_a_note() -> None:
    """A wrong refusal that did not come again, by itself, breaks nothing, and is told."""
    account = collect([exchanged(1, status=403), doubt(MUST, 1), doubt(SHOULD, 1)])
    assert account.clauses[MUST].findings == []
    assert len(account.notes) == 1
    assert "(exchange 1)" in account.notes[0]


def test_a_second_one_of_its_kind_makes_findings_of_both() -> None:
    """Two wrong refusals of one kind in different exchanges are findings; one of another kind is not."""
    account = collect([doubt(MUST, 1), doubt(SHOULD, 2), doubt(NEEDY, 3, "404 not_found")])
    assert [finding.exchange for finding in account.clauses[MUST].findings] == [1]
    assert [finding.about for finding in account.clauses[SHOULD].findings] == [("status",)]
    assert account.clauses[NEEDY].findings == []


def test_of_wrong_refusals_now_and_then_only_what_met_most_is_blamed() -> None:
    """A target that refuses each second good request meets other promises besides, by chance and more than once."""
    account = collect([*(doubt(MUST, number) for number in (1, 2, 3)), doubt(SHOULD, 2), doubt(SHOULD, 4)])
    assert {clause: len(account.clauses[clause].findings) for clause in (MUST, SHOULD)} == {MUST: 3, SHOULD: 0}


def test_a_gateway_is_never_a_finding() -> None:
    """What came from something in front of the target never counts, however often; it is told once, with a count."""
    account = collect([doubt(MUST, number, gateway=True) for number in range(1, 8)])
    assert account.clauses[MUST].findings == []
    assert len(account.notes) == 1
    assert "exchanges 1, 2, 3 and 4 more" in account.notes[0]


def test_a_clause_of_which_much_was_anothers_is_not_verified() -> None:
    """Where one in five answers, and four at least, or one in eight of very many, were another's, it is not passed."""

    def verdict(api: int, foreign: int) -> tuple[str, str]:
        answers = [exchanged(number, MUST) for number in range(api)]
        entry = result(MUST, *answers, *(doubt(MUST, 1000 + number, gateway=True) for number in range(foreign)))
        return entry["verdict"], entry["reason"]

    assert verdict(17, 4) == ("passed", "")
    assert verdict(0, 3)[0] == "not_verified"
    assert verdict(3, 3) == ("passed", "")
    assert verdict(133, 19) == ("passed", "")
    assert verdict(141, 20) == ("passed", "")
    assert verdict(140, 20)[0] == "not_verified"
    refused, reason = verdict(16, 4)
    assert refused == "not_verified"
    assert "4 of 20 answers" in reason
    assert "it held 16 times elsewhere" in reason


@pytest.mark.parametrize(
    ("failed", "status", "verdict"),
    [(3, 503, "passed"), (4, 503, "not_verified"), (4, 502, "not_verified"), (40, 429, "passed")],
)
def test_a_target_that_often_fails_survives_nothing(failed: int, status: int, verdict: str) -> None:
    """Where so many requests met 5xx at first, that they were answered at last says nothing of what breaks a server."""
    asked = [exchanged(number) for number in range(20)]
    due = {"kind": "demand", "clause": MUST, "exchange": 1, "control": 0, "due": {"is": "below_500"}, "held": True}
    again = [exchanged(100 + number, status=status, final=False) for number in range(failed)]
    assert result(MUST, *asked, due, *again)["verdict"] == verdict


@pytest.mark.parametrize(("came", "verdict"), [((), "passed"), ((MUST,), "not_verified")])
def test_what_was_anothers_counts_where_the_clause_speaks_of_what_came_then(
    came: tuple[str, ...], verdict: str
) -> None:
    """A notice in place of a refusal says nothing of the promises about sessions; the way on never goes in a circle."""
    answers = [exchanged(number, MUST) for number in range(10)]
    instead = [doubt(MUST, number, gateway=True) for number in range(1000, 1004)]
    then = [exchanged(number, *came) for number in range(3000, 3004)]
    again = [
        {"kind": "again", "exchange": number + 1000, "of": number}
        for number in (*range(1000, 1004), *range(2000, 2004))
    ]
    circle = {"kind": "again", "exchange": 5, "of": 3000}
    assert result(MUST, *answers, *instead, *then, *again, circle)["verdict"] == verdict


def test_equal_notes_are_one() -> None:
    """A note that was written many times is told once, with its count."""
    note = {"kind": "note", "text": "a request that is no webhook of this run"}
    assert collect([note] * 7).notes == ["a request that is no webhook of this run (7 times)"]
    assert collect([note]).notes == ["a request that is no webhook of this run"]


def test_outages_and_faults_are_kept() -> None:
    """Outages come without their kind, each once, in the order of time."""
    late, early = (
        {"kind": "outage", **samples.OUTAGES[1], "began": f"2026-11-21T07:00:{second}Z"} for second in (40, 10)
    )
    account = collect([late, early, early, {"kind": "fault", "text": "ValueError"}])
    assert [outage["began"][-3:-1] for outage in account.outages] == ["10", "40"]
    assert "kind" not in account.outages[0]
    assert account.faults == ["ValueError"]


# Equal findings


def test_findings_that_differ_in_values_are_one() -> None:
    """A field wrong by a minute in 396 answers is one finding, with the count and three examples."""
    findings = [
        {
            "expected": f"`expiresAt` '2026-11-21T07:15:{n % 60:02}Z'",
            "actual": f"'07:14:{n % 60:02}'",
            "exchange": n,
            "scenario": "s",
            "times": 1,
        }
        for n in range(396)
    ]
    (one,) = folded_findings(findings)
    assert (one["times"], one["exchange"], one["expected"]) == (396, 0, findings[0]["expected"])
    assert [example["exchange"] for example in one["examples"]] == [0, 1, 2]
    assert all(set(example) == {"expected", "actual", "exchange", "scenario"} for example in one["examples"])


def test_equal_findings_need_no_examples() -> None:
    """The same, seen again with the same values, is one finding with a count, as it was."""
    seen = {"expected": "a", "actual": "b", "scenario": "", "times": 1}
    (one,) = folded_findings([{**seen, "exchange": number} for number in (3, 4)])
    assert one == {"expected": "a", "actual": "b", "exchange": 3, "scenario": "", "times": 2}


def test_what_was_seen_several_times_says_of_which_answers() -> None:
    """That all of them are 401 tells the reader where to look; of one alone, its exchange says it."""
    records = [exchanged(number, status=401) for number in (1, 2)] + [exchanged(3, status=403)]
    (finding,) = result(MUST, *records, *(found(MUST, number, "it is absent") for number in (1, 2)))["findings"]
    assert (finding["answers"], answers_text(finding)) == ({"401": 2}, "each answered with 401")
    (finding,) = result(MUST, *records, *(found(MUST, number, "it is absent") for number in (1, 2, 3)))["findings"]
    assert answers_text(finding) == "answered with 401 (2 times) and 403 (1 time)"
    (finding,) = result(MUST, *records, found(MUST, 1))["findings"]
    assert "answers" not in finding
    # Of one that the journal lacks nobody knows.
    (finding,) = result(MUST, *records, found(MUST, 1, "it is absent"), found(MUST, 9, "it is absent"))["findings"]
    assert answers_text(finding) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("401, error 'unauthorised'", "403, error 'unauthorised'"),
        ("no `code`", "no `error`"),
        ("absent", "null"),
        ("the partner's first, and the user's last", "the partner's first of the user's last"),
    ],
)
def test_findings_that_say_something_else_stay_apart(one: str, other: str) -> None:
    """Another status, another member or another word is another finding."""
    assert pattern(one) != pattern(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('amount "99.50"', 'amount "1"'),
        ("400, message 'it\\'s 5'", "400, message 'no'"),
        ("a body of 4096 characters", "a body of 12.5 characters"),
        ("-3", "7"),
        ("[redacted email 5be0c1]", "[redacted email ffffff]"),
    ],
)
def test_findings_that_differ_in_a_value_are_alike(one: str, other: str) -> None:
    """Quoted texts, numbers and the fingerprints of what is redacted are values."""
    assert pattern(one) == pattern(other)


# The run


def clause(verdict: str = "passed", level: str = "must", **members: Any) -> dict[str, Any]:
    """A clause's result, as far as the verdict of the run asks for it."""
    return {"id": MUST, "level": level, "verdict": verdict, "exercised": int(verdict != "not_verified"), **members}


GAP = {kind: clause("not_verified", gap=kind) for kind in ("declared", "unexpected", "unselected")}
PART = Scope(frozenset({MUST}), TODAY, is_whole=False)


@pytest.mark.parametrize(
    ("clauses", "scope", "options", "verdict"),
    [
        ([clause()], WHOLE, {}, "conformant"),
        ([clause(), clause("advisory", "should")], WHOLE, {}, "conformant"),
        ([clause(), GAP["declared"]], WHOLE, {}, "conformant_with_gaps"),
        ([clause(), GAP["declared"] | {"level": "should"}], WHOLE, {}, "conformant"),
        ([clause(), GAP["unexpected"]], WHOLE, {}, "incomplete"),
        ([clause(), GAP["unexpected"] | {"level": "should"}], WHOLE, {}, "conformant"),
        ([clause()], Scope(WHOLE.selected, TODAY, ending="interrupted"), {}, "incomplete"),
        ([clause()], Scope(WHOLE.selected, TODAY, ending="unfinished"), {}, "incomplete"),
        ([clause()], WHOLE, {"troubled": True}, "incomplete"),
        ([clause()], PART, {}, "partial"),
        ([clause(), GAP["unselected"]], PART, {}, "partial"),
        ([clause(), GAP["declared"]], PART, {}, "partial"),
        ([clause(), GAP["unexpected"]], PART, {}, "incomplete"),
        ([clause(), clause("failed")], PART, {}, "nonconformant"),
        ([clause(), clause("failed"), GAP["unexpected"]], WHOLE, {"troubled": True}, "nonconformant"),
        ([clause("failed")], Scope(WHOLE.selected, TODAY, ending="early"), {}, "nonconformant"),
        ([clause(), clause("advisory", "should")], WHOLE, {"strict": True}, "nonconformant"),
        ([clause()], WHOLE, {"strict": True, "waivers": [{"state": "stale"}]}, "nonconformant"),
        ([clause()], WHOLE, {"waivers": [{"state": "stale"}]}, "conformant"),
        ([clause()], WHOLE, {"strict": True, "waivers": [{"state": "used"}, {"state": "expired"}]}, "conformant"),
        ([clause()], Scope(WHOLE.selected, TODAY, ending="early"), {}, "inconclusive"),
        ([GAP["unexpected"]], WHOLE, {"troubled": True}, "inconclusive"),
        ([clause()], Scope(frozenset({NEEDY}), TODAY, is_whole=False), {}, "inconclusive"),
    ],
)
def test_the_verdict_of_a_run(
    clauses: list[dict[str, Any]],
    scope: Scope,
    options: dict[str, Any],
    verdict: str,
) -> None:
    """The run's verdict is the worst that its clauses, its end and its selection make of it."""
    assert run_verdict(clauses, scope, **options) == verdict


@pytest.mark.parametrize(
    ("results", "complete", "code"),
    [
        ({"verdict": "conformant"}, True, ExitCode.CONFORMANT),
        ({"verdict": "conformant_with_gaps", "clauses": [GAP["declared"]]}, False, ExitCode.CONFORMANT),
        ({"verdict": "conformant_with_gaps", "clauses": [GAP["declared"]]}, True, ExitCode.NONCONFORMANT),
        ({"verdict": "partial", "clauses": [GAP["unselected"]]}, True, ExitCode.CONFORMANT),
        ({"verdict": "partial", "clauses": [GAP["declared"]]}, True, ExitCode.NONCONFORMANT),
        ({"verdict": "incomplete", "clauses": [GAP["declared"]]}, True, 5),
        ({"verdict": "inconclusive"}, True, 5),
        ({"verdict": "nonconformant"}, False, ExitCode.NONCONFORMANT),
        ({"verdict": "nonconformant", "interrupted": True}, False, ExitCode.INTERRUPTED),
        ({"verdict": "incomplete", "interrupted": True}, False, ExitCode.INTERRUPTED),
        ({"verdict": "incomplete", "interrupted": True, "faults": ["x"]}, False, ExitCode.FAULT),
    ],
)
def test_the_exit_code_of_a_run(results: dict[str, Any], complete: bool, code: int) -> None:
    """A fault, an interruption and the verdict each have their code, in this order."""
    whole = {"faults": [], "interrupted": False, "clauses": [], "require_complete": complete, **results}
    assert exit_code(whole) == code


def test_a_gap_counts_where_it_is_required() -> None:
    """Only a gap in a `must` is one of the run."""
    assert has_gap([GAP["declared"]], "declared")
    assert not has_gap([GAP["declared"] | {"level": "should"}], "declared")


# Waivers


def test_the_state_of_a_waiver() -> None:
    """A waiver is used, stale where its clause held, expired after its day, untried where nothing is known.

    That of a clause that promises nothing, as of another version of the contract, may cover something there.
    """
    observation = {"kind": "observation", "clause": OPENED, "actual": "200", "exchange": 3, "scenario": "s"}
    waivers = [
        {"clause": MUST, "reason": "a"},
        {"clause": SHOULD, "reason": "b", "until": "2026-11-21"},
        {"clause": OPEN, "reason": "c", "until": "2026-11-20"},
        {"clause": NEEDY, "reason": "d"},
        {"clause": OPENED, "reason": "e"},
    ]
    profile = from_mapping({**PROFILE, "waivers": waivers}, {})
    account: Account = collect([found(MUST, 1), exchanged(2, SHOULD), observation])
    told = states(profile.waivers, clause_results(PROOF, profile, account, WHOLE), TODAY)
    nobody = {"owner": "", "approver": ""}
    assert told == [
        {"clause": MUST, "reason": "a", "until": None, "state": "used", **nobody},
        {"clause": SHOULD, "reason": "b", "until": "2026-11-21", "state": "stale", **nobody},
        {"clause": OPEN, "reason": "c", "until": "2026-11-20", "state": "expired", **nobody},
        {"clause": NEEDY, "reason": "d", "until": None, "state": "untried", **nobody},
        {"clause": OPENED, "reason": "e", "until": None, "state": "untried", **nobody},
    ]
    assert [SHOULD in note and "stale" in note for note in notes(told)] == [True, False]
    assert "ended on 2026-11-20" in notes(told)[1]
