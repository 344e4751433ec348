"""What a diagnosis asks: a few requests, each an exchange in a journal of its own; 429 alone has one sent again."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import sleep
from types import TracebackType

from rampcheck.contract.profile import Profile
from rampcheck.contract.tls_files import Tls
from rampcheck.errors import writing
from rampcheck.running import asking, folder
from rampcheck.running.run import Run, Settings
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.journal import timestamp
from rampcheck.wire.limits import Budget
from rampcheck.wire.retries import LONGEST_WAIT, asked_wait

MOST = 25  # requests
MOST_AGAIN = 4  # of them, after 429
SHORTEST_WAIT = 1.0  # seconds, before each
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
            # Whatever the profile states, who looks what the target bears asks less often once it is too much.
            Budget(profile.limits.requests_per_second, MOST, adapts=profile.limits.adapts, yields=True),
            run.journal.exchange,
            journal=run.journal,
        )
        texts = (f"{name}-doctor-{number}" for number in count(1))
        super().__init__(profile, run.suite, client, run.judge, texts, run.journal.exchange, SCENARIO)
        self._again, self._patience = MOST_AGAIN, LONGEST_WAIT

    @property
    def left(self) -> int:
        """How many requests may still be sent."""
        return MOST - len(self.exchanges)

    def ask(self, request: Request, profile: Profile | None = None) -> Exchange:
        """Sends a request, and once more where the target answers 429, when what that asks to wait is over.

        All such waits together are no longer than a run waits for one. Gives and raises as `Asking.ask` of a run does.
        """
        answer = super().ask(request, profile)
        wait = max(SHORTEST_WAIT, asked_wait(answer) or 0.0)
        if answer.status != 429 or not self._again or not self.left or wait > self._patience:
            return answer
        self._again -= 1
        self._patience -= wait
        sleep(wait)
        return super().ask(request, profile)

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
