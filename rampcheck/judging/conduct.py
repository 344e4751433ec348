"""The conduct of a partner's integration: what it did towards a sandbox, step by step, and rules that judge it.

A rule is a pure function of the whole conduct. It gives what it saw kept, and in which exchange, what it saw broken, or
that nobody outside can see it; nothing, where the integration never came to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import parse_qs, unquote

from rampcheck.contract import packs
from rampcheck.contract.profile import Profile
from rampcheck.contract.register import path_matches
from rampcheck.errors import ContractError
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange

WIDGET = "/rampcheck/widget"  # of the sandbox: where the widget is opened
# What browsers call themselves beside Mozilla: what names none of these may be anything.
BROWSERS = ("Chrome/", "Firefox/", "Safari/", "Edg/", "OPR/")
# Of the metadata of fetch, the header Sec-Fetch-Mode is left out: Node's fetch sends it.
BROWSERS_ALONE = ("sec-fetch-site", "sec-fetch-dest", "sec-ch-ua")


@dataclass(frozen=True)
class Opening:
    """An opening of the widget: the values that it was given, as far as there are any."""

    exchange: Exchange
    values: Mapping[str, Any]

    @property
    def are_texts(self) -> bool:
        """Whether it was opened by a query or a form, in which every value is a text."""
        return self.exchange.request.method == "GET" or not isinstance(self.exchange.request.json, dict)


@dataclass(frozen=True)
class Purchase:
    """What the integration did in one step: its exchanges in the order of their start.

    `told` is what its command was told of the purchase (`user_id`, `client_ip` …). It was `cut` where it was ended
    before it had ended itself. `processed` is how often the observer says that a status of a transaction was processed,
    `sources` from which address a call came, by its number. `left` is when nobody could answer any more, as its command
    had ended.
    """

    step: str
    told: Mapping[str, str]
    exchanges: tuple[Exchange, ...]
    cut: bool = False
    processed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    left: float = math.inf

    def calls(self, method: str, template: str) -> tuple[Exchange, ...]:
        """Gives the calls of a method to a path of the API; in the template `{id}` stands for any segment."""
        return tuple(
            one
            for one in self.exchanges
            if one.protocol == "http"
            and one.request.method == method
            and path_matches(template, one.path.partition("?")[0])
        )

    @property
    def webhooks(self) -> tuple[Exchange, ...]:
        """The webhooks that somebody listened for."""
        return tuple(one for one in self.exchanges if one.protocol == "webhook")

    @property
    def openings(self) -> tuple[Opening, ...]:
        """The openings of the widget that gave it something."""
        found = (one for one in self.exchanges if one.path.partition("?")[0] == WIDGET)
        return tuple(Opening(one, values) for one in found if (values := _values(one)))


def _values(opening: Exchange) -> Mapping[str, Any]:
    """Gives what the widget was given: a JSON object, a form, a query."""
    if opening.request.method == "GET":
        text = opening.query
    elif isinstance(opening.request.json, dict):
        return opening.request.json
    else:
        text = opening.request.body.decode("utf-8", "replace")
    fields = parse_qs(text, keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


@dataclass(frozen=True)
class Conduct:
    """All that an integration did. `credentials` are those of the run, by the names of the contract.

    `time_scale` is what every time was multiplied by, `observed` says whether an observer of the partner's books was
    named; not, whether it answered.
    """

    purchases: Sequence[Purchase]
    profile: Profile
    credentials: Mapping[str, str]
    time_scale: float = 1.0
    observed: bool = False

    @property
    def exchanges(self) -> Iterator[Exchange]:
        """The exchanges of all steps."""
        return (one for purchase in self.purchases for one in purchase.exchanges)


@dataclass(frozen=True)
class Kept:
    """What a rule gives where its clause was put to the test in an exchange, and held."""

    exchange: Exchange


@dataclass(frozen=True)
class Attested:
    """What a rule gives where its clause cannot be seen from outside, and `why`."""

    why: str


@dataclass(frozen=True)
class Unseen:
    """What a rule gives where its clause was put to the test, but nobody could see how it ended, and `why`."""

    why: str


Judgement = Broken | Kept | Attested | Unseen


@dataclass(frozen=True)
class Rule:
    """A judgement of the whole conduct by one clause; `untried` says what the integration never did, where it is so."""

    clause: str
    untried: str
    judge: Callable[[Conduct], Iterable[Judgement]]


def rule(clause: str, untried: str) -> Callable[[Callable[[Conduct], Iterable[Judgement]]], Rule]:
    """Makes a `Rule` of a function that judges the whole conduct."""
    return lambda judge: Rule(clause, untried, judge)


def rules(contract: str) -> Sequence[Rule]:
    """Gives the rules of a contract: `RULES` of the module `partner` of its suite.

    Raises `ContractError` where it has none, and as `packs.module` does.
    """
    folder = packs.of(contract).suite(contract)
    found = getattr(packs.module(folder, "partner"), "RULES", None)
    if not found:
        raise ContractError(f"{folder / 'partner'} defines no `RULES`")
    return tuple(found)


# What the rules of several contracts have in common.


def browser_mark(call: Exchange) -> str:
    """Says by what a call shows that a browser made it; "" where nothing shows it, which proves nothing."""
    sent = call.request
    if sent.method == "OPTIONS" and sent.header("access-control-request-method"):
        return "a preflight, which only browsers send"
    marks = [name for name in BROWSERS_ALONE if sent.header(name) is not None]
    if marks:
        return f"the header {marks[0]}, which only browsers send"
    agent = sent.header("user-agent") or ""
    if agent.startswith("Mozilla/5.0") and any(browser in agent for browser in BROWSERS):
        return "a browser's User-Agent"
    return ""


def places(secret: str, call: Exchange, but: str = "") -> list[str]:
    """Gives where in a request a secret stands, the header `but` left out: `the URL`, `the body`, a header's name."""
    sent = call.request
    found = ["the URL"] if secret in unquote(sent.url) else []
    texts = [sent.body.decode("utf-8", "replace")]
    if isinstance(sent.json, dict | list):
        texts.append(json.dumps(sent.json, ensure_ascii=False))
    found += ["the body"] if any(secret in text or secret in unquote(text) for text in texts) else []
    found += [f"the header {name}" for name, value in sent.headers if secret in value and name.lower() != but.lower()]
    return found


def same_body(one: Exchange, other: Exchange) -> bool:
    """Whether two requests have the same body, written in the same bytes or as the same JSON."""
    return one.request.body == other.request.body or (
        isinstance(one.request.json, dict) and one.request.json == other.request.json
    )


def address_problem(value: Any, told: str | None, source: str) -> str:
    """Says what is wrong with a `value` that should be the end user's address; "" where nothing is.

    `told` is the one that was handed out, None where the purchase is another than that; `source` where the call came
    from.
    """
    if value in (None, ""):
        return "no address of the end user"
    address = _address(value)
    if address is None:
        return "what is no IP address"
    if told is not None and address == _address(told):
        return ""
    if address == _address(source) or address.is_loopback or address.is_unspecified:
        return "the address that the call itself came from" if address == _address(source) else "a loopback address"
    return "" if told is None else "another address than the end user's"


def _address(value: Any) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(value.strip())
    except (ValueError, AttributeError):  # no address, or no text
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
