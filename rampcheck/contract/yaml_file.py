"""Reading the YAML files of a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from rampcheck.errors import ContractError

__all__ = ["UNREADABLE", "Loader", "read_yaml"]

try:  # libyaml, where PyYAML was built with it, reads the documents ten times faster
    from yaml import CSafeLoader as Loader
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

# What reading a file as YAML raises: PyYAML lets through what Python says of a date, a number or a flag that is none.
UNREADABLE = (
    OSError,
    yaml.YAMLError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Gives the mapping that a file holds. Raises `ContractError` where it cannot be read, or holds none."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
    except UNREADABLE as error:
        raise ContractError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ContractError(f"{path} does not hold a YAML mapping")
    return content
