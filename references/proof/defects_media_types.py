"""Defects of what a session or an error says that it is, while its bytes are right."""

from __future__ import annotations

from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Answer

from .base import BaseService
from .service import SessionService


def _called(media_type: str | None, answer: Answer) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return Answer(
        answer.status, answer.body, headers if media_type is None else {**headers, "content-type": media_type}
    )


_session = defects(
    SessionService,
    "session_answer",
    lambda media_type, _, inherited, session, call: _called(media_type, inherited(session, call)),
    breaks=["proof.session.json"],
    may_break=["proof.session"],
)
_session("session-without-media-type", "A session says nothing of what it is.", None)
_session("session-as-octets", "A session says that it is any bytes.", "application/octet-stream")
_session("session-as-script", "A session says that it is JavaScript.", "text/javascript; charset=utf-8")

_error = defects(
    BaseService,
    "error_answer",
    lambda media_type, _, inherited, refused, call: _called(media_type, inherited(refused, call)),
    breaks=["proof.errors.media-type"],
    may_break=["proof.errors"],
)
_error("error-without-media-type", "An error says nothing of what it is.", None)
_error("error-as-octets", "An error says that it is any bytes.", "application/octet-stream")
