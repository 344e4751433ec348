"""Reading a request's body as JSON, no more and no less than RFC 8259 allows."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn


class NotJsonError(ValueError):
    """The bytes are not JSON, or nested too deeply to be read; `str()` completes `The body is …`."""


def parse(body: bytes) -> Any:
    """The JSON value in a body in UTF-8 (§8.1). Raises `NotJsonError`.

    Whole numbers become Decimal, as int() refuses more than 4,300 digits and JSON sets no bound; others
    become float, infinite where they are too large. Of repeated names in an object the last one counts.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_int=Decimal, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise NotJsonError("not UTF-8") from error
    except RecursionError as error:
        raise NotJsonError("nested too deeply") from error
    except ValueError as error:
        raise NotJsonError("not JSON") from error


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity, which Python would read, are no JSON (§6)."""
    raise ValueError(f"{name} is not JSON")
