"""What a diagnosis asks: a few requests, each an exchange in a journal of its own, none of them sent again."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import TracebackType

from rampcheck.contract.profile import Profile
from rampcheck.contract.tls_files import Tls
from rampcheck.errors import writing
from rampcheck.running import asking, folder
from rampcheck.running.run import Run, Settings
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.journal import timestamp
from rampcheck.wire.limits import Budget

MOST = 25  # requests
SCENARIO = "doctor"


class Asking(asking.Asking):
    """Asks the profile's target, or another; a context manager that leaves the journal with its end.

    `output` is the folder, made for this alone.

    Raises `UsageError` and `NoRoom` where it cannot be written.
    """

    def __init__(self, profile: Profile, output: Path) -> None:
        self.output = output
        name = secrets.token_hex(4)
        with writing(output, "Name another folder with --output."):
            settings = Settings(name, secrets.token_bytes(32), output, allure=False)
            self._run = run = Run(profile, settings)
        self.contract = run.contract
        client = Client(
            profile,
            run.suite.authenticate,
            Lane(name, key=settings.key),
            Budget(profile.limits.requests_per_second, MOST),
            run.journal.exchange,
            journal=run.journal,
        )
        texts = (f"{name}-doctor-{number}" for number in count(1))
        super().__init__(profile, run.suite, client, run.judge, texts, run.journal.exchange, SCENARIO)

    @property
    def left(self) -> int:
        """How many requests may still be sent."""
        return MOST - len(self.exchanges)

    def elsewhere(self, base_url: str) -> Profile:
        """Gives the profile with the URL of another host, which is shown nothing that is for the target."""
        return replace(self.profile, base_url=base_url, headers=(), tls=Tls())

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
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
