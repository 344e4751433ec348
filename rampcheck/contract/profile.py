"""Who is asked: the profile of one target, read from YAML and checked as a whole before any request is sent.

What may stand where is data: `schemas/profile.schema.json`, and each contract's own part. This module reads the text,
fills in the environment, words the schema's complaints and adds the few rules that a schema cannot say. No message
shows a credential.
"""

from __future__ import annotations

import difflib
import ipaddress
import itertools
import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import jsonschema

from rampcheck.contract import descriptor, profile_schema, versions
from rampcheck.contract.credentials import Credentials
from rampcheck.contract.descriptor import Credential, Descriptor
from rampcheck.contract.profile_text import Draft, Place, parsed, plain, read
from rampcheck.errors import ProfileError, UsageError

_SHORTEST_CREDENTIAL = 8  # characters; a shorter one might be a word, and reports hide it wherever it stands
_MOST_COMPLAINTS = 200  # of the schema, each of which takes time to word; the first few are told
_HIDDEN = frozenset({"base_url", "credentials", "egress", "webhook"})  # messages show no value below these
_OPEN = frozenset({"subject"})  # what stands below these is shown, though it came from the environment
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$\{", re.ASCII)
_UNGUESSABLE = re.compile(r".{16,}|(?=.*[0-9])(?=(?:.*[A-Za-z]){3}).{8,}", re.DOTALL)
_BASE_URL = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]+)?(?:/[\w.~!$&'()*+,;=:@%/-]*)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class Partner:
    """What onboarding agreed on with one partner, as the profile gives it; what may stand there is the contract's."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def get(self, path: str, default: Any = None) -> Any:
        """Gives the value at a dotted path (`widget_config.type`), or `default`."""
        return _at(self.given, path, default)


def _at(value: Any, path: str, default: Any = None) -> Any:
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value


@dataclass(frozen=True)
class Egress:
    """A way out that is not on the allowlist: a proxy's URL, with its login, or an address to send from.

    `allowed_address` is one that is on it, for a call from outside to claim; None: that of this machine.
    """

    outside_proxy: str | None = field(default=None, repr=False)
    outside_source_address: str | None = None
    allowed_address: str | None = None


@dataclass(frozen=True)
class Webhook:
    """Where the target's webhooks reach this run: `listen` is `host:port`, `public_url` leads there."""

    listen: str
    public_url: str = field(repr=False)


@dataclass(frozen=True)
class Limits:
    """What the target is asked to bear. `requests_per_second` 0 means no limit.

    `event_timeout_seconds` is how long a provoked event is waited for, `poll_interval_seconds` how long there is
    between two polls of one transaction, `recovery_seconds` how long a target that stopped answering is waited for,
    `max_minutes` how long a run may take.
    """

    requests_per_second: float = 10.0
    timeout_seconds: float = 10.0
    max_requests: int = 1000
    event_timeout_seconds: float = 60.0
    poll_interval_seconds: float = 5.0
    recovery_seconds: float = 30.0
    max_minutes: float = 60.0


@dataclass(frozen=True)
class Waiver:
    """A clause known to be broken and accepted: why, its last day (None: no end), who has it mended, who agreed."""

    clause: str
    reason: str
    until: date | None = None
    owner: str = ""
    approver: str = ""


@dataclass(frozen=True)
class Subject:
    """Of whom a run speaks: the partner, the build or version of the target, who asked for it; "" where not said."""

    partner: str = ""
    build: str = ""
    requested_by: str = ""


@dataclass(frozen=True)
class SignOff:
    """What signing a run means: for how many days after its end it holds."""

    valid_days: int = 90


@dataclass(frozen=True)
class Profile:
    """One target. `base_url` has no slash at its end; `environment` is None where it is not stated.

    `given` is the whole profile as it was given, references filled in: credentials stand in it. `filled` is what
    came from the environment for other things than credentials, URLs and the subject, by its place.
    """

    contract: str
    base_url: str
    environment: str | None
    credentials: Credentials
    partner: Partner
    second_partner: Partner | None
    egress: Egress
    triggers: Mapping[str, Mapping[str, Any]]
    webhook: Webhook | None
    limits: Limits
    waivers: tuple[Waiver, ...]
    subject: Subject
    sign_off: SignOff
    given: Mapping[str, Any] = field(repr=False, compare=False)
    filled: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def get(self, path: str) -> Any:
        """Gives the value at a dotted path (`partner.widget_config.type`) as it was given, or None."""
        return _at(self.given, path)

    @property
    def contract_version(self) -> str:
        """The version of the contract that the target is judged by; "" for the newest."""
        return str(self.given.get("contract_version", ""))

    @property
    def described(self) -> Descriptor:
        """What is the contract's alone, as data."""
        return descriptor.load(self.contract)

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret by its name.

        The credentials, the password of the proxy, what only the environment knew of, and the parts of the paths of
        `base_url` and `webhook.public_url` that nobody could guess.
        """
        found = dict(self.credentials)
        if password := urlsplit(self.egress.outside_proxy or "").password:
            found["outside_proxy_password"] = unquote(password)
        found |= {name: value for name, value in self.filled.items() if len(value) >= _SHORTEST_CREDENTIAL}
        for name, url in (("base_url_path", self.base_url), ("webhook_path", self.webhook and self.webhook.public_url)):
            parts = _unguessable(url or "")
            found |= {name if number == 1 else f"{name}_{number}": part for number, part in enumerate(parts, start=1)}
        return found

    @property
    def openly(self) -> list[str]:
        """What the profile says that is no secret: a credential may share words with it."""
        return [text for text in _texts(self.as_public()) if not any(value in text for value in self.secrets.values())]

    def of_build(self, build: str) -> Profile:
        """Gives the profile of another build of the target. Raises `UsageError` where that is no text to show."""
        if {unicodedata.category(character) for character in build} & {"Cc", "Cs"}:
            raise UsageError("--build holds a control character", "Is there a line break at its end? Remove it.")
        subject = {**self.given.get("subject", {}), "build": build}
        return replace(self, subject=Subject(**subject), given={**self.given, "subject": subject})

    def as_public(self) -> dict[str, Any]:
        """Gives the profile as a mapping without secrets: credentials by name, URLs without login, query."""
        public = {**self.given, "base_url": self.base_url, "credentials": list(self.credentials)}
        for section, key in (("egress", "outside_proxy"), ("webhook", "public_url")):
            if key in public.get(section, {}):
                url = urlsplit(public[section][key])
                bare = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
                public[section] = {**public[section], key: bare}
        return public


def load(path: Path, environ: Mapping[str, str]) -> Profile:
    """Reads the profile in the YAML file `path`; `environ` fills its `${NAME}` references.

    Raises `ProfileError` with every mistake found, a line each.
    """
    draft = Draft(str(path))
    return _profile(parsed(read(path, draft), draft), environ, draft)


def contract_of(path: Path) -> str:
    """Gives the contract that a profile's file names, "" where it cannot be read or names none."""
    draft = Draft(str(path))
    try:
        given = parsed(read(path, draft), draft)
    except ProfileError:
        return ""
    named = given.get("contract") if isinstance(given, dict) else None
    return named if named in descriptor.contracts() else ""


def from_mapping(data: Mapping[str, Any], environ: Mapping[str, str], origin: str = "profile") -> Profile:
    """Makes a profile of `data`, which has the shape of the YAML file; `origin` names it in messages.

    Raises `ProfileError` with every mistake found, a line each.
    """
    return _profile(plain(data), environ, Draft(origin))


def from_environment(contract: str, base_url: str, environ: Mapping[str, str]) -> Profile:
    """Makes the profile of a run without a file, its credentials from the variables that its contract names.

    Raises `ProfileError` with every mistake found, a line each, and `UsageError` for an unknown contract.
    """
    credentials = {
        name: f"${{{known.variable}}}"
        for name, known in descriptor.load(contract).credentials.items()
        if known.required or environ.get(known.variable)
    }
    data = {"contract": contract, "base_url": base_url, "credentials": credentials}
    return from_mapping(data, environ, "command line")


def recalled(contract: str, public: Mapping[str, Any]) -> Profile:
    """Gives the profile of which `as_public` told: its credentials are only names, what else was secret is marked.

    For what is concluded from a finished run; nothing can be sent with it.
    """
    given = {**public, "credentials": {name: name for name in public["credentials"]}}
    return _made(contract, given, {})


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: `localhost`, `127.0.0.0/8` or `::1`."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unguessable(url: str) -> list[str]:
    """Gives the parts of a URL after its host that are no words: long ones, and letters mixed with digits."""
    parts = re.split(r"[/?&=#;]", unquote(url.partition("://")[2].partition("/")[2]))
    return [part for part in dict.fromkeys(parts) if _UNGUESSABLE.fullmatch(part)]


def _texts(value: Any) -> Iterator[str]:
    """Gives every text in a profile's data."""
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(item)
    if isinstance(value, str):
        yield value


# From plain data to a profile.


def _profile(written: Any, environ: Mapping[str, str], draft: Draft) -> Profile:
    given = _filled(written, (), environ, draft)
    contract = given.get("contract") if isinstance(given, dict) else None
    described = descriptor.load(contract) if contract in descriptor.contracts() else None
    draft.credentials = frozenset(described.credentials if described else ())
    complaints = profile_schema.validator(contract if described else "").iter_errors(given)
    for error in itertools.islice(complaints, _MOST_COMPLAINTS):
        _complain(error, written, draft)
    if isinstance(given, dict):
        _check_target(given, written, described, draft)
        if described is not None:
            _check_own(given, described, draft)
    if draft.mistakes:
        raise draft.refusal()
    return _made(given["contract"], given, draft.filled)


def _made(contract: str, given: Mapping[str, Any], filled: Mapping[str, str]) -> Profile:
    return Profile(
        contract=contract,
        base_url=given["base_url"].rstrip("/"),
        environment=given.get("environment"),
        credentials=Credentials(given["credentials"]),
        partner=Partner(given.get("partner", {})),
        second_partner=Partner(given["second_partner"]) if "second_partner" in given else None,
        egress=Egress(**given.get("egress", {})),
        triggers=given.get("triggers", {}),
        webhook=Webhook(**given["webhook"]) if "webhook" in given else None,
        limits=Limits(**given.get("limits", {})),
        waivers=tuple(_waiver(waiver) for waiver in given.get("waivers", ())),
        subject=Subject(**given.get("subject", {})),
        sign_off=SignOff(**given.get("sign_off", {})),
        given=given,
        filled=filled,
    )


def _waiver(given: Mapping[str, Any]) -> Waiver:
    return Waiver(**{**given, "until": date.fromisoformat(given["until"]) if "until" in given else None})


def _filled(value: Any, place: Place, environ: Mapping[str, str], draft: Draft) -> Any:
    """Gives `value` with references filled in and without keys of no value; a trigger may send null."""
    if isinstance(value, dict):
        keeps_null = place[:1] == ("triggers",) and len(place) > 1
        return {
            key: _filled(item, (*place, key), environ, draft)
            for key, item in value.items()
            if item is not None or keeps_null or (*place, key) in draft.mistakes
        }
    if isinstance(value, list):
        return [_filled(item, (*place, index), environ, draft) for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        draft.wrong(place, "is not a finite number")
    if not isinstance(value, str):
        return value
    for match in _REFERENCE.finditer(value):
        if match[1] is None:
            draft.wrong(place, "holds ${ that begins no reference; write ${NAME}")
        elif not environ.get(match[1]):
            draft.wrong(place, f"the environment variable {match[1]} is not set or is empty; set it")
        elif place[0] not in _HIDDEN | _OPEN:
            draft.filled["_".join([str(part) for part in place])] = environ[match[1]]
    filled = _REFERENCE.sub(lambda match: environ.get(match[1] or "", ""), value)
    categories = {unicodedata.category(character) for character in filled}
    if place[:1] != ("triggers",) and categories & {"Cc", "Cs"}:
        draft.wrong(place, "holds a control character, perhaps a line break at its end; remove it")
    return filled


def _complain(error: jsonschema.ValidationError, written: Any, draft: Draft) -> None:
    """Words one complaint of the schema: what was expected, what was found, how to mend it."""
    place: Place = tuple(error.absolute_path)
    schema: Any = error.schema
    properties = schema.get("properties", {})
    instance: Any = error.instance
    if error.validator == "required":
        for key in schema["required"]:
            if key not in instance:
                draft.wrong((*place, key), f"missing{_example(properties.get(key, {}), f'add {key}: ')}")
    elif error.validator == "additionalProperties":
        for key in instance:
            if key not in properties:
                near = difflib.get_close_matches(key.lower(), properties, n=1)
                cure = f"did you mean {near[0]}?" if near else f"known here: {', '.join(properties)}"
                draft.wrong((*place, key), f"unknown key; {cure}")
    else:
        cure = _example(schema, "write ")
        if schema.get("type") == "string" and isinstance(instance, int | float) and place[0] not in _HIDDEN:
            cure = "; put it in quotes"
        draft.wrong(place, f"expected {schema['title']}, found {_found(place, written)}{cure}")


def _example(schema: Mapping[str, Any], verb: str) -> str:
    return f"; {verb}{json.dumps(schema['examples'][0])}" if "examples" in schema else ""


def _found(place: Place, written: Any) -> str:
    """Shows what is written at `place`, references not filled in; only its kind where it may be a secret."""
    value = written
    for part in place:
        value = value[part]
    kinds = {dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", type(None): "nothing"}
    kind = kinds.get(type(value), "a number")
    if not place or isinstance(value, dict | list | None):
        return kind
    if place[0] in _HIDDEN:
        return f"{kind} (not shown)"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


# The rules that the schema cannot say.


def _check_target(
    given: Mapping[str, Any],
    written: Mapping[str, Any],
    described: Descriptor | None,
    draft: Draft,
) -> None:
    base_url, credentials = given.get("base_url"), given.get("credentials")
    if isinstance(base_url, str):
        fault = _base_url_fault(base_url)
        if fault:
            draft.wrong(("base_url",), fault)
    for place in (("egress", "outside_proxy"), ("webhook", "public_url")):
        section = given.get(place[0])
        url = section.get(place[1]) if isinstance(section, dict) else None
        if isinstance(url, str) and not (is_proxy(url) if place[0] == "egress" else _is_url(url)):
            draft.wrong(place, "is not a valid URL")
    if not isinstance(credentials, dict) or described is None:
        return
    may_be_literal = not isinstance(base_url, str) or ("base_url",) in draft.mistakes or is_loopback(base_url)
    for name, value in credentials.items():
        if name in described.credentials and isinstance(value, str):
            is_literal = _REFERENCE.fullmatch(written["credentials"][name]) is None
            fault = _credential_fault(described.credentials[name], value, is_literal and not may_be_literal)
            if fault:
                draft.wrong(("credentials", name), fault)


def _base_url_fault(url: str) -> str:
    authority = re.split(r"[/?#]", url.partition("://")[2])[0]
    if "@" in authority or "\\" in authority:
        return "holds a user name or password; remove it, credentials have keys of their own"
    if "?" in url or "#" in url:
        return "holds a query or a fragment; end it before that"
    if not _BASE_URL.fullmatch(url) or not _is_url(url):
        return "is not an absolute URL; write https://HOST, https://HOST:PORT or either with a path"
    if url.lower().startswith("http:") and not is_loopback(url):
        return "would send the credentials unencrypted; write https:// (http:// is for this machine only)"
    return ""


def is_proxy(url: str) -> bool:
    """Whether this is the URL of an HTTP proxy: with a host, perhaps a port and a login, and nothing after them."""
    parts = re.fullmatch(r"https?://([^\s/?#]+)/?", url, re.IGNORECASE)
    if parts is None or not _is_url(url):
        return False
    login, at, _ = parts[1].rpartition("@")
    return not at or (login.count("@") == 0 and ":" in login)


def _is_url(url: str) -> bool:
    """Whether a URL has a host that can be asked for, and a port that is one."""
    try:
        host = urlsplit(url).hostname or ""
        host.encode("idna")
        return bool(host) and urlsplit(url).port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False


def _credential_fault(known: Credential, value: str, is_literal: bool) -> str:
    if is_literal:
        return f"is written out; write ${{{known.variable}}} and set that variable for the run"
    if value != value.strip():
        return "begins or ends with a space; remove it"
    if known.header and not value.isascii():
        return "holds a character that no HTTP header carries; look for a mistake in copying"
    if len(value) < _SHORTEST_CREDENTIAL:
        return f"is shorter than {_SHORTEST_CREDENTIAL} characters; look for a mistake in copying"
    return ""


def _check_own(given: Mapping[str, Any], described: Descriptor, draft: Draft) -> None:
    """Notes what contradicts something else in the profile, or is of no use without it."""
    version = given.get("contract_version")
    if isinstance(version, str) and version not in (known_versions := versions.names(described.name)):
        draft.wrong(("contract_version",), f"there is no such version; known: {', '.join(known_versions)}")
    credentials = given.get("credentials")
    owners: dict[tuple[str, str, Any], str] = {}
    for name, value in credentials.items() if isinstance(credentials, dict) else ():
        if (known := described.credentials.get(name)) is None or not isinstance(value, str):
            continue
        owner = owners.setdefault((known.header, known.signs, value), name)
        if owner != name:
            draft.wrong(("credentials", name), f"is the same as credentials.{owner}; each is another one")
    for place, needed in described.requires.items():
        if _at(given, place) is not None and _at(given, needed) is None:
            draft.wrong(tuple(place.split(".")), f"is of no use without {needed}; add that")
    for place, among in described.contradictions:
        value, others = _at(given, place), _at(given, among)
        if isinstance(others, list) and value in others:
            draft.wrong(tuple(place.split(".")), f"is one of {among} as well; remove it from one")
