"""Exchanges of which a part is not known: to read it raises `NotRecorded`, with what it is.

So whatever judges an exchange finds out by itself whether it needs what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, TypeVar

from rampcheck.errors import NotRecorded
from rampcheck.wire.exchanges import Response, Sent, header

# What is read of a body without reading the body: it lacks with it.
DERIVED = (("json", "body"), ("member", "body"))

Known = TypeVar("Known")
Message = TypeVar("Message", Sent, Response)


def without(known: Known, lacking: Mapping[str, str]) -> Known:
    """Gives a copy of a dataclass's instance; to read one of the attributes `lacking` raises `NotRecorded`.

    `lacking` has the reason of each.
    """
    kind: Any = type(known)
    return copied(known, _kind(kind, tuple(sorted(lacking.items())))) if lacking else known


class HeadersOf:
    """Makes copies of requests, or responses, of traffic that has headers of these `names` only, in lower case.

    To ask a copy for another one raises `NotRecorded`: whoever recorded the traffic may have left it out. `where` says
    in what it is missing: `request`, `response`.
    """

    def __init__(self, names: Collection[str], where: str) -> None:
        self._names = names
        self._where = where
        self._kinds: dict[type[Any], type[Any]] = {}

    def copy(self, message: Message) -> Message:
        """Gives the copy of a request or a response."""
        kind = type(message)
        if kind not in self._kinds:
            self._kinds[kind] = type(kind.__name__, (kind,), {"header": _method(self._told)})
        view: Message = copied(message, self._kinds[kind])
        return view

    def _told(self, message: Message, name: str) -> str | None:
        value = header(message.headers, name)
        if value is None and name.lower() not in self._names:
            raise NotRecorded(f"no {self._where} of the traffic has a header {name}")
        return value


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a method of a bound one: its first argument is the instance."""

    def method(*given: Any) -> Any:
        return function(*given)

    return method


def copied(known: Known, kind: type[Known]) -> Known:
    """Gives a copy of a dataclass's instance as one of a `kind` that is made of its own; nothing is computed anew."""
    return made(kind, vars(known))


def made(kind: type[Known], attributes: Mapping[str, Any]) -> Known:
    """Gives an instance with these `attributes` and no others, whatever its class computes of them."""
    instance: Known = object.__new__(kind)
    for name, value in attributes.items():  # one by one: a dictionary that is filled at once is not shared by a class
        if isinstance(getattr(kind, name, None), property):
            vars(instance)[name] = value  # that nobody reads, and a property has no place for
        else:
            object.__setattr__(instance, name, value)
    return instance


@cache
def _kind(kind: type[Any], lacking: tuple[tuple[str, str], ...]) -> type[Any]:
    absent = {name: _absent(reason) for name, reason in lacking}
    return type(kind.__name__, (kind,), {derived: absent[name] for derived, name in DERIVED if name in absent} | absent)


def _absent(reason: str) -> property:
    def told(_: object) -> Any:
        raise NotRecorded(reason)

    return property(told)
