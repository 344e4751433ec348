"""The secrets that a target asks for, in a mapping that never shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


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
