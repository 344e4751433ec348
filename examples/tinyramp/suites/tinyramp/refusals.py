"""The refusals that Tinyramp documents."""

from rampcheck.judging.demands import Rejection

INVALID = Rejection([400], {"code": ["invalid_request"]})
UNKNOWN_KEY = Rejection([401], {"code": ["unknown_key"]})
BAD_SIGNATURE = Rejection([401], {"code": ["bad_signature"]})
STALE = Rejection([401], {"code": ["stale_timestamp"]})
REUSED = Rejection([401], {"code": ["nonce_reused"]})
REDEEMED = Rejection([409], {"code": ["already_redeemed"]})
EXPIRED = Rejection([410], {"code": ["session_expired"]})
