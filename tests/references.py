"""References for tests: each a copy of a process that has everything loaded, which is most of what one costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from rampcheck.errors import ReferenceStartError
from rampcheck.sandbox import find_defects, find_variants, server
from tests.runs import copies


class Copied(server.RunningReference):
    """A reference in such a copy, which ends with its parent, at the latest; `serve` is what the copy does.

    It is started and stopped as any other, and `serve` says where it listens, by what it is given as `announce`.
    """

    def __init__(self, contract: str, serve: Callable[..., None], **given: Any) -> None:
        self.contract = contract
        self.environment = None
        self.webhook_url = given.get("webhook_url")
        self.variants = given.get("variants", ())
        self._base_url = None
        self._code: int | None = None
        self._ours, theirs = copies().Pipe()
        self._copy = copies().Process(target=_serve, args=(theirs, serve, contract), kwargs=given)  # type: ignore[attr-defined]
        self._copy.start()
        theirs.close()

    @property
    def base_url(self) -> str:
        """Where it listens; waits for it the first time. Raises `ReferenceStartError` where it does not come to it."""
        if self._base_url is None:
            fault = ReferenceStartError(f"the reference for {self.contract} did not start", "It said nothing.")
            if not self._ours.poll(server.START_SECONDS):
                raise fault
            try:
                self._base_url = self._ours.recv()
            except EOFError as error:
                raise fault from error
        return str(self._base_url)

    @property
    def process_id(self) -> int:
        """Its process id."""
        return int(self._copy.pid)

    def stop(self) -> int:
        """Ends it, by force if it must be, and gives its exit code. Safe to call twice."""
        if self._code is None:
            self._ours.close()
            self._copy.join(server.STOP_SECONDS)
            if self._copy.is_alive():
                self._copy.kill()
                self._copy.join(server.STOP_SECONDS)
            self._code = self._copy.exitcode
            self._copy.close()
        return int(self._code)


def start(
    contract: str, defects: Sequence[str] = (), *, variants: Sequence[str] = (), webhook_url: str | None = None
) -> Copied:
    """Starts a reference on a free port of 127.0.0.1, as `server.start` does; raises what that raises."""
    find_defects(contract, defects)
    find_variants(contract, variants)
    return Copied(contract, server.serve, defects=defects, variants=variants, webhook_url=webhook_url)


def _serve(connection: Connection, serve: Callable[..., None], contract: str, **given: Any) -> None:
    os.setsid()
    # The end of what it is given to read is the end of the parent, and of the reference.
    os.dup2(connection.fileno(), 0)
    serve(contract, announce=connection.send, **given)
