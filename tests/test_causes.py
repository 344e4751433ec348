"""A finding is folded under another only where that one explains it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rampcheck.contract import descriptor, packs, register
from rampcheck.contract.profile import Partner, from_mapping
from rampcheck.contract.register import Cause
from rampcheck.contract.yaml_file import read_yaml
from rampcheck.judging import suite
from rampcheck.judging.causes import follows
from rampcheck.judging.demands import Rejection
from rampcheck.judging.evidence import Account
from rampcheck.judging.findings import Finding, Judge
from rampcheck.judging.invariants import json_media_type, json_object, same
from rampcheck.judging.schema import SchemaJudge
from rampcheck.judging.suite import BODY, STATUS, Broken, member
from rampcheck.judging.verdicts import Scope, clause_results
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import Journal, from_record
from rampcheck.wire.redaction import Redactor
from tests import samples
from tests.runs import rampcheck

PROOF = register.load("proof")
INVALID_TOKEN = Rejection([401], {"error": ["unauthorised"], "code": ["invalid_token", "missing_token"]})
PROFILE = {"contract": "proof", "base_url": "http://127.0.0.1:9", "credentials": {"client_token": "token-of-nobody"}}


def answered(body: Any, status: int = 200, **changes: Any) -> Exchange:
    """An exchange in which the session endpoint answered with a body, JSON unless it is a text."""
    text = body if isinstance(body, str) else json.dumps(body)
    return from_record(samples.exchange(1, status, text, final=True, path="/widget/session", **changes))


def by_schema(exchange: Exchange, clause: str) -> set[str]:
    """What the schema's finding against a clause is about."""
    violations = SchemaJudge(PROOF).judge(exchange)[1]
    return set(next(violation for violation in violations if violation.clause == clause).about)


def members(*names: str) -> set[str]:
    """These members and nothing else."""
    return set(map(member, names))


# What a finding is about


def test_a_missing_or_mistyped_member_is_named() -> None:
    """A violation of the schema is about the members that are missing, or the one that is of a wrong type."""
    lacking = {name: value for name, value in samples.SESSION.items() if name not in ("lang", "theme")}
    assert by_schema(answered(lacking), "proof.session.complete") == members("lang", "theme")
    mistyped = answered(samples.SESSION | {"amount": 99.5})
    assert by_schema(mistyped, "proof.session.complete") == members("amount")
    nested = answered(samples.SESSION | {"currencies": ["USDT", 1]})
    assert by_schema(nested, "proof.session.complete") == members("currencies")


@pytest.mark.parametrize("body", [[samples.SESSION], "<html>", "null"])
def test_what_is_no_object_is_wrong_as_a_whole(body: Any) -> None:
    """An answer that is no JSON object is wrong as a whole, to the schema and to the invariant."""
    assert by_schema(answered(body), "proof.session.complete") == {BODY}
    problem = json_object(answered(body), Partner())
    assert problem is not None
    assert problem.about == (BODY,)


def test_a_wrong_media_type_explains_nothing_of_the_body() -> None:
    """A finding against the Content-Type is about no part of the body."""
    answer = samples.exchange(1)["response"] | {"headers": [["content-type", "text/plain"]]}
    problem = json_media_type(answered(samples.SESSION, response=answer), Partner())
    assert isinstance(problem, Broken)
    assert problem.about == ()


def test_a_comparison_is_about_its_member() -> None:
    """A finding by comparison is about the member compared, and about none that its values happen to name."""
    problem = same("lang", "the `theme`", "en")
    assert problem is not None
    assert problem.about == (member("lang"),)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": "unauthorised", "message": "no"}, members("code")),
        (401, {"error": "unauthorized", "code": "invalid_token"}, members("error")),
        (401, {"error": "unauthorised", "code": 7}, members("code")),
        (401, "<html>", members("error", "code")),
        (403, {"error": "unauthorised", "code": "missing_token"}, {STATUS}),
        (500, [], {STATUS, *members("error", "code")}),
        (200, samples.SESSION, {STATUS, *members("error", "code")}),
    ],
)
def test_a_wrong_refusal_is_about_what_differs(status: int, body: Any, expected: set[str]) -> None:
    """A refusal other than promised is about the status, if that differs, and the members that differ."""
    assert set(INVALID_TOKEN.differs(answered(body, status))) == expected


def test_any_4xx_is_the_status_promised() -> None:
    """Where any 4xx is promised, another 4xx does not differ, and a 5xx does."""
    codes = Rejection(members={"code": ["X"]})
    assert set(codes.differs(answered({"code": "Y"}, 422))) == members("code")
    assert codes.differs(answered({"code": "X"}, 500)) == (STATUS,)


# Which clauses follow


def finding(clause: str, *about: str, exchange: int | None = 1) -> Finding:
    """A finding against a clause; about the member `a`, unless it is said."""
    return Finding(clause, "1", "2", exchange, "", "invariant", about or (A,))


def of_nothing(clause: str) -> Finding:
    """A finding that is about a header or the course of things."""
    return Finding(clause, "1", "2", 1, "")


CAUSES = (
    Cause("c.json", frozenset({"c.complete", "c.echo"})),
    Cause("c.complete", frozenset({"c.echo", "c.same"})),
    Cause("c.event", frozenset({"c.agrees"}), several=True),
)
A, B = member("a"), member("b")


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([finding("c.complete"), finding("c.echo")], {"c.echo": "c.complete"}),
        ([finding("c.echo"), finding("c.complete")], {"c.echo": "c.complete"}),
        ([finding("c.complete", B, A), finding("c.echo")], {"c.echo": "c.complete"}),
        ([finding("c.complete"), finding("c.echo", exchange=2)], {}),
        ([finding("c.complete", exchange=None), finding("c.echo", exchange=None)], {}),
        ([finding("c.complete", B), finding("c.echo")], {}),
        ([finding("c.complete"), finding("c.echo", A, B)], {}),
        ([finding("c.complete"), of_nothing("c.echo")], {}),
        ([finding("c.complete"), finding("c.other")], {}),
        ([finding("c.complete"), finding("c.echo"), finding("c.echo", B)], {}),
        ([finding("c.complete"), finding("c.echo"), finding("c.echo", exchange=2)], {}),
        ([finding("c.echo"), finding("c.same")], {}),
        ([finding("c.event"), finding("c.agrees")], {"c.agrees": "c.event"}),
        ([finding("c.event", BODY), finding("c.agrees")], {}),
        ([finding("c.json", BODY), finding("c.echo", STATUS, A)], {}),
        ([finding("c.json", STATUS, BODY), finding("c.echo", STATUS, A)], {"c.echo": "c.json"}),
        ([finding("c.complete", STATUS, A), finding("c.echo", STATUS)], {"c.echo": "c.complete"}),
        ([finding("c.complete"), finding("c.echo", STATUS)], {}),
        (
            [finding("c.json", BODY), finding("c.complete", BODY), finding("c.same")],
            {"c.complete": "c.json", "c.same": "c.json"},
        ),
    ],
    ids=[
        "a member",
        "in any order",
        "one of its members",
        "another exchange",
        "no exchange",
        "another member",
        "a member more",
        "no member",
        "a clause not named",
        "a finding of its own",
        "a finding of its own in another exchange",
        "no cause",
        "one message of several",
        "another message",
        "another status",
        "a crash",
        "the same status",
        "a status more",
        "a chain",
    ],
)
def test_what_follows(findings: list[Finding], expected: dict[str, str]) -> None:
    """A clause follows where each finding has an explanation in its exchange, and then from the root of it."""
    assert follows(CAUSES, findings) == {clause: (root,) for clause, root in expected.items()}


def test_the_root_of_most_findings_counts() -> None:
    """Where findings follow from different roots, it is that of most, and of equals the first in the table."""
    one, other = (
        [finding("c.json", BODY), finding("c.echo", exchange=1)],
        [finding("c.complete", exchange=2), finding("c.echo", exchange=2)],
    )
    assert follows(CAUSES, other + one) == {"c.echo": ("c.json", "c.complete")}
    third = [finding("c.complete", exchange=3), finding("c.echo", exchange=3)]
    assert follows(CAUSES, one + other + third) == {"c.echo": ("c.complete", "c.json")}


# One fault in several places

PREFIX = (Cause("c.token", frozenset({"c.status", "c.kyc"}), anywhere=True), Cause("c.id", frozenset({"c.status"})))
OUTCOMES = {1: "accepted", 2: "accepted", 3: "403", 4: "403", 5: "timeout"}


def changed(clause: str, exchange: int | None, change: str = "half a token") -> Finding:
    """A finding against what became of a request with something changed."""
    return Finding(clause, "401", "200", exchange, "", about=(STATUS,), change=change)


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([changed("c.token", 1), changed("c.status", 2)], {"c.status": ("c.token",)}),
        ([changed("c.kyc", 4), changed("c.token", 3)], {"c.kyc": ("c.token",)}),
        ([changed("c.token", 1), changed("c.status", 3)], {}),
        ([changed("c.token", 3), changed("c.status", 5)], {}),
        ([changed("c.token", 1), changed("c.status", 2, "no token")], {}),
        ([changed("c.token", 1, ""), changed("c.status", 2, "")], {}),
        ([changed("c.token", None), changed("c.status", 2)], {}),
        ([changed("c.token", 9), changed("c.status", 8)], {}),
        ([changed("c.id", 1), changed("c.status", 2)], {}),
        ([changed("c.token", 1), changed("c.status", 2), changed("c.status", 4)], {}),
        (
            [changed("c.token", 1), changed("c.token", 3), changed("c.status", 2), changed("c.status", 4)],
            {"c.status": ("c.token",)},
        ),
    ],
    ids=[
        "both accepted",
        "one status",
        "accepted here, refused there",
        "another end",
        "another change",
        "no change",
        "no exchange",
        "unknown exchanges",
        "a cause of one exchange",
        "one of two",
        "both",
    ],
)
def test_one_fault_in_several_places_is_one(findings: list[Finding], expected: dict[str, tuple[str, ...]]) -> None:
    """A cause marked so explains what the same change of another request led to, where both ended alike."""
    assert follows(PREFIX, findings, OUTCOMES) == expected


@pytest.mark.parametrize("name", descriptor.contracts())
def test_the_causes_of_a_register_fit_together(name: str) -> None:
    """Each cause is a `must` of the register, every pattern matches a clause, and nothing explains itself."""
    loaded = register.load(name)
    assert loaded.causes
    assert {cause.clause: loaded.clauses[cause.clause].level for cause in loaded.causes} == {
        cause.clause: "must" for cause in loaded.causes
    }
    for entry in read_yaml(packs.of(name).document(name, "clauses"))["causes"]:
        assert all(loaded.selected([pattern]) for pattern in entry["explains"])
    below = {cause.clause: set(cause.explains) for cause in loaded.causes}
    assert len(below) == len(loaded.causes)
    while free := [clause for clause, those in below.items() if not those & below.keys()]:
        for clause in free:
            del below[clause]
    assert below == {}, "these explain each other in a circle"


# What a run makes of it


def results(waivers: list[dict[str, str]], *findings: Finding) -> dict[str, dict[str, Any]]:
    """The results of the clauses with these findings, by id."""
    account = Account()
    for one in findings:
        account.clauses[one.clause].findings.append(one)
    profile = from_mapping({**PROFILE, "waivers": waivers}, {})
    scope = Scope(frozenset(PROOF.clauses), date(2026, 11, 21))
    return {result["id"]: result for result in clause_results(PROOF, profile, account, scope)}


def test_the_result_of_a_clause_names_its_root() -> None:
    """A clause that follows keeps verdict and findings, and names its root; the root names none."""
    found = results([], finding("proof.session.complete"), finding("proof.session.amount-echo"))
    echo = found["proof.session.amount-echo"]
    assert (echo["verdict"], echo["follows"], len(echo["findings"])) == ("failed", "proof.session.complete", 1)
    assert "follows" not in found["proof.session.complete"]


def test_what_follows_from_a_waived_cause_is_waived_in_consequence() -> None:
    """Under a waived cause, what follows is waived too, and says from what it follows."""
    found = results(
        [{"clause": "proof.session.complete", "reason": "agreed"}],
        finding("proof.session.complete"),
        finding("proof.session.amount-echo"),
    )
    echo = found["proof.session.amount-echo"]
    assert (echo["verdict"], echo["follows"]) == ("waived", "proof.session.complete")
    assert echo["reason"] == "in consequence of proof.session.complete, which is waived: agreed"
    assert "follows" not in found["proof.session.complete"]


@pytest.mark.parametrize("own", [B, STATUS])
def test_a_waived_cause_covers_no_finding_of_its_own(own: str) -> None:
    """A clause with one finding that the waived cause does not explain fails, whatever the others follow from."""
    found = results(
        [{"clause": "proof.session.complete", "reason": "agreed"}],
        finding("proof.session.complete"),
        finding("proof.session.amount-echo"),
        finding("proof.session.amount-echo", own),
    )
    assert found["proof.session.amount-echo"]["verdict"] == "failed"


def test_what_has_a_failed_root_too_fails() -> None:
    """Of two causes one is waived and one is not: what follows from both has failed, and follows from the latter."""
    found = results(
        [{"clause": "proof.session.json", "reason": "agreed"}],
        finding("proof.session.json", BODY),
        finding("proof.session.config-stable"),
        finding("proof.session.json", BODY, exchange=2),
        finding("proof.session.config-stable", exchange=2),
        finding("proof.session.complete", exchange=3),
        finding("proof.session.config-stable", exchange=3),
    )
    stable = found["proof.session.config-stable"]
    assert (stable["verdict"], stable["follows"]) == ("failed", "proof.session.complete")


def test_a_waived_clause_is_folded_under_no_cause() -> None:
    """A clause with a waiver of its own stays waived where its cause fails."""
    found = results(
        [{"clause": "proof.session.amount-echo", "reason": "agreed"}],
        finding("proof.session.complete"),
        finding("proof.session.amount-echo"),
    )
    assert {result["verdict"] for result in found.values() if result["findings"]} == {"waived", "failed"}
    assert not any("follows" in result for result in found.values())


def test_the_smallest_example_keeps_what_it_follows_from(tmp_path: Path) -> None:
    """Of generated requests, what else was broken in the exchange of a clause's last finding is kept, and no more."""
    journal = Journal(tmp_path / "journal.jsonl", Redactor(b"key"), frozenset())
    judge = Judge(PROOF, suite.load("proof"), from_mapping(PROFILE, {}), journal)
    first, second, third = (from_record(samples.exchange(number, final=True, path="/")) for number in (1, 2, 3))
    with judge.shrinking():
        for exchange in (first, second, third):
            judge.broken("proof.errors.envelope", "`code`: 1", "2", exchange)
        judge.broken("proof.auth.unknown-token", "401", "403", second)
    journal.close()
    assert [(kept.clause, kept.exchange) for kept in judge.findings] == [
        ("proof.errors.envelope", 2),
        ("proof.errors.envelope", 3),
        ("proof.auth.unknown-token", 2),
    ]


@pytest.mark.parametrize(
    ("defect", "arguments", "cause", "followers"),
    [
        (
            "kryptonim:code-missing-on-invalid-request",
            ["--clause=kryptonim.session.request.network-supported"],
            "kryptonim.errors.envelope",
            {"kryptonim.session.request.network-supported"},
        ),
        (
            "kryptonim:both-amounts-crash",
            ["--clause=kryptonim.session.request.amount-exclusive"],
            "kryptonim.session.request.no-server-error",
            {"kryptonim.session.request.amount-exclusive", "kryptonim.session.request.amount-positive"},
        ),
        ("proof:session-in-array", ["-k", "every_two_choices"], "proof.session.json", {"proof.session.complete"}),
        (
            "proof:amount-as-number",
            ["-k", "every_two_choices"],
            "proof.session.complete",
            {"proof.session.amount-echo"},
        ),
        (
            "proof:unauthorised-in-american",
            ["--clause=proof.auth.unknown-token"],
            "proof.errors.matrix",
            {f"proof.auth.{name}" for name in ("bearer-required", "bearer-scheme", "inactive-token", "unknown-token")},
        ),
        (
            "proof:wallet-error-as-page",
            ["--clause=proof.session.request.wallet-provisioned"],
            "proof.errors.envelope",
            {"proof.session.request.wallet-provisioned", "proof.errors.media-type"},
        ),
        (
            "proof:poll-without-token-not-found",
            ["-k", "question_without_a_good_token or every_endpoint"],
            "proof.transaction.auth",
            {"proof.auth.bearer-scheme", "proof.auth.inactive-token"},
        ),
        (
            "proof:ws-with-any-token",
            ["-k", "upgrade_without_a_good_token or every_endpoint"],
            "proof.ws.auth",
            {"proof.auth.inactive-token"},
        ),
        (
            "proof:sell-refused-off-first-pair",
            ["-k", "every_two_choices"],
            "proof.session.request.sell-enabled",
            set(),
        ),
        (
            "kryptonim:metadata-refused-with-crypto-amount",
            ["-k", "every_two_choices"],
            "kryptonim.session.request.metadata",
            set(),
        ),
    ],
)
def test_a_run_leads_with_the_cause(
    defect: str,
    arguments: list[str],
    cause: str,
    followers: set[str],
    tmp_path: Path,
) -> None:
    """Of a defect that breaks many promises, one is named first, and the others as its consequence."""
    name, _, defect = defect.partition(":")
    done = rampcheck("--contract", name, "--defect", defect, *arguments, folder=tmp_path / "run")
    broken = done.verdicts("failed", "advisory")
    assert {clause: done.clause(clause).get("follows") for clause in broken} == {
        cause: None,
        **dict.fromkeys(followers, cause),
    }
    assert done.code == 1
    assert "breaks 1 promise of the documentation" in " ".join(done.printed.split())
    assert ("in consequence" in done.printed) is bool(followers)


def test_a_finding_says_what_saw_it_and_where(tmp_path: Path) -> None:
    """The schema, an invariant, one of the whole run, a scenario: each names itself, and the parts that are wrong."""
    defects = ["amount-as-number", "token-in-error-message", "unknown-token-forbidden"]
    done = rampcheck(
        "--contract",
        "proof",
        *(f"--defect={name}" for name in defects),
        "-k",
        "every_two_choices or issued",
        folder=tmp_path / "run",
    )
    seen = {(found["judge"], *found["about"]) for clause in done.results["clauses"] for found in clause["findings"]}
    assert seen == {
        ("schema", "body.amount"),
        ("invariant", "body.amount"),
        ("history",),
        ("scenario", "status", "body.error", "body.code"),
    }


def test_a_run_folds_nothing_that_has_a_reason_of_its_own(tmp_path: Path) -> None:
    """Two defects that show in the same exchanges stay two."""
    done = rampcheck(
        "--contract",
        "proof",
        "--defect",
        "theme-missing",
        "--defect",
        "amount-without-trailing-zeros",
        "-k",
        "choices",
        folder=tmp_path / "run",
    )
    failed = done.verdicts("failed")
    assert {"proof.session.complete", "proof.session.amount-echo"} <= failed.keys()
    assert not any("follows" in done.clause(clause) for clause in failed)
