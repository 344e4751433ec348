"""The profile that describes the embedded Proof server."""

from __future__ import annotations

from typing import Any

from rampcheck.reference.proof.partners import FIRST, SECOND
from rampcheck.reference.proof.service import UPSTREAM_FAULT_PREFIX


def profile(base_url: str, environment: str) -> dict[str, Any]:
    """The profile, as the mapping its YAML file would hold, of a server at `base_url`."""
    return {
        "contract": "proof",
        "base_url": base_url,
        "environment": environment,
        "credentials": {
            "client_token": FIRST.client_token,
            "previous_client_token": FIRST.previous_client_token,
            "inactive_client_token": FIRST.inactive_client_token,
            "second_client_token": SECOND.client_token,
        },
        "partner": FIRST.as_profile(),
        "second_partner": SECOND.as_profile(),
        "egress": {"outside_source_address": "127.0.0.2"},
        "triggers": {"upstream_error_once": {"partner_user_id": f"{UPSTREAM_FAULT_PREFIX}{{unique}}"}},
        "limits": {"requests_per_second": 0, "timeout_seconds": 10, "max_requests": 5000},
    }
