"""Defects of media types, and of a gateway in front (`kryptonim.session.json`, `kryptonim.errors.*`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.gateway_pages import ATTACKS, page
from rampcheck.sandbox.wire import Answer, Call

from .service import WidgetSessionService

SESSION, ERRORS = "kryptonim.session", "kryptonim.errors"
TAKES = f"{SESSION}.request.accepts-media-type"


def _typed(answer: Answer, media_type: str) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return replace(answer, headers=headers | ({"content-type": media_type} if media_type else {}))


# A session has this Content-Type, or none where that is empty.
session_typed = defects(
    WidgetSessionService,
    "session_answer",
    lambda media_type, _, inherited, *given: _typed(inherited(*given), media_type),
    breaks=[f"{SESSION}.json"],
)
# An error has this Content-Type, or none where that is empty.
error_typed = defects(
    WidgetSessionService,
    "error_answer",
    lambda media_type, _, inherited, *given: _typed(inherited(*given), media_type),
    breaks=[f"{ERRORS}.media-type"],
)
session_typed("session-as-text", "A session is JSON, and called text.", "text/plain; charset=utf-8")
session_typed("session-without-content-type", "A session has no Content-Type.", "")
session_typed("session-called-page", "A session is JSON, and called HTML.", "text/html")
error_typed("error-called-text", "An error is JSON, and called text.", "text/plain")
error_typed("error-without-content-type", "An error has no Content-Type.", "")


def refused_type(name: str, summary: str, takes: Callable[[str], bool]) -> None:
    """Registers a defect: a Content-Type that it does not take is refused with 415."""

    @defect(name, breaks=[TAKES], summary=summary)
    class RefusedType(WidgetSessionService):
        def check_media_type(self, call: Call) -> None:
            if not takes(call.header("content-type") or ""):
                call = replace(call, headers={**call.headers, "content-type": "text/plain"})
            super().check_media_type(call)


refused_type(
    "media-type-compared-whole",
    "A Content-Type with a parameter is refused.",
    lambda value: value == "application/json",
)
refused_type(
    "charset-in-capitals-refused",
    "Of the charset parameter only the spelling utf-8, after a space, is taken.",
    lambda value: value in {"application/json", "application/json; charset=utf-8"},
)


def stopped(name: str, attack: str, status: int) -> None:
    """Registers a defect: a firewall answers what looks like an attack."""

    @defect(
        name,
        breaks=[f"{ERRORS}.gateway-envelope"],
        summary=f"A firewall answers a {attack} in the body with a page, {status}.",
    )
    class Stopped(WidgetSessionService):
        def post_session(self, call: Call) -> Answer:
            return page(status) if ATTACKS[attack] in call.body else super().post_session(call)


stopped("firewall-stops-sql", "sql", 403)
stopped("firewall-stops-scripts", "script", 406)
