"""How defects of what follows a session are registered: one row each, of name, clauses, summary and what is otherwise.

All clauses are written without `proof.`.
"""

# ruff: noqa: ARG001, ARG005 - every change takes the document and the transaction, every admission the service and the call.

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from .base import BaseService
from .partners import Partner
from .refusals import Refusal, Refused
from .status import StatusService
from .transactions import Transaction
from .updates import UpdateService

Document = dict[str, Any]
# Takes a conforming document and its transaction; gives the document that shall be sent.
Change = Callable[[Document, Transaction], Document]
# Takes a call that a conforming server refuses for its token; gives whose it is taken for, or None to refuse it.
Admission = Callable[[BaseService, Call], Partner | None]


# Documents.


# A transaction that is asked for is shown as `change` gives it.
polled = defects(StatusService, "transaction_document", section="proof")
# Every event of a WebSocket is as `change` gives it.
told = defects(UpdateService, "message", section="proof")
# The document of every webhook is as `change` gives it.
posted = defects(UpdateService, "webhook", section="proof")


def always(**values: Any) -> Change:
    """The change that sets these members."""
    return lambda document, transaction: document | values


def without(*names: str) -> Change:
    """The change that leaves these members out."""
    return lambda document, transaction: {name: value for name, value in document.items() if name not in names}


def respelled(spell: Callable[[Any], Any], *names: str) -> Change:
    """The change that spells the values of these members otherwise."""
    return lambda document, transaction: document | {name: spell(document[name]) for name in names}


def wherever(applies: Callable[[Transaction], bool], change: Change) -> Change:
    """The change, for those transactions only to which it applies."""
    return lambda document, transaction: change(document, transaction) if applies(transaction) else document


def in_status(status: str, change: Change) -> Change:
    """The change, for transactions with this status only."""
    return wherever(lambda transaction: transaction.status == status, change)


# Access.


PATHS = {"transaction.auth": "/widget/transactions/", "kyc.auth": "/widget/users/", "ws.auth": "/ws"}


def admitted(name: str, clause: str, summary: str, admission: Admission, at: str = "") -> None:
    """Registers a defect: where a conforming server refuses the token, `admission` may let the caller in.

    `clause`, one of `PATHS`, says what they call; of a rule that holds for all of them, `at` says it.
    """
    path = at or PATHS[clause]

    @defect(name, breaks=[f"proof.{clause}"], summary=summary)
    class Admitted(BaseService):
        def authenticate(self, call: Call) -> Partner:
            try:
                return super().authenticate(call)
            except Refusal as refusal:
                is_about_token = refusal.refused.status == 401 and call.path.startswith(path)
                partner = admission(self, call) if is_about_token else None
                if partner is None:
                    raise
                return partner


def without_header(service: BaseService, call: Call) -> Partner | None:
    """Lets in as the first partner who has no Authorization header."""
    return None if "authorization" in call.headers else service.partners[0]


def with_any_token(service: BaseService, call: Call) -> Partner | None:
    """Lets in as the first partner who has any bearer token."""
    return service.partners[0] if service.bearer_token(call) else None


def with_token_prefix(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner who has that partner's token with anything after it."""
    token = service.bearer_token(call) or ""
    return next((partner for partner in service.partners if token.startswith(partner.client_token)), None)


def refused_with(refused: Refused) -> Admission:
    """Lets nobody in, but refuses otherwise."""

    def refuse(service: BaseService, call: Call) -> Partner | None:
        raise Refusal(refused)

    return refuse


# Times, misspelled.


def stamp(moment: datetime) -> str:
    """A time as a conforming server writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_called_utc(text: str) -> str:
    """The same time two hours east of Greenwich, labelled as UTC."""
    return shifted(text, timedelta(hours=2))


def shifted(text: str, step: timedelta) -> str:
    """The time that is a step later."""
    return stamp(datetime.fromisoformat(text) + step)


def with_offset(text: str) -> str:
    """The same instant two hours east of Greenwich, labelled as such."""
    return datetime.fromisoformat(text).astimezone(timezone(timedelta(hours=2))).isoformat(timespec="milliseconds")


def without_zone(text: str) -> str:
    """The time without a designator of UTC."""
    return text.removesuffix("Z")


def in_epoch_seconds(text: str) -> int:
    """The time as a number of seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())


def as_in_mail(text: str) -> str:
    """The time as the headers of mail and HTTP have it (RFC 5322 §3.3)."""
    return format_datetime(datetime.fromisoformat(text), usegmt=True)


def _full(clauses: Sequence[str]) -> list[str]:
    return [f"proof.{clause}" for clause in clauses]
