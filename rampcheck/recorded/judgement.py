"""Judging recorded traffic: what holds for every exchange, and for the whole of it; examples go to the journal.

Nothing was provoked here: what a scenario would have to set out to try is not verified. What is wrong with a refusal
counts where it came twice, as in a run where nobody could ask again.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rampcheck import __version__
from rampcheck.contract import register
from rampcheck.contract.profile import Profile
from rampcheck.errors import NotRecorded
from rampcheck.judging import suite as suites
from rampcheck.judging.doubts import signature
from rampcheck.judging.examination import Breach
from rampcheck.judging.findings import Finding, Judge
from rampcheck.judging.folding import Few
from rampcheck.judging.whole import history_of
from rampcheck.recorded.hiding import Marker
from rampcheck.recorded.likely_secrets import LikelySecrets
from rampcheck.recorded.packing import unpacked
from rampcheck.recorded.processes import Looker, worth
from rampcheck.recorded.sight import Seen, Setting
from rampcheck.recorded.traffic import Recording, Traffic, Views
from rampcheck.report.text import plural
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import JOURNAL, Journal, timestamp
from rampcheck.wire.journal_records import SCHEMA, EndRecord, RunRecord
from rampcheck.wire.redaction import Redactor

Value = TypeVar("Value")

EXAMPLES = 3  # exchanges of each clause that are written, where it holds
MOST_OBSERVED = 50  # observations of a clause that are written
MOST_LACKS = 3  # kinds of what was not recorded that are named
WHOLE = (
    "Record it once more with all headers and whole bodies: as a HAR with its content, by a proxy without a limit of "
    "their size. Where the bodies may not be kept, only `rampcheck run` can tell."
)


class Judgement:
    """The judging of recorded traffic, which is written to the journal in the folder `output`.

    `named_with` are the options that named the target, none where a profile's file did. So many
    other `processes` look at the exchanges; where that is None, as many as are worth it.
    """

    def __init__(  # noqa: PLR0913 - each is told by the command
        self,
        profile: Profile,
        traffic: Traffic,
        output: Path,
        *,
        strict: bool = False,
        processes: int | None = None,
        named_with: Sequence[str] = (),
    ) -> None:
        self._profile = profile
        self._traffic = traffic
        self._contract = register.of(profile)
        self._suite = suites.load(profile.contract)
        self._strict = strict
        self._named_with = named_with
        self._run = secrets.token_hex(4)
        descriptor = self._suite.contract
        key = secrets.token_bytes(32)
        self._redactor = Redactor(
            key,
            (json.dumps(self._contract.document), json.dumps(descriptor.profile), *profile.openly),
            descriptor.secret_headers | profile.secret_headers,
            descriptor.computed_headers,
        )
        self._redactor.knows({*descriptor.credentials, *descriptor.secret_members, "authorization", "cookie"})
        for name, value in profile.secrets.items():
            self._redactor.add(name, value)
        for value, name in traffic.secrets.items():
            self._redactor.learn(name, value)
        self._journal = Journal(output / JOURNAL, self._redactor, descriptor.secret_members)
        self._judge = Judge(self._contract, self._suite, profile, self._journal)
        self._likely = LikelySecrets(
            self._redactor, {*descriptor.secret_members, *descriptor.secret_headers, *descriptor.computed_headers}
        )
        self._setting = Setting(profile, key, traffic.names, traffic.packer.dictionary)
        self._processes = worth(len(traffic.recordings)) if processes is None else processes
        self._views = Views(traffic.names)
        self._marker = Marker(self._redactor, descriptor.secret_members, profile.secrets)
        self._held: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._lacking: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._observed: Counter[str] = Counter()
        self._written: set[int] = set()
        self._few, self._doubts = Few(), Few()
        self._findings: list[Finding] = []
        self._doubted: list[tuple[Finding, str, bool]] = []

    def write(self, files: Sequence[str], notes: Sequence[str], cut: str, progress: Callable[[int], None]) -> None:
        """Judges, and writes all of the journal.

        `files` are the names of what was read, `notes` what a reader should know of it, `cut` says why not all was
        read; `progress` is told how many exchanges were judged.
        """
        started = time.time()
        self._journal.write(self._beginning(files, started))
        recordings = self._traffic.recordings
        with Looker(self._setting, self._processes) as looker:
            for place, seen in enumerate(looker.seen(recordings)):
                recordings[place] = self._judged(recordings[place], seen)
                progress(1)
        self._whole()
        self._tell(notes, cut)
        finished, why = timestamp(max(time.time(), started)), self._nothing_shown()
        end: EndRecord = {"kind": "end", "finished": finished, "interrupted": False, "reason": why}
        if why:
            end["cure"] = WHOLE
        self._journal.write(end)
        self._journal.close()

    def _nothing_shown(self) -> str:
        """Says what is lacking of all that was recorded, where nothing of it could be judged; else ""."""
        if any(self._held.values()) or self._findings or self._doubted or self._observed:
            return ""
        sides = (
            {*request.values(), *response.values()}
            for request, response, _ in (one.lacking for one in self._traffic.recordings)
        )
        lacks = Counter(reason for of_sides in sides for reason in sorted(of_sides))
        told = [f"{reason} (of {times:,})" for reason, times in lacks.most_common(MOST_LACKS)]
        count = plural(len(self._traffic.recordings), "exchange")
        return f"of {count} too little was recorded: {'; '.join(told)}" if told else ""

    def _beginning(self, files: Sequence[str], started: float) -> RunRecord:
        hide = self._redactor.data
        return {
            "kind": "run",
            "schema": SCHEMA,
            "rampcheck": __version__,
            "run": self._run,
            "contract": self._contract.name,
            "contract_version": self._contract.version,
            "profile": {name: hide(value) for name, value in self._profile.as_public().items()},
            "seed": 0,
            "workers": 0,
            "selection": {"clauses": [], "keyword": "", "traffic": [hide(name) for name in files]},
            "selected": sorted(self._contract.clauses),
            "strict": self._strict,
            "require_complete": False,
            "allure": False,
            "named_with": [hide(word) for word in self._named_with],
            "started": timestamp(started),
            "recorded": len(self._traffic.recordings),
        }

    # One exchange

    def _judged(self, recording: Recording, seen: Seen) -> Recording:
        """Takes what an exchange shows, and gives it as the whole is judged by it: with marks in place of secrets."""
        examined, small = seen.examined, recording.exchange
        for clause, reason in examined.lacking:
            self._lacking[clause][reason] += 1
        self._held.update(examined.held)
        observed = [one for one in examined.observed if self._observed[one[0]] < MOST_OBSERVED]
        is_shown = any(self._shown[clause] < EXAMPLES for clause in examined.held)
        if examined.broken or observed or is_shown or seen.bodies is None:
            recording = recording._replace(exchange=unpacked(recording.exchange))
            view = self._views.of(recording)
            if self._told(recording, view, examined.broken) or observed or is_shown:
                self._write(recording, sorted(examined.held))
            for clause, observation in observed:
                self._observed[clause] += 1
                self._judge.observed(clause, observation.actual, view)
        packer = self._traffic.packer
        if seen.bodies is None:
            marked = packer.packed(self._marker.marked(recording.exchange))
        else:
            marked = packer.with_bodies(small, *seen.bodies)
        recording = recording._replace(exchange=marked)
        return recording._replace(exchange=self._views.of(recording))

    def _told(self, recording: Recording, view: Exchange, broken: Sequence[Breach]) -> bool:
        """Keeps what is broken in an exchange, the first ones of each clause; gives whether anything was kept."""
        told, counts = False, []
        for breach in broken:
            if self._contract.clauses[breach.clause].level != "open":
                counts.append(breach)
            elif self._observed[breach.clause] < MOST_OBSERVED:
                self._observed[breach.clause] += 1
                self._likely.hidden(recording.exchange)  # so that what is told of it does without its secrets
                self._judge.observed(breach.clause, breach.problem.actual, view)
                told = True
        if not counts:
            return told
        at_once = view.direction == "incoming" or _known(lambda: self._suite.is_acceptance(view), otherwise=False)
        for breach in counts:
            few = self._few if at_once else self._doubts
            if not few.takes(breach.clause, breach.problem.about):
                continue
            told = True
            finding = self._finding(breach, view)
            if at_once:
                self._findings.append(finding)
            else:
                self._doubted.append((finding, self._signature(view), _is_foreign(view)))
        return told

    def _finding(self, breach: Breach, exchange: Exchange) -> Finding:
        redacted, problem = self._judge.redacted, breach.problem
        return Finding(
            breach.clause,
            problem.expected,
            problem.actual,
            exchange.number,
            redacted(exchange.scenario),
            breach.judge,
            tuple(map(redacted, problem.about)),
            times=breach.times,
        )

    def _signature(self, view: Exchange) -> str:
        return _known(lambda: signature(view, self._suite.contract.envelope), otherwise=str(view.status))

    def _write(self, recording: Recording, held: list[str]) -> None:
        """Writes an exchange as an example, once."""
        exchange = recording.exchange
        if exchange.number in self._written:
            return
        self._written.add(exchange.number)
        lacks = [reason for of_part in recording.lacking for reason in of_part.values()]
        self._journal.exchange(replace(self._likely.hidden(exchange), cut="; ".join(dict.fromkeys(lacks))), held)
        self._shown.update(held)

    # All of it

    def _whole(self) -> None:
        recordings = self._traffic.recordings
        views = sorted((one.exchange for one in recordings), key=lambda view: view.__dict__["started"])
        history = history_of(views, self._suite, self._profile)
        for (clause, reason), times in history.lacking.items():
            self._lacking[clause][reason] += times
        few = Few()
        found = [finding for finding in history.findings if few.takes(finding.clause, finding.about)]
        self._findings = self._few.counted(self._findings, lambda finding: finding.clause)
        self._findings += few.counted(found, lambda finding: finding.clause)
        self._held.update(history.exercised)
        for finding in self._findings:
            if finding.exchange is not None:
                self._write(recordings[finding.exchange - 1], [])

    def _tell(self, notes: Sequence[str], cut: str) -> None:
        redacted = self._judge.redacted
        for finding in self._findings:
            self._journal.write({"kind": "finding", **_shown(finding, redacted).content()})
        for finding, kind, gateway in self._doubted:
            self._journal.write(
                {
                    "kind": "doubt",
                    **_shown(finding, redacted).content(),
                    "signature": redacted(kind),
                    "gateway": gateway,
                }
            )
        for clause, times in sorted(self._held.items()):
            if times > self._shown[clause]:
                self._journal.write({"kind": "sum", "clause": clause, "times": times - self._shown[clause]})
        for clause, reasons in sorted(self._lacking.items()):
            reason, times = reasons.most_common(1)[0]
            self._judge.untried(clause, f"{reason} (of {times:,} exchanges that it speaks of)")
        for note in notes:
            self._judge.note(note)
        if cut:
            self._journal.write({"kind": "cut", "reason": redacted(cut)})


def _shown(finding: Finding, redacted: Callable[[str], str]) -> Finding:
    return replace(finding, expected=redacted(finding.expected), actual=redacted(finding.actual))


def _known(judge: Callable[[], Value], *, otherwise: Value) -> Value:
    try:
        return judge()
    except NotRecorded:
        return otherwise


def _is_foreign(exchange: Exchange) -> bool:
    """Whether a refusal may be that of something in front of the API: a page, a failure."""
    return exchange.status >= 500 or _known(lambda: exchange.is_page, otherwise=True)
