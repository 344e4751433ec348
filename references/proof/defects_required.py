"""More defects of required fields: wrong codes, wrong statuses, guessed values (`proof.session.request.*`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect

from . import refusals
from .defects_fields import ECHOES, GOOD_VALUES, REQUEST
from .refusals import Refusal
from .service import SessionService


def _missing(field: str) -> None:
    """Registers the defects that every required field can have when it is absent."""
    required, named = f"{REQUEST}.required.{field}", field.replace("_", "-")

    @defect(
        f"{named}-missing-taken-from-last-request",
        breaks=[required],
        may_break=ECHOES.get(field, ()),
        summary=f"A request without {field} gets the one of the request before, whoever sent it.",
    )
    class Remembered(SessionService):
        _last: str | None = None

        def required(self, document: Mapping[str, Any], name: str) -> str:
            if name == field and name not in document and self._last is not None:
                return self._last
            value = super().required(document, name)
            if name == field:
                self._last = value
            return value

    @defect(
        f"{named}-missing-named-after-it",
        breaks=[required],
        summary=f"A request without {field} gets the code {field}_required.",
    )
    class NamedAfterIt(SessionService):
        def missing(self, name: str) -> str:
            if name == field:
                raise Refusal(replace(refusals.VALIDATION, code=f"{field}_required"))
            return super().missing(name)


def _mistyped(field: str) -> None:
    """Registers the defects that every required field can have when it is no string."""
    typed, named = f"{REQUEST}.type.{field}", field.replace("_", "-")

    @defect(
        f"{named}-of-wrong-type-unprocessable",
        breaks=[typed],
        may_break=["proof.errors.matrix"],
        summary=f"A {field} that is no string gets 422, not 400.",
    )
    class Unprocessable(SessionService):
        def mistyped(self, name: str, value: Any) -> str:
            if name == field:
                raise Refusal(replace(refusals.VALIDATION, status=422))
            return super().mistyped(name, value)

    @defect(
        f"{named}-out-of-array",
        breaks=[typed],
        may_break=ECHOES.get(field, ()),
        summary=f"Of a {field} that is an array the first string is taken.",
    )
    class OutOfArray(SessionService):
        def mistyped(self, name: str, value: Any) -> str:
            if name == field and isinstance(value, list) and value and isinstance(value[0], str):
                return str(value[0])
            return super().mistyped(name, value)

    @defect(
        f"{named}-null-named-after-it",
        breaks=[typed],
        summary=f"A {field} of null gets the code {field}_null.",
    )
    class NullNamedAfterIt(SessionService):
        def mistyped(self, name: str, value: Any) -> str:
            if name == field and value is None:
                raise Refusal(replace(refusals.VALIDATION, code=f"{field}_null"))
            return super().mistyped(name, value)


for _field in GOOD_VALUES:
    _missing(_field)
    _mistyped(_field)
