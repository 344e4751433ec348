"""What a contract's suite gives the engine: how to authenticate, what to try first, and what always holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rampcheck.contract import packs
from rampcheck.contract.descriptor import Descriptor
from rampcheck.contract.profile import Partner, Profile
from rampcheck.contract.register import path_matches
from rampcheck.errors import ContractError
from rampcheck.judging.doubts import TRANSPORT_STATUSES
from rampcheck.wire.exchanges import Exchange, Request

# The parts of an answer that a finding can be about, besides members of its body.
STATUS = "status"
BODY = "body"
KNOWN_MEMBERS = 2  # so many of a session's members make an answer one, however it is written
Known = TypeVar("Known")


def member(name: str) -> str:
    """Names a member of an answer's JSON object as that which a finding is about."""
    return f"{BODY}.{name}"


@dataclass(frozen=True)
class Broken:
    """What an invariant gives for an exchange that breaks it. On an `open` clause it is an observation.

    `about` names the parts of the answer that are wrong: `STATUS`, `BODY` as a whole, or each `member`; none where it
    is a header or the course of things.
    """

    expected: str
    actual: str
    exchange: Exchange | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """What a history invariant gives for each place where its clause was put to the test and held."""


@dataclass(frozen=True)
class Observed:
    """What an invariant gives for something worth telling the vendor that breaks no promise."""

    actual: str


@dataclass(frozen=True)
class Invariant:
    """A judgement of every exchange to which `when` says it applies.

    `judge(exchange, partner)` gives None where the clause holds, else what is broken; `partner` is what the profile
    tells of the partner whose credential the exchange used. `exercises` is False where an exchange that breaks
    nothing proves nothing either (a refusal, for whatever reason).
    """

    clause: str
    when: Callable[[Exchange, Partner], bool]
    judge: Callable[[Exchange, Partner], Broken | Observed | None]
    exercises: bool = True


@dataclass(frozen=True)
class HistoryInvariant:
    """A judgement of a whole run, made once at its end from the journal, over all workers.

    `judge(exchanges, profile)` gets those recorded exchanges, in order, to which `when` applies; secrets are replaced
    by marks, equal for equal secrets. The clause counts as exercised from `at_least` exchanges on; where that is None,
    as often as `judge` gives `Held`. A 2xx that says nothing of what the API would say is left out, for it may be
    anybody's; unless what is looked for may stand in an answer `of_anybody`.
    """

    clause: str
    when: Callable[[Exchange], bool]
    judge: Callable[[Sequence[Exchange], Profile], Iterable[Broken | Held]]
    at_least: int | None = 1
    of_anybody: bool = False


@dataclass(frozen=True)
class Candidate:
    """A request that a target may accept: `build(profile, credential, unique)` composes it.

    `unique` is a short text, new for each scenario. `added` names what it holds beyond the documented minimum: the
    clause by which that is optional, and what was added.
    """

    build: Callable[[Profile, str, str], Request]
    added: tuple[tuple[str, str], ...] = ()


def by_themselves(candidates: Sequence[Candidate]) -> list[int]:
    """Gives the places of those candidates that add one optional part to the minimum, one for each part."""
    first: dict[tuple[tuple[str, str], ...], int] = {}
    for place, candidate in enumerate(candidates):
        if len({what for _, what in candidate.added}) == 1:
            first.setdefault(candidate.added, place)
    return list(first.values())


@dataclass(frozen=True)
class Probe:
    """A request by which `rampcheck doctor` sees whether the target is as a place of the profile says.

    `change(request, unique)` makes it of one that was accepted, built with `credential` where it names one.
    `otherwise(exchange)` says what the target does otherwise, "" where it is so, which is `so`; `cure` is what to do
    then. With `may_fail` a 5xx is what is wanted.
    """

    place: str
    so: str
    change: Callable[[Request, str], Request]
    otherwise: Callable[[Exchange], str]
    cure: str
    credential: str = ""
    may_fail: bool = False


@dataclass(frozen=True)
class Suite:
    """What is checked of one contract, as the engine calls it.

    `contract` is the contract's own data. `authenticate(request, profile)` gives the request with its credentials,
    computed over the very bytes that will be sent. `candidates(profile)` gives what to try as a baseline, the
    documented minimum first, that with all that is optional last; `respelled` gives the same in other spellings, for a
    target that refuses the credentials. `elsewhere(profile, unique)` gives a question to another endpoint, which is
    refused with the status of refused credentials for these alone; None where there is no such endpoint. `probes`
    gives what to ask about the rest of a profile, the most telling first.
    """

    contract: Descriptor
    authenticate: Callable[[Request, Profile], Request]
    candidates: Callable[[Profile], Iterator[Candidate]]
    respelled: Callable[[Profile], Iterator[Candidate]] = lambda _: iter(())
    elsewhere: Callable[[Profile, str], Request] | None = None
    probes: Callable[[Profile], Iterator[Probe]] = lambda _: iter(())
    invariants: Sequence[Invariant] = ()
    history: Sequence[HistoryInvariant] = ()

    def __post_init__(self) -> None:
        """Raises `ContractError` where an invariant is none."""
        for name, kind in (("invariants", Invariant), ("history", HistoryInvariant)):
            for place, one in enumerate(getattr(self, name)):
                if not isinstance(one, kind):
                    raise ContractError(
                        f"the suite of {self.contract.name}: `{name}[{place}]` is {one!r}, which is no {kind.__name__}",
                        f"Make it one, or take it out: `rampcheck.judging.suite.{kind.__name__}`.",
                    )

    @property
    def judged(self) -> tuple[str, ...]:
        """The clauses that invariants judge, of one exchange or of the whole run."""
        return (*(known.clause for known in self.invariants), *(known.clause for known in self.history))

    @property
    def credential(self) -> str:
        """The profile's credential that a scenario uses unless it says otherwise."""
        return self.contract.credential

    def is_known(self, exchange: Exchange, members: int = 1) -> bool:
        """Whether an answer has so many of the members that one of its path is known by, wherever they stand."""
        assert exchange.response is not None  # noqa: S101 - who asks this has an answer
        known = _of_path(self.contract.known_by, exchange.path)
        if known is None:
            return True
        if isinstance(value := exchange.response.json, dict | list):
            return len(known.intersection(_names(value))) >= members
        text = exchange.response.body.decode("utf-8", "replace").replace("\\", "")
        return sum(f'"{name}"' in text for name in known) >= members

    def is_session(self, exchange: Exchange) -> bool:
        """Whether an answer has enough of a session's members to be one."""
        return self.is_known(exchange, KNOWN_MEMBERS)

    def is_acceptance(self, exchange: Exchange) -> bool:
        """Whether the API itself accepted a request, and not something that says nothing of what it would say."""
        return exchange.accepted and not exchange.is_page and (exchange.protocol != "http" or self.is_known(exchange))

    def is_doubtful(self, exchange: Exchange) -> bool:
        """Whether an answer may have come from anything but the target's own judgement of the request."""
        return (
            exchange.response is None
            or exchange.status >= 500
            or (exchange.is_page and exchange.status not in TRANSPORT_STATUSES)
            or self.is_strange(exchange)
        )

    def is_strange(self, exchange: Exchange) -> bool:
        """Whether an answer is a 2xx that says nothing of what the API would say: a notice, a login page."""
        return exchange.accepted and not self.is_acceptance(exchange)

    def is_foreign(self, exchange: Exchange) -> bool:
        """Whether an answer may be that of something in front of the API: a page, what says nothing that it would."""
        answer = exchange.response
        if answer is None or exchange.protocol != "http":
            return False
        if exchange.is_page or exchange.accepted:
            return not self.is_acceptance(exchange)
        envelope = self.contract.envelope
        return exchange.status >= 400 and not all(isinstance(answer.member(name), str) for name in envelope)

    def is_refusal_of_right_credentials(self, exchange: Exchange) -> bool:
        """Whether the right credentials are refused, and a clause says that they are not for the way of writing."""
        status, clause = self.contract.credentials_refused
        return bool(clause) and exchange.authenticated and exchange.status == status

    def promise_of_answer(self, path: str) -> str:
        """Gives the clause by which a request to `path` does not go unanswered, "" where nothing is promised."""
        return _of_path(self.contract.no_server_error, path) or ""

    def promise_of_acceptance(self, path: str) -> str:
        """Gives the clause by which a good request to `path` is accepted, "" where none says so."""
        return _of_path(self.contract.accepts, path) or ""


def _names(value: Any) -> Iterator[str]:
    """Gives the names of all members of a JSON value, of those inside others, too."""
    inside = [value]
    while inside:
        one = inside.pop()
        if isinstance(one, dict):
            yield from one
            inside += one.values()
        elif isinstance(one, list):
            inside += one


def _of_path(table: Mapping[str, Known], path: str) -> Known | None:
    asked = path.partition("?")[0]
    return next((known for template, known in table.items() if path_matches(template, asked)), None)


def invariant(
    clause: str,
    when: Callable[[Exchange, Partner], bool],
    *,
    exercises: bool = True,
) -> Callable[[Callable[[Exchange, Partner], Broken | Observed | None]], Invariant]:
    """Makes an `Invariant` of a function that judges one exchange."""
    return lambda judge: Invariant(clause, when, judge, exercises)


def history_invariant(
    clause: str,
    when: Callable[[Exchange], bool],
    at_least: int | None = 1,
) -> Callable[[Callable[[Sequence[Exchange], Profile], Iterable[Broken | Held]]], HistoryInvariant]:
    """Makes a `HistoryInvariant`, with `at_least` as there, of a function that judges a whole run."""
    return lambda judge: HistoryInvariant(clause, when, judge, at_least)


def partner_of(profile: Profile, credential: str | None) -> Partner:
    """Gives what the profile tells of the partner that owns a credential (`second_…` is the second partner's)."""
    if credential is not None and credential.startswith("second_"):
        return profile.second_partner or Partner()
    return profile.partner


def load(contract: str) -> Suite:
    """Gives the `Suite` that a contract's suite defines in its `__init__.py` under the name `suite`.

    Raises `UsageError` where there is no such contract and `ContractError` where its suite defines none.
    """
    found = getattr(packs.module(packs.of(contract).suite(contract)), "suite", None)
    if not isinstance(found, Suite):
        raise ContractError(f"{packs.of(contract).suite(contract)}/__init__.py defines no `suite`")
    return found
