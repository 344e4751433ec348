"""The embedded Proof server: partners, access, request, sessions, status, updates and their defects."""

from rampcheck.sandbox.reference import Payloads, Reference

REQUEST = "proof.session.request"

reference = Reference(
    contract="proof",
    # In the order of the contract's sections.
    defects=(
        "defects_auth",
        "defects_access",
        "defects_forged",
        "defects_origins",
        "defects_fields",
        "defects_required",
        "defects_json",
        "defects_choice",
        "defects_options",
        "defects_session",
        "defects_values",
        "defects_answers",
        "defects_configured",
        "defects_errors",
        "defects_transaction",
        "defects_transaction_access",
        "defects_kyc",
        "defects_kyc_access",
        "defects_ws",
        "defects_ws_event",
        "defects_webhook",
        "defects_disagreeing",
        "defects_gateway",
        "defects_silence",
        "defects_media_types",
        # Kinds that hold across sections.
        "defects_everywhere",
        "defects_half_right",
        "defects_names",
        "defects_combined",
        "defects_conditions",
        "defects_emptiness",
        "defects_undecided",
        "defects_sizes",
        "defects_odd",
        "defects_hidden",
        "defects_late",
        "defects_needed",
        "defects_habits",
        "defects_everyday",
        "defects_afterwards",
        "defects_intermittent",
        "defects_bound",
    ),
    variants=(
        "variants_access",
        "variants_session",
        "variants_request",
        "variants_errors",
        "variants_following",
        "variants_updates",
        "variants_alike",
        "variants_protection",
    ),
    error=lambda error, code, message: {"error": error, "code": code, "message": message},
    unverified_on_ipv6=("proof.auth.ip-allowlist",),
    payloads=Payloads(
        email="user_email",
        address="client_ip",
        accepted_for=tuple(
            f"{REQUEST}.{name}"
            for name in ("client-ip-optional", "accepts", "type-default", "redirect-override", "address-ignored")
        ),
        refused_for=tuple(f"{REQUEST}.{name}" for name in ("required.currency", "required.amount", "amount-positive")),
        revoked=("unauthorised", "invalid_token", "The client token is missing or not valid."),
    ),
)
