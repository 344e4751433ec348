"""How Sphinx builds the handbook: `sphinx-build -n -W -b html docs build/handbook`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # docs.made, whose parts read the installed rampcheck

from rampcheck import __version__

project = "rampcheck"
release = __version__
language = "en"
extensions = ["myst_parser", "docs.made"]
exclude_patterns = ["made"]
html_theme = "furo"
html_title = f"rampcheck {release}"
html_show_copyright = False
myst_heading_anchors = 3
smartquotes = False  # an option begins with two hyphens
pygments_style = "friendly"
