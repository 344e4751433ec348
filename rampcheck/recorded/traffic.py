"""Recorded traffic, as much of it as is addressed to the API, in memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rampcheck.contract import urls
from rampcheck.recorded.copies import Copies
from rampcheck.recorded.entries import BODY, Entry, Lacking
from rampcheck.recorded.files import File
from rampcheck.recorded.owners import Addresses, Owners
from rampcheck.recorded.packing import Packer
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.partial import HeadersOf, copied, without

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
MOST_SECRETS = 2_000  # of others, that are kept in mind to be hidden wherever they stand
SHORTEST_SECRET = 12  # characters; a cookie's shorter value may be any word
MOST_PLACES = 1_000
COOKIE = re.compile(r"(?:^|;)\s*[^=;]+=([^;]+)")


class Recording(NamedTuple):
    """An exchange of recorded traffic, with stand-ins where something is not known.

    What is lacking of the request, the response and the exchange itself says the reason of each attribute. `held` are
    the clauses that a run of rampcheck saw hold in it, where it was its own.
    """

    exchange: Exchange
    lacking: tuple[Lacking, Lacking, Lacking]
    is_whole: bool
    held: frozenset[str]


Names = tuple[set[str], set[str]]  # of the headers of requests and of responses, in lower case


class Views:
    """Gives exchanges as they can be judged; `names` are those of the headers that stand anywhere in the traffic."""

    def __init__(self, names: Names) -> None:
        self._requests = HeadersOf(names[0], "request")
        self._responses = HeadersOf(names[1], "response")

    def of(self, recording: Recording) -> Exchange:
        """Gives an exchange as it can be judged: to read what is lacking raises `NotRecorded`."""
        exchange, (of_request, of_response, of_exchange) = recording.exchange, recording.lacking
        if recording.is_whole:
            return exchange
        parts: dict[str, Any] = {"request": self._requests.copy(without(exchange.request, of_request))}
        if exchange.response is not None:
            parts["response"] = self._responses.copy(without(exchange.response, of_response))
        view = without(exchange, of_exchange) if of_exchange else copied(exchange, type(exchange))
        view.__dict__.update(parts)
        return view


class Traffic:
    """What is addressed to the API in files of recorded traffic.

    `recordings` are in the order of the files, `secrets` the credentials and cookies that stand in them, by value.
    `elsewhere` counts what is addressed to others, by host and first part of the path; `unanswered`, `cached` and
    `again` what was left out because nobody answered, the API did not, or another file has it too.
    `unknown_clauses` are those that a run is said to have seen hold, and that are none of `clauses`, the contract's.
    `names` are those of all headers, `packer` is what made the exchanges small.
    """

    def __init__(
        self, addresses: Addresses, owners: Owners, secret_headers: Iterable[str], clauses: Iterable[str]
    ) -> None:
        self.recordings: list[Recording] = []
        self.secrets: dict[str, str] = {}
        self.elsewhere: Counter[str] = Counter()
        self.unanswered = self.cached = self.again = 0
        self._addresses = addresses
        self._owners = owners
        self.unknown_clauses: set[str] = set()
        self._clauses = frozenset(clauses)
        self._clauses_held: dict[frozenset[str], frozenset[str]] = {}
        self._secret_headers = CREDENTIALS.union(map(str.lower, secret_headers))
        self.packer = Packer()
        self.names: Names = (set(), set())
        self._alike: dict[tuple[tuple[str, str], ...], Lacking] = {}
        self._copies = Copies()

    def read(self, file: File, progress: Callable[[int], None] = lambda _: None) -> None:
        """Takes what is addressed to the API of a file. Raises `UsageError` and `OSError` as the file does."""
        for entry in file.entries(progress):
            path = self._path(entry)
            if path is None:
                self._note_elsewhere(entry.url)
            elif entry.is_cached:
                self.cached += 1
            elif entry.status == 0:
                self.unanswered += 1
            elif self._is_new(entry, path, file):
                self._take(entry, path, is_whole=file.is_own)

    def end(self) -> None:
        """Forgets what it takes to read more."""
        self._copies = Copies()
        self._alike.clear()
        self._clauses_held.clear()

    def _path(self, entry: Entry) -> str | None:
        if entry.own.get("direction") == "incoming":
            return entry.own.get("path") or urlsplit(entry.url).path
        path = self._addresses.path(entry.url)
        if path is None and (hook := self._addresses.webhook_path(entry.url)) is not None:
            entry.own = {**entry.own, "direction": "incoming", "protocol": "webhook"}
            return hook
        return path

    def _note_elsewhere(self, url: str) -> None:
        try:
            split = urlsplit(url)
            first = split.path.lstrip("/").partition("/")[0]
            # Some APIs take a token there.
            place = f"{split.netloc.rpartition('@')[2]}/{'…' if urls.holds_token(f'x://x/{first}') else first}"
        except ValueError:
            place = "what is no URL"
        if place in self.elsewhere or len(self.elsewhere) < MOST_PLACES:
            self.elsewhere[place] += 1

    def _is_new(self, entry: Entry, path: str, file: File) -> bool:
        carried = tuple((name, value) for name, value in entry.request.headers if name.lower() in self._secret_headers)
        is_again = self._copies.has(entry, path, self._whose(entry), carried, file)
        self.again += is_again
        return not is_again

    def _whose(self, entry: Entry) -> str:
        """Gives the name of the profile's credential that a request carries, "" where that is not known."""
        if entry.own:
            return entry.own.get("credential") or ""
        try:
            sent = Sent(entry.method, entry.url, entry.request.headers, entry.request.body)
            return self._owners.credential(sent) or ""
        except LookupError:
            return ""

    def _take(self, entry: Entry, path: str, *, is_whole: bool) -> None:
        own = entry.own
        sent = Sent(entry.method, entry.url, entry.request.headers, entry.request.body)
        response = Response(entry.status, entry.response.headers, entry.response.body)
        self._remember(sent.headers, self.names[0])
        self._remember(response.headers, self.names[1])
        lacking = dict(entry.lacking)
        credential = own.get("credential")
        if not own:
            try:
                credential = self._owners.credential(sent)
            except LookupError as error:
                lacking["credential"] = str(error)
            if credential is None and "credential" not in lacking:
                lacking["credential"] = "it carries no credential, or who recorded it has left that out"
        exchange = Exchange(
            number=len(self.recordings) + 1,
            scenario=entry.where,
            request=sent,
            response=response,
            started=entry.started,
            elapsed=entry.elapsed,
            path=path,
            protocol=own.get("protocol") or ("websocket" if entry.url[:2] == "ws" else "http"),
            direction=own.get("direction", "outgoing"),
            credential=credential,
            authenticated=bool(own.get("authenticated"))
            or (not own and self._owners.is_authenticated(credential, sent, path, entry.started)),
            messages=entry.messages,
        )
        if not own and BODY in entry.request.lacking:
            lacking["authenticated"] = entry.request.lacking[BODY]
        self.recordings.append(
            Recording(
                self.packer.packed(exchange),
                (self._same(entry.request.lacking), self._same(entry.response.lacking), self._same(lacking)),
                is_whole,
                self._held(own.get("held", ())),
            )
        )

    def _held(self, told: Iterable[str]) -> frozenset[str]:
        clauses = frozenset(told)
        if len(self.unknown_clauses) < MOST_PLACES:
            self.unknown_clauses |= clauses - self._clauses
        known = clauses & self._clauses
        return self._clauses_held.setdefault(known, known)

    def _same(self, lacking: Mapping[str, str]) -> Lacking:
        """Gives the first mapping that was equal: of thousands of exchanges the same is lacking."""
        return self._alike.setdefault(tuple(sorted(lacking.items())), lacking)

    def _remember(self, headers: Iterable[tuple[str, str]], names: set[str]) -> None:
        for name, value in headers:
            lower = name.lower()
            names.add(lower)
            if lower in self._secret_headers and len(self.secrets) < MOST_SECRETS:
                found = COOKIE.findall(value) if "cookie" in lower else [value.rpartition(" ")[2]]
                for secret in found:
                    if len(secret) >= SHORTEST_SECRET:
                        self.secrets.setdefault(secret, lower)
