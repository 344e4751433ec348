"""Proof: how its requests are made, and what is judged of every exchange."""

from rampcheck.suites.proof import invariants, requests

from rampcheck.suite import Suite

suite = Suite(
    credential="client_token",
    authenticate=requests.authenticate,
    candidates=requests.candidates,
    secret_fields=frozenset({"init_token", "signature", "user_email"}),
    envelope=("error", "code", "message"),
    known_by={
        requests.PATH: frozenset({"merchant_transaction_id", "widget_id", "init_token", "init_token_type", "signature",
                                  "fix_currency", "fix_network", "fix_amount"}),
        "/widget/transactions/{id}": frozenset({"merchant_transaction_id", "crypto_amount", "created_at"}),
        "/widget/users/{id}/kyc-status": frozenset({"partner_user_id"}),
    },
    no_server_error={requests.PATH: "proof.session.request.no-server-error"},
    accepts={
        requests.PATH: "proof.session.request.client-ip-optional",
        "/widget/transactions/{id}": "proof.transaction.complete",
        "/widget/users/{id}/kyc-status": "proof.kyc.complete",
        "/ws": "proof.ws.connect",
    },
    named_by="merchant_transaction_id",
    gateway="proof.errors.gateway-envelope",
    advice="Tell more in the profile: `partner.pairs` with a currency and network that work, `partner.origins`. "
           "A 403 often means that this machine's address is not on the target's allowlist.",
    invariants=invariants.INVARIANTS,
    history=invariants.HISTORY,
)
