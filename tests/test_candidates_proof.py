"""In which order Proof's documented requests are tried, until the target accepts one."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rampcheck.contract.profile import Partner, from_mapping
from rampcheck.judging import suite
from rampcheck.wire.exchanges import Request
from suites.proof.requests import IGNORED_ADDRESS, NOBODYS_ADDRESSES, address_like, amount_near, poll, upgrade
from suites.proof.tokens import misplaced


def test_the_minimum_is_tried_first_and_all_that_is_optional_last() -> None:
    """Each optional part is tried on every pair, two and more of them on the first, and in the end all together."""
    described = from_mapping(
        {
            "contract": "proof",
            "base_url": "https://sandbox.example",
            "credentials": {"client_token": "${TOKEN}"},
            "partner": {"pairs": [["USDT", "TRC20"], ["USDC", "ERC20"]], "origins": ["https://app.example.com"]},
        },
        {"TOKEN": "a-token-of-some-length"},
    )
    candidates = list(suite.load("proof").candidates(described))
    sizes = [len(candidate.added) for candidate in candidates]
    requests = [candidate.build(described, "client_token", "x") for candidate in candidates]
    assert all(one <= other for one, other in pairwise(sizes))
    assert {request.json["currency"] for request, size in zip(requests, sizes, strict=True) if size > 1} == {"USDT"}
    assert sizes.count(1) == 2 * 6  # `type` is one of two
    last = requests[-1]
    assert {"client_ip", "redirect_url", "address"} < last.json.keys()
    assert (last.json["type"], last.header("Origin")) == ("buy", "https://app.example.com")


@pytest.mark.parametrize(
    ("partner", "first", "second", "least", "most"),
    [(Partner(), "100.25", "101.25", 100, 118), (Partner({"amount": "0.015"}), "0.015", "0.014985", 0.0147, 0.015)],
    ids=["nothing told", "an amount told"],
)
def test_amounts_near_the_one_that_works(partner: Partner, first: str, second: str, least: float, most: float) -> None:
    """Each number has an amount of its own, within a fiftieth of what the profile tells, or of the documentation's."""
    amounts = [amount_near(partner, number, "25") for number in range(18)]
    assert amounts[:2] == [first, second]
    assert len(set(amounts)) == len(amounts)
    assert {least <= float(amount) <= most for amount in amounts} == {True}


@pytest.mark.parametrize(
    ("own", "like"),
    [
        ("TQ5NsellsAndBuysUsdtTrc20WalletXy7", NOBODYS_ADDRESSES["T"]),
        ("0x1111a1f0c2d94b3e8f60517293a4b5c6d7e8f901", NOBODYS_ADDRESSES["0x"]),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", IGNORED_ADDRESS),
    ],
)
def test_an_address_sent_has_the_form_of_the_targets_own(own: str, like: str) -> None:
    """What has a known form is answered by nobody's address of that form, what has none by what is no address."""
    assert address_like(own) == like


@pytest.mark.parametrize(("path", "separator"), [("/widget/session", "?"), ("/ws?tx_id=1", "&")])
def test_a_token_stands_anywhere_but_where_it_belongs(path: str, separator: str) -> None:
    """It is in the query and in another header, never in Authorization, which is not filled in afterwards either."""
    some = misplaced(Request("GET", path, credential="client_token").with_header("Authorization", "x"), "a-token")
    assert [request.path for request in some.values()] == [
        f"{path}{separator}{name}=a-token" for name in ("access_token", "client_token")
    ]
    assert [request.with_default("Authorization", "x").header("Authorization") for request in some.values()] == [
        None
    ] * 2
    assert [[name for name, value in request.headers if "a-token" in value] for request in some.values()] == [
        ["X-API-Key"],
        ["Cookie"],
    ]


def test_half_a_character_may_stand_in_an_id() -> None:
    """JSON may hold one (RFC 8259 section 8.2): what a target calls a transaction is asked for as it is."""
    assert poll("a/\ud800", "client_token").path == "/widget/transactions/a%2F%ED%A0%80"
    assert upgrade("\ud800", "client_token").path == "/ws?tx_id=%ED%A0%80"
