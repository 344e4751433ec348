"""The profile that describes the embedded Proof server."""

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.webhooks import listening_address

from .partners import FIRST, SECOND
from .service import UPSTREAM_FAULT_PREFIX
from .updates import COMPLETE_PREFIX


def profile(base_url: str, environment: str, webhook_url: str | None = None) -> dict[str, Any]:
    """The profile, as the mapping its YAML file would hold, of a server at `base_url`.

    `webhook_url` is where it sends webhooks, if it does. Raises `UsageError` if that is no URL.
    """
    described = {
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
        "second_partner": {**SECOND.as_profile(), "egress_is_outside": True},
        "egress": {"outside_source_address": "127.0.0.2"},
        "triggers": {
            "upstream_error_once": {"partner_user_id": f"{UPSTREAM_FAULT_PREFIX}{{unique}}"},
            "complete": {"partner_user_id": f"{COMPLETE_PREFIX}{{unique}}"},
        },
        "limits": {
            "requests_per_second": 0,
            "timeout_seconds": 10,
            "max_requests": 5000,
            "event_timeout_seconds": 4,
            "poll_interval_seconds": 0.05,
            "recovery_seconds": 8,
        },
    }
    if webhook_url is not None:
        described["webhook"] = {"listen": listening_address(webhook_url), "public_url": webhook_url}
    return described
