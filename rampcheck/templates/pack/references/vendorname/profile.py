"""The profile that describes the server."""

from __future__ import annotations

from typing import Any

API_KEY = "reference-api-key-0123456789abcdef"  # opens nothing but this server


def profile(base_url: str, environment: str, _webhook_url: str | None = None) -> dict[str, Any]:
    """The profile, as the mapping its YAML file would hold, of a server at `base_url`."""
    return {
        "contract": "vendorname",
        "base_url": base_url,
        "environment": environment,
        "credentials": {"api_key": API_KEY},
        "partner": {"asset": "BTC"},
        "limits": {"requests_per_second": 0, "recovery_seconds": 8},
    }
