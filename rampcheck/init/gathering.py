"""What is known of a target, put together from options, sources and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from rampcheck.command import contract_of_environment
from rampcheck.contract import descriptor
from rampcheck.contract import profile as profiles
from rampcheck.contract.descriptor import Descriptor
from rampcheck.contract.profile_rules import SHORTEST_CREDENTIAL
from rampcheck.contract.urls import holds_token
from rampcheck.errors import ProfileError, UsageError
from rampcheck.init import answers
from rampcheck.init.commented import Known
from rampcheck.init.sources import Source

ADD_URL = "Add --base-url, or --from-run with a finished run; on a terminal it is asked for."
IN_THE_URL = "what is told as the base URL holds what looks like a secret (not shown, not written)"
REFER_TO_IT = (
    "A profile holds no secret: put that part into the environment, and write ${NAME} in its place, in single quotes. "
    "What is no part of the address is left out."
)
_REFERENCE = re.compile(r"\$\{(\w+)\}", re.ASCII)


@dataclass(frozen=True)
class Options:
    """What the command line tells of the target, "" where it does not; `credentials` are NAME=VARIABLE each.

    `allow_http` lets the base URL be http to another machine of a private network.
    """

    contract: str = ""
    base_url: str = ""
    environment: str = ""
    credentials: Sequence[str] = ()
    allow_http: bool = False


def contract(options: Options, sources: Sequence[Source], *, may_ask: bool) -> str:
    """Gives the contract that options, sources or the environment's credentials tell; else it is asked for.

    That the environment told it is said. Raises `UsageError` where they tell none, or more than one.
    """
    named = dict.fromkeys(source.contract for source in sources)
    if options.contract:
        named[answers.contract(options.contract)] = None
    if len(named) > 1:
        raise UsageError(
            f"several contracts are named: {' and '.join(named)}", "A profile is of one target: name what is its own."
        )
    if named:
        return next(iter(named))
    try:
        found = contract_of_environment()
    except UsageError:
        known = descriptor.contracts()
        if may_ask:
            return answers.ask(f"Whose API is it ({', '.join(known)})?", answers.contract)
        raise UsageError(
            "nothing tells whose API the target is",
            f"Add --contract ({' or '.join(known)}){'' if options.base_url else ' and --base-url'}, or --from-run with "
            f"a finished run; on a terminal {'it is' if options.base_url else 'they are'} asked for.",
        ) from None
    click.echo(f"The contract is {found}, by the credentials in the environment; --contract names another.")
    return found


def known(
    described: Descriptor, options: Options, sources: Sequence[Source], environ: Mapping[str, str], *, may_ask: bool
) -> Known:
    """Gives the profile as far as it is known, and what is wanted in it; asks for what nothing tells.

    Raises `UsageError` where something is missing and nobody can be asked, or what is told cannot stand in a profile.
    """
    given: dict[str, Any] = {"contract": described.name}
    for source in sources:
        given = _merged(given, source.given)
    references = given.get("credentials", {}) | answers.credentials(options.credentials, described, environ)
    given["credentials"] = references
    if options.base_url:
        given["base_url"] = options.base_url
    if options.allow_http:
        given["allow_http"] = True
    if options.environment:
        given["environment"] = answers.environment(described)(options.environment)
    if "base_url" not in given and not may_ask:
        raise UsageError("nothing tells where the API is", ADD_URL)
    if may_ask:
        _ask(given, described, environ)
    for name, credential in described.credentials.items():
        if credential.required or environ.get(credential.variable):
            references.setdefault(name, f"${{{credential.variable}}}")
    # In the order in which the contract names them.
    given["credentials"] = {name: references[name] for name in described.credentials if name in references}
    _demand_no_token(given["base_url"])
    _check(given, environ)
    wanted = {place: told for source in sources for place, told in source.wanted.items()}
    return Known(given, wanted)


def _ask(given: dict[str, Any], described: Descriptor, environ: Mapping[str, str]) -> None:
    """Asks for what is not `given` yet, and puts it there."""

    def base_url(url: str) -> str:
        usual = {
            name: f"${{{credential.variable}}}"
            for name, credential in described.credentials.items()
            if credential.required
        }
        allowed = {"allow_http": given.get("allow_http", False)}
        _demand_no_token(url)
        _check({"contract": described.name, "base_url": url, "credentials": usual, **allowed}, environ)
        return url

    if "base_url" not in given:
        given["base_url"] = answers.ask("Where is the API (https://…)?", base_url)
    if "environment" not in given:
        choice = ", ".join(described.environments)
        question = f"Which environment is it ({choice}; Enter: not stated)?"
        if name := answers.ask(question, answers.environment(described), ""):
            given["environment"] = name
    for name, credential in described.credentials.items():
        if credential.required and name not in given["credentials"] and not environ.get(credential.variable):
            question = f"{credential.description}\nWhich environment variable holds {name}?"
            accepted = answers.reference(described, name, environ)
            given["credentials"][name] = answers.ask(question, accepted, credential.variable)


def _demand_no_token(base_url: str) -> None:
    if holds_token(base_url):
        raise UsageError(IN_THE_URL, REFER_TO_IT)


def _check(given: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Raises `UsageError` with every mistake where this is no profile; credentials may be set later."""
    named = [match[1] for text in given["credentials"].values() if (match := _REFERENCE.fullmatch(text))]
    stand_ins = {name: f"not-set-yet-{name}" for name in named if not environ.get(name)}
    try:
        profiles.from_mapping(given, {**environ, **stand_ins}, "")
    except ProfileError as error:
        raise UsageError("\n".join(error.mistakes)) from error


def unset(given: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Gives the variables that a profile's credentials name and the environment does not have."""
    named = (match[1] for text in given["credentials"].values() if (match := _REFERENCE.fullmatch(text)))
    return [name for name in named if not environ.get(name)]


def demand_no_secret(text: str, described: Descriptor, given: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Raises `UsageError` where a credential of the environment stands in a text that is to be written."""
    usual = {name: credential.variable for name, credential in described.credentials.items()}
    named = {name: reference[2:-1] for name, reference in given["credentials"].items()}
    for name, variable in (*usual.items(), *named.items()):
        value = environ.get(variable, "")
        if len(value) >= SHORTEST_CREDENTIAL and value in text:
            raise UsageError(
                f"what is told of the target holds the value of {variable} (credentials.{name})",
                f"A profile holds no secret: write ${{{variable}}} in its place.",
            )


def _merged(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(first)
    for key, value in then.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
