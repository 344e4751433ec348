"""In which order Proof's documented requests are tried, until the target accepts one."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rampcheck.contract.profile import Partner, from_mapping
from rampcheck.judging import suite
from suites.proof.requests import amount_near


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
