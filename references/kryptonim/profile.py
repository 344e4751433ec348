"""The profile that describes the embedded Kryptonim server."""

from __future__ import annotations

from typing import Any

from .partner import (
    API_KEY,
    DESTINATION_ADDRESS,
    SECOND_API_KEY,
    SECOND_SIGNATURE_SECRET,
    SIGNATURE_SECRET,
)


def profile(base_url: str, environment: str, _webhook_url: str | None = None) -> dict[str, Any]:
    """The profile, as the mapping its YAML file would hold, of a server at `base_url`, which sends no webhooks."""
    return {
        "contract": "kryptonim",
        "base_url": base_url,
        "environment": environment,
        "credentials": {
            "api_key": API_KEY,
            "signature_secret": SIGNATURE_SECRET,
            "second_api_key": SECOND_API_KEY,
            "second_signature_secret": SECOND_SIGNATURE_SECRET,
        },
        "partner": {
            "destination_address": DESTINATION_ADDRESS,
            "crypto_currency": "USDC",
            "network": "polygon",
        },
        "limits": {"requests_per_second": 0, "timeout_seconds": 10, "max_requests": 5000, "recovery_seconds": 8},
    }
