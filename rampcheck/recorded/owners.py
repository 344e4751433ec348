"""Who is who in recorded traffic: what is addressed to the API, and whose credential it carries."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from rampcheck.contract.profile import Profile
from rampcheck.errors import UsageError
from rampcheck.judging.suite import Suite
from rampcheck.wire.exchanges import Request, Sent
from rampcheck.wire.redaction import marks

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Addresses:
    """Where an API stands: below the profile's base URL, or another one of `others`; its webhooks go to the profile's.

    Whether it is TLS does not matter: a gateway may have ended it. Raises `UsageError` for an address that is none.
    """

    def __init__(self, profile: Profile, others: Iterable[str] = ()) -> None:
        self._bases = [_place(url) for url in (profile.base_url, *others)]
        self._webhooks = [_place(profile.webhook.public_url)] if profile.webhook else []

    def path(self, url: str) -> str | None:
        """Gives the path below the API's address, with its query; None for what is addressed to somebody else."""
        return _below(url, self._bases)

    def webhook_path(self, url: str) -> str | None:
        """Gives the path of a webhook of the profile's; None for anything else."""
        place = _split(url)
        return place.path if place and self._webhooks and _below(url, self._webhooks) is not None else None


Place = tuple[str, int, str]


def _split(url: str) -> SplitResult | None:
    try:
        split = urlsplit(url)
        return split if split.hostname and split.port != 0 and split.scheme.lower() in PORTS else None
    except ValueError:
        return None


def _authority(split: SplitResult) -> tuple[str, int]:
    return (split.hostname or "").lower(), split.port or PORTS[split.scheme.lower()]


def _place(url: str) -> Place:
    split = _split(url)
    if split is None:
        raise UsageError(f"{url[:200]} is no URL of an API", "Write it as https://host/path.")
    return (*_authority(split), split.path.rstrip("/"))


def _below(url: str, places: Iterable[Place]) -> str | None:
    split = _split(url)
    if split is None:
        return None
    for host, port, prefix in places:
        at = _authority(split)
        is_there = at == (host, port) or (at[0] == host and {at[1], port} == {80, 443})
        if is_there and (split.path == prefix or split.path.startswith(f"{prefix}/")):
            rest = split.path[len(prefix) :] or "/"
            return f"{rest}?{split.query}" if split.query else rest
    return None


class Owners:
    """Whose credentials requests carry, by their values."""

    def __init__(self, profile: Profile, suite: Suite) -> None:
        self._profile = profile
        self._suite = suite
        known = suite.contract.credentials
        self._carried = [
            (name, known[name].header, value) for name, value in profile.credentials.items() if known[name].header
        ]
        self.headers = {credential.header for credential in known.values() if credential.header}

    def credential(self, sent: Sent) -> str | None:
        """Gives the name of the credential that a request carries, None where it carries none.

        Raises `LookupError` where it is nobody's that the profile knows.
        """
        carried = [(header, value) for header in self.headers if (value := sent.header(header))]
        for header, value in carried:
            token = value.rpartition(" ")[2]
            for name, where, credential in self._carried:
                if where == header and credential in {token, value}:
                    return name
            hidden = next((name for name, _ in marks(value)), None)
            if hidden in self._profile.credentials:
                return hidden
        if carried:
            raise LookupError("its credential is none of the profile's")
        return None

    def is_authenticated(self, credential: str | None, sent: Sent, path: str, at: float) -> bool:
        """Whether a request has just the credentials that the suite's authentication makes of these very bytes."""
        if credential is None:
            return False
        bare = Request(sent.method, path, body=sent.body, credential=credential, at=at)
        made = self._suite.authenticate(bare, self._profile).headers
        return bool(made) and all(sent.header(name) == value for name, value in made)
