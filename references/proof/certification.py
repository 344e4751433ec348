"""The Proof server as the sandbox of a certification: one partner, and transactions that go on by themselves."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.wire import Answer, Call, json_answer

from .partners import FIRST, Partner
from .request import SessionRequest
from .service import SessionService
from .transactions import Transaction
from .updates import UpdateService

PURCHASE = {"currency": "USDT", "network": "TRC20", "amount": "99.50"}


class Sandbox(SessionService, UpdateService):
    """Each transaction goes on by itself: `pace` is after how many seconds, twice."""

    pace: float

    def __init__(self) -> None:
        super().__init__()
        self.step_seconds = self.pace

    def created(self, transaction: Transaction) -> None:
        """Whoever the user is, the transaction goes on."""
        self.schedule(self.process, transaction)


class IsCancelled(UpdateService):
    """The user leaves: from processing to cancelled."""

    def complete(self, transaction: Transaction) -> None:
        """The transaction ends cancelled."""
        self.changed(transaction, status="cancelled")


class UnusualValues(SessionService):
    """Values that are legal and unusual, and fields that nobody documented."""

    def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
        """A session with a signature in capitals and a long token."""
        session = super().session(partner, request, address)
        version, _, digits = session["signature"].partition(":")
        return {**session, "signature": f"{version}:{digits.upper()}", "init_token": secrets.token_urlsafe(1500)[:2000]}

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        """The session with more than is documented."""
        more = {"risk_level": "SOMETHING_NEW", "experiments": {"layout": ["b", None, 7]}}
        answer = super().session_answer(session, call)
        return replace(answer, body=json_answer(answer.status, {**session, **more}).body)


SETTINGS: Mapping[str, float] = {"pace": 3.0}  # seconds, as the attributes of the service that they are
BEHAVIOURS: Mapping[str, type] = {"is-cancelled": IsCancelled, "unusual-values": UnusualValues}


def service(credentials: Mapping[str, str], partner: Callable[[str], Any]) -> type:
    """Gives what makes the server a sandbox of a partner with these credentials.

    `partner` gives a value of the profile by its place below `partner`, or None.
    """
    wallets = dict(FIRST.wallets) | {
        (currency, network): FIRST.wallets.get((currency, network), f"wallet-of-{currency}-{network}")
        for currency, network in partner("pairs") or ()
    }
    known = replace(
        FIRST,
        client_token=credentials["client_token"],
        previous_client_token=None,
        inactive_client_token=None,
        wallets=wallets,
        widget_id=partner("widget_id") or FIRST.widget_id,
        off_ramp=bool(partner("off_ramp")),
        origins=tuple(partner("origins") or FIRST.origins),
        widget_config={**FIRST.widget_config, **(partner("widget_config") or {})},
    )
    return type("OfPartner", (Sandbox,), {"partners": (known,), "check_address": _anywhere})


def _anywhere(*_: object) -> None:
    """A backend may stand on another machine."""


def purchase(partner: Callable[[str], Any]) -> dict[str, str]:
    """Gives what a test purchase is of."""
    pairs = partner("pairs")
    pair = {"currency": pairs[0][0], "network": pairs[0][1]} if pairs else {}
    address = {"address": str(partner("address"))} if partner("address_mode") == "sent" else {}
    return {**PURCHASE, **pair, **address}
