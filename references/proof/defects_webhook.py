"""Defects of the partner's webhook (`proof.webhook.*`)."""

# ruff: noqa: ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.webhooks import Webhooks

from .following_changes import (
    always,
    as_in_mail,
    in_epoch_seconds,
    in_status,
    local_called_utc,
    posted,
    respelled,
    shifted,
    wherever,
    with_offset,
    without,
    without_zone,
)
from .partners import Partner
from .request import SessionRequest
from .service import SessionService
from .transactions import Transaction
from .updates import UpdateService

COMPLETE, AGREES, TIMES = ["webhook.complete"], ["webhook.agrees"], ("created_at", "updated_at")

# The request.


# The document of a webhook is written otherwise.
bodied = defects(
    UpdateService,
    "webhook_body",
    lambda write, service, _inherited, transaction: write(service.webhook(transaction)),
    breaks=["proof.webhook.post-json"],
)


def typed(name: str, summary: str, content_type: str) -> None:
    """Registers a defect: a webhook has another Content-Type, or none where that is empty."""

    @defect(name, breaks=["proof.webhook.post-json"], summary=summary)
    class Typed(UpdateService):
        def webhook_headers(self, transaction: Transaction) -> dict[str, str]:
            headers = super().webhook_headers(transaction)
            del headers["content-type"]
            return headers | ({"content-type": content_type} if content_type else {})


# A webhook is sent by another method than POST.
sent_by = defects(
    UpdateService,
    "send_webhook",
    lambda method, service, _inherited, webhooks, transaction, body: webhooks.post(
        transaction.key, service.webhook_headers(transaction), body, method
    ),
    breaks=["proof.webhook.post-json"],
)
sent_by("webhook-by-put", "A webhook is sent by PUT.", "PUT")
sent_by("webhook-by-get", "A webhook is sent by GET, with a body.", "GET")
typed("webhook-as-text", "A webhook is JSON, and called text.", "text/plain; charset=utf-8")
typed("webhook-called-form", "A webhook is JSON, and called a form.", "application/x-www-form-urlencoded")
typed("webhook-without-content-type", "A webhook has no Content-Type.", "")
# What is no object tells nothing of any transaction.
UNTOLD = ["proof.webhook.complete", "proof.webhook.delivered"]
bodied(
    "webhook-as-form",
    "The body of a webhook is a form.",
    lambda document: urlencode(document).encode(),
    may_break=UNTOLD,
)
bodied(
    "webhook-in-array",
    "The body of a webhook is an array of one object.",
    lambda document: json.dumps([document]).encode(),
    may_break=UNTOLD,
)
bodied(
    "webhook-encoded-twice",
    "The body of a webhook is JSON in a JSON string.",
    lambda document: json.dumps(json.dumps(document)).encode(),
    may_break=UNTOLD,
)

# The fields.

posted("webhook-without-network", COMPLETE, "network is missing.", without("network"))
posted(
    "webhook-with-id-and-status-only",
    COMPLETE,
    "A webhook has merchant_transaction_id and status, and nothing else.",
    lambda document, transaction: {name: document[name] for name in ("merchant_transaction_id", "status")},
)
posted(
    "webhook-without-times-for-usdc",
    COMPLETE,
    "Both times are missing for USDC.",
    wherever(lambda transaction: transaction.currency == "USDC", without(*TIMES)),
)
posted(
    "webhook-amounts-as-numbers",
    COMPLETE,
    "Both amounts are JSON numbers.",
    respelled(float, "crypto_amount", "fiat_amount"),
)
posted(
    "webhook-crypto-amount-null-while-processing",
    COMPLETE,
    "crypto_amount is null until a transaction is completed.",
    in_status("processing", always(crypto_amount=None)),
)
posted(
    "webhook-status-in-capitals",
    COMPLETE,
    "status is in capitals.",
    respelled(str.upper, "status"),
    may_break=["webhook.delivered"],
)
posted(
    "webhook-in-data",
    COMPLETE,
    "What a webhook tells stands in an object under the name data.",
    lambda document, transaction: {"data": document},
    may_break=["webhook.delivered"],
)
posted(
    "webhook-times-as-numbers",
    COMPLETE,
    "Both times are JSON numbers, seconds since 1970.",
    respelled(in_epoch_seconds, *TIMES),
)
posted("webhook-without-zone", COMPLETE, "Times have no designator of UTC.", respelled(without_zone, *TIMES))
posted("webhook-with-offset", COMPLETE, "Times are right, but not in UTC.", respelled(with_offset, *TIMES))
posted("webhook-times-as-in-mail", COMPLETE, "Times are as in mail.", respelled(as_in_mail, *TIMES))
posted(
    "webhook-times-swapped",
    COMPLETE,
    "created_at and updated_at have changed places.",
    lambda document, transaction: (
        document | {"created_at": document["updated_at"], "updated_at": document["created_at"]}
    ),
    may_break=AGREES,
)

# What the poll says.

posted(
    "webhook-type-of-other-side",
    AGREES,
    "What the user buys is told as what the vendor sells.",
    respelled(lambda kind: {"buy": "sell", "sell": "buy"}[kind], "type"),
)
posted(
    "webhook-failed-for-completed",
    AGREES,
    "The webhook of a completed transaction has the status failed.",
    in_status("completed", always(status="failed")),
    may_break=["webhook.delivered"],
)
posted("webhook-currency-in-lower-case", AGREES, "currency is in lower case.", respelled(str.lower, "currency"))
posted(
    "webhook-network-of-configuration",
    AGREES,
    "network is the partner's first one, whatever the session's is.",
    lambda document, transaction: document | {"network": transaction.partner.widget_config["networks"][0]},
)
posted(
    "webhook-fiat-currency-of-other-account",
    AGREES,
    "fiat_currency is USD, whatever it is.",
    always(fiat_currency="USD"),
)
posted(
    "webhook-fiat-amount-rounded",
    AGREES,
    "fiat_amount is rounded to whole units.",
    respelled(lambda amount: f"{Decimal(amount):.0f}", "fiat_amount"),
)
posted(
    "webhook-fiat-amount-in-cents",
    AGREES,
    "fiat_amount is in cents.",
    respelled(lambda amount: amount.replace(".", ""), "fiat_amount"),
)
posted(
    "webhook-final-amount-less-fee",
    AGREES,
    "crypto_amount of a completed transaction is one less, for a fee.",
    in_status("completed", respelled(lambda amount: str(Decimal(amount) - 1), "crypto_amount")),
)
posted(
    "webhook-created-at-of-change",
    AGREES,
    "created_at is the time of the change.",
    lambda document, transaction: document | {"created_at": document["updated_at"]},
)
posted(
    "webhook-in-local-time-called-utc",
    AGREES,
    "Times are local ones, two hours ahead, and end in Z.",
    respelled(local_called_utc, *TIMES),
)
posted(
    "webhook-half-a-minute-late",
    AGREES,
    "updated_at is from a clock that is half a minute fast.",
    respelled(lambda text: shifted(text, timedelta(seconds=30)), "updated_at"),
)


@defect("webhook-amount-of-latest-transaction", breaks=["proof.webhook.agrees"])
class WebhookAmountOfLatestTransaction(UpdateService):
    """fiat_amount is that of the partner's latest transaction."""

    def webhook(self, transaction: Transaction) -> dict[str, Any]:
        latest = self.ledger.transactions(transaction.partner)[-1]
        return super().webhook(transaction) | {"fiat_amount": latest.fiat_amount}


# What it gives away.


# A webhook has these headers more.
giving_away = defects(
    UpdateService,
    "webhook_headers",
    lambda headers, _, inherited, transaction: inherited(transaction) | headers(transaction),
    breaks=["proof.webhook.no-token"],
)
giving_away(
    "webhook-with-bearer-token",
    "A webhook has the partner's own token as its Authorization.",
    lambda transaction: {"authorization": f"Bearer {transaction.partner.client_token}"},
)
giving_away(
    "webhook-with-token-as-client",
    "A header of a webhook names the client by its token.",
    lambda transaction: {"x-client": transaction.partner.client_token},
)
giving_away(
    "webhook-with-basic-token",
    "A webhook has the partner's own token, in base64, as the password of its Authorization.",
    lambda transaction: {
        "authorization": f"Basic {base64.b64encode(f'proof:{transaction.partner.client_token}'.encode()).decode()}"
    },
)


@defect("webhook-with-token-in-query", breaks=["proof.webhook.no-token"])
class WebhookWithTokenInQuery(UpdateService):
    """A webhook has the partner's token in the query of its URL."""

    def send_webhook(self, webhooks: Webhooks, transaction: Transaction, body: bytes) -> None:
        query = urlencode({"client_token": transaction.partner.client_token})
        webhooks.post(transaction.key, self.webhook_headers(transaction), body, query=query)


def with_session_value(name: str, summary: str, field: str) -> None:
    """Registers a defect: a webhook holds a field of the session that nobody but the widget is to have."""

    @defect(name, breaks=["proof.webhook.no-token"], summary=summary)
    class WithSessionValue(SessionService, UpdateService):
        def __init__(self) -> None:
            super().__init__()
            self._values: dict[str, Any] = {}

        def record(self, partner: Partner, request: SessionRequest, session: dict[str, Any]) -> None:
            self._values[session["merchant_transaction_id"]] = session[field]
            super().record(partner, request, session)

        def webhook(self, transaction: Transaction) -> dict[str, Any]:
            return super().webhook(transaction) | {field: self._values[transaction.id]}


with_session_value("webhook-with-init-token", "A webhook holds the session's init_token.", "init_token")
with_session_value("webhook-with-signature", "A webhook holds the session's signature.", "signature")

# Whether it comes.


# There is no webhook for changes to which it applies.
withheld = defects(
    UpdateService,
    "publish_webhook",
    lambda applies, _, inherited, transaction: None if applies(transaction) else inherited(transaction),
    breaks=["proof.webhook.delivered"],
)
withheld("no-webhook", "There are no webhooks.", lambda transaction: True)
withheld(
    "no-webhook-for-processing",
    "There is no webhook before a transaction's end.",
    lambda transaction: not transaction.is_terminal,
)
withheld(
    "no-webhook-for-completed",
    "There is no webhook for a transaction's end.",
    lambda transaction: transaction.is_terminal,
)
withheld("no-webhook-for-usdc", "There is no webhook for USDC.", lambda transaction: transaction.currency == "USDC")
posted(
    "webhook-id-in-capitals",
    ["webhook.delivered"],
    "merchant_transaction_id is in capitals.",
    respelled(str.upper, "merchant_transaction_id"),
)
