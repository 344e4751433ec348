"""A few requests besides those of scenarios, to see what is wrong with a profile; none of them is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from rampcheck.contract.credentials import Credentials
from rampcheck.contract.profile import Profile
from rampcheck.errors import BudgetSpent, RunOver, Unjudged
from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import Suite
from rampcheck.wire.client import Client
from rampcheck.wire.exchanges import Exchange, Request


class Asking:
    """Asks the target of `profile`, or another, as `mistakes.asker.Asker` says; `exchanges` are those that came of it.

    The requests count as those of `client`, under the name of `scenario`. `see` is told of each exchange, `judge`
    what is secret; `texts` are such that no other request holds them.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what all that is sent shares
        self,
        profile: Profile,
        suite: Suite,
        client: Client,
        judge: Judge,
        texts: Iterator[str],
        see: Callable[[Exchange], object],
        scenario: str,
    ) -> None:
        self.profile = profile
        self.suite = suite
        self.exchanges: list[Exchange] = []
        self._client = client
        self._judge = judge
        self._texts = texts
        self._see = see
        self._scenario = scenario
        self._clients: list[tuple[Profile, Client]] = []

    @property
    def unique(self) -> str:
        """Gives a text that no request of this or another run holds."""
        return next(self._texts)

    def redacted(self, text: str) -> str:
        """Gives a text without any secret."""
        return self._judge.redacted(text)

    def ask(self, request: Request, profile: Profile | None = None) -> Exchange:
        """Sends a request once, to the target and with the credentials of `profile`; gives its exchange.

        Raises `BudgetSpent` where as many were sent as may be, and `RunOver` where nothing more is to be asked.
        """
        before = len(self.exchanges)
        try:
            self._towards(profile or self.profile).send(request, self._scenario, patience=lambda _: False)
        except (BudgetSpent, RunOver):
            raise
        except Unjudged:  # 429, or what this client does not read: the exchange says it
            if len(self.exchanges) == before:
                raise
        return self.exchanges[-1]

    def with_credentials(self, **values: str) -> Profile:
        """Gives the profile with these credentials in place of its own; what is new in them is a secret, too."""
        for name, value in values.items():
            self._judge.keep_secret(f"{name}_otherwise", value)
        return replace(self.profile, credentials=Credentials({**self.profile.credentials, **values}))

    def at(self, base_url: str) -> Profile:
        """Gives the profile with another base URL."""
        return replace(self.profile, base_url=base_url)

    def close(self) -> None:
        """Closes its connections."""
        for _, client in self._clients:
            client.close()

    def _towards(self, profile: Profile) -> Client:
        known = next((client for asked, client in self._clients if asked is profile), None)
        if known is None:
            known = self._client.towards(profile, self._seen)
            self._clients.append((profile, known))
        return known

    def _seen(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._see(exchange)
