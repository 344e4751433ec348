"""What the Proof server refuses, as a table of envelopes (session page, Errors; errors page)."""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.sandbox.refusal import Refusal, Row

__all__ = ["Refusal", "Refused"]


@dataclass(frozen=True)
class Refused(Row):
    """One kind of error: the HTTP status and the three strings of its envelope."""

    status: int
    error: str
    code: str
    message: str


VALIDATION = Refused(400, "invalid_request", "validation_error", "The request is not valid.")
DECODE = Refused(400, "invalid_request", "decode_error", "The body is not a JSON object.")
TX_ID = Refused(400, "invalid_request", "missing_param", "tx_id is required.")
CURRENCY = Refused(400, "invalid_request", "currency_not_allowed", "This currency is not enabled for you.")
WALLET = Refused(400, "wallet_not_supported", "WALLET_NOT_SUPPORTED", "There is no wallet for this pair.")
TOKEN = Refused(401, "unauthorised", "invalid_token", "The client token is missing or not valid.")
ADDRESS = Refused(403, "forbidden", "forbidden_origin", "Calls from this address are not allowed.")
ORIGIN = Refused(403, "forbidden", "forbidden_origin", "This origin is not registered.")
PATH = Refused(404, "not_found", "not_found", "There is nothing at this path.")
TRANSACTION = Refused(404, "not_found", "not_found", "You have no such transaction.")
USER = Refused(404, "not_found", "not_found", "You have no such user.")
METHOD = Refused(405, "method_not_allowed", "method_not_allowed", "Only POST is served at this path.")
NOT_GET = Refused(405, "method_not_allowed", "method_not_allowed", "Only GET is served at this path.")
SIZE = Refused(413, "payload_too_large", "payload_too_large", "The body is larger than 1 MiB.")
MEDIA_TYPE = Refused(415, "unsupported_media_type", "unsupported_media_type", "Send application/json.")
UPGRADE = Refused(426, "upgrade_required", "upgrade_required", "Only a WebSocket is served at this path.")
INTERNAL = Refused(500, "internal_error", "db_error", "Something went wrong on our side. Retry once.")
UPSTREAM = Refused(502, "upstream_error", "provider_error", "A provider failed. Retry with the same body.")

# The headers that HTTP demands with a refusal (RFC 9110 §15.5.6, §15.5.22 and §7.8).
HEADERS = {
    METHOD: {"allow": "POST"},
    NOT_GET: {"allow": "GET"},
    UPGRADE: {"upgrade": "websocket", "connection": "upgrade"},
}
