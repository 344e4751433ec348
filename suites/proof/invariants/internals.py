"""What an error must not reveal: how the service is built, and what stands behind it (errors page)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from rampcheck.contract.profile import Partner
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import BODY, Broken, HistoryInvariant, Invariant, invariant, member
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.json_text import members, strings

from ..endpoints import EVENTS, is_widget_call

TRACES = (
    r"Traceback \(most recent|\bat [\w$.]+\([\w.]+:\d+\)|goroutine \d+ \[|panic:|\.(?:go|py|java|rb|php|ts|js):\d+"
    r"|File \"[^\"]+\", line \d+"
)
QUERIES = r"\b(?:SELECT|INSERT|UPDATE|DELETE)\b.{1,300}\b(?:FROM|INTO|SET|WHERE)\b|SQLSTATE|pq: |psycopg|ORA-\d{5}"
PATHS = r"/(?:usr|var|app|srv|opt|etc)/[\w./-]+"
# Hosts that only a private network has (RFC 1918, RFC 6762, RFC 8375 and what clusters use), or a login in a URL.
INSIDE = (
    r"\b[a-z][a-z0-9+.-]{0,20}://(?:[^\s:/@\"'<>]+:[^\s/@\"'<>]+@|(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\."
    r"|[\w.-]+\.(?:internal|local|lan|svc|home\.arpa|cluster\.local)\b|[\w-]+:\d))[^\s\"'<>]*"
)
# What opens something by its form, or after a word that says so; each has a digit, which words of a language have not.
_OPENER = r"(?=[\w.~+/=-]{0,80}\d)[\w.~+/=-]{16,}"
KEYS = (
    r"\b[srp]k_(?:live|test)_\w{8,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]{0,30}PRIVATE KEY"
    rf"|\b(?:Bearer|Basic) {_OPENER}|(?i:\b(?:api[-_ ]?key|secret|password|passwd)\b[\"']?\s?[=:]\s?[\"']?){_OPENER}"
)
INTERNALS = re.compile(f"{TRACES}|{QUERIES}|{PATHS}|{INSIDE}|{KEYS}")
# The addresses of a page's own parts are no paths of files.
INTERNALS_OF_A_PAGE = re.compile(f"{TRACES}|{QUERIES}|{INSIDE}|{KEYS}")
# Members named after what opens something, and values that may well do so.
OPENING = re.compile(r"(?i)(?:^|[-_])(?:api[-_]?key|secret|password|authorization|private[-_]?key)$")
OPENER = re.compile(_OPENER)
ANY_URL = re.compile(r"\bhttps?://[^\s\"'<>\\]+")
# Headers that hold paths and addresses by what they are for.
ADDRESSING = frozenset(
    {
        "location",
        "content-location",
        "link",
        "set-cookie",
        "via",
        "nel",
        "report-to",
        "reporting-endpoints",
        "content-security-policy",
        "content-security-policy-report-only",
        "access-control-allow-origin",
        "www-authenticate",
        "alt-svc",
    }
)


def is_error(exchange: Exchange, _: Partner | None = None) -> bool:
    """Whether a documented endpoint answered with an error, whatever its status and its content type are."""
    return exchange.status >= 400 and (is_widget_call(exchange) or EVENTS.asked(exchange))


@invariant("proof.errors.no-internals", is_error)
def no_internals(exchange: Exchange, _: Partner) -> Broken | None:
    """No error shows a stack trace, SQL, a file path or an internal address, unless the request brought it."""
    for place, about, text, pattern in _places(exchange):
        found = next((match.group() for match in pattern.finditer(text) if not _is_echo(match.group(), exchange)), None)
        found = found or _address_behind(exchange, text)
        if found is not None:
            return Broken(f"an error without internals in {place}", describe(found), about=about)
    return None


def _places(exchange: Exchange) -> Iterator[tuple[str, tuple[str, ...], str, re.Pattern[str]]]:
    """Gives what an error says where: the place in words, what a finding is about, the text, what to look for."""
    answer = exchange.response
    assert answer is not None  # it has a status
    if isinstance(answer.json, dict):
        for name, value in answer.json.items():
            for text in strings(value):
                yield f"`{name}`", (member(name),), text, INTERNALS
            for named, text in members({name: value}):
                if OPENING.search(named) and isinstance(text, str):
                    yield f"`{named}` in `{name}`", (member(name),), text, OPENER
    else:
        is_page = "html" in answer.media_type or answer.body.lstrip()[:1] == b"<"
        text = answer.body.decode("utf-8", "replace")
        yield "its body", (BODY,), text, INTERNALS_OF_A_PAGE if is_page else INTERNALS
    for name, value in answer.headers:
        if name.lower() not in ADDRESSING:
            yield f"the header {name}", (), value, INTERNALS


def _address_behind(exchange: Exchange, text: str) -> str | None:
    """Gives a URL of another host in the error of a service that failed: it is that of a service behind."""
    if exchange.status not in {500, 502}:
        return None
    own = ".".join((urlsplit(exchange.request.url).hostname or "").split(".")[-2:])
    for match in ANY_URL.finditer(text):
        host = _host(match.group())
        is_help = any(word in match.group().lower() for word in ("docs", "help", "support", "status", "doc."))
        if host and not (host == own or host.endswith(f".{own}") or is_help or _is_echo(match.group(), exchange)):
            return match.group()
    return None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # Brackets that hold no IPv6 address: what stands there is no address of anything.
        return ""


def _is_echo(text: str, exchange: Exchange) -> bool:
    """Whether a text only repeats what the request brought."""
    sent = [
        exchange.request.body.decode("utf-8", "replace"),
        unquote(exchange.path.partition("?")[0]),
        unquote(exchange.query),
        *(value for _, value in exchange.request.headers),
        *strings(exchange.request.json),
    ]
    return any(text in brought for brought in sent)


INVARIANTS: Sequence[Invariant] = (no_internals,)
HISTORY: Sequence[HistoryInvariant] = ()
