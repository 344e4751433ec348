"""One run of one contract: what it works with in each of its processes."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from rampcheck import __version__
from rampcheck.contract import register
from rampcheck.contract.profile import Profile
from rampcheck.contract.wording import worded
from rampcheck.errors import NothingFollows
from rampcheck.judging import suite
from rampcheck.judging.findings import Judge
from rampcheck.judging.waivers import by_clause
from rampcheck.running import baseline, folder, termination
from rampcheck.running.scenario import Target
from rampcheck.running.shards import Shard
from rampcheck.running.stopping import Stopping
from rampcheck.wire import transport
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.journal import Journal, timestamp
from rampcheck.wire.journal_records import SCHEMA, EndRecord, Record, RunRecord, Selection
from rampcheck.wire.limits import Budget, Deadline
from rampcheck.wire.presence import Presence
from rampcheck.wire.recipes import Recipes
from rampcheck.wire.redaction import Redactor
from rampcheck.wire.room import MOST_BYTES, Room

if TYPE_CHECKING:
    from rampcheck.running.conclusion import Conclusion


@dataclass(frozen=True)
class Settings:
    """What the command line says of a run, the same in all its processes.

    `run` names it, `key` (bytes) is the redaction's, `output` its folder, which is made, `patterns` choose clauses and
    `keyword` scenarios, which are marked to verify the clauses `chosen`; `workers` is the number of its worker
    processes (0: this one does the work). Without `allure`, no Allure results are written. `began` is when its time
    began, by the monotonic clock. `named_with` are the options that named the target, none where a profile's file did.
    Where it is a `shard`, or has a `budget` of requests, `scenarios` are the keys of those that it takes. It sends
    `at_most` so many requests, where less is given than the profile allows. A part of a suite that was measured is
    `expected` to send about so many. It ends after so many `most_failures`, if that is given.
    """

    run: str
    key: bytes = field(repr=False)
    output: Path
    seed: int = 1
    patterns: tuple[str, ...] = ()
    keyword: str = ""
    chosen: frozenset[str] = frozenset()
    workers: int = 0
    strict: bool = False
    require_complete: bool = False
    allure: bool = True
    began: float = field(default_factory=time.monotonic)
    named_with: tuple[str, ...] = ()
    shard: Shard | None = None
    scenarios: frozenset[str] | None = None
    budget: int | None = None
    at_most: int | None = None
    expected: int = 0
    most_failures: int | None = None

    @property
    def selection(self) -> Selection:
        """What of the contract the run was asked to try, as results.json has it; empty members: all."""
        selection: Selection = {"clauses": list(self.patterns), "keyword": self.keyword}
        if self.shard is not None:
            selection["shard"] = str(self.shard)
        if self.budget is not None:
            selection["budget"] = self.budget
        return selection

    @property
    def texts(self) -> str:
        """What no other run's texts begin with, nor those of another shard of this one."""
        return self.run if self.shard is None else f"{self.run}-{self.shard.index}of{self.shard.of}"


class Run:
    """A run's engine in one process: the controller is lane 0, its workers are the lanes after it.

    Raises `OSError` where the controller cannot write the beginning of its journal.
    """

    def __init__(self, profile: Profile, settings: Settings, lane: int = 0) -> None:
        self.profile = profile
        self.settings = settings
        self.lane = lane
        self.contract = register.of(profile)
        self.selected = self.contract.selected(settings.patterns)
        self.suite = suite.load(profile.contract)
        redactor = Redactor(
            settings.key,
            (json.dumps(self.contract.document), json.dumps(self.suite.contract.profile), *profile.openly),
            self.suite.contract.secret_headers | profile.secret_headers,
            self.suite.contract.computed_headers,
        )
        for name, value in {**transport.environment_secrets(), **profile.secrets}.items():
            redactor.add(name, value)
        room = Room(MOST_BYTES // (settings.workers + 1))
        self.journal = Journal(
            folder.journal_of(settings.output, lane),
            redactor,
            self.suite.contract.secret_members,
            room,
            Recipes(
                profile.credentials,
                redactor,
                [value for name, value in profile.headers if name in profile.secret_headers],
            ),
        )
        self.judge = Judge(self.contract, self.suite, profile, self.journal)
        self.deadline = Deadline(profile.limits.max_minutes, settings.began)
        self.presence = Presence(profile.limits.recovery_seconds, self._shared(), self.deadline)
        self.started = time.time()
        waived = by_clause(profile.waivers, datetime.fromtimestamp(self.started, UTC).date())
        self.stopping = Stopping(settings.most_failures, waived, self.presence, self._shared())
        self.budget = self._budget()
        self.client = Client(
            profile,
            self.suite.authenticate,
            self._numbered(),
            self.budget,
            self.judge.see,
            self.presence,
            room,
            self.journal,
        )
        self.is_concluded = False
        self.place: Path | None = settings.output
        self._worker_is_in_trouble = False
        self._told_away = 0
        if lane == 0:
            self.journal.write(self._beginning())
            if self.journal.records.error is not None:
                raise self.journal.records.error

    def _numbered(self) -> Lane:
        shard = self.settings.shard or Shard(1, 1)
        return Lane(self.settings.run, self.lane, self.settings.workers + 1, shard.index, shard.of, self.settings.key)

    def _budget(self) -> Budget:
        limits = self.profile.limits
        return Budget(
            limits.requests_per_second,
            self.settings.at_most or limits.max_requests,
            self._shared(),
            self.deadline,
            adapts=limits.adapts,
            yields=not limits.is_stated,
            leaves_out=self.settings.budget is not None,
        )

    def _shared(self) -> Path | None:
        return self.settings.output / folder.SHARED if self.settings.workers else None

    def _beginning(self) -> RunRecord:
        """Gives the journal's first record: all that is needed to conclude from the journal alone."""
        settings = self.settings
        selected = self.selected & settings.chosen if settings.keyword or settings.shard else self.selected
        hide = self.journal.redactor.data
        return {
            "kind": "run",
            "schema": SCHEMA,
            "rampcheck": __version__,
            "run": settings.run,
            "contract": self.contract.name,
            "contract_version": self.contract.version,
            # Its sections are named by the engine, and found again by these names, whatever a credential holds.
            "profile": {name: hide(value) for name, value in self.profile.as_public().items()},
            "seed": settings.seed,
            "workers": settings.workers,
            "selection": hide(settings.selection),
            "selected": sorted(selected),
            "strict": settings.strict,
            "require_complete": settings.require_complete,
            "allure": settings.allure,
            "started": timestamp(self.started),
            "named_with": hide(list(settings.named_with)),
        }

    def find_baseline(self) -> int:
        """Gives the index of the first request that the target accepts; see `baseline.find`.

        Where no session comes of it, and that is a finding, nothing more is tried in this run.
        """
        try:
            return baseline.find(self.profile, self.suite, self.client, self.judge, self.settings.texts)
        except NothingFollows as error:
            self.presence.end(str(error))
            return 0

    def target(self, candidate: int, tell: Callable[[str], None] = lambda _: None) -> Target:
        """Gives the target as scenarios see it, its baseline the candidate with this index.

        `tell` is told what the user should know while the run goes on.
        """
        chosen = baseline.everything(self.profile, self.suite)[candidate]
        texts = (f"{self.settings.texts}-{self.lane}-{number}" for number in count(1))
        return Target(self.profile, self.judge, self.suite, self.client, chosen, texts, self.presence, tell)

    def fault(self, text: str) -> None:
        """Records that something went wrong inside rampcheck."""
        self.journal.write({"kind": "fault", "text": self.judge.redacted(text)})

    def close(self) -> None:
        """Closes the connections, journals what had still come in, and closes the journal."""
        self._settle()
        self.journal.close()

    def leave(self) -> list[Record]:
        """Closes a worker's run; gives the records of its journal that could not be written, for the controller."""
        self._settle()
        missing = self.journal.records.missing()
        self.journal.close()
        return missing

    def take(self, records: Iterable[Record]) -> None:
        """Takes what a worker could not write."""
        for record in records:
            self._worker_is_in_trouble = True
            self.journal.write(record)

    @property
    def is_in_trouble(self) -> bool:
        """Whether a journal of this run cannot be written, or was taken away."""
        return self._worker_is_in_trouble or self.journal.records.is_in_trouble

    def _settle(self) -> None:
        self.client.close()
        self._note_strays()
        self.judge.settle()
        records = self.journal.records
        if records.is_in_trouble:
            why = records.error.strerror if records.error else "it is gone"
            self.fault(f"{records.path} cannot be written: {why}; --output names another folder")

    def _note_strays(self) -> None:
        if strays := self.client.webhooks.strays:
            self.judge.unread(strays.total())
            methods = ", ".join(f"{times} {method}" for method, times in sorted(strays.items()))
            self.judge.note(
                f"{strays.total()} requests that are no webhook of this run came to the webhook's address "
                f"({methods}); they count neither way"
            )
            strays.clear()
        if (away := self.client.webhooks.turned_away) > self._told_away:
            self.judge.unread(away - self._told_away)
            self._told_away = away
            self.judge.note(
                f"{away:,} requests to the webhook's address, the target's or others', were more, larger "
                "or slower than a run reads, and were not judged"
            )

    def conclude(self, *, interrupted: bool = False, reason: str = "", cure: str = "") -> Conclusion:
        """Makes one journal of all, and of that what the run comes to; writes the reports.

        Called once, by lane 0, after all workers have ended. `reason` says why a run ended early, `cure` what to do
        about it. Ctrl-C and SIGTERM do nothing meanwhile. `place` is where the reports are then: in the temporary
        folder where the run's own takes nothing more, None where that does not either.
        """
        self.is_concluded = True
        with termination.put_off():
            self._settle()
            if told := self.budget.told():
                self.judge.note(worded(told, self.profile))
            if self.presence.ended:
                self.journal.write({"kind": "cut", "reason": self.judge.reason(self.presence.ended)})
            end: EndRecord = {
                "kind": "end",
                "finished": timestamp(time.time()),
                "interrupted": interrupted,
                "reason": reason,
            }
            if cure:
                end["cure"] = cure
            concluded = self._concluded(end)
            self.journal.close()
        return concluded

    def _concluded(self, end: EndRecord) -> Conclusion:
        from rampcheck.running import conclusion  # noqa: PLC0415 - a run that has not ended yet needs no templates

        output, elsewhere = self.settings.output, Path(tempfile.gettempdir(), f"rampcheck-{self.settings.run}")
        try:
            output.mkdir(parents=True, exist_ok=True)  # It may be gone.
            self.journal.records.retry()
            self.journal.close()
            folder.finish(output, end)
            return conclusion.conclude(output, folder.read(output, own=True))
        except OSError as error:
            self._refused(output, error)
        try:
            self.place = elsewhere
            return conclusion.conclude(elsewhere, folder.moved(elsewhere, self._known(end)))
        except OSError as error:
            self._refused(elsewhere, error)
        self.place = None
        return conclusion.judged(output, self._known(end))

    def _refused(self, place: Path, error: OSError) -> None:
        self.fault(f"{place} cannot be written: {error.strerror}; --output names another folder")

    def _known(self, end: EndRecord) -> list[Record]:
        """Gives all records of the run, those too that could not be written, with `end` as the last."""
        return folder.ended([*folder.there(self.settings.output), *self.journal.records.missing()], end)
