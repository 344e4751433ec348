"""The embedded Proof server: partners, access, request, service and its defects."""
