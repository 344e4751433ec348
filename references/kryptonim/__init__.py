"""The embedded Kryptonim server: partner, access, request, service and its defects."""

from rampcheck.sandbox.reference import Payloads, Reference

REQUEST = "kryptonim.session.request"

reference = Reference(
    contract="kryptonim",
    # In the order of the contract's sections.
    defects=(
        "defects_auth",
        "defects_signing",
        "defects_serialisation",
        "defects_half_right",
        "defects_media",
        "defects_headers",
        "defects_request",
        "defects_required",
        "defects_choices",
        "defects_combined",
        "defects_needed",
        "defects_types",
        "defects_json",
        "defects_size",
        "defects_behind",
        "defects_language",
        "defects_session",
        "defects_errors",
        "defects_memory",
        "defects_nested",
        "defects_silence",
        "defects_frameworks",
        "defects_intermittent",
    ),
    variants=(
        "variants_session",
        "variants_request",
        "variants_limits",
        "variants_protection",
    ),
    error=lambda _, code, message: {"code": code.upper(), "message": message},
    payloads=Payloads(
        email="email",
        address="ipAddress",
        accepted_for=(
            "kryptonim.auth.signature-bytes",
            *(
                f"{REQUEST}.{name}"
                for name in ("optional", "metadata", "unlocked-fields", "fiat-amount", "crypto-amount", "ip-forms")
            ),
        ),
        refused_for=tuple(f"{REQUEST}.{name}" for name in ("required.network", "amount-one-of", "amount-positive")),
        revoked=("", "unauthorized", "Unauthorized request"),
    ),
)
