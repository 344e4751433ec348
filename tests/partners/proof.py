"""Partners of Proof: the conforming one, and the ways in which others differ from it."""

from __future__ import annotations

from typing import Any

from tests.partners.programs import Programs, example

conforming = example("proof")
ENV, SCALE = conforming.ENV, conforming.SCALE
Purchase: Any = conforming.Purchase
PROGRAMS = Programs("proof")


def asking(**changes: Any) -> type:
    """A purchase whose session request has these members too, or instead; None takes one out."""

    class Asking(Purchase):
        def session_request(self) -> dict[str, Any]:
            asked = {**super().session_request(), **changes}
            return {name: value for name, value in asked.items() if value is not None}

    return Asking


def calling(**headers: str) -> type:
    """A purchase all of whose calls have these headers too; `_` is `-`."""

    class Calling(Purchase):
        def headers(self) -> dict[str, str]:
            return {**super().headers(), **{name.replace("_", "-"): value for name, value in headers.items()}}

    return Calling


def retrying(status: int, *pauses: float) -> type:
    """A purchase that sends its session request again after this status, after these pauses."""

    class Retrying(Purchase):
        def create_session(self) -> dict[str, Any]:
            conforming.RETRIES[status] = pauses
            return super().create_session()

    return Retrying


def polling(seconds: float) -> type:
    """A purchase that polls every so many seconds."""

    class Polling(Purchase):
        def follow(self, transaction_id: str) -> str:
            conforming.POLL_SECONDS = seconds
            return super().follow(transaction_id)

    return Polling


def handing(change: Any) -> type:
    """A purchase that hands to the widget what `change` makes of the session."""

    class Handing(Purchase):
        def open_widget(self, session: dict[str, Any]) -> None:
            super().open_widget(change(session))

    return Handing


def without(*names: str) -> Any:
    """The session without these members."""
    return lambda session: {name: value for name, value in session.items() if name not in names}
