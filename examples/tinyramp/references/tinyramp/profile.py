"""The profile that describes the server, and the key of its one partner."""

from __future__ import annotations

from typing import Any

# They open nothing but this server.
KEY_ID = "tiny-key-4f1c9a0b7d"
SIGNING_KEY = "dGlueXJhbXAgcmVmZXJlbmNlIGtleSAwMTIzNDU2Nzg="


def profile(base_url: str, environment: str, _webhook_url: str | None = None) -> dict[str, Any]:
    """The profile, as the mapping its YAML file would hold, of a server at `base_url`."""
    return {
        "contract": "tinyramp",
        "base_url": base_url,
        "environment": environment,
        "credentials": {"key_id": KEY_ID, "signing_key": SIGNING_KEY},
        "partner": {"asset": "BTC", "wallet": "bc1qreference00000000000000000000000000000"},
        "limits": {"requests_per_second": 0, "recovery_seconds": 8},
    }
