"""The behaviour of the server, one small method for each decision: a defect overrides one of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rampcheck.sandbox import strict_json
from rampcheck.sandbox.refusal import PostedJson, Refusal, Row
from rampcheck.sandbox.wire import Answer, Call, json_answer

from .profile import API_KEY


@dataclass(frozen=True)
class Refused(Row):
    """One kind of error: the HTTP status and the two strings of its envelope."""

    status: int
    code: str
    message: str


INVALID = Refused(400, "INVALID_REQUEST", "The request is not valid")
UNAUTHORIZED = Refused(401, "UNAUTHORIZED", "The API key is not known")
PATH = Refused(404, "NOT_FOUND", "There is nothing at this path")


class SessionService(PostedJson):
    """A conforming server: takes a call, gives its answer, and never raises."""

    METHOD = Refused(405, "METHOD_NOT_ALLOWED", "Only POST is served at this path")
    MEDIA_TYPE = Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json")
    SIZE = Refused(413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB")

    def post_session(self, call: Call) -> Answer:
        """POST /v1/sessions: a session, or the error that stands in its way."""
        return self.answered(call, self.create_session)

    def unknown_path(self, _: Call) -> Answer:
        """Any path that is not served: 404."""
        return self.error_answer(PATH)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        """What the operation gives, or the envelope of the refusal it raises."""
        try:
            return operation(call)
        except Refusal as refusal:
            return self.error_answer(refusal.refused)

    def create_session(self, call: Call) -> Answer:
        """The order of decisions."""
        self.authenticate(call)
        self.check_method(call)
        self.check_media_type(call)
        self.check_size(call)
        return json_answer(200, self.session(self.read(call.body)))

    def authenticate(self, call: Call) -> None:
        """The API key is the partner's."""
        if call.header("x-api-key") != API_KEY:
            raise Refusal(UNAUTHORIZED)

    def read(self, body: bytes) -> dict[str, Any]:
        """The JSON object in the body, with its required members."""
        try:
            request = strict_json.parse(body)
        except strict_json.NotJsonError as error:
            raise INVALID.because(f"The body is {error}") from error
        if not isinstance(request, dict):
            raise INVALID.because("The body is no JSON object")
        for name in ("asset", "amount"):
            if not isinstance(request.get(name), str):
                raise INVALID.because(f"{name} must be a string")
        return request

    def session(self, _request: dict[str, Any]) -> dict[str, Any]:
        """A new session."""
        name = self.session_id()
        return {"id": name, "url": f"https://pay.vendorname.example/{name}"}

    def session_id(self) -> str:
        """A text that no other session has."""
        return secrets.token_hex(8)

    def error_answer(self, refused: Refused) -> Answer:
        """The status with the envelope."""
        return json_answer(refused.status, {"code": refused.code, "message": refused.message})
