"""What a session's response, or a finished run, tells of a target's profile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rampcheck.comparison import saved
from rampcheck.contract import descriptor, profile_schema
from rampcheck.contract.descriptor import Descriptor
from rampcheck.errors import UsageError
from rampcheck.report.additions import Addition, additions
from rampcheck.running import folder
from rampcheck.wire.redaction import has_mark

LARGEST = 256 * 1024  # bytes; no session's response is larger

BLANK_LINE = re.compile(r"\r?\n\r?\n")
ELSEWHERE = frozenset({"contract", "credentials", "tls"})  # of a run's profile, what is not taken as it stands there


@dataclass(frozen=True)
class Source:
    """What one source told: the `given` part of a profile, what is `wanted` in it, what was `left_out` and why."""

    contract: str
    given: Mapping[str, Any] = field(default_factory=dict)
    wanted: Mapping[str, Addition] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    @property
    def places(self) -> Iterator[str]:
        """The places of the profile that are given, those of mappings by what is in them."""
        return _places(self.given)


def _places(given: Mapping[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        yield from (f"{key}.{place}" for place in _places(value)) if isinstance(value, dict) else [key]


def response(text: str, origin: str, contract: str) -> Source:
    """Reads a session's response: its body, or what `curl -i` shows of it.

    `contract` is that of its API, "" where it is not known. Raises `UsageError` where it is no session's.
    """
    body = text
    # Before the answer stand those of a proxy, of what led elsewhere, and `100 Continue`.
    while body.startswith("HTTP/"):
        body = BLANK_LINE.split(body, maxsplit=1)[1] if BLANK_LINE.search(body) else ""
    try:
        session = json.loads(body)
    except (ValueError, RecursionError):
        session = None
    if not isinstance(session, dict):
        raise UsageError(f"{origin} is no JSON object, so it is no session's response", _cure(contract))
    described = _known_by(session, origin, contract)
    given: dict[str, Any] = {}
    left_out = []
    for place, members in described.session_tells.items():
        value = _members(session, members)
        if value is None:
            continue
        if _may_hold_a_secret(value):
            left_out.append(f"{place}: its URL has a login, a query or a fragment, which may be a secret")
        elif not profile_schema.takes(described.name, place, value):
            left_out.append(f"{place}: the response has no value that a profile may have there")
        else:
            _put(given, place, value)
    return Source(described.name, given, {}, left_out)


def _known_by(session: Mapping[str, Any], origin: str, contract: str) -> Descriptor:
    """Gives the contract whose sessions have members of this one, the most of all."""
    candidates = [descriptor.load(contract)] if contract else descriptor.readable()
    found = [(len(session.keys() & next(iter(known.known_by.values()))), known) for known in candidates]
    most = max(number for number, _ in found)
    meant = [known for number, known in found if number == most]
    if most == 0:
        is_error = any(session.keys() >= set(known.envelope) for known in candidates)
        what = "is an error, no session" if is_error else f"is no session of {' or '.join(k.name for _, k in found)}"
        raise UsageError(f"{origin} {what}", _cure(contract))
    if len(meant) > 1:
        raise UsageError(
            f"{origin} may be a session of {' or '.join(known.name for known in meant)}", "Name one with --contract."
        )
    return meant[0]


def _cure(contract: str) -> str:
    path = next(iter(descriptor.load(contract).known_by)) if contract else "the call that creates a session"
    return f"Save the answer to {path} that was accepted."


def _members(session: Mapping[str, Any], members: Any) -> Any:
    """Gives the value of a member, of a list of members that of each; None where one is not there."""
    if isinstance(members, str):
        return session.get(members)
    values = [_members(session, member) for member in members]
    return None if None in values else values


def _put(given: dict[str, Any], place: str, value: Any) -> None:
    *parents, name = place.split(".")
    for parent in parents:
        given = given.setdefault(parent, {})
    given[name] = value


def _may_hold_a_secret(value: Any) -> bool:
    if not isinstance(value, str) or "://" not in value:
        return False
    try:
        url = urlsplit(value)
    except ValueError:
        return True
    return bool(url.query or url.fragment or "@" in url.netloc)


def run(path: Path) -> Source:
    """Reads a finished run: the profile it had, without what is hidden, and what its gaps ask for.

    Raises `UsageError` where there is none, or its contract is not known.
    """
    finished = saved.anything(path)
    results = finished.results
    described = descriptor.load(results["contract"])
    first = next(finished.records(), None)
    told: Mapping[str, Any] = (
        folder.beginning(path, [first])["profile"]
        if first
        else {key: value for key, value in results["target"].items() if value}
    )
    left_out: list[str] = []
    given = {key: _shown(value, key, left_out) for key, value in told.items() if key not in ELSEWHERE}
    given["credentials"] = {
        name: f"${{{described.credentials[name].variable}}}"
        for name in told.get("credentials", ())
        if name in described.credentials
    }
    if "tls" in told:
        left_out.append("tls: its files are named as seen from the profile of that run")
    left_out += [f"{place}: its login and its query, if it had any" for place in _urls(told)]
    return Source(described.name, _full(given), additions(results["clauses"]), left_out)


def _shown(value: Any, place: str, left_out: list[str]) -> Any:
    """Gives a value of a run's profile, None in place of each text in which something is hidden."""
    if isinstance(value, dict):
        return {key: _shown(item, f"{place}.{key}", left_out) for key, item in value.items()}
    if isinstance(value, list):
        kept = [_shown(item, f"{place}[{number}]", left_out) for number, item in enumerate(value)]
        return kept if None not in kept else None
    if isinstance(value, str) and has_mark(value):
        left_out.append(f"{place}: it is hidden in the run")
        return None
    return value


def _full(value: Any) -> Any:
    """Gives mappings without what is None or holds nothing any more."""
    if isinstance(value, dict):
        kept = {key: _full(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, {})}
    return value


def _urls(told: Mapping[str, Any]) -> Iterator[str]:
    for section, key in (("egress", "outside_proxy"), ("webhook", "public_url")):
        if told.get(section, {}).get(key):
            yield f"{section}.{key}"
