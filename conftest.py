"""Loads the suite's pytest plugin when pytest is started in a checkout: the checkout's own, whatever is installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
pytest_plugins = ["rampcheck.running.plugin"]
