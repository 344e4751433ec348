"""What a request tells the target's tracing: a scenario is a trace, an exchange a span.

Source: W3C Trace Context (Recommendation, 23 November 2021), section 3.2, "Traceparent Header".
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from rampcheck.wire.exchanges import Headers, header

HEADER = "traceparent"
# Version 00; the last flag says that the caller may have recorded it, for which tracers that sample keep theirs, too.
_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_TRACE, _SPAN = 16, 8  # bytes


@dataclass(frozen=True)
class Span:
    """The names of a trace and of a span in it, in hexadecimal."""

    trace: str
    span: str

    @property
    def header(self) -> str:
        """The value of the header."""
        return f"00-{self.trace}-{self.span}-01"


def of_exchange(key: bytes, scenario: str, number: int) -> Span:
    """Gives the names of an exchange of a run: `key` is the run's own, and gives another run other ones."""

    def made(name: str, size: int) -> str:
        return hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256")[:size].hex()

    return Span(made(f"trace {scenario}", _TRACE), made(f"span {number}", _SPAN))


def of_headers(headers: Headers) -> Span | None:
    """Gives what a request's headers name, None where they name nothing."""
    found = _FORM.fullmatch(header(headers, HEADER) or "")
    return Span(found[1], found[2]) if found else None
