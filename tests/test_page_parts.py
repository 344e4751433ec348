"""What the report's page is put together from, each by itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rampcheck.contract import profile_schema, register
from rampcheck.contract.profile import from_mapping
from rampcheck.judging.lacking import lacking
from rampcheck.report import html, summary
from rampcheck.report.additions import addition
from rampcheck.report.difference import differing
from rampcheck.report.extract import extract
from rampcheck.report.obstacles import obstacles
from rampcheck.report.outline import outline, unsigned
from rampcheck.report.questions import questions
from rampcheck.report.sights import Shelf
from rampcheck.sandbox import builtin_profile
from tests import samples

# What differs


def marked(expected: str, actual: str) -> tuple[list[str], list[str]]:
    """The pieces of both texts that are marked."""
    left, right = differing(expected, actual)
    assert ("".join(text for text, _ in left), "".join(text for text, _ in right)) == (expected, actual)
    return [text for text, differs in left if differs], [text for text, differs in right if differs]


@pytest.mark.parametrize(
    ("expected", "actual", "left", "right"),
    [
        ('amount "99.50"', 'amount "99.5"', ["50"], ["5"]),
        ("`lang`: \"en\"", '"fr"', ["en"], ["fr"]),
        ("401, code 'a' for a request without a token", "401, code 'b'", ["a"], ["b"]),
        ("a [redacted x 5be0c1] b", "a [redacted x 77e0d2] b", ["[redacted x 5be0c1]"], ["[redacted x 77e0d2]"]),
        ("one 1 three", "one 2 three", ["1"], ["2"]),
        ("the client token of this run", "another token of this run", [], []),
        ("`on`: true, as in exchange 12", "false, as in exchange 13", ["true"], ["false"]),
        ("text/html; charset=a for all", "application/json; charset=a for all", ["text/html"], ["application/json"]),
        ("it's the 'a' of two", "it's the 'b' of them", ["a"], ["b"]),
        ("200, accepted", "nothing of the kind", [], []),
        ("the envelope, also where it is refused", "403, whenever it was asked; all else held", [], []),
        ("'abc' (a string of 61 characters)", "'abd' (a string of 7 characters)", ["abc"], ["abd"]),
        ("the same", "the same", [], []),
        ("", "", [], []),
        ("x" * 3, "", [], []),
    ],
)  # fmt: skip
def test_what_differs_is_marked(expected: str, actual: str, left: list[str], right: list[str]) -> None:
    """The values differ where they are marked; of what has little in common nothing is, and no text is changed."""
    assert marked(expected, actual) == (left, right)


def test_long_texts_differ_between_their_ends() -> None:
    """What two long texts begin and end with is alike, and the rest is marked."""
    same = "word " * 100
    assert marked(f"{same}12 {same}", f"{same}13 {same}") == (["12"], ["13"])


# What the answer shows


def answered(body: str, **changes: Any) -> dict[str, Any]:
    """An exchange with this body in its answer."""
    return samples.exchange(1, 200, body, **changes)


@pytest.mark.parametrize(
    ("body", "about", "shown"),
    [
        ('{"a": 1, "b": [2], "c": 3}', ["body.b"], 'HTTP 200, {"b": [2], … 2 more}'),
        ('{"a": {"x": 1}}', ["body.a.x"], 'HTTP 200, {"a": {"x": 1}}'),
        ('{"a": 1}', ["body.missing"], ""),
        ('{"a": 1}', ["status", "body.error"], 'HTTP 200, {"a": 1}'),
        ("<html>\n  oops", ["body"], "HTTP 200, <html> oops"),
        ("[1]", ["body.a"], "HTTP 200, [1]"),
        ('{"a": 1}', ["status"], ""),
        ('{"a": 1}', [], ""),
        ("[" * 5_000, ["body.a"], "HTTP 200, " + "[" * 400 + "… (shortened; 5,000 characters in all)"),
    ],
)
def test_the_evidence_of_an_answer_is_shown(body: str, about: list[str], shown: str) -> None:
    """Of a body, the members that are wrong; all of it, where all of it is."""
    assert extract(answered(body), about) == shown


def test_what_has_no_answer_shows_none() -> None:
    """Neither silence nor bytes that are no text."""
    assert extract(answered("{}", response=None), ["body"]) == ""
    record = answered("/////w==")
    record["response"]["encoding"] = "base64"
    assert extract(record, ["body"]) == ""


def test_the_evidence_of_a_webhook_is_what_came() -> None:
    """Its answer is this run's own; and what a WebSocket tells, its messages show."""
    record = answered("")
    record["direction"], record["request"]["body"] = "incoming", '{"a": 1, "b": 2}'
    assert extract(record, ["body.a"]) == f'{record["request"]["method"]}, {{"a": 1, … 1 more}}'
    message = {"direction": "incoming", "at": "", "type": "text", "body": "{}", "encoding": "utf-8"}
    assert extract({**answered(""), "messages": [message]}, ["body"]) == ""


# What to add


def test_the_piece_of_profile_fills_every_gap() -> None:
    """What is offered for pasting is YAML, has what the declared gaps lack, and is a profile that is valid."""
    described = builtin_profile("proof", "http://127.0.0.1:1")
    scarce = {key: described[key] for key in ("contract", "base_url")}
    scarce["credentials"] = {"client_token": described["credentials"]["client_token"]}
    profile = from_mapping(scarce, {}, "a test")
    clauses = register.load("proof").clauses.values()
    gaps = [{"lacks": lacking(clause, profile)} for clause in clauses if clause.unmet(profile)]
    piece = yaml.safe_load(addition(gaps))
    piece["credentials"] |= scarce["credentials"]
    variables = {"PROOF_INACTIVE_CLIENT_TOKEN": "i" * 20, "PROOF_PREVIOUS_CLIENT_TOKEN": "p" * 20}
    variables["PROOF_SECOND_CLIENT_TOKEN"] = "s" * 20
    filled = from_mapping({**scarce, **piece}, variables, "a test")
    left = [clause.unmet(filled) for clause in clauses if clause.unmet(filled)]
    # A partner who may sell is asked for; one who may not is another.
    assert left == ["`partner.off_ramp: false` or `second_partner.off_ramp: false`"]


def test_a_place_has_an_example_of_its_own() -> None:
    """An example is found behind references, and a place that the schema does not know has none."""
    assert profile_schema.example("proof", "credentials.second_client_token") == "${PROOF_SECOND_CLIENT_TOKEN}"
    assert profile_schema.example("proof", "partner.widget_config.lang") == "en"
    assert profile_schema.example("proof", "partner.unheard.of") is None


def test_nothing_lacking_is_nothing_to_add() -> None:
    """Without a gap there is no piece of profile."""
    assert addition(samples.clauses()) == ""


# What stands in the way


def standing(results: dict[str, Any]) -> list[tuple[str, str]]:
    """What stands between a run and a signature."""
    return [(one.text, one.place) for one in obstacles(results, outline(results))]


def test_nothing_stands_between_what_conforms_and_a_signature() -> None:
    """Neither gaps that were declared nor waivers do."""
    assert standing(samples.conformant()) == []
    assert standing(samples.gaps()) == []


def test_each_cause_stands_in_the_way_once() -> None:
    """What follows from a cause is counted with it."""
    assert standing(samples.consequences() | {"faults": []}) == [
        ("proof.errors.envelope failed (and 2 more that follow)", "failed.proof.errors.envelope"),
        ("proof.session.amount-echo failed", "failed.proof.session.amount-echo"),
    ]


def test_an_incomplete_run_says_what_is_missing() -> None:
    """The outage, and what could not be tried for it."""
    assert standing(samples.incomplete()) == [
        ("The target stopped answering, and did not come back", "outage-1"),
        ("2 required promises not verified: the target stopped answering", "gaps-unexpected"),
    ]


@pytest.mark.parametrize("sample", [samples.results, samples.partial, samples.incomplete, samples.inconclusive])
def test_whatever_cannot_be_signed_says_why(sample: Any) -> None:
    """No run that cannot be signed is without an obstacle."""
    assert standing(sample())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"waivers": [{"clause": "proof.a", "state": "stale"}]}, "stale: the waiver of proof.a"),
        ({"counts": {"failed": 0, "advisory": 2}}, "2 recommendations not kept"),
        ({"counts": {"failed": 1, "advisory": 0}}, "The target breaks what is promised"),
    ],
)
def test_a_strict_run_is_not_said_to_break_a_promise(changes: dict[str, Any], told: str) -> None:
    """Where only --strict makes it fail, the reason is that, and what to do about it."""
    strict = {"verdict": "nonconformant", "counts": {"failed": 0, "advisory": 0}, "strict": True}
    why = unsigned(samples.conformant() | strict | changes)  # type: ignore[arg-type]
    assert told in why
    assert ("breaks what is promised" in why) is (changes.get("counts", {}).get("failed") == 1)


def test_a_missing_shard_is_no_early_end() -> None:
    """Nobody ended the run: a part of it is not there."""
    told = outline(samples.incomplete() | {"interrupted": False, "reason": "shard 2/2 is missing"}).early_end  # type: ignore[arg-type]
    assert told == "Not all of the run is here: shard 2/2 is missing."


# Questions, exchanges


def test_a_question_is_asked_once() -> None:
    """An ambiguity that touches several clauses is one question, with all that the target did there."""
    seen = [samples.observation("one way", 9), samples.observation("another", 17), samples.observation("one way", 3)]
    clauses = [
        samples.clause("proof.a", "proof.auth", "passed", "A.", ambiguities=["Which?"], observations=seen[:1]),
        samples.clause("proof.b", "proof.auth", "passed", "B.", ambiguities=["Which?"], observations=seen[1:]),
        samples.clause("proof.c", "proof.auth", "observed", "C is open.", observations=seen[:1]),
        samples.clause("proof.d", "proof.auth", "passed", "D."),
    ]
    found = [
        (one.text, one.clauses, tuple((told.actual, told.times) for told in one.answers))
        for one in questions(samples.results(clauses=clauses))
    ]
    assert found == [
        ("Which?", ("proof.a", "proof.b"), (("one way", 2), ("another", 1))),
        (
            "“C is open.” Does that go for what is shown below, too, and was each of it answered as it should be?",
            ("proof.c",),
            (("one way", 1),),
        ),
    ]


def test_what_the_target_did_is_told_under_one_question() -> None:
    """Of two ambiguities of one clause the second one points to the first."""
    seen = [samples.observation("one way", 9), samples.observation("another", 17)]
    clause = samples.clause(
        "proof.a", "proof.auth", "passed", "A.", ambiguities=["Which?", "How many?"], observations=seen
    )
    first, second = questions(samples.results(clauses=[clause]))
    assert [answer.actual for answer in first.answers] == ["one way", "another"]
    assert (second.answers, second.otherwise) == ((), "the same 2 answers as under question 1")


def test_a_table_of_the_summary_has_a_row_for_each_clause() -> None:
    """Also for one of which there is nothing to tell; what is put in brackets stands apart from what is before it."""
    seen = samples.observation("one way", 9)
    clauses = [
        samples.clause("proof.a", "proof.auth", "observed", "A.", observations=[seen]),
        samples.clause("proof.b", "proof.auth", "observed", "B."),
        samples.clause(
            "proof.c",
            "proof.auth",
            "failed",
            "C.",
            findings=[
                samples.finding("1", "2", 9, 2)
                | {"examples": [{"expected": "1", "actual": actual, "exchange": 9, "scenario": ""} for actual in "23"]}
            ],
        ),
    ]
    told = summary.render(samples.results(clauses=clauses, verdict="nonconformant"))
    rows = [line for line in told.splitlines() if line.startswith(("| proof.a", "| proof.b"))]
    assert "Observed: 2 clauses" in told
    assert len(rows) == 2
    assert "| 2 (2 times with different values, also: 3) |" in told


def test_an_exchange_for_which_there_is_no_room_stays_in_the_journal() -> None:
    """The page stays bounded: what does not fit is named, and not linked."""
    shelf = Shelf(samples.exchanges(), room=8_000)
    taken = {number: shelf.sight(samples.observation("x", number)).place for number in (17, 23, 3, 17, 4, None)}
    assert taken == {17: "elsewhere", 23: "journal", 3: "here", 4: "lost", None: ""}


def test_answers_are_counted_where_that_can_be_told() -> None:
    """Seen in n of m answers; more findings than answers tell nothing."""
    finding = samples.finding("a", "b", 17, 3)
    clause = samples.clause("proof.a", "proof.auth", "failed", "A.", findings=[finding])
    assert Shelf({}).views([clause])["proof.a"].share == "3 of 12"
    assert Shelf({}).views([clause | {"exercised": 2}])["proof.a"].share == ""


def test_the_other_side_of_a_disagreement_stands_beside_it() -> None:
    """The exchange that a finding names besides its own is shown with it, once; one that is not there is not."""
    shelf = Shelf(samples.exchanges())
    finding = {
        "expected": "`status`: 'completed', as in exchange 9",
        "actual": "'failed' in exchange 17 and exchange 4711",
        "exchange": 17,
        "scenario": "",
    }
    sight = shelf.sight(finding)  # type: ignore[arg-type]
    assert [(other.exchange, other.place, other.evidence is not None) for other in sight.beside] == [(9, "here", True)]
    assert [other.place for other in shelf.sight(finding).beside] == ["elsewhere"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([("`amount`: ", False), ("1", True)], "<code>amount</code>: <mark>1</mark>"),
        ([("`a ", False), ("b` c", True)], "<code>a </code><mark><code>b</code></mark><mark> c</mark>"),
        ([("a ` alone", False)], "a ` alone"),
        ([("`<b>`", False)], "<code>&lt;b&gt;</code>"),
    ],
)
def test_backticks_set_off_code(parts: list[tuple[str, bool]], shown: str) -> None:
    """Also where what differs begins or ends inside; one without its fellow is a character like any other."""
    assert html.pieces(parts) == shown


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("shard 2/4 is missing", "a part of it is not there"),
        ("shard 2/4 was interrupted", "a part of it is not there"),
        ("the time that it may take was spent", "it ended before everything was tried"),
    ],
)
def test_what_a_merged_run_lacks_is_told_as_that(reason: str, told: str) -> None:
    """The shards that are there came to their end."""
    sentence = outline({**samples.results(), "verdict": "incomplete", "reason": reason, "faults": []}).sentence
    assert told in sentence
    assert ("before everything" in sentence) is ("before everything" in told)
