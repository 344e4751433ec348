"""The embedded Kryptonim server: partner, access, request, service and its defects."""
