"""Answers that are not the API's: what `base_url` leads to instead, and where the API is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urljoin, urlsplit

from rampcheck.contract import descriptor
from rampcheck.judging.suite import Suite
from rampcheck.mistakes import shape
from rampcheck.mistakes.asker import Asker
from rampcheck.mistakes.observation import Observation, Whose
from rampcheck.wire.exchanges import Exchange, Request

ABOUT = "base_url"
LOGIN = re.compile(rb"type=[\"']?password|<title[^>]*>[^<]*(log ?in|sign ?in|anmeld)", re.IGNORECASE)
LOGIN_PATH = re.compile(r"log-?in|sign-?in|sso|oauth|saml|auth", re.IGNORECASE)
Fits = Callable[[Exchange, Suite], bool]


def _location(exchange: Exchange) -> str:
    """Gives where a redirect leads, "" for what is none."""
    if exchange.response is None or not 300 <= exchange.status < 400:
        return ""
    told = exchange.response.header("location")
    try:
        location = urljoin(exchange.request.url, told) if told else ""
        urlsplit(location)
    except ValueError:  # an address that nobody can go to leads nowhere
        return ""
    return location


def _leads_to_login(exchange: Exchange, _: Suite) -> bool:
    return LOGIN_PATH.search(urlsplit(_location(exchange)).path) is not None


def _leads_to_https(exchange: Exchange, _: Suite) -> bool:
    here, there = urlsplit(exchange.request.url), urlsplit(_location(exchange))
    return here.scheme == "http" and there.scheme == "https" and here.hostname == there.hostname


def _is_login(exchange: Exchange, _: Suite) -> bool:
    return exchange.is_page and exchange.response is not None and LOGIN.search(exchange.response.body) is not None


def _asks_for_another_login(exchange: Exchange, _: Suite) -> bool:
    asked = exchange.response.header("www-authenticate") if exchange.response else None
    return exchange.is_page and (exchange.status == 407 or (exchange.status == 401 and asked is not None))


def _is_page_with(*statuses: range) -> Fits:
    return lambda exchange, _: exchange.is_page and any(exchange.status in known for known in statuses)


def _is_foreign_with(*statuses: int) -> Fits:
    return lambda exchange, suite: exchange.status in statuses and suite.is_foreign(exchange)


def _is_no_session(exchange: Exchange, suite: Suite) -> bool:
    return exchange.accepted and not suite.is_session(exchange)


# The first that fits an answer: what it is, the cure, whose it is.
ANSWERS: tuple[tuple[Fits, str, str, Whose], ...] = (
    (
        _leads_to_login,
        "the target sends everybody to a login: {location}",
        (
            "A login for people stands in front of the API. Write the API's own address in `base_url`, or have this "
            "machine let through."
        ),
        "profile",
    ),
    (
        _leads_to_https,
        "the target redirects http to https: {location}",
        "Write https:// in `base_url`: redirects are not followed.",
        "profile",
    ),
    (
        lambda exchange, _: bool(_location(exchange)),
        "the target redirects, to {location}",
        "Redirects are not followed: if the API is there, write {root} in `base_url`.",
        "profile",
    ),
    (
        _asks_for_another_login,
        "something in front of the API asks for a login of its own: {told}",
        (
            "A gateway wants a login before the API is reached: ask for an address without it, or to let this machine "
            "through."
        ),
        "target",
    ),
    (
        _is_login,
        "a login page answers, not the API: {told}",
        "Write the API's own address in `base_url`; a portal for people is another one.",
        "profile",
    ),
    (
        _is_page_with(range(500, 600)),
        "a gateway answers, and reaches no API behind it: {told}",
        (
            "Does the target run, and is this its host? Ask the vendor for its state; a gateway answers so in "
            "maintenance, too."
        ),
        "target",
    ),
    (
        _is_page_with(range(403, 404), range(406, 407), range(429, 430)),
        "something in front of the API refuses this machine: {told}",
        "A firewall or an allowlist: have this machine's public address added.",
        "either",
    ),
    (
        _is_page_with(range(404, 406), range(410, 411)),
        "nothing of the API is at this path: {told}",
        "Check the path of `base_url`: the documented paths are appended to it.",
        "profile",
    ),
    (
        _is_page_with(range(200, 300)),
        "a web site answers, not the API: {told}",
        "Write the API's own address in `base_url`, not that of its documentation, its widget or a portal.",
        "profile",
    ),
    (
        lambda exchange, _: exchange.is_page,
        "no JSON comes back, but {told}",
        "What is at `base_url` is not the API, or something in front of it answers.",
        "either",
    ),
    (
        _is_no_session,
        "another API answers: it accepts the request, and what comes back is no session: {body_of}",
        (
            "Write this API's address in `base_url`. If it stands there, its sessions have none of the documented "
            "members: show that to the vendor."
        ),
        "profile",
    ),
    (
        _is_foreign_with(404, 405),
        "nothing of the API is at this path: {told}{body}",
        "Check the path of `base_url`: the documented paths are appended to it.",
        "profile",
    ),
    (
        lambda exchange, suite: exchange.status >= 400 and suite.is_foreign(exchange),
        "the refusal is not in the API's words: {told}{body}",
        "Is this the API of the contract? Else something in front of it answers: a gateway, a validator.",
        "either",
    ),
    (
        lambda exchange, _: exchange.status == 404,
        "nothing of the API is at this path: {told}",
        "Check the path of `base_url`: the documented paths are appended to it.",
        "profile",
    ),
)


def explained(asker: Asker, request: Request, answer: Exchange) -> Observation | None:
    """Says where the API is instead, or that it is the API in a shape of its own; None where neither is seen.

    Asks at most three times more, and once for each credential.
    """
    return located(asker, request, answer) or shape.of_its_own(asker, request, answer)


def located(asker: Asker, request: Request, answer: Exchange) -> Observation | None:
    """Says where the API is instead, or whose API this is, where an answer is not the API's and that can be seen."""
    if not is_foreign(answer, asker.suite):
        return None
    is_of_path = not _location(answer) and (answer.status in (200, 404, 405, 410) or not answer.is_page)
    return (_elsewhere(asker, request, answer) or _of_another(asker, answer)) if is_of_path else None


def named(suite: Suite, answer: Exchange, redacted: Callable[[str], str]) -> Observation | None:
    """Says by the answer alone what it is in the API's place, None where it is the API's."""
    fitting = next((row for row in ANSWERS if row[0](answer, suite)), None)
    if fitting is None:
        return None
    _, meaning, cure, whose = fitting
    location = redacted(_location(answer))
    texts = {
        "told": answer.summary(),
        "location": location,
        "root": _root(location, answer.path),
        "body": _body(answer),
        "body_of": redacted(_beginning(answer)),
    }
    return Observation(ABOUT, "wrong", meaning.format(**texts), cure.format(**texts), whose, answer.number)


def _root(location: str, path: str) -> str:
    return location.partition("?")[0].removesuffix(path.partition("?")[0]).rstrip("/")


def _beginning(answer: Exchange) -> str:
    return answer.response.body[:200].decode("utf-8", "replace") if answer.response else ""


def _body(answer: Exchange) -> str:
    words = answer.summary()
    if answer.response is None or not words.endswith("a JSON object"):
        return ""
    return f": {answer.response.body[:200].decode('utf-8', 'replace')}"


def shorter(base_url: str, path: str) -> Iterator[str]:
    """Gives base URLs of which `base_url` may be too long a form, with a part of the endpoint at its end."""
    parts = urlsplit(base_url)
    own = parts.path
    pieces = path.partition("?")[0].strip("/").split("/")
    root = f"{parts.scheme}://{parts.netloc}"
    for size in range(len(pieces), 0, -1):
        end = "/" + "/".join(pieces[:size])
        if own.endswith(end):
            yield root + own.removesuffix(end)
            break
    if own and own.strip("/").split("/")[0] not in pieces:
        yield root


def _elsewhere(asker: Asker, request: Request, answer: Exchange) -> Observation | None:
    """Looks whether the API is at a shorter base URL."""
    for base_url in shorter(asker.profile.base_url, request.path):
        there = asker.ask(request, asker.at(base_url))
        if there.response is None or there.status in (404, 405) or is_foreign(there, asker.suite):
            continue
        return Observation(
            ABOUT,
            "wrong",
            f"`base_url` is too long: {answer.summary()}; the API answers at {base_url}",
            f"Write {base_url} in `base_url`: rampcheck appends the path of the endpoint.",
            "profile",
            there.number,
        )
    return None


def is_foreign(answer: Exchange, suite: Suite) -> bool:
    """Whether an answer is not the API's."""
    return any(fits(answer, suite) for fits, *_ in ANSWERS)


def _has(answer: Exchange, envelope: Iterable[str]) -> bool:
    """Whether an answer has these members as texts."""
    return answer.response is not None and all(isinstance(answer.response.member(name), str) for name in envelope)


def _of_another(asker: Asker, answer: Exchange) -> Observation | None:
    """Looks whether the API of another contract answers; no secret is sent, nothing is created."""
    own = asker.suite.contract
    for other in descriptor.readable():
        path = next(iter(other.known_by))
        if path in own.known_by or "{" in path:
            continue
        there = asker.ask(Request("POST", path, (("Content-Type", "application/json"),), b"{}"))
        if there.response is None or there.status not in (400, 401, 403, 422):
            continue
        # One API may refuse a token on any path, and its errors may hold all members that another's have.
        is_ours = _has(there, own.envelope) and answer.status not in (404, 405, 410)
        if _has(there, other.envelope) and not is_ours:
            return Observation(
                ABOUT,
                "wrong",
                f"this is the API of {other.name}: it knows {path}, and not what was asked for ({answer.summary()})",
                f"Write `contract: {other.name}` in the profile, with its credentials; or the address of "
                f"{own.name}'s API in `base_url`.",
                "profile",
                there.number,
            )
    return None
