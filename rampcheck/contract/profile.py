"""Who is asked: the profile of one target, read from YAML and checked as a whole before any request is sent.

What may stand where is data: `schemas/profile.schema.json`, and each contract's own part. This module reads the text,
fills in the environment, words the schema's complaints and adds the few rules that a schema cannot say. No message
shows a credential.
"""

from __future__ import annotations

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

import jsonschema
from jsonschema.protocols import Validator

from rampcheck.contract import descriptor, profile_rules, profile_schema, tls_files
from rampcheck.contract.credentials import Credentials
from rampcheck.contract.descriptor import Descriptor
from rampcheck.contract.profile_rules import REFERENCE, SHORTEST_CREDENTIAL, at
from rampcheck.contract.profile_text import Draft, Place, parsed, plain, read
from rampcheck.contract.tls_files import Tls
from rampcheck.contract.urls import unguessable
from rampcheck.errors import ProfileError, UsageError, nearest

AUTO = "auto"  # for `requests_per_second`: it is learned
FIRST_RATE = 5.0  # requests a second that it begins with then: half of what a target is asked to bear otherwise
_MOST_COMPLAINTS = 200  # of the schema, each of which takes time to word; the first few are told
_HIDDEN = frozenset({"base_url", "credentials", "egress", "webhook"})  # messages show no value below these, …
_UNSHOWN = _HIDDEN | {"headers"}  # … nor below this, of which what the environment gave is a secret
_OPEN = frozenset({"subject", "tls"})  # what stands below these is shown, though it came from the environment


@dataclass(frozen=True)
class Partner:
    """What onboarding agreed on with one partner, as the profile gives it; what may stand there is the contract's."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def get(self, path: str, default: Any = None) -> Any:
        """Gives the value at a dotted path (`widget_config.type`), or `default`."""
        return at(self.given, path, default)


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

    Where it `adapts` (`requests_per_second: auto`), it is what a run begins with, and learns from the target. Where
    it is not stated (`is_stated`), it is the most, and a run asks less often once the target has answered 429.
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
    adapts: bool = False
    is_stated: bool = field(default=False, compare=False)


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


OF_ENVIRONMENT = "[from the environment]"


@dataclass(frozen=True)
class Profile:
    """One target. `base_url` has no slash at its end; `environment` is None where it is not stated.

    `headers` are sent with every request, besides those of the API, and with `traceparent` what names it to the
    target's tracing. The `secret_headers` among them came from the environment, in part or whole. `given` is the whole
    profile as it was given, references filled in: credentials stand in it.
    `filled` is what came from the environment for other things than credentials, URLs and the subject, by its place.
    `has_file` says that there is a file to write into, not only options of a command.
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
    tls: Tls
    headers: tuple[tuple[str, str], ...]
    secret_headers: frozenset[str]
    traceparent: bool
    given: Mapping[str, Any] = field(repr=False, compare=False)
    filled: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    has_file: bool = field(default=True, compare=False)

    def get(self, path: str) -> Any:
        """Gives the value at a dotted path (`partner.widget_config.type`) as it was given, or None."""
        return at(self.given, path)

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
        # The name of a variable that was taken literally is no secret: how to mend it cannot be told without it.
        variables = {known.variable for known in self.described.credentials.values()}
        found = {name: value for name, value in self.credentials.items() if value.strip("${}%") not in variables}
        if password := urlsplit(self.egress.outside_proxy or "").password:
            found["outside_proxy_password"] = unquote(password)
        found |= {name: value for name, value in self.filled.items() if len(value) >= SHORTEST_CREDENTIAL}
        for name, url in (("base_url_path", self.base_url), ("webhook_path", self.webhook and self.webhook.public_url)):
            parts = unguessable(url or "")
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

    def with_authorities(self, file: str) -> Profile:
        """Gives the profile with this file in place of `tls.ca`. Raises `UsageError` where it is of no use."""
        if fault := tls_files.ca_fault(Path(file)):
            raise UsageError(f"--ca-bundle {fault}", "Name a file of certificates in PEM.")
        return replace(
            self,
            tls=replace(self.tls, ca=Path(file)),
            given={**self.given, "tls": {**self.given.get("tls", {}), "ca": file}},
        )

    def as_public(self) -> dict[str, Any]:
        """Gives the profile as a mapping without secrets: credentials by name, URLs without login, query.

        Of a header that came from the environment it says that. What else did is hidden by its value.
        """
        public = {**self.given, "base_url": self.base_url, "credentials": list(self.credentials)}
        if self.secret_headers:
            public["headers"] = {
                name: OF_ENVIRONMENT if name in self.secret_headers else value for name, value in self.headers
            }
        for section, key in (("egress", "outside_proxy"), ("webhook", "public_url")):
            if key in public.get(section, {}):
                url = urlsplit(public[section][key])
                bare = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
                public[section] = {**public[section], key: bare}
        return public


def load(path: Path, environ: Mapping[str, str]) -> Profile:
    """Reads the profile in the YAML file `path`; `environ` fills its `${NAME}` references.

    The files that it names lie where it does, unless their paths are absolute.
    Raises `ProfileError` with every mistake found, a line each.
    """
    draft = Draft(str(path), path.parent)
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


def from_environment(
    contract: str, base_url: str, environ: Mapping[str, str], environment: str | None = None
) -> Profile:
    """Makes the profile of a run without a file, its credentials from the variables that its contract names.

    `environment` is what the target is, where that is said.

    Raises `ProfileError` with every mistake found, a line each, and `UsageError` for an unknown contract.
    """
    credentials = {
        name: f"${{{known.variable}}}"
        for name, known in descriptor.load(contract).credentials.items()
        if known.required or environ.get(known.variable)
    }
    data = {"contract": contract, "base_url": base_url, "environment": environment, "credentials": credentials}
    return replace(from_mapping(data, environ, "command line"), has_file=False)


def recalled(contract: str, public: Mapping[str, Any], *, has_file: bool = True) -> Profile:
    """Gives the profile of which `as_public` told: its credentials are only names, what else was secret is marked.

    `has_file` says whether it was one, or options of a command alone.
    For what is concluded from a finished run; nothing can be sent with it.
    """
    given = {**public, "contract": contract, "credentials": {name: name for name in public["credentials"]}}
    return replace(_made(given, given, Draft("a journal")), has_file=has_file)


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
    if described is None and isinstance(contract, str) and (meant := nearest(contract, descriptor.contracts())):
        # What it says of that contract is looked at in the same go.
        _complain_of(given, written, profile_schema.validator(""), draft)
        described = descriptor.load(meant)
        given, written = ({**one, "contract": meant} for one in (given, written))
    _complain_of(given, written, profile_schema.validator(described.name if described else ""), draft)
    if isinstance(given, dict):
        profile_rules.check(given, written, described, draft)
    if draft.mistakes:
        raise draft.refusal()
    return _made(given, written, draft)


def _complain_of(given: Any, written: Any, schema: Validator, draft: Draft) -> None:
    """Notes what a schema has against a profile."""
    # A key without a value is left out of what is given, whatever it is called.
    unknown = (error for error in schema.iter_errors(written) if error.validator == "additionalProperties")
    for error in itertools.islice(itertools.chain(schema.iter_errors(given), unknown), _MOST_COMPLAINTS):
        _complain(error, written, draft)


def _made(given: Mapping[str, Any], written: Mapping[str, Any], draft: Draft) -> Profile:
    headers = given.get("headers", {})
    return Profile(
        contract=given["contract"],
        base_url=given["base_url"].rstrip("/"),
        environment=given.get("environment"),
        credentials=Credentials(given["credentials"]),
        partner=Partner(given.get("partner", {})),
        second_partner=Partner(given["second_partner"]) if "second_partner" in given else None,
        egress=Egress(**given.get("egress", {})),
        triggers=given.get("triggers", {}),
        webhook=Webhook(**given["webhook"]) if "webhook" in given else None,
        limits=_limits(given.get("limits", {})),
        waivers=tuple(_waiver(waiver) for waiver in given.get("waivers", ())),
        subject=Subject(**given.get("subject", {})),
        sign_off=SignOff(**given.get("sign_off", {})),
        tls=tls_files.named(given.get("tls", {}), draft.folder),
        headers=tuple(headers.items()),
        secret_headers=frozenset(name for name in headers if REFERENCE.search(written["headers"][name])),
        traceparent=given.get("traceparent", True),
        given=given,
        filled=draft.filled,
    )


def _limits(given: Mapping[str, Any]) -> Limits:
    if given.get("requests_per_second") == AUTO:
        return Limits(**{**given, "requests_per_second": FIRST_RATE, "adapts": True, "is_stated": True})
    return Limits(**given, is_stated="requests_per_second" in given)


def _waiver(given: Mapping[str, Any]) -> Waiver:
    return Waiver(**{**given, "until": date.fromisoformat(given["until"]) if "until" in given else None})


def _filled(value: Any, place: Place, environ: Mapping[str, str], draft: Draft) -> Any:
    """Gives `value` with references filled in and without keys of no value, or none below; a trigger may send null."""
    if isinstance(value, dict):
        keeps_null = place[:1] == ("triggers",) and len(place) > 1
        members = {key: _filled(item, (*place, key), environ, draft) for key, item in value.items()}
        return {
            key: item
            for key, item in members.items()
            if (item is not None and not (item == {} and value[key])) or keeps_null or (*place, key) in draft.mistakes
        }
    if isinstance(value, list):
        return [_filled(item, (*place, index), environ, draft) for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        draft.wrong(place, "is not a finite number")
    if not isinstance(value, str):
        return value
    for match in REFERENCE.finditer(value):
        if match[1] is None:
            draft.wrong(place, "holds ${ that begins no reference; write ${NAME}")
        elif not environ.get(match[1]):
            draft.wrong(place, f"the environment variable {match[1]} is not set or is empty; set it")
            draft.unset.add(place)
        elif place and place[0] not in _HIDDEN | _OPEN:
            draft.fill(place, environ[match[1]])
    filled = REFERENCE.sub(lambda match: environ.get(match[1] or "", ""), value)
    categories = {unicodedata.category(character) for character in filled}
    if place[:1] != ("triggers",) and categories & {"Cc", "Cs"}:
        fault = "holds a control character, perhaps a line break at its end; remove it"
        draft.wrong(place, f"{profile_rules.held_by(value)}{fault}")
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
                example = _example(properties.get(key, {}), f"add {key}: ")
                # A key without a value was left out.
                draft.wrong(
                    (*place, key), f"{'has no value' if _is_at(written, (*place, key)) else 'missing'}{example}"
                )
    elif error.validator == "additionalProperties":
        for key in instance:
            if key not in properties:
                near = nearest(key, properties)
                cure = f"did you mean {near}?" if near else f"known here: {', '.join(properties)}"
                if ":" in key:
                    cure = "a value has a space before it, after the colon"
                elif section := _section_of(key, schema):
                    cure = f"it belongs below {section}; indent it further than that"
                draft.wrong((*place, key), f"unknown key; {cure}", instead=True)
    else:
        cure = _example(schema, "write ")
        if schema.get("type") == "string" and isinstance(instance, int | float) and place[0] not in _HIDDEN:
            cure = "; put it in quotes"
        if schema.get("format") == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", str(instance)):
            cure = "; there is no such day"
        if place == ("contract",):
            cure += ", or name the pack whose contract it is: --pack DIR"
        draft.wrong(place, f"expected {schema['title']}, found {_found(place, written)}{cure}")


def _section_of(key: str, schema: Mapping[str, Any]) -> str:
    """Gives the first section of a schema in which a key may stand, "" where there is none."""
    for name, section in schema.get("properties", {}).items():
        named = schema.get("$defs", {}).get(section.get("$ref", "").rpartition("/")[2], {})
        if key in {**named.get("properties", {}), **section.get("properties", {})}:
            return str(name)
    return ""


def _is_at(written: Any, place: Place) -> bool:
    for part in place:
        if not isinstance(written, dict) or part not in written:
            return False
        written = written[part]
    return True


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
    if place[0] in _UNSHOWN:
        return f"{kind} (not shown)"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
