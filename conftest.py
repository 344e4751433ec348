"""Loads the suite's pytest plugin when pytest is started in a checkout."""

pytest_plugins = ["rampcheck.plugin"]
