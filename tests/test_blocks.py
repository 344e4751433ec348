"""The building blocks of judgements: where each applies, what breaks it, what counts as seen to hold."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from operator import eq
from types import MappingProxyType
from typing import Any

import pytest

from rampcheck.contract.profile import Partner, Profile, from_mapping
from rampcheck.judging.history import (
    bound_to,
    disagreements,
    envelope_each_time,
    never_repeated,
    single_use,
    stable,
)
from rampcheck.judging.invariants import (
    Endpoint,
    asked,
    echoes,
    expires_after,
    given,
    hmac_hex,
    locked,
    moves_forward,
    one_of,
    signed,
    succeeds_with,
)
from rampcheck.judging.suite import Broken, Held, HistoryInvariant, Invariant
from rampcheck.wire.exchanges import Exchange, Response, Sent

ANYONE = Partner()
ENDPOINT = Endpoint("POST", "/sessions")
PROFILE: Profile = from_mapping(
    {"contract": "proof", "base_url": "http://127.0.0.1:9", "credentials": {"client_token": "token-of-nobody"}}, {}
)
JSON = ("content-type", "application/json")
NOTHING: MappingProxyType[str, Any] = MappingProxyType({})
BEGUN = 1_800_000_000.0


def exchange(
    sent: Any = NOTHING,
    got: Any = NOTHING,
    number: int = 1,
    status: int = 200,
    *headers: tuple[str, str],
) -> Exchange:
    """A request for a session, and its answer."""
    request = Sent("POST", "http://127.0.0.1:9/sessions", (JSON,), json.dumps(dict(sent)).encode())
    return Exchange(
        number,
        "",
        request,
        Response(status, (JSON, *headers), json.dumps(dict(got)).encode()),
        BEGUN + number,
        0.5,
        "/sessions",
    )


def outcome(invariant: Invariant, seen: Exchange, partner: Partner = ANYONE) -> str:
    """What an invariant makes of an exchange: not asked, held, or broken with what was expected and found."""
    if not invariant.when(seen, partner):
        return "not asked"
    found = invariant.judge(seen, partner)
    return f"{found.expected} | {found.actual}" if isinstance(found, Broken) else "held"


def history(invariant: HistoryInvariant, *seen: Exchange) -> list[str]:
    """What an invariant of a whole run makes of these exchanges: for each judgement `held`, or what is broken where."""
    judged: Sequence[Broken | Held] = list(invariant.judge([one for one in seen if invariant.when(one)], PROFILE))
    return [
        f"{one.exchange.number if one.exchange else 0}: {one.actual}" if isinstance(one, Broken) else "held"
        for one in judged
    ]


@pytest.mark.parametrize(
    ("sent", "got", "told"),
    [
        ({"coin": "BTC"}, {"coin": "BTC"}, "held"),
        ({"coin": "BTC"}, {"coin": "btc"}, '`coin`: "BTC" | "btc"'),
        ({"coin": "1"}, {"coin": 1}, '`coin`: "1" | 1'),
        ({"coin": "BTC"}, {}, "not asked"),
        ({}, {"coin": "BTC"}, "not asked"),
        ({"coin": 1}, {"coin": 2}, "not asked"),
    ],
)
def test_echoes(sent: dict[str, Any], got: dict[str, Any], told: str) -> None:
    """A string comes back character for character; what was not asked for, or not answered, is no matter of an echo."""
    assert outcome(echoes("c", ENDPOINT, "coin"), exchange(sent, got)) == told


def test_locked() -> None:
    """A member holds what the profile says; without that nothing is judged; a missing member only where demanded."""
    partner = Partner({"chain": "TRON"})
    chain = locked("c", ENDPOINT, "chain", lambda _, partner: partner.get("chain"))
    assert outcome(chain, exchange(got={"chain": "TRON"}), partner) == "held"
    assert outcome(chain, exchange(got={"chain": "ETH"}), partner) == '`chain`: "TRON" | "ETH"'
    assert outcome(chain, exchange(got={"chain": "ETH"})) == "not asked"
    assert outcome(chain, exchange(), partner) == "not asked"
    demanded = locked("c", ENDPOINT, "chain", lambda _, partner: partner.get("chain"), demanded=True)
    assert outcome(demanded, exchange(), partner) == '`chain`: "TRON" | null'
    assert outcome(demanded, exchange(status=400), partner) == "not asked"


def test_one_of() -> None:
    """A member is one of what was asked for, of the same type."""
    block = one_of("c", ENDPOINT, "coin", lambda seen, _: asked(seen, "coins"))
    assert outcome(block, exchange({"coins": ["A", "B"]}, {"coin": "B"})) == "held"
    assert outcome(block, exchange({"coins": ["A", 1]}, {"coin": "1"})) == '`coin`: one of "A", 1 | "1"'
    assert outcome(block, exchange({"coins": []}, {"coin": "A"})) == '`coin`: one of  | "A"'
    assert outcome(block, exchange({}, {"coin": "A"})) == "not asked"


@pytest.mark.parametrize(
    ("end", "headers", "told"),
    [
        ("2027-01-15T08:30:01Z", (), "held"),
        ("2027-01-15T08:30:31Z", (), "held"),
        ("2027-01-15T08:31:00Z", (), "30 minutes after .* 31.0 minutes after"),
        ("2027-01-15T09:00:00Z", (("date", "Fri, 15 Jan 2027 08:30:00 GMT"),), "held"),
        ("2027-01-15T08:29:32Z", (), "held"),
        ("2027-01-15T08:29:20Z", (), "30 minutes after .* 29.3 minutes after"),
        ("2027-01-15T12:30:01", (), "held"),
        ("soon", (), 'a date and a time .* "soon"'),
        (1, (), "not asked"),
    ],
)
def test_expires_after(end: Any, headers: tuple[tuple[str, str], ...], told: str) -> None:
    """The end is so long after the answer, by this machine's clock or the target's, give or take the tolerance."""
    block = expires_after("c", ENDPOINT, "end", lambda one: asked(one, "lifetime"), 30)
    seen = exchange({"lifetime": 1800}, {"end": end}, 1, 200, *headers)
    assert re.search(told, outcome(block, seen)), outcome(block, seen)
    assert outcome(block, exchange({}, {"end": end}, 1, 200, *headers)) == "not asked"


def test_signed() -> None:
    """What the target sends is signed over its very bytes: a webhook's request, an answer's response."""

    def fits(body: bytes, signature: str, _: Partner) -> bool:
        return signature == hmac_hex(body, "a secret")

    block = signed("c", lambda *_: True, "x-signature", fits)
    plain = exchange(got={"id": 1})
    assert plain.response is not None
    good = ("x-signature", hmac_hex(plain.response.body, "a secret"))
    right = exchange({}, {"id": 1}, 1, 200, good)
    assert outcome(block, right) == "held"
    assert outcome(block, plain).endswith("| no x-signature")
    respelt = replace(right, response=replace(plain.response, headers=(JSON, good), body=b'{"id":1}'))
    assert outcome(block, respelt).endswith("| one that does not fit")
    webhook = replace(
        plain,
        direction="incoming",
        request=replace(plain.request, headers=(JSON, ("x-signature", hmac_hex(plain.request.body, "a secret")))),
    )
    assert outcome(block, webhook) == "held"


def test_hmac_hex() -> None:
    """The test case 2 of RFC 4231, section 4.3."""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_hex(b"what do ya want for nothing?", "Jefe") == digest


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (["new", "paid", "done"], "held"),
        (["done"], "held"),
        (["new", "new", "done"], "held"),
        (["new"], "not asked"),
        ([], "not asked"),
        (["paid", "new"], "broken"),
        (["done", "lost"], "broken"),
        (["done", "new"], "broken"),
        (["new", "done", "done"], "held"),
        (["new", "odd", "done"], "held"),
    ],
)
def test_moves_forward(told: list[str], seen: str) -> None:
    """No status goes back, nothing comes after a final one, and one status alone shows nothing unless it is final."""
    block = moves_forward(
        "c",
        lambda *_: True,
        lambda one: given(one, "told"),
        {"new": 0, "paid": 1, "done": 2, "lost": 2},
        {"done", "lost"},
    )
    found = outcome(block, exchange(got={"told": told}))
    assert (found if found in ("held", "not asked") else "broken") == seen


def test_stable() -> None:
    """A member is the same in all answers of one kind; the first shows nothing, a missing one is not compared."""
    block = stable("c", ("coin", "chain"), ENDPOINT.answered, lambda one: asked(one, "of"))
    one, same, other = ({"coin": "A", "chain": "T"}, {"coin": "A"}, {"coin": "B", "chain": "T"})
    assert history(block, exchange(got=one), exchange(got=same, number=2)) == ["held"]
    assert history(block, exchange(got=one), exchange(got=other, number=2)) == ['2: "B"']
    assert history(block, exchange({"of": 1}, one), exchange({"of": 2}, other, 2)) == []
    assert history(block, exchange(got=one), exchange(got={}, number=2)) == []


def refusals(*kinds: tuple[str, int, bool]) -> list[Exchange]:
    """Answers to requests, each with what it asks for, its status, and whether it is the API's own."""
    return [
        replace(
            exchange({"coin": asked_for}, {"code": "x"} if is_own else {}, number, status),
            response=None
            if status == 0
            else Response(status, (JSON,) if is_own else (), b'{"code":"x"}' if is_own else b"<h1>x</h1>"),
        )
        for number, (asked_for, status, is_own) in enumerate(kinds, 1)
    ]


PAGES = [
    (str(number), status, is_own) for number, status in enumerate((400, 400, 401, 404)) for is_own in (False, True)
]


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        (PAGES, True),
        (PAGES[:6], False),
        ([(asked_for, 400, is_own) for asked_for, _, is_own in PAGES], False),
        ([*PAGES, ("more", 403, False), ("more", 200, True)], False),
        ([*PAGES, ("more", 403, False), ("more", 400, True)], False),
        ([*PAGES, ("more", 502, False), ("more", 502, True)], False),
        ([*PAGES, ("more", 403, False)], True),
        ([(f"{place}", status, is_own) for place, (_, status, is_own) in enumerate(PAGES)], False),
    ],
    ids=[
        "with the status of the API's own",
        "three of them",
        "with one status",
        "in place of an acceptance, too",
        "with another status, too",
        "as a failure, too",
        "of what was not asked again",
        "of other requests",
    ],
)
def test_envelope_each_time(kinds: list[tuple[str, int, bool]], found: bool) -> None:
    """Pages that come now and then are the API's own where they know what it would answer."""
    told = history(envelope_each_time("c", lambda _: True, ("code",)), *refusals(*kinds))
    assert told == (
        ["1: 400, a body that is no JSON; so are 4 refusals, each with the status that the API's own answer has"]
        if found
        else []
    )


def test_one_failure_of_something_in_front_excuses_no_page_of_the_api() -> None:
    """Of many pages with the status of the API's own answer, one that is another's says nothing of the others."""
    many = [(f"{kind}{place}", status, own) for kind in "ab" for place, status, own in PAGES]
    failure = [("more", 502, False), ("more", 200, True)]
    judged = envelope_each_time("c", lambda _: True, ("code",))
    assert history(judged, *refusals(*many, *failure))
    assert history(judged, *refusals(*many, *failure, ("once more", 502, False), ("once more", 200, True))) == []


def test_bound_to() -> None:
    """A value that serves two addresses is not bound to either; only another address alone can show that it is."""
    block = bound_to(
        "c",
        ENDPOINT.answered,
        "seal",
        lambda one: given(one, "seal"),
        "`ip`",
        lambda one: asked(one, "ip"),
        beside=lambda one: asked(one, "user"),
    )

    def sealed(ip: str, seal: Any, number: int, user: str = "anna") -> Exchange:
        return exchange({"ip": ip, "user": user}, {"seal": seal}, number)

    assert history(block, sealed("1", "a", 1), sealed("2", "b", 2)) == ["held"]
    assert history(block, sealed("1", "a", 1), sealed("1", "b", 2), sealed("1", "a", 3)) == []
    assert history(block, sealed("1", "a", 1), sealed("2", "a", 2)) == ["2: the seal of exchange 1, whose `ip` differs"]
    assert history(block, sealed("1", None, 1), sealed("2", "", 2)) == []
    assert history(block, sealed("1", "a", 1), sealed("2", "b", 2, "otto")) == []
    assert history(block, sealed("1", "a", 1), sealed("2", "a", 2, "otto")) != []


def test_single_use() -> None:
    """What was accepted is refused from then on; a refusal of what was never accepted shows nothing."""
    block = single_use("c", ENDPOINT.asked, "nonce", lambda one: asked(one, "nonce"))
    first, again, refused = (
        exchange({"nonce": "n"}, number=number, status=status) for number, status in ((1, 200), (2, 200), (3, 409))
    )
    assert history(block, first, refused) == ["held"]
    (broken,) = history(block, first, again)
    assert broken.startswith("2: ")
    assert history(block, refused, refused) == []
    assert history(block, refused, again) == []
    assert history(block, first, replace(refused, response=replace(refused.response, status=503))) == []


def test_succeeds_with() -> None:
    """Another 2xx is told; a refusal is another clause's affair."""
    block = succeeds_with("c", ENDPOINT, 200)
    assert outcome(block, exchange()) == "held"
    assert outcome(block, exchange(status=202)).startswith("200 | 202")
    assert outcome(block, exchange(status=404)) == "not asked"
    assert not block.exercises


def test_never_repeated() -> None:
    """A text that comes twice is told with the exchange where it stood first."""
    block = never_repeated("c", "id", ENDPOINT.answered, lambda one: given(one, "id"))
    assert history(block, exchange(got={"id": "a"}), exchange(got={"id": "b"}, number=2)) == ["held"]
    assert history(block, exchange(got={"id": "a"}), exchange(got={"id": "a"}, number=2)) == [
        '2: "a" already stood in exchange 1'
    ]


def test_disagreements() -> None:
    """Only a text that no answer shows is told, with the first answer; where nothing was shown, nothing is."""
    shown = [exchange(got={"coin": "A", "size": "1"}, number=number) for number in (1, 2)]
    told = {"coin": "B", "size": "1.0", "odd": 1}
    compared = {"coin": eq, "size": lambda one, other: float(one) == float(other), "odd": eq, "none": eq}
    found = [(name, value, one.number) for name, value, one in disagreements(told, shown, compared)]
    assert found == [("coin", "A", 1)]
    assert list(disagreements(told, [], compared)) == []
