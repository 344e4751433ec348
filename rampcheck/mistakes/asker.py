"""Who asks a few more requests, where the answer to one does not say what is wrong."""

from __future__ import annotations

from typing import Protocol

from rampcheck.contract.profile import Profile
from rampcheck.judging.suite import Suite
from rampcheck.wire.exchanges import Exchange, Request


class Asker(Protocol):
    """Asks the target of `profile`, or another; each request is an exchange in a journal, and none is sent again."""

    @property
    def profile(self) -> Profile:
        """Who is asked."""

    @property
    def suite(self) -> Suite:
        """The suite of the profile's contract."""

    @property
    def unique(self) -> str:
        """Gives a text that no request of this or another run holds."""

    def ask(self, request: Request, profile: Profile | None = None) -> Exchange:
        """Sends a request once, to the target and with the credentials of `profile`; gives its exchange."""

    def with_credentials(self, **values: str) -> Profile:
        """Gives the profile with these credentials in place of its own; what is new in them is a secret, too."""

    def at(self, base_url: str) -> Profile:
        """Gives the profile with another base URL."""

    def redacted(self, text: str) -> str:
        """Gives a text without any secret."""
