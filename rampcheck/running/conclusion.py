"""What a run comes to: its results and its reports, made from the files in its folder and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NotRequired, TypedDict

from rampcheck import __version__, digests
from rampcheck.contract import packs, profile_schema, register, versions
from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Profile
from rampcheck.contract.register import Contract, clause_ids
from rampcheck.errors import ExitCode, UsageError
from rampcheck.judging import suite as suites
from rampcheck.judging import waivers
from rampcheck.judging.evidence import Account, collect
from rampcheck.judging.results import SCHEMA, Results, SignOffResult
from rampcheck.judging.suite import Suite
from rampcheck.judging.verdicts import DECLARED, Ending, Scope, clause_results, counts, has_gap, run_verdict
from rampcheck.judging.whole import judge_history
from rampcheck.report import allure_evidence, files
from rampcheck.report import results as results_file
from rampcheck.running import folder
from rampcheck.wire.exchanges import Direction
from rampcheck.wire.journal import JOURNAL, UNTOUCHED, exchange_records, from_record, timestamp
from rampcheck.wire.journal_records import EndRecord, Record, RunRecord, Side

UNFINISHED = "the run's journal has no end: it was killed, or still goes on"


@dataclass(frozen=True)
class Conclusion:
    """What a run came to: the content of results.json, the exit code, and how it `differs` from what stood there."""

    results: Results
    code: ExitCode
    differs: tuple[str, ...] = ()


def conclude(where: Path, records: Sequence[Record] | None = None) -> Conclusion:
    """Judges what stands in the folder of a run, and writes its reports there, in place of those that there are.

    A journal without an end is that of a run that was killed, or still goes on: it is judged as far as it came. Where
    the `records` are given, they are judged, whatever the folder holds. Raises `UsageError` where there is no journal,
    or one of another contract than this rampcheck knows; `ResultsError` and `OSError` as `files.write_reports` does.
    """
    records = folder.read(where) if records is None else records
    concluded = judged(where, records)
    differs = _differences(where / results_file.FILE_NAME, concluded.results)
    files.write_reports(where, concluded.results, exchange_records(records))
    if folder.beginning(where, records)["allure"]:
        allure_evidence.write(where / "allure-results", concluded.results, records)
    return replace(concluded, differs=differs)


def judged(where: Path, records: Sequence[Record]) -> Conclusion:
    """Judges the records of a run, and writes nothing; `where` names them in messages. Raises as `conclude`."""
    beginning = folder.beginning(where, records)
    if records[-1]["kind"] == "end" and records[-1]["reason"] == folder.LOOKED:
        raise UsageError(f"{where} is no run: {folder.LOOKED}", "Name the folder of a run; `rampcheck run` makes one.")
    known = contract_of(where, beginning)
    _check_clauses(where, known, records)
    judgement = _Judgement(known, profile_of(where, known, beginning), beginning, records)
    results = judgement.results(digests.of_file(where / JOURNAL))
    return Conclusion(results, exit_code(results))


def contract_of(where: Path, beginning: RunRecord) -> Contract:
    """Gives the contract, in its version, that a run was judged by. Raises `UsageError` where nobody here knows it."""
    name, version = beginning["contract"], beginning["contract_version"]
    is_of_partner = beginning.get("side") == "partner"
    known = [register.partner_side(name).version] if is_of_partner else versions.names(name)
    if version not in known:
        raise UsageError(
            f"{where} is a run of the contract {name} {version}; this rampcheck ({__version__}) knows "
            f"{' and '.join(known)}",
            f"Judge it with the version that made it, rampcheck {beginning['rampcheck']}.",
        )
    return register.partner_side(name) if is_of_partner else register.load(name, version)


def profile_of(where: Path, known: Contract, beginning: RunRecord) -> Profile:
    """Gives the profile of a run, without its secrets. Raises `UsageError` where it is none of the contract's."""
    try:
        profile = profiles.recalled(known.name, beginning["profile"], has_file=not beginning.get("named_with"))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise UsageError(f"{where / JOURNAL}, line 1: its profile is none of {known.name}", UNTOUCHED) from error
    days = profile.sign_off.valid_days
    if not profile_schema.takes(known.name, "sign_off.valid_days", days):  # it may be more than there are days
        raise UsageError(f"{where / JOURNAL}, line 1: its profile is none of {known.name}", UNTOUCHED)
    waivers.check(profile.waivers, known)
    return profile


def _check_clauses(where: Path, known: Contract, records: Sequence[Record]) -> None:
    """Raises `UsageError` where records speak of what is no clause of the contract."""
    named: set[str] = set()
    for record in records:
        match record["kind"]:
            case "run":
                named.update(record["selected"])
            case "exchange":
                named.update(record["held"])
            case "finding" | "doubt" | "held" | "demand" | "observation" | "unjudged" | "untried" | "attested" | "sum":
                named.add(record["clause"])
            case "conduct":
                named.update(record["hidden"])
    if unknown := sorted(named - known.clauses.keys()):
        raise UsageError(
            f"{where / JOURNAL} speaks of {unknown[0]}, which is no clause of {known.name} {known.version}",
            UNTOUCHED,
        )


class _Cure(TypedDict):
    """What to do about a run that ended early, where that is known."""

    cure: NotRequired[str]


class _Side(TypedDict):
    """Whose promises were judged, where they are not the target's, and by what every time was multiplied."""

    side: NotRequired[Side]
    time_scale: NotRequired[float]


class _Judgement:
    """What the records of one run come to."""

    def __init__(self, known: Contract, profile: Profile, beginning: RunRecord, records: Sequence[Record]) -> None:
        self._contract = known
        self._beginning = beginning
        self._records = records
        self._suite: Suite = suites.load(known.name)
        self._profile = profile
        self._exchanges = sorted(
            map(from_record, exchange_records(records).values()), key=lambda exchange: exchange.started
        )
        ends = [record for record in records if record["kind"] == "end"]
        self._ending = ending(ends[-1] if ends else None)
        self._finished, self._reason = (
            (ends[-1]["finished"], ends[-1]["reason"]) if ends else (self._last_seen(), UNFINISHED)
        )
        self._cure = ends[-1].get("cure", "") if ends else ""

    def _last_seen(self) -> str:
        """Gives when the last exchange was over, as far as there is any."""
        last = max((exchange.ended for exchange in self._exchanges), default=None)
        started = self._beginning["started"]
        return started if last is None else max(started, timestamp(last))

    @property
    def _asks(self) -> Direction:
        """The direction of a request to the vendor's API."""
        return "incoming" if "side" in self._beginning else "outgoing"

    def _account(self) -> Account:
        account = collect(self._records)
        # The whole of recorded traffic was judged as it was read, and is not in the journal; a partner's, as it came.
        if "recorded" in self._beginning or "side" in self._beginning:
            return account
        findings, exercised = judge_history(self._exchanges, self._suite, self._profile)
        for clause, times in exercised.items():
            account.clauses[clause].times += times
        for finding in findings:
            account.clauses[finding.clause].findings.append(finding)
        return account

    def _scope(self) -> Scope:
        return Scope(
            frozenset(self._beginning["selected"]),
            datetime.fromisoformat(self._finished).date(),
            is_whole=not any(value for name, value in self._beginning["selection"].items() if name != "budget"),
            ending=self._ending,
            lacking="; ".join(self._beginning.get("lacking", ())),
            shard=self._beginning["selection"].get("shard", ""),
            shown=shown_by_traffic(self._contract, self._suite) if "recorded" in self._beginning else None,
            budget=self._beginning["selection"].get("budget", 0),
        )

    def results(self, journal: str) -> Results:
        """Gives the content of results.json; `journal` is the digest of the journal."""
        account, scope, beginning = self._account(), self._scope(), self._beginning
        if scope.ending == "early":
            # It was not the API that answered, or nobody: no promise was put to the test.
            account.clauses.clear()
        clauses = clause_results(self._contract, self._profile, account, scope)
        waived = waivers.states(self._profile.waivers, clauses, scope.today)
        subject = self._profile.subject
        cure: _Cure = {"cure": self._cure} if self._cure else {}
        side: _Side = {"side": "partner"} if "side" in beginning else {}
        if (scale := beginning.get("time_scale", 1.0)) != 1:
            side["time_scale"] = scale
        lasts = any(outage["ended"] is None for outage in account.outages)
        troubled = bool(account.faults or account.cut) or lasts
        return {
            "schema": SCHEMA,
            "rampcheck": __version__,
            "contract": self._contract.name,
            "title": self._contract.title,
            "contract_version": self._contract.version,
            **side,
            "verdict": run_verdict(clauses, scope, troubled=troubled, strict=beginning["strict"], waivers=waived),
            # That the target is gone is told by the outage.
            "reason": self._reason or scope.lacking or ("" if lasts else account.cut),
            **cure,
            "target": {"base_url": self._profile.base_url, "environment": self._profile.environment or ""},
            "subject": {"partner": subject.partner, "build": subject.build, "requested_by": subject.requested_by},
            "sign_off": self._sign_off(),
            "digests": {
                "profile": digests.of_value(beginning["profile"]),
                "register": self._digest("partner" if side else "clauses"),
                "document": self._digest("openapi"),
                "journal": journal,
            },
            "variables": {name: known.variable for name, known in self._suite.contract.credentials.items()},
            "named_with": beginning.get("named_with", []),
            "run": beginning["run"],
            "started": beginning["started"],
            "finished": self._finished,
            "interrupted": scope.ending == "interrupted",
            "unfinished": scope.ending == "unfinished",
            "seed": beginning["seed"],
            "strict": beginning["strict"],
            "require_complete": beginning["require_complete"],
            "selection": beginning["selection"],
            "requests": self._beginning.get(
                "recorded", sum(exchange.direction == self._asks for exchange in self._exchanges)
            ),
            "workers": max(1, beginning["workers"]),
            "counts": counts(clauses),
            "sections": [{"id": key, "title": title} for key, title in self._contract.sections],
            "waivers": waived,
            "outages": account.outages,
            "faults": account.faults,
            "notes": [*self._notes(), *waivers.notes(waived), *account.notes],
            "clauses": clauses,
        }

    def _sign_off(self) -> SignOffResult:
        days = self._profile.sign_off.valid_days
        last = datetime.fromisoformat(self._finished).date() + timedelta(days=days)
        return {"valid_days": days, "valid_until": last.isoformat()}

    def _digest(self, document: str) -> str:
        return digests.of_file(packs.of(self._contract.name).document(self._contract.name, document))

    def _notes(self) -> list[str]:
        told = []
        if self._profile.environment is None:
            where = (
                "there is no profile" if self._beginning.get("named_with") else "the profile does not say `environment`"
            )
            told.append(f"{where}: the target was taken for a test environment")
        if newer := sorted(self._contract.newer):
            told.append(
                f"judged by contract version {self._contract.version}: what came later cannot fail it, and is only "
                f"observed: {', '.join(newer)}"
            )
        return told


def shown_by_traffic(contract: Contract, suite: Suite) -> frozenset[str]:
    """Gives the clauses that traffic can show which nobody provoked: those that hold for every exchange."""
    exercised = {known.clause for known in suite.invariants if known.exercises}
    always = exercised.union(known.clause for known in suite.history)
    answers = [[list(known.responses.values()), known.message] for known in contract.operations]
    return frozenset(always.union(clause_ids([*answers, contract.webhook])))


def ending(end: EndRecord | None) -> Ending:
    """Says how a run ended, by the last record of its journal; without one, it is unfinished."""
    if end is None:
        return "unfinished"
    if end["interrupted"]:
        return "interrupted"
    return "early" if end["reason"] else "complete"


def _differences(path: Path, results: Results) -> tuple[str, ...]:
    """Says how results differ from those that stand in `path`; nothing where they do not, or there are none."""
    try:
        before = json.loads(path.read_bytes())
        if before == json.loads(results_file.encode(results)):
            return ()
        verdicts = {clause["id"]: clause["verdict"] for clause in before["clauses"]}
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return (f"{path.name} as it stood could not be read",)
    told = [f"the run: {before.get('verdict')} before, {results['verdict']} now"] * (
        before.get("verdict") != results["verdict"]
    )
    told += [
        f"{clause['id']}: {verdicts.get(clause['id'], 'unknown')} before, {clause['verdict']} now"
        for clause in results["clauses"]
        if verdicts.get(clause["id"]) != clause["verdict"]
    ]
    members = [name for name, value in results.items() if before.get(name) != value]
    return (*told, f"changed in {path.name}: {', '.join(members) or 'what is no longer told'}")


def exit_code(results: Results) -> ExitCode:
    """Gives the exit code of a run from its results; `report.standing` says the same to a pipeline."""
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
    lacking = results.get("require_complete") and has_gap(results["clauses"], DECLARED)
    return ExitCode.NONCONFORMANT if lacking else ExitCode.CONFORMANT
