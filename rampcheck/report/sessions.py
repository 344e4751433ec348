"""Which accepted exchange of a run made what another one asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote

from rampcheck.wire.journal_records import ExchangeRecord
from rampcheck.wire.recipes import MARK

SHORTEST_ID = 8  # characters of what names a session: a shorter text may stand anywhere by chance


@dataclass(frozen=True)
class Session:
    """The record of an exchange that made what another one asks for, by a value; `member` of its answer holds it."""

    record: ExchangeRecord
    value: str
    member: str = ""

    @property
    def variable(self) -> str:
        """The shell variable of the value."""
        return re.sub(r"\W", "_", self.member, flags=re.ASCII).upper()


class Sessions:
    """Finds the sessions among the `exchanges` of a run, records of its journal by number."""

    def __init__(self, exchanges: Mapping[int, ExchangeRecord]) -> None:
        self._exchanges = exchanges

    def of(self, exchange: ExchangeRecord) -> Session | None:
        """Gives the accepted exchange that made what this one asks for, None where it asks for nothing of the kind."""
        request = exchange["request"]
        told = {unquote(part) for part in re.split(r"[/?&=#]", request["url"].partition("://")[2].partition("/")[2])}
        for index, texts in ((self._answered, told | _texts(request["body"])), (self._asked, told)):
            for value in sorted(texts & index.keys()):
                sessions = [one for one in index[value] if one.record["started"] < exchange["started"]]
                if sessions:
                    return sessions[-1]
        return None

    @cached_property
    def _answered(self) -> dict[str, list[Session]]:
        """What accepted answers hand out, by the value."""
        found: dict[str, list[Session]] = {}
        for record in self._accepted():
            asked = record["request"]["body"] + record["request"]["url"]
            response = record["response"]
            for member, value in _members(response["body"]) if response else ():
                if quote(value, safe="", errors="surrogatepass") == value and value not in asked:
                    found.setdefault(value, []).append(Session(record, value, member))
        return found

    @cached_property
    def _asked(self) -> dict[str, list[Session]]:
        """What accepted requests that made something name, by the value."""
        found: dict[str, list[Session]] = {}
        for record in self._accepted():
            for _, value in _members(record["request"]["body"]):
                found.setdefault(value, []).append(Session(record, value))
        return found

    def _accepted(self) -> list[ExchangeRecord]:
        return sorted(
            (
                record
                for record in self._exchanges.values()
                if record["direction"] == "outgoing"
                and record["protocol"] == "http"
                and record["request"]["method"] == "POST"
                and record["response"] is not None
                and 200 <= record["response"]["status"] < 300
            ),
            key=lambda record: str(record["started"]),
        )


def _members(body: str) -> list[tuple[str, str]]:
    try:
        value = json.loads(body) if body.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict):
        return []
    return [
        (name, text)
        for name, text in value.items()
        if isinstance(text, str) and len(text) >= SHORTEST_ID and re.fullmatch(r"\w+", name, re.ASCII)
        if not MARK.search(text)
    ]


def _texts(body: str) -> set[str]:
    return {text for _, text in _members(body)}
