"""What holds for every exchange with Kryptonim, and for the whole run, whatever provoked it.

What the OpenAPI document can say (types, patterns, the envelope of the expected statuses) stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.history import envelope_each_time, is_of_trace, never_repeated, secrets_kept
from rampcheck.judging.invariants import (
    Condition,
    Endpoint,
    asked,
    expires_after,
    given,
    json_media_type,
    lacks,
    never_accepted,
    not_a_gateways,
    sends_no_json,
    sends_no_object,
)
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import BODY, STATUS, Broken, Held, HistoryInvariant, Invariant, Observed, invariant, member
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.json_text import members

from .amounts import AMOUNTS
from .privacy import disclosed, hidden_texts
from .requests import PATH, REQUIRED, SIGNATURE

# What stands in no URL (RFC 3986 section 2), and in no host's name: what a template that was not filled in leaves, or
# one that was filled in with a whole URL.
WHITE_SPACE = re.compile(r"\s")
UNFILLED = re.compile(r"[{}<>]|^(undefined|null|none|https?)$")

SESSION = Endpoint("POST", PATH)
LIFETIME, TOLERANCE = 30 * 60, 30  # seconds
LARGEST = 1 << 16  # bytes; what is too large may be refused, and nothing says how
DOCUMENTED_CODES = {"UNAUTHORIZED", "INVALID_REQUEST"}
# Here the schema judges the envelope …
EXPECTED_STATUSES = {400, 401, 403, 422}
# … and here HTTP itself speaks, of method, media type, size, rate, which the documentation does not mention.
TRANSPORT_STATUSES = {405, 406, 407, 408, 411, 413, 414, 415, 417, 421, 426, 429, 431}


# The response


@invariant("kryptonim.session.complete", SESSION.answered, exercises=False)
def success_status(exchange: Exchange, _: Partner) -> Observed | None:
    """No success status is named; 200 is what everyone expects."""
    return None if exchange.status == 200 else Observed(f"a session is created with status {exchange.status}")


def _gives_text(name: str) -> Condition:
    return lambda exchange, _: SESSION.answered(exchange) and isinstance(given(exchange, name), str)


@invariant("kryptonim.session.widget-url", _gives_text("widgetUrl"))
def widget_url_has_a_host(exchange: Exchange, _: Partner) -> Broken | None:
    """The URL names a host, and a port if any, and holds no white space (RFC 3986 sections 2 and 3.2)."""
    url = given(exchange, "widgetUrl")
    try:
        parts = urlsplit(url)
        is_complete = (
            bool(parts.hostname)
            and parts.port != 0
            and not WHITE_SPACE.search(url)
            and not UNFILLED.search(str(parts.hostname))
        )
    except ValueError:
        is_complete = False
    return (
        None
        if is_complete
        else Broken("`widgetUrl`: an absolute https URL", describe(url), about=(member("widgetUrl"),))
    )


def _has_something_to_hide(exchange: Exchange, partner: Partner) -> bool:
    return (
        _gives_text("widgetUrl")(exchange, partner)
        and isinstance(exchange.request.json, dict)
        and bool(hidden_texts(exchange.request.json))
    )


@invariant("kryptonim.session.widget-url-private", _has_something_to_hide)
def widget_url_is_private(exchange: Exchange, _: Partner) -> Broken | None:
    """What is not unlocked cannot be read in the URL."""
    found = disclosed(given(exchange, "widgetUrl"), hidden_texts(exchange.request.json))
    if not found:
        return None
    return Broken(
        "a `widgetUrl` in which what is not unlocked cannot be read",
        f"of the request, {' and '.join(f'`{name}`' for name in found)} can be read in it",
        about=(member("widgetUrl"),),
    )


# The credentials


def _is_signed_json(exchange: Exchange, _: Partner) -> bool:
    """Whether a session was asked for with JSON that is called so, and with the right credentials."""
    media_type = (exchange.request.header("content-type") or "").partition(";")[0].strip().lower()
    return (
        SESSION.asked(exchange)
        and exchange.authenticated
        and media_type == "application/json"
        and len(exchange.request.body) <= LARGEST
        and isinstance(exchange.request.json, dict)
    )


@invariant("kryptonim.auth.signature-bytes", _is_signed_json, exercises=False)
def right_credentials_are_not_refused(exchange: Exchange, _: Partner) -> Broken | None:
    """However the JSON is written, a signature over its very bytes is good."""
    if exchange.status != 401 or exchange.is_page:
        return None
    return Broken(
        "no refusal of the credentials of a request that is signed over its very bytes",
        exchange.summary(),
        about=(STATUS, BODY),
    )


# Requests that must not create a session

NEVER_ACCEPTED: tuple[tuple[str, str, Condition], ...] = (
    (
        "kryptonim.auth.signature-required",
        f"no {SIGNATURE} header",
        lambda exchange, _: exchange.request.header(SIGNATURE) is None,
    ),
    ("kryptonim.session.request.malformed-json", "a body that is no JSON", sends_no_json),
    ("kryptonim.session.request.malformed-json", "a body that is no JSON object", sends_no_object),
    *((f"kryptonim.session.request.required.{name}", f"no `{name}`", lacks(name)) for name in REQUIRED),
    ("kryptonim.session.request.amount-one-of", "neither amount", lacks(*AMOUNTS)),
    # An amount of null or zero may count as none.
    (
        "kryptonim.session.request.amount-exclusive",
        "both amounts",
        lambda exchange, _: all(asked(exchange, name) for name in AMOUNTS),
    ),
)


# Errors


def _is_refusal(exchange: Exchange, _: Partner) -> bool:
    return SESSION.asked(exchange) and 400 <= exchange.status < 500 and exchange.status not in TRANSPORT_STATUSES


def _is_other_error(exchange: Exchange, partner: Partner) -> bool:
    return _is_refusal(exchange, partner) and exchange.status not in EXPECTED_STATUSES


@invariant("kryptonim.errors.envelope", _is_other_error)
def other_errors_have_the_envelope(exchange: Exchange, _: Partner) -> Broken | None:
    """Which 4xx refuses a request is not documented; the envelope is, for all of them."""
    wrong = [name for name in ("code", "message") if not isinstance(given(exchange, name), str)]
    if not wrong:
        return None
    return Broken(
        "a JSON object with the strings `code` and `message`", exchange.summary(), about=tuple(map(member, wrong))
    )


def _is_error(exchange: Exchange, _: Partner) -> bool:
    return exchange.status >= 400 and exchange.response is not None


@invariant("kryptonim.errors.no-session", _is_error, exercises=False)
def no_error_holds_a_session(exchange: Exchange, _: Partner) -> Broken | None:
    """A session's members stand nowhere in an error, however deep, whatever the error is of."""
    answer = exchange.response.json if exchange.response else None
    # What stands on top of a documented error is the schema's to judge.
    inner = list(answer.values()) if isinstance(answer, dict) and exchange.status in EXPECTED_STATUSES else [answer]
    found = sorted({name for name, value in members(inner) if _plain(name) in SESSIONS_OWN and value not in (None, "")})
    if not found:
        return None
    return Broken("an error without a session", f"{' and '.join(found)} in it", about=(BODY,))


SESSIONS_OWN = {"sessionid", "widgeturl"}


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


@invariant(
    "kryptonim.errors.codes",
    lambda exchange, _: SESSION.asked(exchange) and exchange.status >= 400 and isinstance(given(exchange, "code"), str),
)
def code_is_documented(exchange: Exchange, _: Partner) -> Observed | None:
    """Which codes there are besides the documented ones is not said."""
    code = given(exchange, "code")
    return None if code in DOCUMENTED_CODES else Observed(f"the code {code!r} with status {exchange.status}")


INVARIANTS: Sequence[Invariant] = (
    Invariant("kryptonim.session.json", SESSION.answered_with(), json_media_type),
    Invariant("kryptonim.errors.media-type", _is_refusal, json_media_type),
    not_a_gateways("kryptonim.errors.gateway-envelope", SESSION.asked),
    right_credentials_are_not_refused,
    success_status,
    widget_url_has_a_host,
    widget_url_is_private,
    expires_after("kryptonim.session.expires-at", SESSION, "expiresAt", lambda _: LIFETIME, TOLERANCE),
    *(never_accepted(clause, SESSION, fault, is_faulty) for clause, fault, is_faulty in NEVER_ACCEPTED),
    other_errors_have_the_envelope,
    no_error_holds_a_session,
    code_is_documented,
)


# The whole run

WORD = re.compile(r"[\w-]{12,}")


def _judge_errors(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
    """An error names no session that was created before it: neither in its body nor in its headers."""
    created: set[str] = set()
    for exchange in exchanges:
        answer = exchange.response
        if answer is None:
            continue
        if exchange.accepted:
            name = given(exchange, "sessionId")
            if isinstance(name, str) and WORD.fullmatch(name) and not is_of_trace(name, exchange):
                created.add(name)
        elif exchange.status >= 400:
            told = "\n".join([answer.body.decode("utf-8", "replace"), *(value for _, value in answer.headers)])
            if not created.isdisjoint(WORD.findall(told)):
                yield Broken("an error without a session", "the `sessionId` of an earlier session in it", exchange)
            elif created:
                yield Held()


HISTORY: Sequence[HistoryInvariant] = (
    envelope_each_time("kryptonim.errors.envelope", SESSION.asked, ("code", "message")),
    never_repeated(
        "kryptonim.session.session-id", "`sessionId`", SESSION.answered, lambda exchange: given(exchange, "sessionId")
    ),
    HistoryInvariant(
        "kryptonim.errors.no-session",
        lambda exchange: exchange.response is not None and SESSION.asked(exchange),
        _judge_errors,
        at_least=None,
    ),
    secrets_kept("kryptonim.auth.secrecy"),
)
