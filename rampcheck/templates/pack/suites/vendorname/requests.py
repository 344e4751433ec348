"""The session request: its credentials, and the smallest one that is accepted."""

from __future__ import annotations

from collections.abc import Iterator

from rampcheck.contract.profile import Profile
from rampcheck.judging.suite import Candidate, partner_of
from rampcheck.wire.exchanges import Request

PATH = "/v1/sessions"
API_KEY = "X-Api-Key"


def authenticate(request: Request, profile: Profile) -> Request:
    """Adds the API key, unless the request sets or withholds it."""
    if request.credential is None:
        return request
    return request.with_default(API_KEY, profile.credentials[request.credential])


def minimum(profile: Profile, credential: str, _unique: str) -> Request:
    """Gives the request with the required fields only."""
    asset = partner_of(profile, credential).get("asset") or "BTC"
    json = (("Content-Type", "application/json"),)
    return Request("POST", PATH, json, credential=credential).with_json({"asset": asset, "amount": "10.00"})


def candidates(_: Profile) -> Iterator[Candidate]:
    """Gives what a target may accept, the documented minimum first."""
    yield Candidate(minimum)
