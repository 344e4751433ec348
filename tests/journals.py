"""Records of journals, for tests to build on."""

from __future__ import annotations

from typing import Any

BEGINNING: dict[str, Any] = {
    "kind": "run",
    "schema": 1,
    "rampcheck": "0.1.0",
    "run": "3f9a2c1e",
    "contract": "proof",
    "contract_version": "2026-11",
    "profile": {"contract": "proof", "base_url": "https://sandbox.example", "credentials": ["client_token"]},
    "seed": 1,
    "workers": 0,
    "selection": {"clauses": [], "keyword": ""},
    "selected": ["proof.auth.bearer-required"],
    "strict": False,
    "require_complete": False,
    "allure": True,
    "started": "2026-11-21T07:00:00.000000Z",
}
