"""A certification: step after step, and what all of them show, written to the run's journal."""

from __future__ import annotations

import json
import math
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rampcheck import __version__
from rampcheck.certification import integration
from rampcheck.certification.integration import End
from rampcheck.certification.observer import Observer
from rampcheck.certification.recording import Recorder
from rampcheck.certification.sandbox import Sandbox
from rampcheck.certification.script import Script, Step, unique
from rampcheck.contract import descriptor, register
from rampcheck.contract.profile import Profile
from rampcheck.display import one_line
from rampcheck.judging.conduct import WIDGET, Conduct, Purchase, rules
from rampcheck.judging.conducted import judged, written
from rampcheck.report.text import enumerated, plural
from rampcheck.running import termination
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import JOURNAL, Journal, timestamp
from rampcheck.wire.journal_records import SCHEMA, EndRecord, RunRecord, Selection
from rampcheck.wire.redaction import Redactor

USERS = "203.0.113."  # where the users of the steps come from: addresses of documentation (RFC 5737)
FIRST_USER = 10
LONGEST_SAID = 300  # characters of what a command printed that are told of


@dataclass(frozen=True)
class Settings:
    """What the command line says: which steps, how long one may take, and how long it is kept open afterwards.

    Every time is multiplied by `time_scale`. `observer` asks the partner's books, "" for nobody.
    """

    steps: tuple[str, ...] = ()
    step_seconds: float = 60.0
    linger: float = 0.0
    time_scale: float = 1.0
    observer: str = ""
    webhook_url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    strict: bool = False


# Makes a purchase with these environment variables, in so many seconds at most; gives how it ended.
Buy = Callable[[Step, Mapping[str, str], float], End]
Tell = Callable[[str], None]


class Certification:
    """One certification, written to the folder `output`; `profile` is without a base URL of its own.

    `buy` makes the purchase of a step, `tell` shows a line of progress.
    """

    def __init__(self, script: Script, profile: Profile, settings: Settings, output: Path) -> None:
        self._script = script
        self._settings = settings
        self._contract = register.partner_side(script.contract)
        self._steps = script.chosen(settings.steps)
        self._rules = rules(script.contract)
        described = descriptor.load(script.contract)
        self._variables = {name: known.variable for name, known in described.credentials.items() if known.required}
        self._credentials = {name: profile.credentials[name] for name in self._variables}
        self._redactor = Redactor(
            secrets.token_bytes(32),
            (json.dumps(described.profile), *profile.openly),
            described.secret_headers,
            described.computed_headers,
        )
        for name, value in self._credentials.items():
            self._redactor.add(name, value)
        self._journal = Journal(output / JOURNAL, self._redactor, described.secret_members)
        self._recorder = Recorder(self._journal)
        self._observer = Observer(settings.observer) if settings.observer else None
        self._sandbox = Sandbox(
            script,
            self._recorder,
            self._credentials,
            settings.webhook_url,
            settings.time_scale,
            settings.host,
            settings.port,
        )
        self._profile = replace(
            profile, base_url=self._sandbox.base_url, given={**profile.given, "base_url": self._sandbox.base_url}
        )
        self._cut: set[str] = set()
        self._untaken = 0
        self._ends: dict[str, End] = {}
        self._told: dict[str, Mapping[str, str]] = {}
        self._processed: dict[str, dict[tuple[str, str], int]] = {}

    @property
    def base_url(self) -> str:
        """Where the sandbox stands."""
        return self._sandbox.base_url

    def over(self) -> None:
        """Tells that the command of this step has ended."""
        self._recorder.over.setdefault(self._recorder.step, self._recorder.now())

    def run(self, buy: Buy, tell: Tell) -> None:
        """Takes all steps, judges them, and writes all of the journal; an interruption ends it sooner.

        Raises `UsageError` where the script asks for what the sandbox does not have, or the command cannot be started.
        """
        started = time.time()
        interrupted = False
        with termination.put_off():  # a journal that has begun has its end, too
            self._journal.write(self._beginning(started))
            self._sandbox.start()
        try:
            termination.heed()
            for place, step in enumerate(self._steps):
                self._take(place, step, buy, tell)
                if place == 0 and self._fails_by_itself(step):
                    self._untaken = len(self._steps) - 1
                    if self._untaken:
                        tell(f"The command fails before it asks for anything: {self._left()}.")
                    break
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._sandbox.stop()
        with termination.put_off():
            self._judge()
            end: EndRecord = {
                "kind": "end",
                "finished": timestamp(max(time.time(), started)),
                "interrupted": interrupted,
                "reason": self._place() if interrupted else "",
            }
            if not (interrupted or self._is_heard()):
                end["reason"], end["cure"] = self._silence(), self._cure()
            self._journal.write(end)
            self._journal.close()

    def _fails_by_itself(self, step: Step) -> bool:
        """Whether the command of a step ended with an error before a single request: it would in each other step."""
        end = self._ends.get(step.name, End())
        return end.by_itself and bool(end.code) and not self._calls(step.name)

    def _left(self) -> str:
        """Says how many steps were left out."""
        return f"the other {plural(self._untaken, 'step')} {'was' if self._untaken == 1 else 'were'} not begun"

    def _place(self) -> str:
        """Says which step was begun last."""
        begun = [*self._told][-1:]
        return f"in step {begun[0]}, {len(self._told)} of {len(self._steps)}" if begun else "before its first step"

    def _is_heard(self) -> bool:
        """Whether anything at all came from the integration."""
        return any(map(self._calls, self._told))

    def _calls(self, step: str) -> int:
        """How many calls of a step came from the integration."""
        return sum(one.direction == "incoming" for one in self._recorder.of(step))

    def _silence(self) -> str:
        """Says that nothing came, and how the command ended."""
        end = next(reversed(self._ends.values()), End())
        if end.by_itself and end.code is None:
            return "not a single request came to the sandbox"
        how = f"ended with code {end.code}" if end.by_itself else "did not end in time and was ended"
        said = one_line(self._redactor.text(" / ".join(end.last)), LONGEST_SAID)
        left = f"; {self._left()}" if self._untaken else ""
        return (
            f"the command {how}, without a single request to the sandbox{left}{said and f'; it said at last: {said}'}"
        )

    def _cure(self) -> str:
        """Says what the integration has to read, for its calls to come to the sandbox."""
        first = "Let the command run by itself first: what it said at last tells what it lacks. " * bool(self._untaken)
        own = [integration.PREFIX + name for name in ("BASE_URL", "WIDGET_URL")]
        return (
            f"{first}The integration has to call the URL in {own[0]} ({self.base_url} here), with "
            f"{' and '.join(self._variables.values())}, and give what it is answered to {own[1]}; the environment of "
            "its command holds them. The handbook's page on `rampcheck certify` names all of them."
        )

    def _selected(self) -> Iterable[str]:
        """Gives the clauses that the steps put to the test; all, where all steps are taken."""
        if len(self._steps) == len(self._script.steps):
            return self._contract.clauses
        return {f"{self._contract.name}.partner.{name}" for step in self._steps for name in step.provokes}

    def _beginning(self, started: float) -> RunRecord:
        hide = self._redactor.data
        selection: Selection = {"clauses": [], "keyword": ""}
        if len(self._steps) < len(self._script.steps):
            selection["steps"] = [step.name for step in self._steps]
        return {
            "kind": "run",
            "schema": SCHEMA,
            "rampcheck": __version__,
            "run": secrets.token_hex(4),
            "contract": self._contract.name,
            "contract_version": self._contract.version,
            "profile": {name: hide(value) for name, value in self._profile.as_public().items()},
            "seed": 0,
            "workers": 0,
            "selection": selection,
            "selected": sorted(self._selected()),
            "strict": self._settings.strict,
            "require_complete": False,
            "allure": False,
            "started": timestamp(started),
            "side": "partner",
            "time_scale": self._settings.time_scale,
        }

    # One step

    def _take(self, place: int, step: Step, buy: Buy, tell: Tell) -> None:
        token = secrets.token_hex(4)
        told = {
            **self._sandbox.purchase(self._profile),
            "user_id": f"user-{token}",
            "user_email": f"buyer-{token}@example.com",
            "client_ip": f"{USERS}{FIRST_USER + place}",
            **{name: unique(value) for name, value in step.purchase.items()},
        }
        self._told[step.name] = told
        self._sandbox.begin(step, self._profile)
        began = time.monotonic()
        seconds = self._settings.step_seconds * self._settings.time_scale
        try:
            end = self._ends[step.name] = buy(step, self._environment(step, told), seconds)
            if not end.by_itself:
                self._cut.add(step.name)
            if self._settings.linger:
                time.sleep(self._settings.linger * self._settings.time_scale)
            self.over()
            self._sandbox.settle()
            self._observe(step)
        except KeyboardInterrupt:
            self._cut.add(step.name)
            raise
        calls = self._calls(step.name)
        webhooks = len(self._recorder.of(step.name)) - calls
        ended = " (ended)" if step.name in self._cut else f" (exit code {end.code})" if end.code else ""
        took = time.monotonic() - began
        tell(f"{step.name:<22} calls {calls:>4}   webhooks {webhooks:>3} {took:>8.1f} s{ended}")

    def _environment(self, step: Step, told: Mapping[str, str]) -> dict[str, str]:
        """Gives what the command finds in its environment."""
        own = {
            "base_url": self.base_url,
            "widget_url": f"{self.base_url}{WIDGET}",
            "webhook_url": self._settings.webhook_url,
            "step": step.name,
            "time_scale": f"{self._settings.time_scale:g}",
        }
        secret = {self._variables[name]: value for name, value in self._credentials.items()}
        return {**integration.variables({**own, **told}), **secret}

    def _observe(self, step: Step) -> None:
        """Asks the partner's books about the transactions of a step."""
        if self._observer is None:
            return
        found: dict[tuple[str, str], int] = {}
        for key in dict.fromkeys(self._keys(self._recorder.of(step.name))):
            times = self._observer.times(*key)
            if times is not None:
                found[key] = times
        self._processed[step.name] = found

    def _keys(self, exchanges: Sequence[Exchange]) -> list[tuple[str, str]]:
        """Gives the transactions to ask about, each with its status where there is one."""
        named, status = self._script.id, self._script.status
        if status:
            told = [one.request.json for one in exchanges if one.protocol == "webhook"]
            return [(str(body.get(named)), str(body.get(status))) for body in told if isinstance(body, dict)]
        made = [one.response.member(named) for one in exchanges if one.accepted and one.response]
        return [(name, "") for name in made if isinstance(name, str)]

    # All of them

    def _judge(self) -> None:
        purchases = [
            Purchase(
                name,
                told,
                self._recorder.of(name),
                name in self._cut,
                self._processed.get(name, {}),
                self._recorder.sources,
                self._recorder.over.get(name, math.inf),
            )
            for name, told in self._told.items()
        ]
        observed = self._observer is not None
        conduct = Conduct(purchases, self._profile, self._credentials, self._settings.time_scale, observed)
        self._journal.write(written(conduct, self._rules, self._recorder.written, self._redactor))
        for record in judged(conduct, self._rules, self._redactor):
            self._journal.write(record)
        self._note()

    def _note(self) -> None:
        """Writes what the reader of the reports should know."""
        notes = []
        if self._settings.time_scale != 1:
            factor = f"{self._settings.time_scale:g}"
            notes.append(f"every time was multiplied by {factor}, of the sandbox's and of what is judged")
        if self._cut:
            notes.append(f"ended before the command had ended itself: {', '.join(sorted(self._cut))}")
        silent = [name for name in self._ends if not self._calls(name)] if self._is_heard() else []
        if silent:
            codes = sorted({end.code for name in silent if (end := self._ends[name]).code is not None})
            code = f", where the command ended with code {enumerated([*map(str, codes)])}" if codes else ""
            notes.append(f"nothing came from the integration in {enumerated(silent)}{code}")
        if self._sandbox.unheard:
            notes.append(f"{self._sandbox.unheard} webhooks were posted where nobody listened; they are not judged")
        for step, number in self._recorder.dropped.items():
            notes.append(f"{number:,} calls of step {step} were too many, or too long, to be kept; they are not judged")
        if self._observer is not None:
            notes += dict.fromkeys(self._observer.troubles)
        for text in self._recorder.faults:
            self._journal.write({"kind": "fault", "text": text})
        for text in notes:
            self._journal.write({"kind": "note", "text": self._redactor.text(text)})
