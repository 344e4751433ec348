"""What is believed of a refusal or of silence: what comes again, with an accepted control between; real sockets."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

import pytest

from rampcheck.errors import BudgetSpent, ContractError, RunOver, TargetGone, Unjudged
from rampcheck.judging.demands import Rejection
from rampcheck.judging.doubts import ENOUGH
from rampcheck.wire.transport import MAX_RESPONSE_BYTES
from tests.answering import SESSION, answer
from tests.believed import SUSPECT, Open, found, on, records
from tests.scripted import PAGE, REFUSED, Away, Late, Respond, scripted, well

SURVIVES = "proof.session.request.no-server-error"
ACCEPTS = "proof.session.request.client-ip-optional"
REQUIRED = "proof.session.request.required.amount"
FORMS = "proof.session.request.client-ip-optional"
UNAUTHORISED = answer(
    401,
    "Content-Type: application/json",
    "X-Request-Id: r",
    body='{"error":"unauthorised","code":"invalid_token","message":"z"}',
)
GATEWAY = "proof.errors.gateway-envelope"


@pytest.mark.parametrize(
    ("respond", "convicted"),
    [
        (on(SUSPECT, then=None), True),
        (on(SUSPECT, then=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"), True),
        (on(SUSPECT, None), False),
        (on(SUSPECT, None, None), False),
        (on(SUSPECT, None, None, REFUSED), False),
        (lambda _: SESSION, False),
    ],
    ids=["dropped each time", "cut short each time", "dropped once", "dropped twice", "then refused", "well"],
)
def test_silence_counts_if_it_comes_again(opened: Open, respond: Respond, convicted: bool) -> None:
    """A request that is not answered again, after a control that was, breaks the promise of an answer."""
    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_survived(clause=SURVIVES)
    assert (SURVIVES in found(target)) == convicted
    if convicted:
        (finding,) = [record for record in records(target, "finding") if record["clause"] == SURVIVES]
        assert "the control between them was answered" in finding["actual"]


def test_silence_is_no_more_of_the_errors_before_it(opened: Open) -> None:
    """What is dropped once, after 500s that are believed at once by now, is asked again: it may be dropped for them."""
    bystander = f"{SUSPECT}-no-more"
    dropped = on(bystander, None)

    def respond(body: dict[str, Any]) -> bytes | None:
        return answer(500) if body["partner_user_id"] == SUSPECT else dropped(body)

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        accepted = target.accepted()
        for _ in range(ENOUGH + 1):
            accepted.but(partner_user_id=SUSPECT).is_survived(clause=SURVIVES)
        accepted.but(partner_user_id=bystander).is_survived(clause=SURVIVES)
    of_these = [record["actual"] for record in records(target, "finding") if record["clause"] == SURVIVES]
    assert len(of_these) == ENOUGH + 1
    assert all(actual.startswith("500") for actual in of_these)


def long(status: str) -> bytes:
    """Gives an answer that is longer than this client reads."""
    body = b'{"note":"' + b"x" * MAX_RESPONSE_BYTES + b'"}'
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("status", "convicted"),
    [("200 OK", False), ("413 Content Too Large", False), ("500 Internal Server Error", True)],
)
def test_an_answer_that_is_longer_than_what_is_read_is_one(opened: Open, status: str, convicted: bool) -> None:
    """Its status came, and says whether the target survived; nothing else is said of what was not read."""
    with scripted(on(SUSPECT, *[long(status)] * 5)) as (base_url, _):
        target = opened(base_url)
        attempt = target.accepted().but(partner_user_id=SUSPECT)
        exchange = attempt.is_survived(clause=SURVIVES)
        assert exchange.is_too_long
        if not convicted:
            with pytest.raises(Unjudged, match="is larger than"):
                attempt.is_accepted(clause=SURVIVES)
    assert found(target) == ({SURVIVES} if convicted else set())
    of_it = [record for record in records(target, "finding") if record["exchange"] == exchange.number]
    assert {record["judge"] for record in of_it} <= {"scenario"}


def late(times: int) -> Respond:
    """Makes the server that gives no answer to so many requests of the suspect, and keeps the connection open."""
    left = [times]

    def respond(body: dict[str, Any]) -> bytes | None:
        if body.get("partner_user_id") == SUSPECT and left[0]:
            left[0] -= 1
            raise Late
        return well(body)

    return respond


@pytest.mark.parametrize(("times", "convicted"), [(1, False), (2, False), (99, True)])
def test_what_is_late_is_slow_until_it_comes_three_times(opened: Open, times: int, convicted: bool) -> None:
    """A slow tail hits one request twice where there are some hundred."""
    with scripted(late(times)) as (base_url, _):
        target = opened(base_url, limits={"recovery_seconds": 5, "timeout_seconds": 0.3})
        target.accepted().but(partner_user_id=SUSPECT).is_survived(clause=SURVIVES)
    assert (SURVIVES in found(target)) == convicted


@pytest.mark.parametrize("demand", ["refused", "accepted"])
def test_silence_breaks_what_was_demanded_too(opened: Open, demand: str) -> None:
    """Where an acceptance or a refusal was due, its own clause is broken with the promise of an answer."""
    with scripted(on(SUSPECT, then=None)) as (base_url, _):
        target = opened(base_url)
        attempt = target.accepted().but(partner_user_id=SUSPECT)
        attempt.is_refused(Rejection([400]), clause=REQUIRED) if demand == "refused" else attempt.is_accepted(
            clause=FORMS
        )
    assert found(target) == {SURVIVES, REQUIRED if demand == "refused" else FORMS}


@pytest.mark.parametrize("proxy", ["127.0.0.1:9", "proxy.invalid:3128"])
def test_a_way_out_that_fails_says_nothing_of_the_target(opened: Open, proxy: str) -> None:
    """The control goes another way, and is answered; the proxy that is not there is the machine's affair."""
    with scripted(well) as (base_url, _):
        target = opened(base_url, egress={"outside_proxy": f"http://{proxy}"})
        with pytest.raises(Unjudged, match="proxy"):
            target.accepted().from_outside().is_refused(Rejection([403]), clause=REQUIRED)
    assert found(target) == set()


@pytest.mark.parametrize("judgement", ["is_accepted", "is_survived", "is_observed", "is_refused"])
def test_a_judgement_is_of_the_clause_that_the_scenario_verifies(opened: Open, judgement: str) -> None:
    """It names another one where the scenario verifies several."""
    with scripted(well) as (base_url, _):
        target = opened(base_url)
        attempt = target.accepted().unchanged()
        judge = getattr(attempt, judgement)
        arguments = [Rejection([200])] if judgement == "is_refused" else []
        target.judge.begin("test_of_one", [FORMS])
        judge(*arguments)
        target.judge.begin("test_of_two", [FORMS, SURVIVES])
        judge(*arguments, clause=SURVIVES)
        with pytest.raises(ContractError, match="test_of_two verifies 2 clauses"):
            judge(*arguments)
    kind = "observation" if judgement == "is_observed" else "demand"
    assert [record["clause"] for record in records(target, kind)] == [FORMS, SURVIVES]


@pytest.mark.parametrize(
    ("answers", "convicted"),
    [
        ((REFUSED, SESSION), False),
        ((PAGE, SESSION), False),
        ((PAGE, PAGE, SESSION), False),
        ((answer(408), SESSION), False),
        ((answer(302, "Location: /login"), SESSION), False),
        ((REFUSED, REFUSED), True),
        ((REFUSED, PAGE, REFUSED), True),
        ((PAGE, REFUSED, REFUSED), True),
    ],
)
def test_a_wrong_refusal_has_to_be_seen_again(opened: Open, answers: tuple[bytes, ...], convicted: bool) -> None:
    """A 4xx where an acceptance is promised counts at its second sight, a gateway's page in between or not."""
    with scripted(on(SUSPECT, *answers)) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_accepted(clause=FORMS)
    assert (FORMS in found(target)) == convicted


def test_what_was_wrongly_accepted_counts_at_once(opened: Open) -> None:
    """A session where a refusal is promised is a finding without a second look."""
    with scripted(well) as (base_url, bodies):
        target = opened(base_url)
        target.accepted().without("amount").is_refused(Rejection([400]), clause=REQUIRED)
    assert REQUIRED in found(target)
    assert len(bodies) == 2


def test_a_wrong_refusal_that_does_not_come_again_is_a_doubt(opened: Open) -> None:
    """It is written down with what it is known by, so that a second one of its kind can make it count."""
    with scripted(on(SUSPECT, REFUSED)) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_accepted(clause=FORMS)
    (doubt,) = records(target, "doubt")
    assert (doubt["clause"], doubt["gateway"]) == (FORMS, False)
    assert doubt["signature"] == "400 invalid_request validation_error"


def test_an_accepted_request_that_is_refused_once_is_a_doubt(opened: Open) -> None:
    """A control that is refused and then accepted speaks of the target, not of what is tried."""
    refusals = [REFUSED]

    def respond(body: dict[str, Any]) -> bytes:
        return refusals.pop() if refusals else SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        target.accepted()
    (doubt,) = records(target, "doubt")
    assert (doubt["clause"], doubt["gateway"]) == (ACCEPTS, False)


def test_a_firewall_that_stops_one_payload_breaks_an_advisory(opened: Open) -> None:
    """Its page, every time for one payload, is no breach of the API's own promises."""
    with scripted(on(SUSPECT, then=PAGE)) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_survived(clause=SURVIVES)
    assert found(target) == {GATEWAY}
    assert not [
        record
        for record in records(target, "finding")
        if record["clause"].startswith("proof.errors.") and record["clause"] != GATEWAY
    ]


FRONT = answer(403, "Content-Type: application/json", body='{"message":"Forbidden"}')


def test_a_gateways_json_is_no_more_than_its_page(opened: Open) -> None:
    """An error without the API's envelope has to come whenever it is asked for, JSON or not."""
    with scripted(on(SUSPECT, FRONT, FRONT, REFUSED, REFUSED)) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_refused(Rejection([400]), clause=REQUIRED)
    assert found(target) == set()
    assert not [record for record in records(target, "finding") if record["clause"].startswith("proof.errors.envelope")]


def test_what_refuses_ordinary_requests_too_is_not_held_against_one(opened: Open) -> None:
    """Where controls meet the same front now and then, a request that always does cannot be judged."""
    turns = count(1)

    def respond(body: dict[str, Any]) -> bytes:
        if body["partner_user_id"] == SUSPECT:
            return FRONT
        return FRONT if next(turns) in {2, 4, 6} else SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        attempt = target.accepted().but(partner_user_id=SUSPECT)
        with pytest.raises(Unjudged, match="ordinary requests, too"):
            attempt.is_accepted(clause=FORMS)
    assert found(target) == set()


def test_a_page_where_an_envelope_is_promised_is_the_apis(opened: Open) -> None:
    """A 403 that is demanded has to have the envelope, whoever answers it."""
    with scripted(on(SUSPECT, then=PAGE)) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_refused(
            Rejection([403], {"error": ["forbidden"]}), clause="proof.auth.ip-allowlist"
        )
    assert "proof.auth.ip-allowlist" in found(target)
    assert found(target, scenario="schema") >= {"proof.errors.envelope"}


@pytest.mark.parametrize(("times", "convicted"), [(5, False), (6, True)])
def test_a_page_has_to_come_more_often_where_the_api_refuses_in_its_own_words(
    opened: Open, times: int, convicted: bool
) -> None:
    """Four pages in a row may be chance where another refusal of this status has the envelope."""
    page = answer(400, "Content-Type: text/html", body="<title>Bad Request</title>")
    with scripted(on(SUSPECT, REFUSED, *[page] * times, then=REFUSED)) as (base_url, _):
        target = opened(base_url)
        for _ in range(2):
            target.accepted().but(partner_user_id=SUSPECT).is_refused(Rejection([400]), clause=REQUIRED)
    assert ("proof.errors.envelope" in found(target, scenario="schema")) == convicted


def test_a_page_has_to_come_more_often_where_pages_did_not_come_again(opened: Open) -> None:
    """Each that passed asks for two more."""
    page = answer(400, "Content-Type: text/html", body="<title>Bad Request</title>")
    # The first passes, which is refused with this status besides: two signs, seven rounds.
    with scripted(on(SUSPECT, page, REFUSED, *[page] * 7, then=REFUSED)) as (base_url, _):
        target = opened(base_url)
        for _ in range(2):
            target.accepted().but(partner_user_id=SUSPECT).is_refused(Rejection([400]), clause=REQUIRED)
    assert "proof.errors.envelope" not in found(target, scenario="schema")


def test_an_outage_is_waited_for_and_told(opened: Open) -> None:
    """A target that is away for a while, for everything, is accused of nothing; the outage is journalled."""
    went: list[str] = []

    def respond(body: dict[str, Any]) -> bytes:
        if body["partner_user_id"] == SUSPECT and not went:
            went.append(SUSPECT)
            raise Away(6)
        return SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        exchange = target.accepted().but(partner_user_id=SUSPECT).is_accepted(clause=FORMS)
    assert exchange.accepted
    assert not records(target, "finding") or not found(target)
    (outage,) = records(target, "outage")
    assert outage["ended"] is not None
    assert outage["probes"] > 1
    assert not outage["cause"]


def test_a_request_that_takes_the_target_away_each_time_is_found(opened: Open) -> None:
    """A crash before the answer is the finding, and explains the outage."""

    def respond(body: dict[str, Any]) -> bytes:
        if body["partner_user_id"] == SUSPECT:
            raise Away(6)
        return SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_survived(clause=SURVIVES)
    assert found(target) == {SURVIVES}
    outages = records(target, "outage")
    assert outages
    assert all(outage["cause"] for outage in outages)


def test_a_crash_after_the_answer_is_found_by_asking_again(opened: Open) -> None:
    """The request that was answered, and after which the target was away twice, is the finding."""
    dying: list[int] = []

    def respond(body: dict[str, Any]) -> bytes:
        if dying:
            dying.clear()
            raise Away(6)
        if body["partner_user_id"] == SUSPECT:
            dying.append(1)
        return SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        accepted = target.accepted()
        accepted.but(partner_user_id=SUSPECT).send()
        accepted.but(partner_user_id="another").send()
    assert found(target) == {SURVIVES}
    (finding,) = [record for record in records(target, "finding") if record["clause"] == SURVIVES]
    assert "away right after" in finding["actual"]


def test_a_target_that_does_not_come_back_ends_the_run(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the patience of the profile nothing more is sent, for one and the same reason."""

    def respond(body: dict[str, Any]) -> bytes:
        if body["partner_user_id"] == SUSPECT:
            raise Away(1 << 30)
        return SESSION

    with scripted(respond) as (base_url, bodies):
        target = opened(base_url)
        accepted = target.accepted()
        monkeypatch.setattr(target._confirmation._recovery._presence, "patience", 0.1)
        with pytest.raises(TargetGone, match="stopped answering at"):
            accepted.but(partner_user_id=SUSPECT).send()
        sent = len(records(target, "exchange"))
        with pytest.raises(RunOver):
            target.accepted()
    assert len(records(target, "exchange")) == sent
    assert len(bodies) == 2
    (outage,) = records(target, "outage")
    assert outage["ended"] is None
    assert outage["before"]


def test_a_spent_budget_is_not_the_targets_absence(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing more may be sent, nobody can say whether the target is there."""

    def respond(body: dict[str, Any]) -> bytes:
        if body["partner_user_id"] == SUSPECT:
            raise Away(1 << 30)
        return SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        accepted = target.accepted()
        monkeypatch.setattr(target.client._budget, "_total", 3)
        with pytest.raises(BudgetSpent):
            accepted.but(partner_user_id=SUSPECT).send()
    assert not records(target, "outage")


def test_what_may_be_refused_is_looked_at_again_after_a_refusal_in_passing(opened: Open) -> None:
    """A target that refuses a good request now and then may do so with a strange one: that is a second doubt."""
    refused = set[str]()

    def respond(body: dict[str, Any]) -> bytes:
        user = body["partner_user_id"]
        is_new, _ = user.startswith(SUSPECT) and user not in refused, refused.add(user)
        return REFUSED if is_new else SESSION

    with scripted(respond) as (base_url, bodies):
        target = opened(base_url)
        accepted = target.accepted()
        accepted.but(partner_user_id=f"{SUSPECT}1").is_survived(clause=SURVIVES)
        assert len(bodies) == 2  # it may be refused
        accepted.but(partner_user_id=f"{SUSPECT}2").send_again_if_refused()
        accepted.but(partner_user_id=f"{SUSPECT}3").is_survived(clause=SURVIVES)
    assert [body["partner_user_id"][-1] for body in bodies[1:]] == ["1", "2", "2", "3", "3"]
    assert len(records(target, "doubt")) == 2


def test_a_good_request_that_is_refused_in_passing_is_a_doubt_of_acceptance(opened: Open) -> None:
    """Whatever was to be seen by it: two such refusals, of whichever clauses, say the same of the target."""
    other = "proof.session.request.accepts"
    with scripted(on(SUSPECT, REFUSED)) as (base_url, _):
        target = opened(base_url)
        target.accepted().but(partner_user_id=SUSPECT).is_accepted(clause=other)
    assert {record["clause"] for record in records(target, "doubt")} == {other, ACCEPTS}


@pytest.mark.parametrize(("second", "doubts"), [(SESSION, {ACCEPTS}), (REFUSED, set())], ids=["then taken", "refused"])
def test_what_was_refused_is_looked_at_again(opened: Open, second: bytes, doubts: set[str]) -> None:
    """Of requests that are sent together, too: who takes the very same one afterwards refused it in passing."""
    with scripted(on(SUSPECT, REFUSED, second)) as (base_url, _):
        target = opened(base_url)
        target.send_together([target.plain().but(partner_user_id=SUSPECT)])
    assert {record["clause"] for record in records(target, "doubt")} == doubts


@pytest.mark.parametrize("refusal", [REFUSED, UNAUTHORISED], ids=["as invalid", "as unauthorised"])
def test_a_target_that_refuses_every_second_request_breaks_no_promise_of_the_others(
    opened: Open, refusal: bytes
) -> None:
    """Where the control always meets the turn of those that are accepted, the request is sent again right after it."""
    turn = count(1)

    def respond(body: dict[str, Any]) -> bytes:
        is_refused = next(turn) % 2 == 0
        return refusal if is_refused else REFUSED if "amount" not in body else SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        for _ in range(2):
            target.accepted()  # Every second time this is seen to be refused in passing.
        for _ in range(3):
            accepted = target.accepted()
            accepted.without("amount").is_refused(Rejection([400]), clause=REQUIRED)
            accepted.but(partner_user_id=SUSPECT).is_accepted(clause="proof.session.request.accepts")
    assert found(target) == set()
    met = Counter(record["clause"] for record in records(target, "doubt") if record["judge"] == "scenario")
    assert met.most_common(1)[0][0] == ACCEPTS
