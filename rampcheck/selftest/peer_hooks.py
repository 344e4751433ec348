"""What a user of schemathesis would write for requests that are signed: `SCHEMATHESIS_HOOKS` names this module.

Schemathesis imports it, in a process of its own, for the target of the profile in the current folder. Source:
schemathesis's documentation, "Extending Schemathesis".
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from rampcheck.contract import profile
from rampcheck.judging import suite
from rampcheck.selftest.peer import PROFILE
from rampcheck.wire.exchanges import Request

if TYPE_CHECKING:
    import requests

_profile = profile.load(Path(PROFILE), os.environ)
_suite = suite.load(_profile.contract)


def signed(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Signs the very bytes that are about to be sent; gives the same request."""
    body = prepared.body or b""
    path = str(prepared.path_url).removeprefix(urlsplit(_profile.base_url).path.rstrip("/"))
    request = Request(
        str(prepared.method),
        path,
        body=body.encode() if isinstance(body, str) else bytes(body),
        credential=_suite.credential,
        at=time.time(),
        nonce=uuid.uuid4().hex,
    )
    for name, value in _suite.authenticate(request, _profile).headers:
        if name in _suite.contract.computed_headers:
            prepared.headers[name] = value
    return prepared


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Has a request signed, unless its headers are what is meant to be wrong with it."""
    if case.meta is None or not case.meta.is_negative_at(ParameterLocation.HEADER):
        kwargs["auth"] = signed
