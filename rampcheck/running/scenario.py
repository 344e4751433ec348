"""What a scenario works with: the target, a request it has just accepted, and one change to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.contract.wording import lacks
from rampcheck.errors import BudgetSpent, LeftOut, ProfileLacks, RunOver, TargetGone, Unjudged, UsageError
from rampcheck.judging.demands import Acceptance, Demand, Due, Rejection, Survival
from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import Candidate, Suite, by_themselves, partner_of
from rampcheck.running.confirmation import Confirmation
from rampcheck.running.controls import Controls, Refusal
from rampcheck.running.recovery import Fuller, Recovery
from rampcheck.wire.channel import Channel, News
from rampcheck.wire.client import Client
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.journal_records import ExchangeRecord
from rampcheck.wire.presence import Presence


class Target:
    """The server under judgement, as scenarios see it.

    `baseline` is the request that it accepts; `texts` gives short texts, each a new one in any run; `presence` is what
    the run's processes know of its absence, of which `tell` tells the user. `lag` is for a suite to remember how many
    seconds the target took until it knew at one endpoint what it had created at another.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what all scenarios share
        self,
        profile: Profile,
        judge: Judge,
        suite: Suite,
        client: Client,
        baseline: Candidate,
        texts: Iterator[str],
        presence: Presence,
        tell: Callable[[str], None],
    ) -> None:
        self.profile = profile
        self.judge = judge
        self.suite = suite
        self.client = client
        self.baseline = baseline
        self.lag = 0.0
        self._texts = texts
        self._presence = presence
        recovery = Recovery(client, judge, suite, presence, self.plain, self.fuller, tell)
        self._confirmation = Confirmation(client, judge, suite, recovery, self.plain)
        self._controls: dict[str, Controls] = {}

    @property
    def clause(self) -> str:
        """The one clause that the scenario verifies, which its judgements need not name.

        Raises `ContractError` where it verifies several.
        """
        return self.judge.clause

    def plain(self, credential: str | None = None) -> Request:
        """Gives a new request like the one that the target accepted at the beginning of the run."""
        return self.baseline.build(self.profile, credential or self.suite.credential, self.unique())

    def fuller(self) -> Iterator[Fuller]:
        """Gives new requests, each with one optional header that a plain one is without.

        What a body has more may name somebody else, an address or a user, for whom no limit is reached yet.
        """
        candidates, fields = list(self.suite.candidates(self.profile)), self.plain().json.keys()
        for candidate in (candidates[place] for place in by_themselves(candidates)):
            request = candidate.build(self.profile, self.suite.credential, self.unique())
            if request.json.keys() == fields and not {*candidate.added} <= {*self.baseline.added}:
                yield Fuller(request, candidate.added)

    def unique(self) -> str:
        """Gives a short text that no other scenario of any run uses."""
        return next(self._texts)

    def hide(self, name: str, value: str) -> None:
        """Keeps a value that is nearly a credential out of everything that is written."""
        self.judge.hide(name, value)

    def partner(self, credential: str | None = None) -> Partner:
        """Gives what the profile tells of the partner that owns a credential."""
        return partner_of(self.profile, credential)

    def credential_where(self, is_wanted: Callable[[Partner], bool]) -> str:
        """Gives the credential of the first partner that `is_wanted`. Raises `ProfileLacks` where there is none."""
        for credential in (self.suite.credential, f"second_{self.suite.credential}"):
            if credential in self.profile.credentials and is_wanted(self.partner(credential)):
                return credential
        raise ProfileLacks("no partner of the profile fits")

    def control(self, credential: str | None = None) -> Accepted:
        """Gives the baseline as accepted, nothing having failed since; as `accepted` where a new one is due.

        It may serve many scenarios: what they see refused after it counts as soon as the next one is accepted.
        """
        controls = self._controls_of(credential)
        if (known := controls.current) is not None:
            return Accepted(self, *known, is_shared=True)
        return self._renewed(controls, credential)

    def settle(self) -> None:
        """Sends the controls that refusals still wait for."""
        for credential, controls in self._controls.items():
            if controls.is_due:
                with suppress(Unjudged):
                    self._renewed(controls, credential)

    def _controls_of(self, credential: str | None) -> Controls:
        return self._controls.setdefault(credential or self.suite.credential, Controls(self.judge))

    def _renewed(self, controls: Controls, credential: str | None) -> Accepted:
        """Sends a new control; where that is refused at first, each refusal that waited for it is asked for again."""
        waiting, before = controls.taken(), len(self.judge.exchanges)
        try:
            control = self.accepted(credential)
            if all(_is_no_refusal(record) for record in self.judge.exchanges[before:]):
                controls.believe(waiting)
            else:
                for refusal in waiting:
                    self._refused_again(refusal, credential)
                control = self.accepted(credential)
        except Unjudged as error:
            # Nothing is known against what only a budget did not reach: it is left out.
            for refusal in waiting if not isinstance(error, LeftOut) else ():
                with self.judge.on_behalf(refusal.exchange.scenario):
                    self.judge.unjudged(refusal.demand.clause, str(error))
            raise
        controls.renew(control.request, control.exchange)
        return replace(control, is_shared=True)

    def _refused_again(self, refusal: Refusal, credential: str | None) -> None:
        """Makes a change once more, with a control of its own. Raises `RunOver` and `BudgetSpent`."""
        with self.judge.on_behalf(refusal.exchange.scenario):
            try:
                attempt = Attempt(self.accepted(credential), refusal.request, refusal.change)
                attempt.meets(refusal.demand)
            except (BudgetSpent, RunOver):
                raise
            except Unjudged as error:
                self.judge.unjudged(refusal.demand.clause, str(error))

    def met(self, demand: Demand, exchange: Exchange, attempt: Attempt) -> None:
        """Records that the answer to a change is what is demanded; a refusal when the next control is accepted."""
        control = attempt.control
        if control.is_shared and not exchange.accepted:
            refusal = Refusal(attempt.request, exchange, demand, attempt.change, control.exchange)
            self._controls_of(control.credential).refused(refusal)
            return
        with self.judge.changing(attempt.change):
            self.judge.met(demand, exchange, control.exchange.number)

    def accepted(self, credential: str | None = None, **fields: Any) -> Accepted:
        """Sends the baseline, with `fields` of its own, and gives it as just accepted.

        Raises `Unjudged` where the target refuses it now, `ProfileLacks` where it is another partner's, of whom the
        profile tells nothing.
        """
        request = self.plain(credential)
        request = request.but(**fields) if fields else request
        try:
            return Accepted(self, request, self.confirm(request))
        except (BudgetSpent, TargetGone):
            raise
        except Unjudged:
            if self.profile.second_partner is None and credential not in {None, self.suite.credential}:
                raise ProfileLacks(
                    f"{lacks('`second_partner`', self.profile)}: what the partner of `{credential}` may ask for (its "
                    "`pairs`, say), for it is not what the first one may"
                ) from None
            raise

    def confirm(self, request: Request) -> Exchange:
        """Sends a request that should be accepted, again where it is not; raises `Unjudged` where it is refused."""
        return self._confirmation.confirm(request)

    def ask(self, request: Request) -> Exchange:
        """Sends a request; a 5xx or silence counts only if it comes again. The rest is the caller's to judge."""
        return self._confirmation.ask(request)

    def once(self, request: Request) -> Exchange:
        """Sends a request once, retries apart, and leaves all judgement of a refusal to the caller."""
        return self._confirmation.once(request)

    def trigger(self, name: str) -> dict[str, Any]:
        """Gives the body fields that make this target do something on demand, `{unique}` filled in."""
        unique = self.unique()
        return {
            field: value.replace("{unique}", unique) if isinstance(value, str) else value
            for field, value in self.profile.triggers[name].items()
        }

    def send(self, request: Request, control: Accepted, demand: Demand | None = None) -> Exchange:
        """Sends a request and gives its answer, which is what `demand` asks for or a finding.

        What is wrong with a refusal, a 5xx, or silence counts only if `control` is accepted after it and the same comes
        again.
        """
        return self._confirmation.ask(request, control.request, demand, control.exchange.number)

    def demand(self, exchange: Exchange, demand: Demand, control: Exchange | None = None) -> bool:
        """Judges an answer that counts as it is, by a demand; says whether it is met."""
        accepted = control.number if control else None
        finding = self.judge.demanded(demand, exchange, accepted)
        if finding is None:
            self.judge.met(demand, exchange, accepted)
        else:
            self.judge.record([finding])
        return finding is None

    def send_together(self, requests: Sequence[Request]) -> list[Exchange]:
        """Sends requests at the same time, the refused ones once more; leaves the judgement to the invariants."""
        together = self.client.send_together(requests, self.judge.scenario)
        return [
            self._confirmation.look_again(request, self._confirmation.settle(exchange, request))
            for request, exchange in zip(requests, together, strict=True)
        ]

    def look_again(self, request: Request, exchange: Exchange, clause: str = "") -> Exchange:
        """Sends a request once more if it was refused: who accepts it then has refused it for no reason, in passing.

        `clause` says that it is accepted, if not the one of its path does.
        """
        return self._confirmation.look_again(request, exchange, clause)

    def refused_in_passing(self, request: Request, refused: Exchange, again: Exchange) -> None:
        """Records as a doubt that a request was refused that was accepted as soon as it came `again`."""
        self._confirmation.doubt_acceptance(request, refused, again)

    def subscribe(self, request: Request) -> Channel:
        """Asks for a WebSocket and gives it, open or refused; leaving its context closes it."""
        channel = self.client.subscribe(request, self.judge.scenario)
        if channel.accepted or not (self.suite.is_doubtful(channel.upgrade) or self.judge.has_doubted(channel.upgrade)):
            return channel
        answer = self._confirmation.settle(channel.upgrade, request)
        return self.client.subscribe(request, self.judge.scenario) if answer.accepted else channel

    @property
    def news(self) -> News:
        """Tells of messages on open WebSockets and of webhooks."""
        return self.client.news

    def receive_webhooks(self) -> None:
        """Opens the receiver of the profile's `webhook`, unless it is open. Raises `Unjudged` where it cannot."""
        try:
            self.client.webhooks.open()
        except UsageError as error:
            raise Unjudged(str(error)) from error

    @property
    def absences(self) -> int:
        """How often the target was away, and came back, as all processes of the run know."""
        return self._presence.absences

    @property
    def turned_away(self) -> int:
        """How many webhooks came that were not read: where there are any, none can be said to be missing."""
        return self.client.webhooks.turned_away

    def deliveries(self) -> list[Exchange]:
        """Gives the webhooks that came since the last call, each an exchange."""
        return self.client.webhooks.take(self.judge.scenario)


def _is_no_refusal(record: ExchangeRecord) -> bool:
    """Whether an exchange was accepted, or only put off (429)."""
    answer = record["response"]
    return answer is not None and (answer["status"] < 300 or answer["status"] == 429)


@dataclass(frozen=True)
class Accepted:
    """A request that the target has just accepted. Each method gives it with one thing changed.

    One that `is_shared` may have been accepted some scenarios ago, and nothing failed since; see `Target.control`.
    Raises `ValueError` for an exchange that was refused: it is no control.
    """

    target: Target
    request: Request
    exchange: Exchange
    is_shared: bool = False

    def __post_init__(self) -> None:
        if not self.exchange.accepted:
            raise ValueError(f"exchange {self.exchange.number} was refused, so it is no control")

    @property
    def credential(self) -> str:
        """The name of the credential that it was sent with."""
        return self.request.credential or self.target.suite.credential

    def then(self, request: Request) -> Accepted:
        """Sends another request, which has to be accepted after this one, and gives it as the new control.

        Raises `Unjudged` where the target refuses it.
        """
        return Accepted(self.target, request, self.target.confirm(request))

    def but(self, **fields: Any) -> Attempt:
        """Changes or adds members of the body."""
        shown = ", ".join(f"`{name}` = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items())
        return Attempt(self, self.request.but(**fields), shown)

    def without(self, *names: str) -> Attempt:
        """Leaves out members of the body."""
        return Attempt(self, self.request.without(*names), f"no {', '.join(f'`{name}`' for name in names)}")

    def with_header(self, name: str, value: str | None, what: str = "") -> Attempt:
        """Sets a header, or leaves it out where `value` is None."""
        shown = what or (f"no header {name}" if value is None else f"{name}: {value}")
        return Attempt(self, self.request.with_header(name, value), shown)

    def with_cookies_only(self, name: str) -> Attempt:
        """Leaves out a header, and sends back in its place the cookies that the acceptance has set, if any."""
        attempt = self.with_header(name, None)
        cookies = self.exchange.response.cookies if self.exchange.response else ""
        if not cookies:
            return attempt
        return Attempt(self, attempt.request.with_header("Cookie", cookies), f"{attempt.change}, but its cookies")

    def with_body(self, body: bytes | str, what: str) -> Attempt:
        """Sends these bytes as the body; `what` says in a phrase what they are."""
        return Attempt(self, self.request.with_body(body), what)

    def changed(self, change: Callable[[Request], Request], what: str) -> Attempt:
        """Changes the request in any other way; `what` says in a phrase how."""
        return Attempt(self, change(self.request), what)

    def instead(self, request: Request, what: str) -> Attempt:
        """Sends another request in its place; `what` says in a phrase how it differs."""
        return Attempt(self, request, what)

    def from_outside(self) -> Attempt:
        """Sends the very same request from an address that is not on the allowlist."""
        return Attempt(self, self.request.from_outside(), "an address off the allowlist")

    def unchanged(self) -> Attempt:
        """Sends the very same request again."""
        return Attempt(self, self.request, "the same request again")


@dataclass(frozen=True)
class Attempt:
    """An accepted request with one thing changed, to be sent once; `change` says what was changed.

    A judgement is of the clause that the scenario verifies; where it verifies several, `clause` says of which.
    """

    control: Accepted
    request: Request
    change: str

    def send(self) -> Exchange:
        """Sends it and leaves the judgement to the invariants."""
        return self._sent(None)

    def send_again_if_refused(self, *, clause: str = "") -> Exchange:
        """Sends what this target accepts otherwise, and leaves the judgement to the invariants; gives the last answer.

        Refused, it is sent once more: who accepts it then has refused it in passing, against `clause` where one is
        named.
        """
        return self.control.target.look_again(self.request, self.send(), clause)

    def is_refused(self, rejection: Rejection, *, clause: str | None = None) -> Exchange:
        """Demands this rejection for this change, and no other."""

        return self._demanded(rejection, clause)

    def is_accepted(self, *, clause: str | None = None) -> Exchange:
        """Demands that the change makes no difference to the acceptance.

        A refusal of the credentials, though they are right, is another clause's affair where the suite has one.
        """
        words = "an upgrade (101)" if self.request.protocol == "websocket" else "a 2xx"
        return self._demanded(Acceptance(words), clause)

    def is_observed(self, *, clause: str | None = None) -> Exchange:
        """Records what the target does, where nothing is promised."""
        clause = self._clause(clause)
        exchange = self.send()
        self.control.target.judge.observed(clause, f"{self.change}: {exchange.summary()}", exchange)
        return exchange

    def is_survived(self, *, clause: str | None = None) -> Exchange:
        """Demands an answer below 500, accepted or refused."""
        return self._demanded(Survival(), clause)

    def meets(self, demand: Demand) -> Exchange:
        """Demands what `demand` says."""
        exchange = self._sent(demand)
        target = self.control.target
        is_met = demand.broken(exchange, target.suite) is None
        if is_met and not target.suite.is_refusal_of_right_credentials(exchange):
            target.met(demand, exchange, self)
        return exchange

    def _clause(self, named: str | None) -> str:
        return self.control.target.clause if named is None else named

    def _demanded(self, due: Due, named: str | None) -> Exchange:
        return self.meets(Demand(self._clause(named), due, f"for a request with {self.change}"))

    def _sent(self, demand: Demand | None) -> Exchange:
        target = self.control.target
        with target.judge.changing(self.change):
            return target.send(self.request, self.control, demand)
