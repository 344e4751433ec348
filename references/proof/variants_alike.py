"""Variants that look like defects of kinds that hold across sections, and keep every promise."""

# ruff: noqa: D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.variants import variant
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .base import BaseService
from .defects_sizes import depth
from .defects_undecided import is_browsers, speaks_german
from .partners import Partner
from .refusals import Refused
from .request import SessionRequest
from .service import SessionService
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

own = partial(variant, "proof")


@own("sizes-bounded")
class SizesBounded(SessionService):
    """A body has 64 KiB and ten levels at most, a member's name 200 characters, an amount 18 digits on either side."""

    def read(self, call: Call) -> SessionRequest:
        if len(call.body) > 65_536:
            raise refusals.SIZE.because("The body is larger than 64 KiB.")
        request = super().read(call)
        document = strict_json.parse(call.body)
        if depth(document) > 10 or max(map(len, document)) > 200:
            self.invalid("The body is too deep, or has a name that is too long.")
        if len(request.amount.partition(".")[0]) > 18 or len(request.amount.partition(".")[2]) > 18:
            self.invalid("amount has too many digits.")
        return request


@own("users-of-64-characters")
class UsersOf64Characters(SessionService):
    """A user's name has 64 characters at most, of any script, and none that is compatible with others."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        request = super().request_from(document)
        if len(request.partner_user_id) > 64 or "\ufb01" in request.partner_user_id:
            self.invalid("partner_user_id is too long, or not in its usual form.")
        return request


@own("languages-answered")
class LanguagesAnswered(SessionService):
    """Messages are in the language that the call asks for, and answers tell so; browsers get a cookie."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        return envelope | {"message": "Die Anfrage ist ungültig."} if speaks_german(call) else envelope

    def identified(self, answer: Answer, call: Call) -> Answer:
        answer = (
            super()
            .identified(answer, call)
            .with_headers(vary="Accept-Language, Accept", content_language="de" if speaks_german(call) else "en")
        )
        return answer.with_headers(set_cookie="seen=1; HttpOnly") if is_browsers(call) else answer


@own("errors-name-what-is-secret")
class ErrorsNameWhatIsSecret(BaseService):
    """Errors speak of tokens, sessions and secrets, and hold none."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {
            **super().envelope(refused, call),
            "details": [
                {"session": None, "signature": "", "init_token": None},
                {"authorization": "missing-or-invalid", "secret": "not-configured", "password": None},
                {"expected": "Authorization: Bearer client_token", "help": "https://docs.proof.example/errors#secret"},
                {"signature_format": "v2:<128 hexadecimal digits>", "version": 2},
            ],
        }


@own("networks-known-by-name")
class NetworksKnownByName(SessionService):
    """A network that nobody knows is an invalid request; one that is known and has no wallet is told as such."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        if request.network not in {"TRC20", "ERC20", "BEP20", "POLYGON", "SOL"}:
            self.invalid("network is not known.")
        return super().wallet(partner, request)


@own("touched-after-the-end")
class TouchedAfterTheEnd(UpdateService):
    """Some time after its end a transaction is booked: it is dated anew, and its webhook comes once more."""

    def complete(self, transaction: Transaction) -> None:
        super().complete(transaction)
        asyncio.get_running_loop().call_later(1.5, self.book, replace(transaction, status="completed"))

    def book(self, transaction: Transaction) -> None:
        """Dates it anew, by less than would be a change of its own, and delivers the same event again."""
        booked = replace(transaction, updated_at=self.now())
        self.ledger.update(booked)
        self.publish_webhook(booked)


@own("options-in-any-combination")
class OptionsInAnyCombination(SessionService):
    """With each option a session has another address, another signature and more members."""

    def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
        chosen = [request.type, request.redirect_url, request.client_ip, request.address]
        session = super().session(partner, request, f"{address}{sum(value is not None for value in chosen)}")
        return session | {"chosen": chosen}


@own("trigger-once-for-a-user")
class TriggerOnceForAUser(UpdateService):
    """Only the first transaction of a user goes to its end on demand; any other one waits for the user."""

    def created(self, transaction: Transaction) -> None:
        known = self.ledger.transactions(transaction.partner)
        if not any(one.partner_user_id == transaction.partner_user_id for one in known if one.id != transaction.id):
            super().created(transaction)


@own("verified-for-every-partner")
class VerifiedForEveryPartner(StatusService):
    """Who was verified once is verified for each partner who has a session for them."""

    def kyc_status(self, partner: Partner, user: str) -> str:
        verified = any(self.ledger.is_verified(owner, user) for owner in self.partners)
        return "verified" if verified else super().kyc_status(partner, user)
