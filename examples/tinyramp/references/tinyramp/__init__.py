"""A server that keeps every promise of Tinyramp, what it can do wrong, and what it can do otherwise."""

from rampcheck.sandbox.reference import Reference

reference = Reference(
    contract="tinyramp",
    defects=("defects_auth", "defects_request", "defects_session", "defects_redeem", "defects_errors"),
    variants=("variants",),
    error=lambda _, code, message: {"code": code, "message": message},
)
