"""The reports of a run, rendered from nothing but what it saved: its results and its redacted exchanges."""
