"""Whatever is broken everywhere costs little more than what is whole: it is believed, and asked for no longer."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from rampcheck.errors import TargetGone, Unjudged
from rampcheck.judging.demands import Rejection
from rampcheck.judging.doubts import ENOUGH_IN_RUN
from tests.answering import SESSION, answer
from tests.believed import SUSPECT, Open, found, on, records
from tests.scripted import ENVELOPE, REFUSED, scripted

SURVIVES = "proof.session.request.no-server-error"
REQUIRED = "proof.session.request.required.amount"


@pytest.mark.parametrize("scenario", ["one", "one[part{}]"], ids=["of one", "of many parts"])
def test_the_third_of_its_kind_in_a_scenario_is_believed_at_once(opened: Open, scenario: str) -> None:
    """From then on a request is sent once: no retry, no control."""

    def respond(body: dict[str, Any]) -> bytes:
        return answer(500, body=ENVELOPE) if body["partner_user_id"].startswith(SUSPECT) else SESSION

    with scripted(respond) as (base_url, bodies):
        target = opened(base_url)
        accepted = target.accepted()
        costs = []
        for number in range(6):
            target.judge.scenario = scenario.format(number)
            before = len(bodies)
            with suppress(Unjudged):
                accepted.but(partner_user_id=f"{SUSPECT}{number}").is_survived(clause=SURVIVES)
            costs.append(len(bodies) - before)
    assert costs[0] > costs[-1] == costs[-2] == costs[-3] == 1
    assert len([record for record in records(target, "finding") if record["clause"] == SURVIVES]) == 6


def test_a_storm_leaves_the_control_as_it_is(opened: Open) -> None:
    """What was seen broken again and again says nothing new of the target, in whichever scenario it is met."""

    def respond(body: dict[str, Any]) -> bytes:
        return answer(500, body=ENVELOPE) if body["partner_user_id"].startswith(SUSPECT) else SESSION

    with scripted(respond) as (base_url, bodies):
        target = opened(base_url)
        costs = []
        for number in range(3 * ENOUGH_IN_RUN):
            target.judge.scenario = f"scenario {number}"
            before = len(bodies)
            target.control().but(partner_user_id=f"{SUSPECT}{number}").is_survived(clause=SURVIVES)
            costs.append(len(bodies) - before)
    assert costs[0] > 1
    assert costs[-ENOUGH_IN_RUN:] == [1] * ENOUGH_IN_RUN


def test_pages_that_pass_are_looked_at_once(opened: Open) -> None:
    """Where they are known to come in passing, the request itself is sent again, without a control before it."""
    page = answer(400, "Content-Type: text/html", body="<title>Bad Request</title>")
    with scripted(on(SUSPECT, *[page, REFUSED] * 6)) as (base_url, bodies):
        target = opened(base_url)
        accepted = target.accepted()
        costs = []
        for _ in range(6):
            before = len(bodies)
            accepted.but(partner_user_id=SUSPECT).is_refused(Rejection([400]), clause=REQUIRED)
            costs.append(len(bodies) - before)
    assert costs[0] > costs[-1] == 2
    assert not found(target)


def test_a_firewall_is_told_however_often_it_stops_a_payload(opened: Open) -> None:
    """And nothing else is: what it says has not the envelope of the API, which is no fault of the API."""
    blocked = answer(403, "Content-Type: text/html", body="<title>Access denied</title>")

    def respond(body: dict[str, Any]) -> bytes:
        return blocked if body["partner_user_id"].startswith(SUSPECT) else SESSION

    with scripted(respond) as (base_url, bodies):
        target = opened(base_url)
        for number in range(2 * ENOUGH_IN_RUN):
            before = len(bodies)
            target.control().but(partner_user_id=f"{SUSPECT}{number}").is_survived(clause=SURVIVES)
    assert len(bodies) - before == 2  # a control and the request, neither of them again
    assert "proof.errors.envelope" not in found(target, scenario="schema")
    assert found(target) == {"proof.errors.gateway-envelope"}


def test_a_target_that_goes_silent_in_a_storm_is_asked_whether_it_is_there(opened: Open) -> None:
    """That it fails is known, and that it is away is not: the next control is sent anew."""
    is_away = False

    def respond(body: dict[str, Any]) -> bytes | None:
        if body["partner_user_id"].startswith(SUSPECT):
            return None if is_away else answer(500, body=ENVELOPE)
        return SESSION

    with scripted(respond) as (base_url, bodies):
        target = opened(base_url)
        for number in range(2 * ENOUGH_IN_RUN):
            target.judge.scenario = f"scenario {number}"
            target.control().but(partner_user_id=f"{SUSPECT}{number}").is_survived(clause=SURVIVES)
        before = len(bodies)
        target.control()
        assert len(bodies) == before
        is_away = True
        target.control().but(partner_user_id=f"{SUSPECT} at last").is_survived(clause=SURVIVES)
        before = len(bodies)
        target.control()
        assert len(bodies) == before + 1


def test_a_good_request_that_is_met_by_a_known_silence_ends_a_run_where_nobody_is_there(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That some requests are not answered is known, and says nothing of one that has always been."""
    is_away = False

    def respond(body: dict[str, Any]) -> bytes | None:
        return None if is_away or body["partner_user_id"].startswith(SUSPECT) else SESSION

    with scripted(respond) as (base_url, _):
        target = opened(base_url)
        for number in range(2 * ENOUGH_IN_RUN):
            target.judge.scenario = f"scenario {number}"
            target.control().but(partner_user_id=f"{SUSPECT}{number}").is_survived(clause=SURVIVES)
        is_away = True
        monkeypatch.setattr(target._confirmation._recovery._presence, "patience", 0.1)
        with pytest.raises(TargetGone, match="stopped answering at"):
            target.accepted()
    assert SURVIVES in found(target)
