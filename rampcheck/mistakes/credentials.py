"""Credentials that are refused: what is wrong with how they are written, and which are taken for each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import chain, combinations
from urllib.parse import unquote

from rampcheck.contract.descriptor import Credential
from rampcheck.contract.profile import Profile
from rampcheck.errors import UsageError
from rampcheck.judging.suite import Candidate, by_themselves
from rampcheck.mistakes import clock
from rampcheck.mistakes.asker import Asker
from rampcheck.mistakes.observation import Observation
from rampcheck.wire.exchanges import Exchange, Request

ABOUT = "credentials"
MOST_TRIED = 4  # other credentials than the profile's, where these are refused
Mend = Callable[[str], str]

# How a credential may be written wrongly: what its text looks like, what that is, the cure, and the text mended, by
# which the target is asked again; None where nobody but the reader knows the right one.
FAULTS: tuple[tuple[re.Pattern[str], str, str, Mend | None], ...] = (
    (
        re.compile(r"\$\{?\w+\}?|%\w+%|\$\(.*\)|\{\{.*\}\}|\$env:\w+", re.ASCII),
        "is the name of a variable, taken literally",
        'Let the shell fill it in: export {variable}="$OTHER", in double quotes; in the profile write ${{{variable}}}.',
        None,
    ),
    (
        re.compile(r"<.*>|.*(\.\.\.|…)|(your|my|the)[-_ ].*|change-?me.*|x{6,}", re.IGNORECASE),
        "is a placeholder, as in an example",
        "Set {variable} to what onboarding issued.",
        None,
    ),
    (
        re.compile(r".*(\*{3,}|•{2,}).*"),
        "is masked: some of its characters are stars",
        "Copy the whole value, not what a page shows of it, into {variable}.",
        None,
    ),
    (
        re.compile(r"[A-Z][A-Z0-9_]*=.+", re.ASCII),
        "begins with the name of a variable",
        "Set {variable} to what stands after the =.",
        lambda value: value.partition("=")[2],
    ),
    (
        re.compile(r"[A-Za-z-]+:\s*.+", re.ASCII),
        "holds the name of its header",
        "Set {variable} to the secret alone; rampcheck writes the header.",
        lambda value: re.sub(r"^[A-Za-z-]+:\s*((bearer|token|basic)\s+)?", "", value, flags=re.IGNORECASE),
    ),
    (
        re.compile(r"(bearer|token|basic)\s+.+", re.IGNORECASE),
        "begins with the word of a scheme, as `Bearer`",
        "Set {variable} to the token alone; rampcheck writes what goes before it.",
        lambda value: value.split(None, 1)[1],
    ),
    (
        re.compile(r"[\"'`].*|.*[\"'`]"),
        "stands in quotes, which are taken for a part of it",
        "Set {variable} without them: an .env file, or a pipeline's secret, needs none.",
        lambda value: value.strip("\"'`"),
    ),
    (
        re.compile(r".*\\[nrt]"),
        "ends with a line break that is written as \\n",
        "Set {variable} without it.",
        lambda value: re.sub(r"(\\[nrt])+$", "", value),
    ),
    (
        re.compile(r".*%[0-9A-Fa-f]{2}.*"),
        "is encoded for a URL: it holds %",
        "Set {variable} to the value as it was issued.",
        unquote,
    ),
    (
        re.compile(r".*\s.*", re.DOTALL),
        "holds white space",
        "Copy it again, in one piece, into {variable}.",
        lambda value: re.sub(r"\s", "", value),
    ),
)
# Words by which vendors name environments in their secrets.
OF_PRODUCTION = re.compile(r"(?<![a-z])(live|prod|production)(?![a-z])", re.IGNORECASE)
OF_A_TEST = re.compile(r"(?<![a-z])(test|testnet|sandbox|staging|stage|dev)(?![a-z])", re.IGNORECASE)


def explained(asker: Asker, request: Request, refused: Exchange) -> Generator[Observation, None, Candidate | None]:
    """Says why the credentials are refused, as far as a few more requests can tell.

    Returns what is accepted with them: the target may refuse them for the way in which the rest is written.
    """
    if (mistake := mistaken(asker, request, refused)) is not None:
        yield mistake
        return None
    for candidate in chain(with_more(asker, refused), asker.suite.respelled(asker.profile)):
        answer = asker.ask(candidate.build(asker.profile, asker.suite.credential, asker.unique))
        if answer.accepted and asker.suite.is_known(answer):
            what = " and ".join(what for _, what in candidate.added)
            found = f"the target refuses them, and accepts them with {what}, which the documentation does not ask for"
            yield Observation(ABOUT, "look", found, "A run says so, too: tell the vendor.", "target", answer.number)
            return candidate
    yield unexplained(asker, refused)
    return None


def mistaken(asker: Asker, request: Request, refused: Exchange) -> Observation | None:
    """Says what is wrong with the credentials by their text, or by others that are accepted in their place.

    None where nothing is seen. Asks at most `MOST_TRIED` times.
    """
    known = asker.suite.contract.credentials
    for name, found, cure, mended in _faults(asker.profile):
        if mended is None and known[name].required:
            return Observation(
                ABOUT,
                "wrong",
                f"the target refuses them, and credentials.{name} {found}",
                _cure(asker, name, cure),
                "profile",
                refused.number,
            )
    for found, cure, tried in list(_otherwise(asker))[:MOST_TRIED]:
        try:
            answer = asker.ask(request, tried)
        except UsageError:  # An authentication says so of what is no key: then it is not that one.
            continue
        if answer.accepted and asker.suite.is_known(answer):
            return Observation(ABOUT, "wrong", found, cure, "profile", answer.number)
    return None


def are_refused_elsewhere(asker: Asker, refused: Exchange | None) -> bool | None:
    """Whether the API itself says of the credentials, here and at another endpoint, too, that it refuses them.

    Then no part of the request is missing. None where nobody can tell: the contract has no other endpoint, or it is
    production, where only sessions are asked for.
    """
    if refused is None or asker.suite.is_foreign(refused):
        return False
    if asker.suite.elsewhere is None or asker.profile.environment == "production":
        return None
    answer = asker.ask(asker.suite.elsewhere(asker.profile, asker.unique))
    return answer.status == asker.suite.contract.credentials_refused[0] and not asker.suite.is_foreign(answer)


def with_more(asker: Asker, refused: Exchange) -> Iterator[Candidate]:
    """Gives what a target may accept that refuses the minimum: it with all that is optional, with each part of it.

    Each part only where credentials are refused, and something shows that they may be right: a run tries all.
    """
    candidates = list(asker.suite.candidates(asker.profile))
    if candidates[-1].added:
        yield candidates[-1]
    is_of_credentials = refused.status == asker.suite.contract.credentials_refused[0]
    if is_of_credentials and are_refused_elsewhere(asker, refused) is False:
        yield from (candidates[place] for place in by_themselves(candidates))


def _otherwise(asker: Asker) -> Iterator[tuple[str, str, Profile]]:
    """Gives other credentials to try: what is wrong if they are accepted, the cure, and the profile with them."""
    given = asker.profile.credentials
    for name, found, cure, mended in _faults(asker.profile):
        if mended is not None:
            yield (
                f"the target refuses them, and accepts them mended: credentials.{name} {found}",
                _cure(asker, name, cure),
                asker.with_credentials(**{name: mended}),
            )
    known = asker.suite.contract.credentials
    required = [name for name, credential in known.items() if credential.required]
    for one, other in _pairs(given, known):
        belongs = f", or it does not belong to credentials.{required[0]}" if known[one].signs else ""
        yield (
            (
                f"the target refuses them, and accepts credentials.{other} in the place of credentials.{one}: they are "
                f"swapped, or credentials.{one} is no longer valid{belongs}"
            ),
            (
                f"Check {known[one].variable} and {known[other].variable}: which is which? If they are where they "
                "belong, copy the first anew."
            ),
            asker.with_credentials(**{one: given[other], other: given[one]}),
        )


def _pairs(given: Iterable[str], known: Mapping[str, Credential]) -> list[tuple[str, str]]:
    """Gives the credentials that may stand in each other's place: both needed, or of one kind; the likeliest first."""
    found = [
        (one, other)
        for one, other in combinations(given, 2)
        if known[one].required and (known[other].required or bool(known[one].signs) == bool(known[other].signs))
    ]
    return sorted(found, key=lambda pair: (not known[pair[1]].required, not known[pair[0]].signs))


def _faults(profile: Profile) -> Iterator[tuple[str, str, str, str | None]]:
    """Gives for each credential that is written strangely its name, what it is, the cure, and its text mended."""
    for name, value in profile.credentials.items():
        for pattern, found, cure, mend in FAULTS:
            if pattern.fullmatch(value):
                mended = mend(value) if mend else None
                if mended not in (value, ""):
                    yield name, found, cure, mended
                    break


def unexplained(asker: Asker, refused: Exchange) -> Observation:
    """Says that the credentials are refused, with what may be the reason."""
    profile, known = asker.profile, asker.suite.contract.credentials
    hints = list(_hints(profile))
    seconds = clock.skew(refused)
    if seconds is not None and abs(seconds) > clock.MOST_SKEW:
        hints.append("this machine's clock is not the target's, which a signature may be compared with")
    signing = [name for name, credential in known.items() if credential.required and credential.signs]
    if signing:
        hints.append(f"does credentials.{signing[0]} belong to this very {asker.suite.credential}?")
    variables = ", ".join(known[name].variable for name in profile.credentials if known[name].required)
    words = f" ({'; '.join(hints)})" if hints else ""
    stated = f" (`environment: {profile.environment}`)" if profile.environment else ""
    return Observation(
        ABOUT,
        "wrong",
        f"the target refuses them: {refused.summary()}{words}",
        f"Copy {variables} anew, all from the same page of the environment that `base_url` is of{stated}, or ask "
        "whether they are active, and valid from this machine's address.",
        "either",
        refused.number,
    )


def _hints(profile: Profile) -> Iterator[str]:
    is_production = profile.environment == "production"
    for name, value in profile.credentials.items():
        if (OF_A_TEST if is_production else OF_PRODUCTION).search(value):
            other = "a test environment's" if is_production else "production's"
            yield f"credentials.{name} looks like {other}"


def _cure(asker: Asker, name: str, cure: str) -> str:
    return cure.format(variable=asker.suite.contract.credentials[name].variable)
