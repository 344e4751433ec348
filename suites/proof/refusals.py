"""The refusals that Proof documents, as the session page's table and the errors page name them."""

from __future__ import annotations

from rampcheck.judging.demands import EitherRejection, Rejection

INVALID_TOKEN = Rejection([401], {"error": ["unauthorised"], "code": ["invalid_token"]})
MISSING_TOKEN = Rejection([401], {"error": ["unauthorised"], "code": ["invalid_token", "missing_token"]})
UNAUTHORISED = Rejection([401], {"error": ["unauthorised"]})
FORBIDDEN = Rejection([403], {"error": ["forbidden"]})
FORBIDDEN_ORIGIN = Rejection([403], {"error": ["forbidden"], "code": ["forbidden_origin"]})
INVALID_REQUEST = Rejection([400], {"error": ["invalid_request"]})
MISSING_FIELD = Rejection([400], {"error": ["invalid_request"], "code": ["validation_error", "missing_param"]})
WRONG_TYPE = Rejection([400], {"error": ["invalid_request"], "code": ["validation_error", "decode_error"]})
CURRENCY_NOT_ALLOWED = Rejection([400], {"error": ["invalid_request"], "code": ["currency_not_allowed"]})
WALLET_NOT_SUPPORTED = Rejection([400], {"error": ["wallet_not_supported"], "code": ["WALLET_NOT_SUPPORTED"]})
NOT_FOUND = Rejection([404], {"error": ["not_found"], "code": ["not_found"]})
# For what is no id by its form; the code of an INVALID_REQUEST is promised for the causes of the session page only.
NOT_FOUND_OR_NO_ID = EitherRejection.of(NOT_FOUND, INVALID_REQUEST)
ANY_4XX = Rejection()
