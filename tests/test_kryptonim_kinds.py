"""What Kryptonim's suite makes of a request: covering rows, values of wrong types, a request that is another one."""

from __future__ import annotations

import json
from itertools import combinations, pairwise, product
from typing import Any

import pytest

from rampcheck.contract.profile import Partner
from rampcheck.wire.exchanges import Request
from rampcheck.wire.json_text import members
from suites.kryptonim.amounts import AMOUNTS, UNUSUAL, USUAL, Sizes
from suites.kryptonim.privacy import disclosed, hidden_texts
from suites.kryptonim.requests import OPTIONAL, REQUIRED, contrary, purchases
from suites.kryptonim.test_session_choices import ABSENT, choices, covering
from suites.kryptonim.test_session_request import mistyped
from suites.kryptonim.test_session_values import between

MINIMUM = {
    "fiatAmount": 15,
    "fiatCurrency": "EUR",
    "cryptoCurrency": "USDC",
    "network": "polygon",
    "destinationAddress": "0x0000000000000000000000000000000000000001",
}
REQUEST = Request("POST", "/v1/widget-sessions").with_json(MINIMUM)


@pytest.mark.parametrize("on_testnet", [True, False])
def test_every_two_choices_stand_together_in_a_row(on_testnet: bool) -> None:
    """Of any two fields every pair of values is in some row, and there are few rows."""
    fields = choices(REQUEST, "unique", on_testnet=on_testnet)
    rows = [{choice.field: choice.value for choice in row} for row in covering(fields)]
    for one, other in combinations(fields, 2):
        for first, second in product(fields[one], fields[other]):
            assert any(row[one] is first and row[other] is second for row in rows), (one, other)
    assert len(rows) <= 20


def test_the_first_choice_is_that_of_the_accepted_request() -> None:
    """What the accepted request holds, or lacks, is the first value; other currencies are the testnet's only."""
    fields = choices(REQUEST, "unique", on_testnet=False)
    assert fields["cryptoCurrency"] == ("USDC",)
    assert fields["email"][0] is ABSENT
    assert fields["amount"] == AMOUNTS


@pytest.mark.parametrize("right", ["text", 15, ["email"], {"note": "x"}], ids=["string", "number", "array", "object"])
def test_no_mistyped_value_is_of_the_right_type(right: Any) -> None:
    """All of them are of other JSON types, some empty, and null is not among them."""
    kinds: dict[type, Any] = {bool: "boolean", int: "number", str: "string", list: "array", dict: "object"}
    values = mistyped(right)
    assert kinds[type(right)] not in {kinds[type(value)] for value in values}
    assert {"boolean", "array", "object"} <= {kinds[type(value)] for value in values if not value} | {
        kinds[type(right)]
    }


def test_another_request_is_the_minimum_in_nothing_that_may_be_otherwise() -> None:
    """It has every optional field, the other amount, and other currencies; network and wallet are the same."""
    other = contrary(REQUEST, "unique", Partner(), on_testnet=True).json
    assert set(other) == {*REQUIRED, *OPTIONAL, "cryptoAmount"}
    assert {name for name in REQUIRED if other[name] == MINIMUM[name]} == {"network", "destinationAddress"}
    assert contrary(REQUEST, "unique", Partner(), on_testnet=False).json["cryptoCurrency"] == "USDC"
    assert other["cryptoAmount"] == 15
    assert contrary(REQUEST, "unique", Partner({"crypto_amount": 0.2}), on_testnet=True).json["cryptoAmount"] == 0.2


@pytest.mark.parametrize("name", AMOUNTS)
def test_no_limits_of_ten_to_one_lie_between_the_sizes_of_an_amount(name: str) -> None:
    """From the least to the most that is tried, some size is within the limits of whoever sells anything."""
    tried = sorted((*USUAL[name], *UNUSUAL[name]))
    assert all(more <= 10 * less for less, more in pairwise(tried))
    assert len(set(tried)) == len(tried)


def test_the_amounts_that_the_profile_names_come_first() -> None:
    """Of both kinds, and in either currency; without them it is the documentation's own example."""
    assert purchases(Partner())[0] == {"fiatAmount": 15, "fiatCurrency": "EUR"}
    told = purchases(Partner({"crypto_amount": 2, "fiat_amount": 150}))
    assert [*told[:4]] == [
        {name: size, "fiatCurrency": currency}
        for name, size in (("fiatAmount", 150), ("cryptoAmount", 2))
        for currency in ("EUR", "USD")
    ]
    assert Sizes(Partner({"crypto_amount": 2})).of("cryptoAmount")[:2] == (2, 15)


def test_a_long_number_of_the_metadata_is_hidden_in_the_widget_url() -> None:
    """Twelve digits tell something, fewer may stand there by chance."""
    texts = hidden_texts({"metadata": {"order": 1_234_567_890_123, "count": 12345}})
    assert [text for _, text in texts] == ["1234567890123"]
    assert disclosed("https://widget.example/?order=1234567890123", texts) == ["metadata"]
    assert not disclosed("https://widget.example/?order=2234567890123", texts)


def test_members_are_found_at_any_depth() -> None:
    """Of objects in arrays in objects, however deep, and without recursion."""
    deep = json.loads('{"a":[' * 150 + '{"sessionId":"x"}' + "]}" * 150)
    assert ("sessionId", "x") in list(members(deep))
    assert list(members([1, "sessionId", None])) == []


@pytest.mark.parametrize("name", AMOUNTS)
def test_an_amount_between_two_has_a_fraction(name: str) -> None:
    """Whichever two of the sizes a target takes: what is sent between them shows that it takes a fraction."""
    for smaller, larger in combinations(sorted({*USUAL[name], *UNUSUAL[name]}), 2):
        assert smaller < (middle := between(smaller, larger)) < larger
        assert not middle.is_integer()
