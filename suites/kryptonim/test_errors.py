"""Errors: envelope and codes. Every error of a run is judged by the schema and the invariants; this scenario
provokes one of each kind."""

import pytest

from rampcheck.running.scenario import Accepted

from .refusals import UNSUPPORTED_NETWORK
from .requests import API_KEY, SIGNATURE


@pytest.mark.verifies(
    "kryptonim.errors.envelope",
    "kryptonim.errors.media-type",
    "kryptonim.errors.gateway-envelope",
    "kryptonim.errors.no-session",
    "kryptonim.errors.codes",
)
def test_one_error_of_each_kind(another: Accepted) -> None:
    """Refusals for signature, key, body, field, amounts and network keep the promises of every error."""
    another.with_header(SIGNATURE, None).send()
    another.with_header(API_KEY, None).send()
    another.with_body(b"{", "a body that is no JSON").send()
    another.without("destinationAddress").send()
    another.but(fiatAmount=15, cryptoAmount=15).send()
    # Whoever was asked for it before may know it by now.
    another.but(network="rampcheck-network").is_refused(
        UNSUPPORTED_NETWORK, clause="kryptonim.session.request.network-supported"
    )
