"""The refusals that Kryptonim documents; every other one is a 4xx of its own choice."""

from rampcheck.judging.demands import Rejection

UNAUTHORIZED = Rejection([401], {"code": ["UNAUTHORIZED"], "message": ["Unauthorized request"]})
UNSUPPORTED_NETWORK = Rejection(members={"code": ["INVALID_REQUEST"], "message": ["Unsupported network"]})
KEY_REFUSED = Rejection([401, 403])
ANY_4XX = Rejection()
