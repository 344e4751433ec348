"""What a file, or a value, comes to in 64 characters: its SHA-256, in hexadecimal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def of_bytes(content: bytes) -> str:
    """Gives the digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def of_file(path: Path) -> str:
    """Gives the digest of a file, "" where there is none that can be read."""
    try:
        return of_bytes(path.read_bytes())
    except OSError:
        return ""


def of_value(value: Any) -> str:
    """Gives the digest of a JSON value, which is that of its `canonical` form."""
    return of_bytes(canonical(value))


def canonical(value: Any) -> bytes:
    """Gives JSON in the one form in which its digest is taken, and in which it is signed.

    Keys sorted, no white space, all but ASCII escaped. (RFC 8785 has no form for a lone surrogate, nor for a number of
    64 bits; a profile may hold both.)
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
