"""A server that keeps every promise of vendorname, and what it can do wrong."""

from rampcheck.sandbox.reference import Reference

reference = Reference(
    contract="vendorname",
    defects=("defects",),
    variants=(),
    error=lambda _, code, message: {"code": code.upper(), "message": message},
)
