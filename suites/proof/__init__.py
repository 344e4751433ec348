"""Proof's `POST /widget/session`: how its requests are made, and what is judged of every exchange."""

from rampcheck.suites.proof import invariants, requests

from rampcheck.suite import Suite

suite = Suite(
    credential="client_token",
    authenticate=requests.authenticate,
    candidates=requests.candidates,
    secret_fields=frozenset({"init_token", "signature", "user_email"}),
    no_server_error="proof.session.request.no-server-error",
    invariants=invariants.INVARIANTS,
    history=invariants.HISTORY,
)
