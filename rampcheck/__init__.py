"""rampcheck: does a running server keep the promises of its documentation?

The engine, read in the order of the flow: `profile` (who is asked), `contract` (what is promised), `exchanges` and
`client` (what went over the wire), `findings` (what was broken), `verdicts` (folded by clause), `report`.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("rampcheck")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0.0.0"
