"""Lets plain `pytest suites/vendorname` judge a target, as `rampcheck run` does."""

from pathlib import Path

from rampcheck.contract import packs

packs.add(Path(__file__).parent)
pytest_plugins = ["rampcheck.running.plugin"]
