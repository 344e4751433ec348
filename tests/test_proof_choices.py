"""What Proof's suite chooses beside the minimum, as far as the target takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from suites.proof.choices import as_far_as_taken, everything
from tests.answering import SESSION
from tests.believed import Open
from tests.scripted import REFUSED, scripted

PARTNER = {"pairs": [["USDT", "TRC20"], ["USDC", "ERC20"]], "off_ramp": True, "address_mode": "resolved"}
Body = dict[str, Any]
OPTIONS = {"type", "redirect_url", "client_ip", "address"}


@pytest.mark.parametrize(
    ("is_refused", "left_out"),
    [
        (lambda _: False, set()),
        (lambda body: ":" in body.get("client_ip", ""), {"client_ip"}),
        (lambda body: body.get("type") == "sell" and "redirect_url" in body, {"redirect_url"}),
    ],
    ids=["all of it", "no IPv6", "no redirect_url of a sell"],
)
def test_everything_is_chosen_as_far_as_it_is_taken(
    opened: Open, is_refused: Callable[[Body], bool], left_out: set[str]
) -> None:
    """A choice that is refused, by itself or beside those before it, is the only one that is left out."""
    with scripted(lambda body: REFUSED if is_refused(body) else SESSION) as (base_url, _):
        target = opened(base_url, partner=PARTNER)
        target.judge.begin("a scenario", ["proof.session.request.required.amount"])
        control = target.control()
        another = as_far_as_taken(control, everything(target, "client_token"))
    minimum = control.request.json
    assert another.exchange.accepted
    assert OPTIONS - another.request.json.keys() == left_out
    assert {name for name in minimum if minimum[name] == another.request.json[name]} == set()
