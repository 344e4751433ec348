"""What is wrong with a profile that its schema cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rampcheck.contract import packs, tls_files, versions
from rampcheck.contract.descriptor import Credential, Descriptor
from rampcheck.contract.profile_text import Draft
from rampcheck.contract.urls import base_url_fault, is_loopback, is_proxy, is_url
from rampcheck.contract.yaml_file import read_yaml

SHORTEST_CREDENTIAL = 8  # characters; a shorter one might be a word, and reports hide it wherever it stands
REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$\{", re.ASCII)

# Why a header is not the profile's to set, by its name in lower case. RFC 9110 sections 6 to 10, RFC 9112, RFC 6455.
_OF_HTTP = "is HTTP's own, another one for each request; leave it out"
_OF_THE_RUN = "is rampcheck's own, by which the vendor finds a request; leave it out"
_OF_THE_CALLER = "says where a call comes from, which scenarios try for themselves; leave it out"
_TAKEN: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
            *("content-length", "content-type", "content-encoding", "proxy-authorization", "proxy-connection"),
        ),
        _OF_HTTP,
    ),
    **dict.fromkeys(("user-agent", "accept", "accept-encoding"), _OF_THE_RUN),
    **dict.fromkeys(("traceparent", "tracestate"), f"{_OF_THE_RUN}, and write `traceparent: false` to send none"),
    **dict.fromkeys(("origin", "forwarded", "x-forwarded-for", "x-real-ip", "true-client-ip"), _OF_THE_CALLER),
    "cf-connecting-ip": _OF_THE_CALLER,
}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.1
SECRET_NAME = re.compile(r"cookie|token|secret|passw|session|credential|api.?key|auth", re.IGNORECASE)


def at(value: Any, path: str, default: Any = None) -> Any:
    """Gives what stands at a dotted path in plain data, or `default`."""
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value


def check(given: Mapping[str, Any], written: Mapping[str, Any], described: Descriptor | None, draft: Draft) -> None:
    """Notes in `draft` what is wrong with a profile, `given` with its references filled in, as `written` without.

    `described` is its contract, where it is known.
    """
    _check_target(given, written, described, draft)
    _check_headers(given, written, described, draft)
    _check_tls(given, draft)
    if described is not None:
        _check_own(given, described, draft)


def _check_target(
    given: Mapping[str, Any],
    written: Mapping[str, Any],
    described: Descriptor | None,
    draft: Draft,
) -> None:
    base_url, credentials = given.get("base_url"), given.get("credentials")
    if isinstance(base_url, str) and (fault := base_url_fault(base_url, allow_http=given.get("allow_http") is True)):
        draft.wrong(("base_url",), fault)
    for place in (("egress", "outside_proxy"), ("webhook", "public_url")):
        section = given.get(place[0])
        url = section.get(place[1]) if isinstance(section, dict) else None
        if isinstance(url, str) and not (is_proxy(url) if place[0] == "egress" else is_url(url)):
            draft.wrong(place, "is not a valid URL")
    if not isinstance(credentials, dict) or described is None:
        return
    may_be_literal = _may_be_literal(given, draft)
    for name, value in credentials.items():
        if name in described.credentials and isinstance(value, str):
            is_literal = REFERENCE.fullmatch(written["credentials"][name]) is None and not may_be_literal
            if fault := _credential_fault(described.credentials[name], value, is_literal):
                draft.wrong(("credentials", name), f"{held_by(written['credentials'][name])}{fault}")


def held_by(written: Any) -> str:
    """Gives the subject of a sentence about a value that is nothing but a reference: the variable that holds it."""
    reference = REFERENCE.fullmatch(written) if isinstance(written, str) else None
    return f"the environment variable {reference[1]} " if reference and reference[1] else ""


def _may_be_literal(given: Mapping[str, Any], draft: Draft) -> bool:
    base_url = given.get("base_url")
    if not isinstance(base_url, str) or (("base_url",) in draft.mistakes and not is_url(base_url)):
        return True  # nobody knows where it would be sent
    return is_loopback(base_url)


def _credential_fault(known: Credential, value: str, is_literal: bool) -> str:
    if is_literal:
        return f"is written out; write ${{{known.variable}}} and set that variable for the run"
    if value != value.strip():
        return "begins or ends with a space; remove it"
    if known.header and not value.isascii():
        return "holds a character that no HTTP header carries; look for a mistake in copying"
    if len(value) < SHORTEST_CREDENTIAL:
        return f"is shorter than {SHORTEST_CREDENTIAL} characters; look for a mistake in copying"
    return ""


def _check_headers(
    given: Mapping[str, Any], written: Mapping[str, Any], described: Descriptor | None, draft: Draft
) -> None:
    headers = given.get("headers")
    if not isinstance(headers, dict) or not headers:
        return
    documented = set(_documented(described)) if described else set()
    may_be_literal, known = _may_be_literal(given, draft), set[str]()
    for name, value in headers.items():
        is_literal = isinstance(value, str) and REFERENCE.search(written["headers"][name]) is None
        fault = _header_fault(name, value, documented)
        if not fault and name.lower() in known:
            fault = "is given twice, in other letter case; keep one"
        if not fault and is_literal and not may_be_literal and SECRET_NAME.search(name):
            fault = "may be a secret, and is written out; write ${NAME} and set that variable for the run"
        known.add(name.lower())
        if fault:
            is_of_value = bool(fault) and fault == _value_fault(value)
            draft.wrong(("headers", name), f"{held_by(written['headers'][name])}{fault}" if is_of_value else fault)


def _header_fault(name: str, value: Any, documented: set[str]) -> str:
    if not _NAME.fullmatch(name):
        return "is no name of a header; it has letters, digits and hyphens"
    lower = name.lower()
    if lower in documented:
        return "is a documented header of the API, which scenarios send, and leave out; leave it out here"
    if lower in _TAKEN or lower.startswith("sec-websocket-"):
        return _TAKEN.get(lower, _OF_HTTP)
    return _value_fault(value)


def _value_fault(value: Any) -> str:
    if isinstance(value, str) and value != value.strip():
        return "begins or ends with a space; remove it"
    if isinstance(value, str) and not value.isascii():
        return "holds a character that no HTTP header carries; write it in ASCII"
    return ""


def _documented(described: Descriptor) -> Iterator[str]:
    """Gives the headers of requests that a contract speaks of, in lower case."""
    yield "authorization"
    yield from map(str.lower, described.secret_headers | described.computed_headers)
    yield from _header_parameters(read_yaml(packs.of(described.name).document(described.name, "openapi")))


def _header_parameters(node: Any) -> Iterator[str]:
    # OpenAPI 3.1, "Parameter Object" and "Security Scheme Object" alike.
    if isinstance(node, dict):
        if node.get("in") == "header" and isinstance(node.get("name"), str):
            yield node["name"].lower()
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from _header_parameters(item)


def _check_tls(given: Mapping[str, Any], draft: Draft) -> None:
    files = given.get("tls")
    if not isinstance(files, dict) or any(place[:1] == ("tls",) for place in draft.mistakes):
        return
    named = tls_files.named(files, draft.folder)
    for key, fault in tls_files.faults(named):
        where = (
            ""
            if Path(files[key]).is_absolute() or getattr(named, key).exists()
            else "; a relative path begins where the profile is"
        )
        draft.wrong(("tls", key), f"{fault}{where}")


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
        if at(given, place) is not None and at(given, needed) is None:
            draft.wrong(tuple(place.split(".")), f"is of no use without {needed}; add that")
    for place, among in described.contradictions:
        value, others = at(given, place), at(given, among)
        if isinstance(others, list) and value in others:
            draft.wrong(tuple(place.split(".")), f"is one of {among} as well; remove it from one")
