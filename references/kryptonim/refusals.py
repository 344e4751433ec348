"""What the Kryptonim server refuses, as a table of status, `code` and `message` (widget sessions page)."""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.sandbox.refusal import Refusal, Row

__all__ = ["Refusal", "Refused"]


@dataclass(frozen=True)
class Refused(Row):
    """One kind of error: the HTTP status and the two strings of its envelope."""

    status: int
    code: str
    message: str


INVALID = Refused(400, "INVALID_REQUEST", "Invalid request")
NETWORK = Refused(400, "INVALID_REQUEST", "Unsupported network")
UNAUTHORIZED = Refused(401, "UNAUTHORIZED", "Unauthorized request")
PATH = Refused(404, "NOT_FOUND", "There is nothing at this path")
METHOD = Refused(405, "METHOD_NOT_ALLOWED", "Only POST is served at this path")
SIZE = Refused(413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB")
MEDIA_TYPE = Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json")
INTERNAL = Refused(500, "INTERNAL_ERROR", "Something went wrong on our side")
