"""Kryptonim's `POST /v1/widget-sessions`: how its requests are made, and what is judged of every exchange."""

from rampcheck.suites.kryptonim import invariants, requests

from rampcheck.suite import Suite

suite = Suite(
    credential="api_key",
    authenticate=requests.authenticate,
    candidates=requests.candidates,
    secret_fields=frozenset({"email", "widgetUrl"}),
    envelope=("code", "message"),
    known_by={requests.PATH: frozenset({"sessionId", "widgetUrl", "expiresAt"})},
    no_server_error={requests.PATH: "kryptonim.session.request.no-server-error"},
    accepts={requests.PATH: "kryptonim.session.request.optional"},
    gateway="kryptonim.errors.gateway-envelope",
    credentials_refused=(401, "kryptonim.auth.signature-bytes"),
    respelled=requests.respelled,
    advice="Tell more in the profile: `environment`, and under `partner` a `crypto_currency`, a `network` and a "
           "`destination_address` that work.",
    invariants=invariants.INVARIANTS,
    history=invariants.HISTORY,
)
