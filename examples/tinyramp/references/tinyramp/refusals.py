"""What the server refuses, as a table of status, `code` and `message`."""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.sandbox.refusal import Row


@dataclass(frozen=True)
class Refused(Row):
    """One kind of error: the HTTP status and the two strings of its envelope."""

    status: int
    code: str
    message: str


INVALID = Refused(400, "invalid_request", "The request is not valid")
UNKNOWN_KEY = Refused(401, "unknown_key", "There is no such key")
BAD_SIGNATURE = Refused(401, "bad_signature", "The signature is not that of the request")
STALE = Refused(401, "stale_timestamp", "The timestamp is more than 300 seconds from now")
REUSED = Refused(401, "nonce_reused", "An earlier request has used the nonce")
PATH = Refused(404, "not_found", "There is nothing at this path")
UNKNOWN = Refused(404, "unknown_session", "There is no such session")
METHOD = Refused(405, "method_not_allowed", "Only POST is served at this path")
REDEEMED = Refused(409, "already_redeemed", "The session has been redeemed")
EXPIRED = Refused(410, "session_expired", "The session has expired")
SIZE = Refused(413, "payload_too_large", "The body is larger than 1 MiB")
MEDIA_TYPE = Refused(415, "unsupported_media_type", "Send application/json")
INTERNAL = Refused(500, "internal_error", "Something went wrong on our side")
