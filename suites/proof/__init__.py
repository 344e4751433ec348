"""Proof: how its requests are made, and what is judged of every exchange."""

from rampcheck.contract import descriptor
from rampcheck.judging.suite import Suite

from . import invariants, probes, requests

suite = Suite(
    contract=descriptor.load("proof"),
    authenticate=requests.authenticate,
    candidates=requests.candidates,
    elsewhere=requests.elsewhere,
    probes=probes.probes,
    invariants=invariants.INVARIANTS,
    history=invariants.HISTORY,
)
