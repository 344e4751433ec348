"""What a scenario demands of an answer, as data: it stands in the journal, and can be judged again from there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rampcheck.judging.suite import BODY, STATUS, Broken, Suite, member
from rampcheck.wire.exchanges import Exchange

ANY_4XX = range(400, 500)


class Due(ABC):
    """What an answer has to be. `str` says it in a phrase.

    `is_told_by_status`: whether the status alone says if it is that.
    """

    is_told_by_status: ClassVar[bool] = False

    @abstractmethod
    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives in which parts another answer differs, as `Broken.about` names them; None where it is what is due."""

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """Gives it as JSON data, of which `recalled` makes it again."""

    def broken(self, exchange: Exchange, _: Suite) -> Broken | None:
        """Gives what is wrong with an answer, None where it is what is due."""
        about = self.differs(exchange)
        return None if about is None else Broken(str(self), self.seen(exchange), about=about)

    def seen(self, exchange: Exchange) -> str:
        """Says in a phrase what came instead."""
        return exchange.summary()

    def foresees(self, _: int) -> bool:
        """Whether a refusal with this status is foreseen."""
        return False


@dataclass(frozen=True)
class Rejection(Due):
    """The refusal that is promised: any of `statuses`, and for each named member of the body any of its values.

    No `statuses` means any 4xx.
    """

    statuses: Collection[int] = ANY_4XX
    members: Mapping[str, Collection[str]] = field(default_factory=dict)

    def fits(self, exchange: Exchange) -> bool:
        """Whether the exchange was refused in this way."""
        return (
            exchange.response is not None
            and exchange.status in self.statuses
            and all(exchange.response.member(name) in values for name, values in self.members.items())
        )

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives in which parts of the answer another refusal differs from this one, None where it does not."""
        if self.fits(exchange):
            return None
        status = () if exchange.status in self.statuses else (STATUS,)
        answer = exchange.response
        return status + tuple(
            member(name) for name, values in self.members.items() if answer is None or answer.member(name) not in values
        )

    def foresees(self, status: int) -> bool:
        """Whether the promise names this very status: of any 4xx, a firewall's is not the API's."""
        return status in self.statuses and self.statuses != ANY_4XX

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data; without `statuses` it is any 4xx."""
        statuses = {} if self.statuses == ANY_4XX else {"statuses": list(self.statuses)}
        members = {name: list(values) for name, values in self.members.items()}
        return {"is": "refused", **statuses, **({"members": members} if members else {})}

    def __str__(self) -> str:
        statuses = "a 4xx" if self.statuses == ANY_4XX else " or ".join(map(str, self.statuses))
        members = [f"{name} {' or '.join(repr(value) for value in values)}" for name, values in self.members.items()]
        return ", ".join([statuses, *members])


@dataclass(frozen=True)
class EitherRejection(Rejection):
    """Any of several rejections; `Rejection`'s own fields are those of the first, with the statuses of all."""

    alternatives: tuple[Rejection, ...] = ()

    @classmethod
    def of(cls, *alternatives: Rejection) -> EitherRejection:
        """Makes one of several rejections."""
        statuses = [status for rejection in alternatives for status in rejection.statuses]
        return cls(statuses, alternatives[0].members, alternatives)

    def fits(self, exchange: Exchange) -> bool:
        """Whether the exchange was refused in any of these ways."""
        return any(rejection.fits(exchange) for rejection in self.alternatives)

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives in which parts of the answer another refusal differs from the one of its status, or the first."""
        if self.fits(exchange):
            return None
        same_status = [rejection for rejection in self.alternatives if exchange.status in rejection.statuses]
        return [*same_status, self.alternatives[0]][0].differs(exchange)

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data."""
        return {"is": "refused_as_any", "of": [rejection.data() for rejection in self.alternatives]}

    def __str__(self) -> str:
        return ", or ".join(map(str, self.alternatives))


@dataclass(frozen=True)
class Acceptance(Due):
    """A 2xx, or an upgrade; `words` name it.

    A refusal of the credentials, though they are right, is another clause's affair where the suite has one.
    """

    words: str = "a 2xx"

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives the status of what is not accepted."""
        return None if exchange.accepted else (STATUS,)

    def broken(self, exchange: Exchange, suite: Suite) -> Broken | None:
        """Gives what is wrong with an answer; nothing where right credentials are refused, which a clause speaks of."""
        return None if suite.is_refusal_of_right_credentials(exchange) else super().broken(exchange, suite)

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data."""
        return {"is": "accepted"}

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Survival(Due):
    """An answer below 500, accepted or refused."""

    is_told_by_status = True

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives the whole answer where there is none, or a 5xx."""
        return None if 0 < exchange.status < 500 else (STATUS, BODY)

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data."""
        return {"is": "below_500"}

    def __str__(self) -> str:
        return "an answer below 500"


@dataclass(frozen=True)
class Declined(Due):
    """Neither an acceptance nor a failure, such as no answer: whatever else is answered."""

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives the status of a 2xx or 5xx, or of no answer."""
        return None if not exchange.accepted and 0 < exchange.status < 500 else (STATUS,)

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data."""
        return {"is": "declined"}

    def __str__(self) -> str:
        return "neither a 2xx nor a 5xx"


@dataclass(frozen=True)
class Silence(Due):
    """An upgrade that brings nothing: refused, or closed by the target before any event; an error is none."""

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives the status of an upgrade that was neither refused nor closed at once."""
        closed = exchange.accepted and bool(exchange.closed) and not exchange.told
        return None if 400 <= exchange.status < 500 or closed else (STATUS,)

    def seen(self, exchange: Exchange) -> str:
        """Says what came over the WebSocket instead."""
        if not exchange.accepted:
            return exchange.summary()
        end = "then closed" if exchange.closed else "still open"
        return f"{exchange.summary()}, {len(exchange.events)} messages, {end}"

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data."""
        return {"is": "no_event"}

    def __str__(self) -> str:
        return "a 4xx, or a close at once and without any event,"


@dataclass(frozen=True)
class Holds(Due):
    """An accepted answer whose member `name` is `value`, or where `not_so` is anything else."""

    name: str
    value: Any
    not_so: bool = False

    def differs(self, exchange: Exchange) -> tuple[str, ...] | None:
        """Gives the member that holds another value, the status of what is not accepted."""
        if not exchange.accepted:
            return (STATUS,)
        return None if (self._given(exchange) == self.value) is not self.not_so else (member(self.name),)

    def seen(self, exchange: Exchange) -> str:
        """Says what the member holds."""
        return f"`{self.name}`: {self._given(exchange)!r}" if exchange.accepted else exchange.summary()

    def data(self) -> dict[str, Any]:
        """Gives it as JSON data."""
        return {"is": "not_holds" if self.not_so else "holds", "name": self.name, "value": self.value}

    def _given(self, exchange: Exchange) -> Any:
        return exchange.response.member(self.name) if exchange.response else None

    def __str__(self) -> str:
        return f"`{self.name}`: {'not ' if self.not_so else ''}{self.value!r}"


def _rejection(data: Mapping[str, Any]) -> Rejection:
    return Rejection(data.get("statuses", ANY_4XX), data.get("members", {}))


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Due]] = {
    "refused": _rejection,
    "refused_as_any": lambda data: EitherRejection.of(*map(_rejection, data["of"])),
    "accepted": lambda _: Acceptance(),
    "below_500": lambda _: Survival(),
    "declined": lambda _: Declined(),
    "no_event": lambda _: Silence(),
    "holds": lambda data: Holds(data["name"], data["value"]),
    "not_holds": lambda data: Holds(data["name"], data["value"], not_so=True),
}


def recalled(data: Mapping[str, Any]) -> Due:
    """Gives what was due from the data of a journal. Raises `ValueError` where it is none that is known."""
    try:
        return _KINDS[data["is"]](data)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{data!r} is nothing that a scenario demands") from error


@dataclass(frozen=True)
class Demand:
    """What a scenario demands of one answer by `clause`; `where` says in a phrase of what, for the reader."""

    clause: str
    due: Due
    where: str = ""

    def broken(self, exchange: Exchange, suite: Suite) -> Broken | None:
        """Gives what is wrong with an answer, None where it is right."""
        problem = self.due.broken(exchange, suite)
        if problem is None:
            return None
        return Broken(f"{problem.expected} {self.where}".rstrip(), problem.actual, about=problem.about)
