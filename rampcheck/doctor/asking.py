"""What a diagnosis asks: a few requests, each an exchange in a journal of its own, none of them sent again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import TracebackType

from rampcheck.contract.credentials import Credentials
from rampcheck.contract.profile import Profile
from rampcheck.contract.tls_files import Tls
from rampcheck.errors import BudgetSpent, Unjudged, writing
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.journal import timestamp
from rampcheck.wire.limits import Budget

MOST = 25  # requests
SCENARIO = "doctor"


@dataclass(frozen=True)
class Together(Lane):
    """The numbers of exchanges that several clients give in turn."""

    counter: Iterator[int] = field(default_factory=lambda: count(1))

    def numbers(self) -> Iterator[int]:
        """Gives the numbers of them all."""
        return self.counter


class Asking:
    """Asks the profile's target, or another; a context manager that leaves the journal with its end.

    `output` is the folder, made for this alone. Raises `UsageError` and `NoRoom` where it cannot be written.
    """

    def __init__(self, profile: Profile, output: Path) -> None:
        self.profile = profile
        self.output = output
        self.exchanges: list[Exchange] = []
        name = secrets.token_hex(4)
        with writing(output, "Name another folder with --output."):
            settings = Settings(name, secrets.token_bytes(32), output, allure=False)
            self._run = Run(profile, settings)
        self.suite, self.contract = self._run.suite, self._run.contract
        self._lane = Together(name, key=settings.key)
        self._budget = Budget(profile.limits.requests_per_second, MOST)
        self._clients: list[tuple[Profile, Client]] = []
        self._texts = (f"{name}-doctor-{number}" for number in count(1))

    @property
    def unique(self) -> str:
        """Gives a text that no request of this or another run holds."""
        return next(self._texts)

    @property
    def left(self) -> int:
        """How many requests may still be sent."""
        return MOST - len(self.exchanges)

    def redacted(self, text: str) -> str:
        """Gives a text without any secret."""
        return self._run.judge.redacted(text)

    def ask(self, request: Request, profile: Profile | None = None) -> Exchange:
        """Sends a request once, to the target and with the credentials of `profile`; gives its exchange.

        Raises `BudgetSpent` where as many were sent as may be.
        """
        before = len(self.exchanges)
        try:
            self._client(profile or self.profile).send(request, SCENARIO, patience=lambda _: False)
        except BudgetSpent:
            raise
        except Unjudged:  # 429, or what this client does not read: the exchange says it
            if len(self.exchanges) == before:
                raise
        return self.exchanges[-1]

    def with_credentials(self, **values: str) -> Profile:
        """Gives the profile with these credentials in place of its own; what is new in them is a secret, too."""
        for name, value in values.items():
            self._run.journal.redactor.add(f"{name}_otherwise", value)
        return replace(self.profile, credentials=Credentials({**self.profile.credentials, **values}))

    def at(self, base_url: str) -> Profile:
        """Gives the profile with another base URL."""
        return replace(self.profile, base_url=base_url)

    def elsewhere(self, base_url: str) -> Profile:
        """Gives the profile with the URL of another host, which is shown nothing that is for the target."""
        return replace(self.profile, base_url=base_url, headers=(), tls=Tls())

    def _client(self, profile: Profile) -> Client:
        known = next((client for asked, client in self._clients if asked is profile), None)
        if known is None:
            known = Client(
                profile, self.suite.authenticate, self._lane, self._budget, self._see, journal=self._run.journal
            )
            self._clients.append((profile, known))
        return known

    def _see(self, exchange: Exchange) -> None:
        self._run.journal.exchange(exchange)
        self.exchanges.append(exchange)

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for _, client in self._clients:
            client.close()
        self._run.journal.close()
        with writing(self.output, "Name another folder with --output."):
            folder.finish(
                self.output,
                {
                    "kind": "end",
                    "finished": timestamp(time.time()),
                    "interrupted": isinstance(error, KeyboardInterrupt),
                    "reason": folder.LOOKED,
                },
            )
