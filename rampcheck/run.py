"""One run of one contract: what it works with, and what it concludes from its journal."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from rampcheck import __version__, baseline, contract, resources, termination, waivers
from rampcheck.client import Client, Lane
from rampcheck.errors import ExitCode, UsageError
from rampcheck.evidence import Account, collect
from rampcheck.exchanges import Exchange, Journal, from_record, read_records, timestamp
from rampcheck.findings import Judge, judge_history
from rampcheck.limits import Budget
from rampcheck.presence import Presence
from rampcheck.profile import Profile
from rampcheck.redaction import Redactor
from rampcheck.scenario import Target
from rampcheck.verdicts import DECLARED, Scope, clause_results, counts, has_gap, run_verdict

MERGED = "journal.jsonl"
SHARED = "shared"  # what the workers count in common, while the run lasts


@dataclass(frozen=True)
class Settings:
    """What the command line says of a run, the same in all its processes.

    `run` names it, `key` (bytes) is the redaction's, `output` its folder, `patterns` choose clauses and
    `keyword` scenarios, which are marked to verify the clauses `chosen`; `workers` is the number of its worker
    processes (0: this one does the work). Without `allure`, no Allure results are written.
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

    @property
    def selection(self) -> dict[str, Any]:
        """What of the contract the run was asked to try, as results.json has it; empty members: all."""
        return {"clauses": list(self.patterns), "keyword": self.keyword}


class Run:
    """A run's engine in one process: the controller is lane 0, its workers are the lanes after it."""

    def __init__(self, profile: Profile, settings: Settings, lane: int = 0) -> None:
        self.profile = profile
        self.settings = settings
        self.lane = lane
        self.contract = contract.load(profile.contract)
        self.selected = self.contract.selected(settings.patterns)
        self.suite = resources.suite(profile.contract)
        self._refuse_unknown_waivers()
        redactor = Redactor(settings.key)
        for name, value in profile.secrets.items():
            redactor.add(name, value)
        settings.output.mkdir(parents=True, exist_ok=True)
        name = MERGED if lane == 0 else f"journal.{lane}.jsonl"
        self.journal = Journal(settings.output / name, redactor, self.suite.secret_fields)
        self.judge = Judge(self.contract, self.suite, profile, self.journal)
        self.presence = Presence(profile.limits.recovery_seconds, self._shared())
        self.client = Client(profile, self.suite, Lane(settings.run, lane, settings.workers + 1), self._budget(),
                             self.judge.see, self.presence)
        self.started = time.time()
        self.is_concluded = False
        if lane == 0:
            self.journal.write(self._header())

    def _refuse_unknown_waivers(self) -> None:
        unknown = [waiver.clause for waiver in self.profile.waivers if waiver.clause not in self.contract.clauses]
        if unknown:
            raise UsageError(f"the profile waives what is no clause of {self.contract.name}: {', '.join(unknown)}",
                             f"`rampcheck clauses --contract {self.contract.name}` lists them.")

    def _budget(self) -> Budget:
        limits = self.profile.limits
        return Budget(limits.requests_per_second, limits.max_requests, self._shared())

    def _shared(self) -> Path | None:
        return self.settings.output / SHARED if self.settings.workers else None

    def _header(self) -> dict[str, Any]:
        return {
            "kind": "run", "schema": 1, "rampcheck": __version__, "run": self.settings.run,
            "contract": self.contract.name, "contract_version": self.contract.version,
            "profile": self.profile.as_public(), "seed": self.settings.seed, "workers": self.settings.workers,
            "selection": self.settings.selection, "started": timestamp(self.started),
        }

    def find_baseline(self) -> int:
        """Gives the index of the first request that the target accepts; see `baseline.find`."""
        return baseline.find(self.profile, self.suite, self.client, self.judge, self.settings.run)

    def target(self, candidate: int, tell: Callable[[str], None] = lambda _: None) -> Target:
        """Gives the target as scenarios see it, its baseline the candidate with this index.

        `tell` is told what the user should know while the run goes on.
        """
        chosen = baseline.everything(self.profile, self.suite)[candidate]
        texts = (f"{self.settings.run}-{self.lane}-{number}" for number in count(1))
        return Target(self.profile, self.judge, self.suite, self.client, chosen, texts, self.presence, tell)

    def fault(self, text: str) -> None:
        """Records that something went wrong inside rampcheck."""
        self.journal.write({"kind": "fault", "text": self.judge.redacted(text)})

    def close(self) -> None:
        """Closes the connections, journals what had still come in, and closes the journal."""
        self.client.close()
        self._note_strays()
        self.judge.settle()
        self.journal.close()

    def _note_strays(self) -> None:
        if strays := self.client.strays:
            methods = ", ".join(f"{times} {method}" for method, times in sorted(strays.items()))
            self.judge.note(f"{strays.total()} requests that are no webhook of this run came to the webhook's address "
                            f"({methods}); they count neither way")
            strays.clear()

    def conclude(self, *, interrupted: bool = False, reason: str = "") -> dict[str, Any]:
        """Merges the journals, folds the verdicts, writes the reports; gives the content of results.json.

        Called once, by lane 0, after all workers have ended. `reason` says why a run ended early. Ctrl-C and SIGTERM
        do nothing meanwhile.
        """
        self.is_concluded = True
        with termination.put_off():
            # Imported here: a run that has not ended yet needs no templates.
            from rampcheck import allure_evidence  # noqa: PLC0415
            from rampcheck.report import write_reports  # noqa: PLC0415

            self.close()
            self._merge()
            self.journal.write({"kind": "end", "finished": timestamp(time.time()), "interrupted": interrupted,
                                "reason": reason})
            self.journal.close()
            records = list(read_records(self.journal.path))
            results = self._results(records, interrupted=interrupted, reason=reason)
            write_reports(self.settings.output, results, _exchanges(records))
            if self.settings.allure:
                allure_evidence.write(self.settings.output / "allure-results", results, records)
        return results

    def _merge(self) -> None:
        for part in sorted(self.settings.output.glob("journal.*.jsonl")):
            for record in read_records(part):
                self.journal.write(record)
            part.unlink()
        shutil.rmtree(self.settings.output / SHARED, ignore_errors=True)

    def _account(self, records: Sequence[Mapping[str, Any]], exchanges: Sequence[Exchange]) -> Account:
        account = collect(records)
        findings, exercised = judge_history(exchanges, self.suite, self.profile)
        for clause, times in exercised.items():
            account.clauses[clause].times += times
        for finding in findings:
            account.clauses[finding.clause].findings.append(finding)
        return account

    def _scope(self, *, interrupted: bool, reason: str) -> Scope:
        settings = self.settings
        selected = self.selected & settings.chosen if settings.keyword else self.selected
        return Scope(selected, datetime.now(UTC).date(), is_whole=not (settings.patterns or settings.keyword),
                     interrupted=interrupted, ended_early=bool(reason) and not interrupted)

    def _results(self, records: Sequence[Mapping[str, Any]], *, interrupted: bool, reason: str) -> dict[str, Any]:
        exchanges = sorted((from_record(record) for record in _exchanges(records).values()),
                           key=lambda exchange: exchange.started)
        account = self._account(records, exchanges)
        scope = self._scope(interrupted=interrupted, reason=reason)
        if scope.ended_early:
            # It was not the API that answered, or nobody: no promise was put to the test.
            account.clauses.clear()
        clauses = clause_results(self.contract, self.profile, account, scope)
        waived = waivers.states(self.profile.waivers, clauses, scope.today)
        troubled = bool(account.faults) or any(outage["ended"] is None for outage in account.outages)
        return {
            "schema": 1, "rampcheck": __version__, "contract": self.contract.name, "title": self.contract.title,
            "contract_version": self.contract.version,
            "verdict": run_verdict(clauses, scope, troubled=troubled, strict=self.settings.strict, waivers=waived),
            "reason": reason,
            "target": {"base_url": self.profile.base_url, "environment": self.profile.environment or ""},
            "run": self.settings.run, "started": timestamp(self.started), "finished": timestamp(time.time()),
            "interrupted": interrupted, "seed": self.settings.seed, "strict": self.settings.strict,
            "selection": self.settings.selection,
            "requests": sum(exchange.direction == "outgoing" for exchange in exchanges),
            "workers": max(1, self.settings.workers), "counts": counts(clauses),
            "sections": [{"id": key, "title": title} for key, title in self.contract.sections],
            "waivers": waived, "outages": account.outages, "faults": account.faults,
            "notes": [*self._notes(), *waivers.notes(waived), *account.notes], "clauses": clauses,
        }

    def _notes(self) -> list[str]:
        if self.profile.environment is None:
            return ["the profile does not say `environment`: the target was taken for a test environment"]
        return []


def _exchanges(records: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    return {record["number"]: dict(record) for record in records if record["kind"] == "exchange"}


def exit_code(results: Mapping[str, Any], *, require_complete: bool = False) -> ExitCode:
    """Gives the exit code of a run from its results; `require_complete` makes declared gaps in a `must` a failure."""
    if results["faults"]:
        return ExitCode.FAULT
    if results["interrupted"]:
        return ExitCode.INTERRUPTED
    match results["verdict"]:
        case "inconclusive":
            return ExitCode.INCONCLUSIVE
        case "incomplete":
            return ExitCode.INCOMPLETE
        case "nonconformant":
            return ExitCode.NONCONFORMANT
    lacking = require_complete and has_gap(results["clauses"], DECLARED)
    return ExitCode.NONCONFORMANT if lacking else ExitCode.CONFORMANT
