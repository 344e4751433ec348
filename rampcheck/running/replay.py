"""One exchange of a run, sent again: the same request, made and signed anew, and what it breaks now."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rampcheck.contract import descriptor
from rampcheck.contract import profile as profiles
from rampcheck.contract.descriptor import Descriptor
from rampcheck.contract.profile import Profile
from rampcheck.contract.profile_rules import at
from rampcheck.errors import ExitCode, Inconclusive, Unjudged, UsageError
from rampcheck.judging.demands import recalled
from rampcheck.judging.doubts import signature
from rampcheck.judging.findings import Finding
from rampcheck.judging.suite import Suite
from rampcheck.judging.whole import judge_history
from rampcheck.report.replayed import Told
from rampcheck.report.sessions import Session, Sessions
from rampcheck.report.text import enumerated
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.wire import tracing
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.journal import exchange_records, from_record
from rampcheck.wire.journal_records import DemandRecord, ExchangeRecord, Record, RunRecord
from rampcheck.wire.recipes import MARK, made

SCENARIO = "replay"
# What the connection sets for each request anew, and what the client sets first of all, before a request's own.
HOP_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding", "keep-alive", "upgrade"})
CLIENT_HEADERS = ("user-agent", "accept", "accept-encoding", tracing.HEADER)
ADDRESS = "user@example.com"
LONGEST_WAIT = 10.0  # seconds after a session, and that a WebSocket is listened to

Again = Literal["seen again", "not seen", "not to be seen in one exchange"]


@dataclass(frozen=True)
class Seen:
    """A finding, and what became of it: one of before, or (`again` is None) one that is new."""

    finding: Finding
    again: Again | None


@dataclass(frozen=True)
class Replayed:
    """What came of an exchange that was sent again: records `before` and `now`, what was `seen`, the exit code."""

    before: ExchangeRecord
    now: ExchangeRecord
    seen: tuple[Seen, ...]
    session: int | None
    code: ExitCode

    @property
    def told(self) -> tuple[Told, ...]:
        """What became of each finding, as it is printed."""
        return tuple(
            Told(one.again or "new", one.finding.clause, one.finding.expected, one.finding.actual) for one in self.seen
        )


def replay(
    where: Path, number: int, profile: Path | None = None, ca: str | None = None, *, allow_production: bool = False
) -> Replayed:
    """Sends the exchange `number` of the run in the folder `where` again.

    It goes to the target of the run, with the credentials that the environment holds, or as `profile` says, known by
    the authorities in the file `ca`, where that is named. Raises `UsageError` where there is no such exchange, its
    request cannot be made again, or the target is production and that was not allowed; `Inconclusive` where the target
    does not answer.
    """
    records = folder.read(where)
    beginning = folder.beginning(where, records)
    if "side" in beginning:
        raise UsageError(
            f"{where} is a certification: what stands there was sent by the integration, not by rampcheck",
            "rampcheck certify, with --step, provokes it again.",
        )
    exchanges = exchange_records(records)
    record = _asked(where, number, exchanges)
    session = Sessions(exchanges).of(record)
    sent = [record, *([session.record] if session else [])]
    target = profiles.load(profile, os.environ) if profile else _remembered(beginning, sent, ca)
    target = target.with_authorities(ca) if ca else target
    if target.contract != beginning["contract"]:
        raise UsageError(
            f"the profile is of {target.contract}, the run of {beginning['contract']}", "Name another one."
        )
    if profile:
        _demand_credentials(sent, target, profile)
    if target.environment == "production":
        _demand_production(beginning, allow_production)
    with tempfile.TemporaryDirectory(prefix="rampcheck-") as scratch:
        settings = Settings(secrets.token_hex(4), secrets.token_bytes(32), Path(scratch), allure=False)
        run = Run(replace(target, webhook=None), settings)
        try:
            demands = [one for one in records if one["kind"] == "demand" and one["exchange"] == number]
            set_by_profile = beginning["profile"].get("headers", {})
            replayed = _Replay(run, record, session, demands, set_by_profile)
            return replayed.sent(_findings(records, number, run))
        finally:
            run.close()


def _asked(where: Path, number: int, exchanges: Mapping[int, ExchangeRecord]) -> ExchangeRecord:
    record = exchanges.get(number)
    if record is None:
        told = "The run has no exchange at all."
        if exchanges:
            told = (
                f"The numbers of its exchanges lie between {min(exchanges)} and {max(exchanges)}, and not all are "
                "used: the report names each finding's."
            )
        raise UsageError(f"{where} has no exchange {number}", told)
    if record["direction"] == "incoming":
        raise UsageError(
            f"exchange {number} is a webhook: the target sent it, by itself",
            f"It comes again with what it is about: rampcheck run, with -k {_keyword(record)!r}.",
        )
    return record


def _keyword(record: ExchangeRecord) -> str:
    name = re.search(r"::(\w+)", record["scenario"])
    return name[1] if name else "webhook"


def _demand_production(beginning: RunRecord, allowed: bool) -> None:
    if not allowed:
        raise UsageError("the target's environment is production", "Only --allow-production lets this touch it.")
    if beginning["profile"].get("environment") != "production":
        raise UsageError(
            "the run was not made with production, so this exchange may be one that production is spared",
            "Run the suite there with --allow-production, and send one of that run's exchanges again.",
        )


def _remembered(beginning: RunRecord, records: Sequence[ExchangeRecord], ca: str | None) -> Profile:
    """Gives the profile of the run with the credentials that the environment holds, those of these records at least.

    A file of authorities that it names is not needed where `ca` is. Raises `ProfileError` where a file is not there,
    `UsageError` where a credential is not, or one of its headers was a secret.
    """
    contract, public = beginning["contract"], beginning["profile"]
    for name, value in public.get("headers", {}).items():
        if MARK.search(value):
            raise UsageError(
                f"the run sent a header {name} with a secret, which its journal does not tell",
                "Name the profile of the run with --profile.",
            )
    described = descriptor.load(contract)
    known = described.credentials
    needed = {name: known[name].variable for name in _needed(records, described)}
    missing = {name: variable for name, variable in needed.items() if not os.environ.get(variable)}
    if missing:
        raise UsageError(
            f"exchange {records[0]['number']} is sent again with {enumerated(list(needed))}, and "
            f"{enumerated(list(missing.values()))} {'is' if len(missing) == 1 else 'are'} not set",
            f"No journal holds a credential. Set what the run had: "
            f"{'; '.join(f'export {variable}=…' for variable in missing.values())}",
        )
    # One that is required, and that nothing is sent with here, may be any text.
    made_up = {told.variable: secrets.token_hex(24) for told in known.values() if told.required}
    environ = {**made_up, **{name: value for name, value in os.environ.items() if value}}
    credentials = {name: f"${{{told.variable}}}" for name, told in known.items() if told.variable in environ}
    kept = {name: deepcopy(public[name]) for name in public if name not in {"webhook", "waivers"}}
    if ca and "tls" in kept:
        kept["tls"] = {**kept["tls"], "ca": ca}
    kept["credentials"] = credentials
    for place, without in described.requires.items():
        if at(kept, without) is None:
            _take_out(kept, place)
    return profiles.from_mapping(kept, environ, "the environment")


def _needed(records: Sequence[ExchangeRecord], described: Descriptor) -> list[str]:
    """Gives the names of the credentials with which exchanges are sent again."""
    # An authentication may take any of those that are required.
    used = {name for one in records for name in _credentials(one.get("recipes", []))}
    used |= {one["credential"] for one in records if one["authenticated"] and one["credential"]}
    if any(one["authenticated"] for one in records):
        used |= {name for name, told in described.credentials.items() if told.required}
    return [name for name in described.credentials if name in used]


def _demand_credentials(records: Sequence[ExchangeRecord], target: Profile, where: Path) -> None:
    """Raises `UsageError` where the profile in `where` lacks a credential with which exchanges are sent again."""
    lacking = [name for name in _needed(records, target.described) if name not in target.credentials]
    if lacking:
        raise UsageError(
            f"exchange {records[0]['number']} is sent again with {enumerated(lacking)}, which {where} does not have",
            f"Add {enumerated([f'`credentials.{name}`' for name in lacking])} to it, or name another exchange.",
        )


def _take_out(given: dict[str, Any], place: str) -> None:
    """Takes what stands at a place out of a profile, as `partner.pairs`."""
    *parents, name = place.split(".")
    for parent in parents:
        given = given.get(parent, {})
    given.pop(name, None)


def _credentials(recipe: Any) -> Iterator[str]:
    """Gives the names of the credentials that a recipe takes."""
    if isinstance(recipe, Mapping):
        if "credential" in recipe:
            yield recipe["credential"]
        for part in recipe.values():
            yield from _credentials(part)
    elif isinstance(recipe, list):
        for part in recipe:
            yield from _credentials(part)


def _findings(records: Sequence[Record], number: int, run: Run) -> list[Finding]:
    """Gives what was found broken in an exchange, of one kind once: also what the whole run showed in it."""
    names = Finding.__dataclass_fields__
    found = [
        Finding(**{name: value for name, value in record.items() if name in names})  # type: ignore[arg-type]
        for record in records
        if record["kind"] == "finding" and record["exchange"] == number
    ]
    seen = sorted(map(from_record, exchange_records(records).values()), key=lambda exchange: exchange.started)
    found += [one for one in judge_history(seen, run.suite, run.profile)[0] if one.exchange == number]
    return list({(one.clause, one.judge): one for one in found}.values())


class _Replay:
    """One request, made and sent again with a run of its own, which keeps nothing."""

    def __init__(
        self,
        run: Run,
        record: ExchangeRecord,
        session: Session | None,
        demands: Sequence[DemandRecord],
        set_by_profile: Iterable[str],
    ) -> None:
        self._run = run
        self._record = record
        self._session = session
        self._demands = demands
        self._set_first = (*CLIENT_HEADERS, *map(str.lower, set_by_profile))

    @property
    def _suite(self) -> Suite:
        return self._run.suite

    def sent(self, before: Sequence[Finding]) -> Replayed:
        """Sends it, and the session that it asks for before, and says what became of the findings `before`."""
        known = self._made_session() if self._session else {}
        request = self._request(self._record, known)
        self._run.judge.begin(SCENARIO)
        exchange = self._answered(request, self._record)
        record = next(one for one in reversed(self._run.judge.exchanges) if one["number"] == exchange.number)
        found = [*self._run.judge.findings, *self._run.judge.doubted(exchange), *self._demanded(exchange)]
        return Replayed(
            self._record,
            record,
            seen := tuple(self._seen(before, found, exchange)),
            self._session.record["number"] if self._session else None,
            self._code(seen),
        )

    def _code(self, seen: Sequence[Seen]) -> ExitCode:
        clauses = self._run.contract.clauses
        broken = [one for one in seen if one.again in {None, "seen again"}]
        if any(clauses[one.finding.clause].level == "must" for one in broken):
            return ExitCode.NONCONFORMANT
        judged = [one for one in seen if one.again != "not to be seen in one exchange"]
        return ExitCode.INCONCLUSIVE if seen and not judged else ExitCode.CONFORMANT

    def _seen(self, before: Sequence[Finding], found: Sequence[Finding], exchange: Exchange) -> Iterator[Seen]:
        clauses = self._run.contract.clauses
        now = {finding.clause: finding for finding in found if clauses[finding.clause].level != "open"}
        envelope = self._suite.contract.envelope
        is_alike = signature(from_record(self._record), envelope) == signature(exchange, envelope)
        demanded = {demand["clause"] for demand in self._demands}
        for finding in before:
            if finding.clause in now:
                yield Seen(now[finding.clause], "seen again")
            elif finding.judge == "history":
                yield Seen(finding, "not to be seen in one exchange")
            elif finding.judge == "scenario" and finding.clause not in demanded:
                # What its scenario made of the answer, and of others, is told by nothing but the answer's being alike.
                yield Seen(finding, "seen again" if is_alike else "not seen")
            else:
                yield Seen(finding, "not seen")
        known = {finding.clause for finding in before}
        yield from (Seen(finding, None) for clause, finding in now.items() if clause not in known)

    def _demanded(self, exchange: Exchange) -> Iterator[Finding]:
        """Gives what the answer breaks of what the scenario demanded, and of what holds for all that was sent here."""
        judge = self._run.judge
        for demand in self._demands:
            broken = recalled(demand["due"]).broken(exchange, self._suite)
            if broken is not None:
                worded = replace(broken, expected=f"{broken.expected} for a request with {demand['change']}")
                yield judge.suspected(demand["clause"], worded, exchange)
        came = [from_record(record) for record in judge.exchanges]
        yield from judge_history(came, self._suite, self._run.profile)[0]

    def _made_session(self) -> dict[str, str]:
        """Makes the session that the exchange asks for; gives what took the place of its id."""
        session = self._session
        assert session is not None  # noqa: S101 - asked for only where there is one
        exchange = self._answered(self._request(session.record, {}), session.record)
        value = exchange.response.member(session.member) if exchange.response and session.member else None
        if not exchange.accepted or (session.member and not isinstance(value, str)):
            raise Inconclusive(
                f"the session of exchange {session.record['number']}, which this one asks for, could not be made "
                f"again: {self._run.judge.redacted(exchange.summary())}"
            )
        self._wait(session.record)
        return {session.value: value} if isinstance(value, str) else {}

    def _wait(self, session: ExchangeRecord) -> None:
        gap = from_record(self._record).started - from_record(session).ended
        time.sleep(min(max(gap, 0.0), LONGEST_WAIT))

    def _answered(self, request: Request, record: ExchangeRecord) -> Exchange:
        client = self._run.client
        try:
            if request.protocol != "websocket":
                exchange = client.send(request, SCENARIO)
            else:
                channel = client.subscribe(request, SCENARIO)
                time.sleep(min(record["elapsed_ms"] / 1000, LONGEST_WAIT) if channel.upgrade.accepted else 0)
                exchange = channel.close()
        except Unjudged as error:
            raise Inconclusive(f"the exchange says nothing: {self._run.judge.redacted(str(error))}") from None
        if exchange.response is None and record["response"] is not None:
            raise Inconclusive(
                f"{self._run.profile.base_url} does not answer: {self._run.judge.redacted(exchange.summary())}",
                "Is the target there, and the credentials those of its environment?",
            )
        return exchange

    def _request(self, record: ExchangeRecord, known: Mapping[str, str]) -> Request:
        """Gives the request of a record: what was hidden made again, and signed anew where it was signed rightly."""
        recipes = iter(record.get("recipes", []))
        written = record["request"]
        # The path is the end of the URL.
        of_url = list(_these(written["url"], recipes))
        path = self._text(record["path"], of_url[len(of_url) - len(MARK.findall(record["path"])) :], b"", record)
        given = [(name, value, list(_these(value, recipes))) for name, value in written["headers"]]
        body = self._body(record, list(_these(written["body"], recipes)))
        for value, other in known.items():
            path, body = path.replace(value, other), body.replace(value.encode(), other.encode())
        request = Request(written["method"], path, body=body, protocol=_protocol(record))
        request = request.from_outside() if record.get("outside") else request
        anew: frozenset[str] = frozenset()
        if record["authenticated"] and record["credential"]:
            request = request.with_credential(record["credential"])
            bare = replace(request, at=time.time(), nonce=secrets.token_hex(16))
            anew = frozenset(name.lower() for name, _ in self._suite.authenticate(bare, self._run.profile).headers)
        set_first = list(self._set_first)
        for name, value, told in given:
            if name.lower() in set_first:
                set_first.remove(name.lower())
            elif name.lower() not in HOP_HEADERS | anew and not name.lower().startswith("sec-websocket-"):
                request = replace(request, headers=(*request.headers, (name, self._text(value, told, body, record))))
        return request

    def _body(self, record: ExchangeRecord, recipes: Sequence[Any]) -> bytes:
        if record["request"]["encoding"] == "base64":
            return from_record(record).request.body
        return self._text(record["request"]["body"], recipes, b"", record).encode("utf-8", "surrogatepass")

    def _text(self, text: str, recipes: Sequence[Any], body: bytes, record: ExchangeRecord) -> str:
        told = iter(recipes)

        def again(mark: re.Match[str]) -> str:
            recipe = next(told, None)
            if recipe is not None:
                return made(recipe, self._run.profile.credentials, body).decode("utf-8", "surrogatepass")
            if mark[0].startswith("[redacted email "):
                return ADDRESS
            raise UsageError(
                f"exchange {record['number']} cannot be made again: its journal does not tell how {mark[0]} was made",
                f"Its scenario makes it: rampcheck run, with -k {_keyword(record)!r}.",
            )

        return MARK.sub(again, text)


def _these(text: str, recipes: Iterator[Any]) -> Iterator[Any]:
    """Takes the recipes of the marks in a text."""
    return (next(recipes, None) for _ in MARK.findall(text))


def _protocol(record: ExchangeRecord) -> Literal["http", "websocket"]:
    return "websocket" if record["protocol"] == "websocket" else "http"
