"""How a reference refuses, and what every endpoint refuses alike, whatever its contract's envelope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from rampcheck.sandbox.wire import Call


class Refusal(Exception):
    """The request ends here; `refused`, a row of the contract's table, says how."""

    def __init__(self, refused: Any) -> None:
        super().__init__(refused.message)
        self.refused = refused


class Row:
    """Base of a contract's dataclass for one kind of error, whose members include `message`."""

    def because(self: Any, message: str) -> Refusal:
        """The exception to raise, with a message of its own."""
        return Refusal(replace(self, message=message))


class PostedJson:
    """Checks that a call is a POST of JSON of a bearable size; each check raises `Refusal` where it is not.

    A contract names the rows by which they refuse.
    """

    METHOD: ClassVar[Row]
    MEDIA_TYPE: ClassVar[Row]
    SIZE: ClassVar[Row]

    def check_method(self, call: Call) -> None:
        """Only POST."""
        if call.method != "POST":
            raise Refusal(self.METHOD)

    def check_media_type(self, call: Call) -> None:
        """Only application/json, with any parameters."""
        if call.media_type != "application/json":
            raise Refusal(self.MEDIA_TYPE)

    def check_size(self, call: Call) -> None:
        """At most 1 MiB."""
        if call.oversized:
            raise Refusal(self.SIZE)
