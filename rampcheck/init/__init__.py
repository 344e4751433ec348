"""The first profile of a target."""
