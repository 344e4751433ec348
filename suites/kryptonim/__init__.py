"""Kryptonim's `POST /v1/widget-sessions`: how its requests are made, and what is judged of every exchange."""

from rampcheck.contract import descriptor
from rampcheck.judging.suite import Suite

from . import invariants, probes, requests

suite = Suite(
    contract=descriptor.load("kryptonim"),
    authenticate=requests.authenticate,
    candidates=requests.candidates,
    respelled=requests.respelled,
    probes=probes.probes,
    invariants=invariants.INVARIANTS,
    history=invariants.HISTORY,
)
