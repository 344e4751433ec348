"""Where the engine's own data is, in the wheel or beside the package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def root() -> Path:
    """Gives the folder of rampcheck's own pack: the package in the wheel, what it stands in in a checkout."""
    return PACKAGE if (PACKAGE / "openapi").is_dir() else PACKAGE.parent


def schema(name: str) -> Path:
    """Gives the path of the JSON Schema called `name` (`rampcheck schema` has the names)."""
    return PACKAGE / "schemas" / f"{name}.schema.json"
