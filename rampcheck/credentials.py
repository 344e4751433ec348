"""The secrets that a target asks for: their names, their environment variables, and a mapping that never shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# Each contract's credentials, and the variable that holds each where a run has no profile.
CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "proof": {
        "client_token": "PROOF_CLIENT_TOKEN",
        "previous_client_token": "PROOF_PREVIOUS_CLIENT_TOKEN",
        "inactive_client_token": "PROOF_INACTIVE_CLIENT_TOKEN",
        "second_client_token": "PROOF_SECOND_CLIENT_TOKEN",
    },
    "kryptonim": {
        "api_key": "KRYPTONIM_API_KEY",
        "signature_secret": "KRYPTONIM_SIGNATURE_SECRET",
        "second_api_key": "KRYPTONIM_SECOND_API_KEY",
        "second_signature_secret": "KRYPTONIM_SECOND_SIGNATURE_SECRET",
    },
}

VARIABLES = {name: variable for names in CREDENTIALS.values() for name, variable in names.items()}
REQUIRED = frozenset({"client_token", "api_key", "signature_secret"})


class Credentials(Mapping[str, str]):
    """The target's secrets by name (`client_token`, …). Printing it shows the names only."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self._values)})"
