"""The embedded Proof server: partners, access, request, sessions, status, updates and their defects."""
